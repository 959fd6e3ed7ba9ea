/* SPDX-License-Identifier: Apache-2.0 */
#include "cards.h"

#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "card_device.h"
#include "card_kind.h"
#include "base/fork_guard.h"
#include "base/log.h"
#include "session.h"

#define SLOTS_MAX 64

struct schsm_card_entry {
    struct schsm_device *device;
    bool expected; /* it was there when it was last looked for */
    struct schsm_card_entry *next;
};

static struct schsm_device *add_device(struct schsm_cards *cards, const struct schsm_slot *slot,
                                       struct schsm_error *err)
{
    struct schsm_card_entry *entry = OPENSSL_zalloc(sizeof(*entry));

    if (entry == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    entry->device =
        schsm_card_device_new(cards->transport, cards->transport_arg, slot->reader, err);
    if (entry->device == NULL) {
        OPENSSL_free(entry);
        return NULL;
    }
    schsm_card_device_protect(entry->device, &cards->policy);
    schsm_guard_lock();
    entry->next = cards->entries;
    cards->entries = entry;
    schsm_guard_unlock();
    return entry->device;
}

/* Takes back the device that was added last. */
static void drop_device(struct schsm_cards *cards, struct schsm_device *device)
{
    struct schsm_card_entry *entry = cards->entries;

    schsm_guard_lock();
    cards->entries = entry->next;
    schsm_guard_unlock();
    device->ops->free(device);
    OPENSSL_free(entry);
}

/* The device known for this reader; where several were in it, the one with this serial number, or
 * the last that was not seen to be exchanged for another. */
static struct schsm_device *known_device(struct schsm_cards *cards, const char *reader,
                                         const char *serial)
{
    char its_serial[SCHSM_SERIAL_MAX + 1], its_reader[SCHSM_READER_MAX + 1];

    for (struct schsm_card_entry *entry = cards->entries; entry != NULL; entry = entry->next) {
        schsm_card_device_known(entry->device, its_serial, its_reader);
        if (strcmp(its_reader, reader) != 0) {
            continue;
        }
        /* a serial number that others have as well tells nothing of an exchange */
        if (serial != NULL && its_serial[0] != 0 &&
                    !schsm_card_kind_of_serial(its_serial)->shares_names
                ? strcmp(its_serial, serial) == 0
                : !schsm_card_device_exchanged(entry->device)) {
            return entry->device;
        }
    }
    return NULL;
}

/* Proves the serial number of the device in this slot. 1: it is the one, 0: it is not, or cannot
 * be asked. */
static int proves_serial(struct schsm_survey *survey, const struct schsm_slot *slot,
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
    if (schsm_card_serial_fits(found, serial)) {
        return 1;
    }
    if (found[0] == 0) {
        schsm_survey_note(survey, "a device without a serial number in reader %s%s", slot->reader,
                          "");
    } else {
        schsm_survey_note(survey, "device %s in reader %s", found, slot->reader);
    }
    return 0;
}

/*
 * The device in this slot, NULL if it does not fit. A card whose ATR tells nothing has to be asked
 * what it is; so has one whose serial number is wanted and not in the reader's name.
 */
static struct schsm_device *consider(struct schsm_cards *cards, struct schsm_survey *survey,
                                     const struct schsm_slot *slot, const char *serial)
{
    char name_serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_device *device;
    bool added = false;

    if (!slot->card_present) {
        if (survey->empty[0] == 0) {
            memcpy(survey->empty, slot->reader, sizeof(survey->empty));
        }
        return NULL;
    }
    if (serial != NULL && schsm_reader_serial(slot->reader, name_serial, sizeof(name_serial)) &&
        !schsm_card_serial_fits(name_serial, serial)) {
        schsm_survey_note(survey, "device %s in reader %s", name_serial, slot->reader);
        return NULL;
    }
    device = known_device(cards, slot->reader, serial);
    if (device == NULL) {
        device = add_device(cards, slot, &survey->trouble);
        if (device == NULL) {
            return NULL;
        }
        added = true;
        if (schsm_atr_kind(&slot->atr) != SCHSM_ATR_HSM && !schsm_card_device_probe(device, &err)) {
            if (err.reason == SCHSM_REASON_NO_DEVICE) {
                schsm_survey_note(survey, "another card in reader %s%s", slot->reader, "");
            } else {
                survey->trouble = err;
            }
            drop_device(cards, device);
            return NULL;
        }
    }
    if (serial == NULL || proves_serial(survey, slot, device, serial)) {
        return device;
    }
    if (added) {
        drop_device(cards, device);
    }
    return NULL;
}

static int list_readers(const struct schsm_cards *cards, struct schsm_slot *slots, size_t *count,
                        struct schsm_error *err)
{
    if (cards->transport->list(cards->transport_arg, slots, count, err) != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    return *count > 0 || schsm_fail(err, SCHSM_REASON_NO_READER,
                                    "no smart card reader or token is connected: plug it in");
}

static bool fits_reader(const struct schsm_slot *slot, const char *reader)
{
    return reader == NULL || strstr(slot->reader, reader) != NULL;
}

/* Whether the reader's name tells the serial number, as those of tokens do that have one each.
 * Else others may have the same (19.5). */
static bool names_its_serial(const struct schsm_slot *slot)
{
    char serial[SCHSM_SERIAL_MAX + 1];

    return schsm_reader_serial(slot->reader, serial, sizeof(serial));
}

/* The number that OpenSC's tools give a reader. It fits the names of readers by chance only, and
 * changes with what else is plugged in. */
static bool is_bare_number(const char *reader)
{
    return reader != NULL && reader[0] != '\0' && reader[strspn(reader, "0123456789")] == '\0';
}

static bool is_whole_name(const struct schsm_slot *slots, size_t count, const char *reader)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(slots[i].reader, reader) == 0) {
            return true;
        }
    }
    return false;
}

