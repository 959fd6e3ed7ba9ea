/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "card/card_device.h"
#include "card/pcsc_service.h"
#include "card/cards.h"
#include "base/fork_guard.h"
#include "base/log.h"
#include "pkcs11/pkcs11_device.h"
#include "model/survey.h"
#include "shown_label.h"

#define TOKENS_MAX 64
#define CANDIDATES_MAX 16

struct schsm_registry {
    struct schsm_fork_member fork; /* its lock is held while devices are looked for */
    struct schsm_cards cards;
    struct schsm_pcsc_settings pcsc;    /* the argument of the transport where it is PC/SC */
    struct schsm_pkcs11_tokens *tokens; /* of a PKCS#11 module; NULL: none is configured */
};

struct schsm_registry *schsm_registry_new_on(const struct schsm_transport *transport, void *arg,
                                             struct schsm_error *err)
{
    struct schsm_registry *registry = OPENSSL_zalloc(sizeof(*registry));

    if (registry == NULL || !schsm_fork_join(&registry->fork)) {
        OPENSSL_free(registry);
        schsm_fail_memory(err);
        return NULL;
    }
    registry->cards.transport = transport;
    registry->cards.transport_arg = arg;
    return registry;
}

struct schsm_registry *schsm_registry_new(struct schsm_error *err)
{
    struct schsm_registry *registry = schsm_registry_new_on(&schsm_transport_pcsc, NULL, err);

    schsm_pcsc_remember_root();
    if (registry != NULL) {
        registry->pcsc.wait = SCHSM_WAIT_DEFAULT;
        registry->cards.transport_arg = &registry->pcsc;
    }
    return registry;
}

void schsm_registry_wait(struct schsm_registry *registry, unsigned int seconds)
{
    registry->pcsc.wait = seconds;
}

void schsm_registry_protect(struct schsm_registry *registry, enum schsm_channel_mode mode,
                            const struct schsm_roots *roots)
{
    registry->cards.policy = (struct schsm_channel_policy){ mode, roots };
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

const char *schsm_registry_socket(bool *named)
{
    return schsm_pcsc_socket(named);
}

void schsm_registry_user(char *name, size_t size)
{
    schsm_pcsc_user_name(name, size);
}

void schsm_registry_free(struct schsm_registry *registry)
{
    if (registry == NULL) {
        return;
    }
    schsm_pkcs11_tokens_free(registry->tokens);
    schsm_cards_clear(&registry->cards);
    schsm_fork_leave(&registry->fork);
    OPENSSL_free(registry);
}

static void note_token(void *arg, const char *label, const char *serial)
{
    schsm_survey_note(arg, "token '%s' with serial number %s", label, serial);
}

static int fail_no_token(const struct schsm_registry *registry, const struct schsm_survey *survey,
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

static int look_for_tokens(struct schsm_registry *registry, struct schsm_survey *survey,
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
static int look(struct schsm_registry *registry, const struct schsm_device_selector *selector,
                struct schsm_device **devices, size_t *count, struct schsm_error *err)
{
    struct schsm_error without = SCHSM_ERROR_INIT;
    struct schsm_survey survey = { .seen = "" };
    bool cards = selector->token == NULL;
    bool tokens = !cards || (registry->tokens != NULL && selector->reader == NULL);
    size_t room = *count;
    int found = 0;

    *count = 0;
    if (cards) {
        *count = room;
        found = schsm_cards_find(&registry->cards, selector, &survey, devices, count, err);
    }
    if (!tokens || look_for_tokens(registry, &survey, selector, devices, room, count, &without)) {
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
    schsm_fork_lock(&registry->fork);
    return 1;
}

int schsm_registry_devices(struct schsm_registry *registry,
                           const struct schsm_device_selector *selector,
                           struct schsm_device **devices, size_t *count, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    int ok = enter(registry, &found);

    if (ok) {
        ok = look(registry, selector, devices, count, &found);
        schsm_fork_unlock(&registry->fork);
    } else {
        *count = 0;
    }
    if (ok && selector->shown != NULL) {
        ok = schsm_shown_label_filter(selector->shown, devices, count, &found);
    }
    return ok ? 1 : schsm_fail_as(err, &found);
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
    if (selector->serial != NULL) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_AMBIGUOUS,
                          "several devices have the serial number %s; name one by reader or token: "
                          "%s",
                          selector->serial, names);
    }
    return schsm_fail(err, SCHSM_REASON_DEVICE_AMBIGUOUS,
                      "several devices are connected; name one by serial, reader or token: %s",
                      names);
}

static int list_tokens(struct schsm_registry *registry, struct schsm_survey *survey,
                       struct schsm_reader *readers, size_t room, size_t *count,
                       struct schsm_error *err)
{
    const struct schsm_device_selector all = { .serial = NULL };
    struct schsm_device *devices[TOKENS_MAX];
    size_t found = TOKENS_MAX;

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
    struct schsm_survey survey = { .seen = "" };
    size_t room = *count;
    int ok;

    *count = 0;
    if (!enter(registry, err)) {
        return 0;
    }
    *count = room;
    ok = schsm_cards_readers(&registry->cards, readers, count, &found);
    if (!list_tokens(registry, &survey, readers, room, count, &ignored)) {
        ok = 0;
        found = ignored; /* a module that is configured is meant to work */
    } else if (*count > 0) {
        ok = 1;
    } else if (registry->tokens != NULL) {
        /* it is what was meant, without PC/SC */
        ok = fail_no_token(registry, &survey, &all, &found);
    }
    schsm_fork_unlock(&registry->fork);
    return ok ? 1 : schsm_fail_as(err, &found);
}
