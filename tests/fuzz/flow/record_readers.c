/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card.h"
#include "personalise.h"

#include "card/transport.h"
#include "format/apdu.h"
#include "registry/registry.h"

#include "fuzz.h"
#include "library.h"
#include "readers.h"

static struct slot {
    struct sim_card card;
    bool present;
} slots[FLOW_READERS];

static struct flow_script *recorded;
static uint8_t breaks_after;
static bool broken;

static void insert(struct slot *slot, const char *kind, const char *serial)
{
    memset(slot, 0, sizeof(*slot));
    slot->card.profile = strcmp(kind, "") == 0 ? &sim_profile_default : sim_profile_find(kind);
    REQUIRE(slot->card.profile != NULL);
    REQUIRE(slot->card.profile->personalise(&slot->card.state, serial));
    REQUIRE(sim_card_start(&slot->card));
    sim_card_reset(&slot->card);
    slot->present = true;
}

void record_insert(const char *first, const char *second)
{
    enum flow_stream before = flow_library_stream(FLOW_STREAM_CARD);

    insert(&slots[0], first, SIM_DEFAULT_SERIAL);
    if (second != NULL) {
        insert(&slots[1], second, "UTSIM00002");
    }
    (void)flow_library_stream(before);
}

void record_remove(void)
{
    for (size_t i = 0; i < FLOW_READERS; i++) {
        if (slots[i].present) {
            sim_card_free(&slots[i].card);
        }
        slots[i].present = false;
    }
}

void record_into(struct flow_script *script)
{
    recorded = script;
}

void record_break_after(uint8_t ins)
{
    breaks_after = ins;
    broken = false;
}

/* Appends an answer. */
static void record(uint8_t whose, const struct schsm_apdu *apdu, const uint8_t *content, size_t len)
{
    const uint8_t question[3] = { apdu->ins, apdu->p1, apdu->p2 };
    struct flow_record *made;
    uint8_t *copy = malloc(len);

    whose |= apdu->data_len > 0 ? FLOW_WITH_DATA : 0;
    REQUIRE(recorded->count < FLOW_RECORDS_MAX && len <= FLOW_CONTENT_MAX && copy != NULL);
    memcpy(copy, content, len);
    made = &recorded->records[recorded->count++];
    *made = (struct flow_record){ .flags = whose, .content = copy, .len = len };
    memcpy(made->question, question, sizeof(question));
}

static bool same_question(const struct flow_record *a, const struct flow_record *b)
{
    return a->flags == b->flags && memcmp(a->question, b->question, sizeof(a->question)) == 0;
}

/* The record of the same question before this one, else -1. */
static int find_before(const struct flow_script *script, int at)
{
    int i = at - 1;

    while (i >= 0 && !same_question(&script->records[i], &script->records[at])) {
        i--;
    }
    return i;
}

static bool is_asked_again(const struct flow_script *script, int at)
{
    for (size_t i = (size_t)at + 1; i < script->count; i++) {
        if (same_question(&script->records[i], &script->records[at])) {
            return true;
        }
    }
    return false;
}

void record_shorten(struct flow_script *script)
{
    for (int at = (int)script->count - 1; at >= 0; at--) {
        struct flow_record *record = &script->records[at];
        int before = find_before(script, at);

        if (before >= 0 && !is_asked_again(script, at) &&
            script->records[before].len == record->len &&
            memcmp(script->records[before].content, record->content, record->len) == 0) {
            free((void *)record->content);
            script->count--;
            memmove(record, record + 1, (script->count - (size_t)at) * sizeof(*record));
        }
    }
}

static enum schsm_transport_result record_list(void *arg, struct schsm_slot *out, size_t *count,
                                               struct schsm_error *err)
{
    size_t n = 0;

    (void)arg;
    (void)err;
    for (size_t i = 0; i < FLOW_READERS && n < *count; i++) {
        if (slots[i].present) {
            memset(&out[n], 0, sizeof(out[n]));
            (void)snprintf(out[n].reader, sizeof(out[n].reader), "%s", flow_reader_names[i]);
            out[n].card_present = true;
            flow_reader_atr(&out[n].atr);
            n++;
        }
    }
    *count = n;
    return SCHSM_TRANSPORT_OK;
}

static enum schsm_transport_result record_open(void *arg, const char *reader, void **handle,
                                               struct schsm_atr *atr, struct schsm_error *err)
{
    (void)arg;
    (void)err;
    *handle = &slots[strcmp(reader, flow_reader_names[0]) == 0 ? 0 : 1];
    flow_reader_atr(atr);
    return SCHSM_TRANSPORT_OK;
}

static void record_close(void *handle)
{
    (void)handle;
}

static enum schsm_transport_result record_reconnect(void *handle, struct schsm_atr *atr,
                                                    struct schsm_error *err)
{
    (void)handle;
    (void)err;
    flow_reader_atr(atr);
    return SCHSM_TRANSPORT_OK;
}

static enum schsm_transport_result record_transmit(void *handle, const uint8_t *command,
                                                   size_t command_len, uint8_t *response,
                                                   size_t *response_len, struct schsm_error *err)
{
    struct slot *slot = handle;
    struct sim_buf answer = { 0 };
    enum flow_stream before = flow_library_stream(FLOW_STREAM_CARD);
    struct schsm_apdu apdu;

    if (broken) {
        (void)flow_library_stream(before);
        schsm_fail(err, SCHSM_REASON_TRANSPORT, "broken");
        return SCHSM_TRANSPORT_FAILED;
    }
    sim_card_transmit(&slot->card, command, command_len, &answer);
    (void)flow_library_stream(before);
    REQUIRE(answer.len >= 2 && answer.len <= *response_len);
    memcpy(response, answer.data, answer.len);
    *response_len = answer.len;
    sim_buf_free(&answer);
    REQUIRE(schsm_apdu_parse(command, command_len, &apdu));
    broken = breaks_after != 0 && apdu.ins == breaks_after;
    if (broken) {
        schsm_fail(err, SCHSM_REASON_TRANSPORT, "broken");
        return SCHSM_TRANSPORT_FAILED;
    }
    if (recorded != NULL) {
        record(slot == &slots[1] ? FLOW_SECOND : 0, &apdu, response, *response_len);
    }
    return SCHSM_TRANSPORT_OK;
}

static enum schsm_transport_result record_begin(void *handle, struct schsm_error *err)
{
    (void)handle;
    (void)err;
    return SCHSM_TRANSPORT_OK;
}

static bool record_has_pin_pad(void *handle)
{
    (void)handle;
    return false;
}

static const struct schsm_transport transport = {
    .list = record_list,
    .open = record_open,
    .close = record_close,
    .abandon = record_close,
    .reconnect = record_reconnect,
    .transmit = record_transmit,
    .begin = record_begin,
    .end = record_close,
    .has_pin_pad = record_has_pin_pad,
};

static struct schsm_registry *open_cards(void *arg, struct schsm_error *err)
{
    (void)arg;
    return schsm_registry_new_on(&transport, NULL, err);
}

static void no_next_command(void *arg)
{
    (void)arg;
}

const struct flow_world record_world = {
    .open = open_cards, .first = "Plain", .second = "Other", .next_command = no_next_command
};