static int fail_none(struct schsm_survey *survey, const struct schsm_device_selector *selector,
                     bool reader_found, struct schsm_error *err)
{
    if (survey->seen[0] == 0 && survey->empty[0] != 0) {
        schsm_survey_note(survey, "no card in reader %s%s", survey->empty, "");
    } else if (survey->seen[0] == 0) {
        schsm_survey_note(survey, "%s%s", "nothing else", "");
    }
    if (selector->reader != NULL && !reader_found) {
        return schsm_fail(err, SCHSM_REASON_NO_READER,
                          "no reader's name contains '%s'; 'sc-hsm readers' lists those that are "
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

static int find_once(struct schsm_cards *cards, const struct schsm_device_selector *selector,
                     struct schsm_survey *survey, struct schsm_device **devices, size_t *count,
                     struct schsm_error *err)
{
    struct schsm_slot slots[SLOTS_MAX];
    size_t room = *count, slots_count = SLOTS_MAX;
    bool reader_found = false;

    *count = 0;
    if (!list_readers(cards, slots, &slots_count, err)) {
        return 0;
    }
    if (is_bare_number(selector->reader) && !is_whole_name(slots, slots_count, selector->reader)) {
        return schsm_fail(err, SCHSM_REASON_NO_READER,
                          "no reader is called %s, and readers have no numbers here: give a "
                          "reader's name or a part of it that has a letter, as 'sc-hsm readers' "
                          "shows it, or the device's serial number",
                          selector->reader);
    }
    for (size_t i = 0; i < slots_count && *count < room; i++) {
        struct schsm_device *device;

        if (!fits_reader(&slots[i], selector->reader)) {
            continue;
        }
        reader_found = true;
        device = consider(cards, survey, &slots[i], selector->serial);
        if (device != NULL) {
            devices[(*count)++] = device;
        }
        if (device != NULL && selector->serial != NULL && names_its_serial(&slots[i])) {
            break; /* there is only one */
        }
    }
    return *count > 0 ? 1 : fail_none(survey, selector, reader_found, err);
}

/* Whether one that was there before, and may be meant, is not among those that were found. */
static bool is_missing(const struct schsm_card_entry *entry,
                       const struct schsm_device_selector *selector,
                       struct schsm_device *const *found, size_t count)
{
    char serial[SCHSM_SERIAL_MAX + 1], reader[SCHSM_READER_MAX + 1];
    char its_serial[SCHSM_SERIAL_MAX + 1], its_reader[SCHSM_READER_MAX + 1];

    schsm_card_device_known(entry->device, serial, reader);
    for (size_t i = 0; i < count; i++) {
        schsm_card_device_known(found[i], its_serial, its_reader);
        if (found[i] == entry->device || (serial[0] != 0 && strcmp(serial, its_serial) == 0)) {
            return false; /* it may have gone to another reader */
        }
    }
    return entry->expected && !schsm_card_device_exchanged(entry->device) &&
           (selector->reader == NULL || strstr(reader, selector->reader) != NULL) &&
           (selector->serial == NULL || serial[0] == 0 ||
            schsm_card_serial_fits(serial, selector->serial));
}

static bool is_any_missing(const struct schsm_cards *cards,
                           const struct schsm_device_selector *selector,
                           struct schsm_device *const *found, size_t count)
{
    for (const struct schsm_card_entry *entry = cards->entries; entry != NULL;
         entry = entry->next) {
        if (is_missing(entry, selector, found, count)) {
            return true;
        }
    }
    return false;
}

/* What was found is expected to be there the next time; what was waited for in vain is not. */
static void expect_again(const struct schsm_cards *cards,
                         const struct schsm_device_selector *selector,
                         struct schsm_device *const *found, size_t count)
{
    for (struct schsm_card_entry *entry = cards->entries; entry != NULL; entry = entry->next) {
        if (is_missing(entry, selector, found, count)) {
            entry->expected = false;
        }
        for (size_t i = 0; i < count; i++) {
            entry->expected = entry->expected || found[i] == entry->device;
        }
    }
}

/* A card that this process has used, and that was reset, pulled or cut off by a restart of the
 * service, is waited for as an operation with it would be. */
int schsm_cards_find(struct schsm_cards *cards, const struct schsm_device_selector *selector,
                     struct schsm_survey *survey, struct schsm_device **devices, size_t *count,
                     struct schsm_error *err)
{
    const struct timespec pause = { 0, SCHSM_RETURN_PAUSE_MS * 1000000L };
    const struct schsm_survey before = *survey;
    const size_t room = *count;
    int ok = 0;

    for (int waited = 0;; waited += SCHSM_RETURN_PAUSE_MS) {
        *survey = before;
        *count = room;
        ok = find_once(cards, selector, survey, devices, count, err);
        if (selector->hurried || waited >= SCHSM_RETURN_LIMIT_MS ||
            !is_any_missing(cards, selector, devices, *count)) {
            break;
        }
        if (waited == 0) {
            schsm_log(SCHSM_LOG_INFO, "a card that was there before is missed: waiting for it");
        }
        (void)nanosleep(&pause, NULL);
    }
    if (!selector->hurried) {
        expect_again(cards, selector, devices, *count);
    }
    return ok;
}

static int is_hsm(struct schsm_cards *cards, const struct schsm_slot *slot)
{
    struct schsm_survey unneeded = { .seen = "" };

    if (!slot->card_present) {
        return 0;
    }
    return schsm_atr_kind(&slot->atr) == SCHSM_ATR_HSM ||
           consider(cards, &unneeded, slot, NULL) != NULL;
}

int schsm_cards_readers(struct schsm_cards *cards, struct schsm_reader *readers, size_t *count,
                        struct schsm_error *err)
{
    struct schsm_slot slots[SLOTS_MAX];
    size_t room = *count, slots_count = SLOTS_MAX;

    *count = 0;
    if (!list_readers(cards, slots, &slots_count, err)) {
        return 0;
    }
    for (size_t i = 0; i < slots_count && *count < room; i++) {
        struct schsm_reader *reader = &readers[(*count)++];

        memset(reader, 0, sizeof(*reader));
        memcpy(reader->name, slots[i].reader, sizeof(reader->name));
        reader->card_present = slots[i].card_present;
        reader->is_hsm = is_hsm(cards, &slots[i]);
    }
    return 1;
}

void schsm_cards_clear(struct schsm_cards *cards)
{
    for (struct schsm_card_entry *entry = cards->entries, *next; entry != NULL; entry = next) {
        next = entry->next;
        entry->device->ops->free(entry->device);
        OPENSSL_free(entry);
    }
    cards->entries = NULL;
}
