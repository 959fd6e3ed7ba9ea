/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "card_device.h"
#include "fork_guard.h"
#include "log.h"
#include "pkcs11_device.h"
#include "session.h"

#define SLOTS_MAX 64
#define CANDIDATES_MAX 16

struct entry {
    struct schsm_device *device;
    struct entry *next;
};

struct schsm_registry {
    struct schsm_fork_member fork; /* its mutex is held while devices are looked for */
    const struct schsm_transport *transport;
    void *transport_arg;
    struct schsm_channel_policy policy;
    struct schsm_pkcs11_tokens *tokens; /* of a PKCS#11 module; NULL: none is configured */
    struct entry *entries;              /* grows at its head, under the guard; never shrinks */
};

/* One look at what is there. */
struct survey {
    struct schsm_slot slots[SLOTS_MAX];
    size_t slots_count;
    char seen[400];             /* what was found but does not fit, for the sentence */
    bool more;                  /* seen has no room left, and says so */
    const char *empty;          /* a reader without a card, worth telling where nothing was found */
    struct schsm_error trouble; /* why a card could not be looked at */
};

static void note(struct survey *survey, const char *format, const char *a, const char *b)
    __attribute__((format(printf, 2, 0)));

/* Adds to the list of what is there; format takes two strings. */
static void note(struct survey *survey, const char *format, const char *a, const char *b)
{
    static const char more[] = " and more";
    size_t used = strlen(survey->seen);
    char item[sizeof(survey->seen)];

    if (survey->more) {
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(item, sizeof(item), format, a, b);
#pragma GCC diagnostic pop
    survey->more = used > 0 && used + 2 + strlen(item) + sizeof(more) > sizeof(survey->seen);
    (void)snprintf(survey->seen + used, sizeof(survey->seen) - used, "%s%s",
                   survey->more ? more
                   : used > 0   ? ", "
                                : "",
                   survey->more ? "" : item);
}

struct schsm_registry *schsm_registry_new_on(const struct schsm_transport *transport, void *arg,
                                             struct schsm_error *err)
{
    struct schsm_registry *registry = OPENSSL_zalloc(sizeof(*registry));

    if (registry == NULL || !schsm_fork_join(&registry->fork)) {
        OPENSSL_free(registry);
        schsm_fail_memory(err);
        return NULL;
    }
    registry->transport = transport;
    registry->transport_arg = arg;
    return registry;
}

struct schsm_registry *schsm_registry_new(struct schsm_error *err)
{
    return schsm_registry_new_on(&schsm_transport_pcsc, NULL, err);
}

void schsm_registry_protect(struct schsm_registry *registry, enum schsm_channel_mode mode,
                            const struct schsm_roots *roots)
{
    registry->policy = (struct schsm_channel_policy){ mode, roots };
}

int schsm_registry_use_module(struct schsm_registry *registry, const char *path,
                              struct schsm_error *err)
{
    if (path == NULL) {
        return 1;
    }
    registry->tokens = schsm_pkcs11_tokens_new(path, err);
    return registry->tokens != NULL;
}

void schsm_registry_free(struct schsm_registry *registry)
{
    if (registry == NULL) {
        return;
    }
    schsm_pkcs11_tokens_free(registry->tokens);
    for (struct entry *entry = registry->entries, *next; entry != NULL; entry = next) {
        next = entry->next;
        entry->device->ops->free(entry->device);
        OPENSSL_free(entry);
    }
    schsm_fork_leave(&registry->fork);
    OPENSSL_free(registry);
}

static struct schsm_device *add_device(struct schsm_registry *registry,
                                       const struct schsm_slot *slot, struct schsm_error *err)
{
    struct entry *entry = OPENSSL_zalloc(sizeof(*entry));

    if (entry == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    entry->device = schsm_card_device_new(registry->transport, registry->transport_arg,
                                          slot->reader, &slot->atr, err);
    if (entry->device == NULL) {
        OPENSSL_free(entry);
        return NULL;
    }
    schsm_card_device_protect(entry->device, &registry->policy);
    schsm_guard_lock();
    entry->next = registry->entries;
    registry->entries = entry;
    schsm_guard_unlock();
    return entry->device;
}

/* Takes back the device that was added last. */
static void drop_device(struct schsm_registry *registry, struct schsm_device *device)
{
    struct entry *entry = registry->entries;

    schsm_guard_lock();
    registry->entries = entry->next;
    schsm_guard_unlock();
    device->ops->free(device);
    OPENSSL_free(entry);
}

/* The device known for this reader; where several were in it, the one with this serial number, or
 * the last that was not seen to be exchanged for another. */
static struct schsm_device *known_device(struct schsm_registry *registry, const char *reader,
                                         const char *serial)
{
    char its_serial[SCHSM_SERIAL_MAX + 1], its_reader[SCHSM_READER_MAX + 1];

    for (struct entry *entry = registry->entries; entry != NULL; entry = entry->next) {
        schsm_card_device_known(entry->device, its_serial, its_reader);
        if (strcmp(its_reader, reader) == 0 &&
            (serial == NULL ? !schsm_card_device_exchanged(entry->device)
                            : its_serial[0] == 0 || strcmp(its_serial, serial) == 0)) {
            return entry->device;
        }
    }
    return NULL;
}

/* Proves the serial number of the device in this slot. 1: it is the one, 0: it is not, or cannot
 * be asked. */
static int proves_serial(struct survey *survey, const struct schsm_slot *slot,
                         struct schsm_device *device, const char *serial)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    char found[SCHSM_SERIAL_MAX + 1];

    if (!schsm_device_serial(device, found, &err)) {
        if (err.reason != SCHSM_REASON_NO_DEVICE) {
            survey->trouble = err;
        }
        return 0;
    }
    if (strcmp(found, serial) == 0) {
        return 1;
    }
    note(survey, "device %s in reader %s", found, slot->reader);
    return 0;
}

/*
 * The device in this slot, NULL if it does not fit. A card whose ATR tells nothing has to be asked
 * what it is; so has one whose serial number is wanted and not in the reader's name.
 */
static struct schsm_device *consider(struct schsm_registry *registry, struct survey *survey,
                                     const struct schsm_slot *slot, const char *serial)
{
    char name_serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_device *device;
    bool added = false;

    if (!slot->card_present) {
        survey->empty = survey->empty != NULL ? survey->empty : slot->reader;
        return NULL;
    }
    if (serial != NULL && schsm_reader_serial(slot->reader, name_serial, sizeof(name_serial)) &&
        strcmp(name_serial, serial) != 0) {
        note(survey, "device %s in reader %s", name_serial, slot->reader);
        return NULL;
    }
    device = known_device(registry, slot->reader, serial);
    if (device == NULL) {
        device = add_device(registry, slot, &survey->trouble);
        if (device == NULL) {
            return NULL;
        }
        added = true;
        if (schsm_atr_kind(&slot->atr) != SCHSM_ATR_HSM && !schsm_card_device_probe(device, &err)) {
            if (err.reason == SCHSM_REASON_NO_DEVICE) {
                note(survey, "another card in reader %s%s", slot->reader, "");
            } else {
                survey->trouble = err;
            }
            drop_device(registry, device);
            return NULL;
        }
    }
    if (serial == NULL || proves_serial(survey, slot, device, serial)) {
        return device;
    }
    if (added) {
        drop_device(registry, device);
    }
    return NULL;
}

static int take_survey(struct schsm_registry *registry, struct survey *survey,
                       struct schsm_error *err)
{
    survey->slots_count = SLOTS_MAX;
    if (registry->transport->list(registry->transport_arg, survey->slots, &survey->slots_count,
                                  err) != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    if (survey->slots_count == 0) {
        return schsm_fail(err, SCHSM_REASON_NO_READER,
                          "no smart card reader or token is connected: plug it in");
    }
    return 1;
}

static bool fits_reader(const struct schsm_slot *slot, const char *reader)
{
    return reader == NULL || strstr(slot->reader, reader) != NULL;
}

static int fail_none(struct survey *survey, const struct schsm_device_selector *selector,
                     bool reader_found, struct schsm_error *err)
{
    if (survey->seen[0] == 0 && survey->empty != NULL) {
        note(survey, "no card in reader %s%s", survey->empty, "");
    } else if (survey->seen[0] == 0) {
        note(survey, "%s%s", "nothing else", "");
    }
    if (selector->reader != NULL && !reader_found) {
        return schsm_fail(err, SCHSM_REASON_NO_READER,
                          "no reader's name contains `%s`; `sc-hsm readers` lists those that are "
                          "connected",
                          selector->reader);
    }
    if (survey->trouble.reason != SCHSM_REASON_NONE) {
        if (err != NULL) {
            *err = survey->trouble;
        }
        return 0;
    }
    if (selector->serial != NULL) {
        return schsm_fail(err, SCHSM_REASON_NO_DEVICE,
                          "no device with serial number %s is connected; there is %s",
                          selector->serial, survey->seen);
    }
    return schsm_fail(err, SCHSM_REASON_NO_DEVICE, "no SmartCard-HSM is connected; there is %s",
                      survey->seen);
}

/* Looks for devices behind PC/SC; those found stand behind the *count that are there. */
static int look_for_cards(struct schsm_registry *registry, struct survey *survey,
                          const struct schsm_device_selector *selector,
                          struct schsm_device **devices, size_t room, size_t *count,
                          struct schsm_error *err)
{
    size_t before = *count;
    bool reader_found = false;

    if (!take_survey(registry, survey, err)) {
        return 0;
    }
    for (size_t i = 0; i < survey->slots_count && *count < room; i++) {
        struct schsm_device *device;

        if (!fits_reader(&survey->slots[i], selector->reader)) {
            continue;
        }
        reader_found = true;
        device = consider(registry, survey, &survey->slots[i], selector->serial);
        if (device != NULL) {
            devices[(*count)++] = device;
        }
        if (device != NULL && selector->serial != NULL) {
            break; /* there is only one */
        }
    }
    return *count > before ? 1 : fail_none(survey, selector, reader_found, err);
}

static void note_token(void *arg, const char *label, const char *serial)
{
    note(arg, "token '%s' with serial number %s", label, serial);
}

static int fail_no_token(const struct schsm_registry *registry, const struct survey *survey,
                         const struct schsm_device_selector *selector, struct schsm_error *err)
{
    const char *module = schsm_pkcs11_tokens_module(registry->tokens);

    if (selector->token == NULL && selector->serial == NULL) {
        return schsm_fail(err, SCHSM_REASON_NO_DEVICE,
                          "the PKCS#11 module %s has no token, or none that is initialised",
                          module);
    }
    return schsm_fail(err, SCHSM_REASON_NO_DEVICE,
                      "the PKCS#11 module %s has no token with %s%s%s%s%s; there is %s", module,
                      selector->token != NULL ? "label " : "",
                      selector->token != NULL ? selector->token : "",
                      selector->token != NULL && selector->serial != NULL ? " and " : "",
                      selector->serial != NULL ? "serial number " : "",
                      selector->serial != NULL ? selector->serial : "",
                      survey->seen[0] != 0 ? survey->seen : "nothing else");
}

static int look_for_tokens(struct schsm_registry *registry, struct survey *survey,
                           const struct schsm_device_selector *selector,
                           struct schsm_device **devices, size_t room, size_t *count,
                           struct schsm_error *err)
{
    size_t found = room - *count;

    if (registry->tokens == NULL) {
        return schsm_fail(err, SCHSM_REASON_NO_DEVICE,
                          "there is no token %s, because no PKCS#11 module is configured: set "
                          "pkcs11-module",
                          selector->token);
    }
    if (!schsm_pkcs11_tokens_find(registry->tokens, selector, devices + *count, &found, note_token,
                                  survey, err)) {
        return 0;
    }
    *count += found;
    return found > 0 ? 1 : fail_no_token(registry, survey, selector, err);
}

/*
 * Looks for devices, under the lock. A reader names something behind PC/SC, a token something
 * behind PKCS#11; else both are looked at, and one of them may be missing. But a module that does
 * not work at all is an error where it may be meant: not where the device that was named was found.
 */
static int look(struct schsm_registry *registry, struct survey *survey,
                const struct schsm_device_selector *selector, struct schsm_device **devices,
                size_t *count, struct schsm_error *err)
{
    struct schsm_error without = SCHSM_ERROR_INIT;
    bool cards = selector->token == NULL;
    bool tokens = !cards || (registry->tokens != NULL && selector->reader == NULL);
    size_t room = *count;
    int found = 0;

    *count = 0;
    if (cards) {
        found = look_for_cards(registry, survey, selector, devices, room, count, err);
    }
    if (!tokens || look_for_tokens(registry, survey, selector, devices, room, count, &without)) {
        return found || *count > 0;
    }
    if (found && (without.reason == SCHSM_REASON_NO_DEVICE || selector->serial != NULL)) {
        schsm_log(SCHSM_LOG_INFO, "no token beside the device that was found: %s", without.text);
        return 1;
    }
    if (!found && cards && without.reason == SCHSM_REASON_NO_DEVICE &&
        err->reason != SCHSM_REASON_NO_SERVICE && err->reason != SCHSM_REASON_NO_READER) {
        return 0; /* what is wrong with a card that is there is worth more */
    }
    *err = without;
    *count = 0;
    return 0;
}

/* The registry's lock, but not for a module that a search has called. */
static int enter(struct schsm_registry *registry, struct schsm_error *err)
{
    if (schsm_pkcs11_inside()) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "a PKCS#11 module is in the middle of an operation, and cannot use "
                          "devices of ours for that");
    }
    pthread_mutex_lock(&registry->fork.mutex);
    return 1;
}

int schsm_registry_devices(struct schsm_registry *registry,
                           const struct schsm_device_selector *selector,
                           struct schsm_device **devices, size_t *count, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    struct survey *survey = OPENSSL_zalloc(sizeof(*survey));
    int ok;

    if (survey == NULL) {
        *count = 0;
        return schsm_fail_memory(err);
    }
    ok = enter(registry, &found);
    if (ok) {
        ok = look(registry, survey, selector, devices, count, &found);
        pthread_mutex_unlock(&registry->fork.mutex);
    } else {
        *count = 0;
    }
    OPENSSL_free(survey);
    if (!ok && err != NULL) {
        *err = found;
    }
    return ok;
}

int schsm_registry_device(struct schsm_registry *registry,
                          const struct schsm_device_selector *selector,
                          struct schsm_device **device, struct schsm_error *err)
{
    char name[SCHSM_DEVICE_NAME_MAX];
    struct schsm_device *found[CANDIDATES_MAX];
    size_t count = CANDIDATES_MAX, used = 0;
    char names[400] = "";

    *device = NULL;
    if (!schsm_registry_devices(registry, selector, found, &count, err)) {
        return 0;
    }
    if (count == 1) {
        *device = found[0];
        return 1;
    }
    for (size_t i = 0; i < count && used < sizeof(names); i++) {
        schsm_device_name(found[i], name);
        used +=
            (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "", name);
    }
    return schsm_fail(err, SCHSM_REASON_DEVICE_AMBIGUOUS,
                      "several devices are connected; name one by serial, reader or token: %s",
                      names);
}

static int is_hsm(struct schsm_registry *registry, struct survey *survey,
                  const struct schsm_slot *slot)
{
    if (!slot->card_present) {
        return 0;
    }
    if (schsm_atr_kind(&slot->atr) == SCHSM_ATR_HSM) {
        return 1;
    }
    return consider(registry, survey, slot, NULL) != NULL;
}

static void list_readers(struct schsm_registry *registry, struct survey *survey,
                         struct schsm_reader *readers, size_t room, size_t *count)
{
    for (size_t i = 0; i < survey->slots_count && *count < room; i++) {
        struct schsm_reader *reader = &readers[(*count)++];

        memset(reader, 0, sizeof(*reader));
        memcpy(reader->name, survey->slots[i].reader, sizeof(reader->name));
        reader->card_present = survey->slots[i].card_present;
        reader->is_hsm = is_hsm(registry, survey, &survey->slots[i]);
    }
}

static int list_tokens(struct schsm_registry *registry, struct survey *survey,
                       struct schsm_reader *readers, size_t room, size_t *count,
                       struct schsm_error *err)
{
    const struct schsm_device_selector all = { .serial = NULL };
    struct schsm_device *devices[SLOTS_MAX];
    size_t found = SLOTS_MAX;

    if (registry->tokens == NULL) {
        return 1;
    }
    if (!schsm_pkcs11_tokens_find(registry->tokens, &all, devices, &found, note_token, survey,
                                  err)) {
        return 0;
    }
    for (size_t i = 0; i < found && *count < room; i++) {
        struct schsm_reader *reader = &readers[(*count)++];

        memset(reader, 0, sizeof(*reader));
        schsm_device_token(devices[i], reader->name);
        if (!schsm_device_serial(devices[i], reader->serial, err)) {
            return 0;
        }
        reader->card_present = reader->is_token = 1;
    }
    return 1;
}

int schsm_registry_readers(struct schsm_registry *registry, struct schsm_reader *readers,
                           size_t *count, struct schsm_error *err)
{
    const struct schsm_device_selector all = { .serial = NULL };
    struct schsm_error found = SCHSM_ERROR_INIT, ignored = SCHSM_ERROR_INIT;
    struct survey *survey = OPENSSL_zalloc(sizeof(*survey));
    size_t room = *count;
    int ok;

    *count = 0;
    if (survey == NULL) {
        return schsm_fail_memory(err);
    }
    if (!enter(registry, err)) {
        OPENSSL_free(survey);
        return 0;
    }
    ok = take_survey(registry, survey, &found);
    if (ok) {
        list_readers(registry, survey, readers, room, count);
    }
    if (!list_tokens(registry, survey, readers, room, count, &ignored)) {
        ok = 0;
        found = ignored; /* a module that is configured is meant to work */
    } else if (*count > 0) {
        ok = 1;
    } else if (registry->tokens != NULL) {
        ok =
            fail_no_token(registry, survey, &all, &found); /* it is what was meant, without PC/SC */
    }
    pthread_mutex_unlock(&registry->fork.mutex);
    OPENSSL_free(survey);
    if (!ok && err != NULL) {
        *err = found;
    }
    return ok;
}
