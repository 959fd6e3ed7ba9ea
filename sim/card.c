/* SPDX-License-Identifier: Apache-2.0 */
#include "card.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "commands.h"
#include "trace.h"

bool sim_card_commit(struct sim_card *card)
{
    if (!card->state.dirty) {
        return true;
    }
    struct sim_buf encoded = { 0 };
    sim_state_encode(&card->state, &encoded);
    if (encoded.failed ||
        (card->store != NULL && !sim_store_save(card->store, sim_buf_slice(&encoded)))) {
        sim_buf_free(&encoded);
        return false;
    }
    sim_buf_free(&card->saved);
    card->saved = encoded;
    card->state.dirty = false;
    return true;
}

/* Go back to the last stored state: a failed command has no effect. */
static void undo(struct sim_card *card)
{
    if (sim_state_decode(&card->state, sim_buf_slice(&card->saved))) {
        return;
    }
    /* out of memory; what was answered is on disk, so stopping here loses nothing */
    (void)fputs("sc-hsm-sim: cannot go back to the stored state, giving up\n", stderr);
    abort();
}

bool sim_card_start(struct sim_card *card)
{
    if (card->profile == NULL) {
        card->profile = &sim_profile_default;
    }
    sim_card_reset(card);
    card->state.capacity = card->profile->capacity;
    if (card->state.dirty) {
        return sim_card_commit(card);
    }
    /* loaded from the store: nothing to write, but commands will want it for undo */
    sim_buf_clear(&card->saved);
    sim_state_encode(&card->state, &card->saved);
    return !card->saved.failed;
}

void sim_card_free(struct sim_card *card)
{
    sim_state_free(&card->state);
    sim_buf_free(&card->saved);
    sim_buf_free(&card->pending);
    sim_trust_clear(&card->trust);
}

size_t sim_card_room(const struct sim_card *card, const struct sim_apdu *apdu)
{
    size_t most = card->profile->max_response - 2;
    return apdu->le < most ? apdu->le : most;
}

bool sim_card_is_authenticated(const struct sim_card *card)
{
    if (card->just_initialised) {
        return true;
    }
    if (card->profile->device->so_pin_logs_in) {
        return card->state.pka_total > 0 ? sim_pka_is_complete(card)
                                         : card->user_verified || card->so_verified;
    }
    bool keys = sim_pka_is_complete(card);
    bool both = (card->state.options & SIM_OPT_PIN_AND_PKA) != 0;
    return both ? card->user_verified && keys : card->user_verified || keys;
}

void sim_card_clear_security(struct sim_card *card)
{
    card->user_verified = false;
    card->so_verified = false;
    card->just_initialised = false;
    card->current_fid = 0;
    card->pka = (struct sim_pka_session){ 0 };
    sim_trust_clear(&card->trust);
    card->verification_key[0] = '\0';
    card->chip_authentication = false;
    sim_sm_end(&card->sm);
}

static void drop_pending(struct sim_card *card)
{
    sim_buf_clear(&card->pending);
    card->pending_offset = 0;
    card->pending_hidden = false;
}

void sim_card_reset(struct sim_card *card)
{
    card->applet = card->profile->device->starts_without_applet ? SIM_APPLET_NONE : SIM_APPLET_HSM;
    card->died = false;
    sim_card_clear_security(card);
    drop_pending(card);
}

void sim_card_reset_by_reader(struct sim_card *card)
{
    if (!card->profile->device->outlives_reset) {
        sim_card_reset(card);
    }
}

uint16_t sim_card_die(struct sim_card *card, const char *why)
{
    (void)fprintf(stderr, "sc-hsm-sim: the firmware dies: %s\n", why);
    card->died = true;
    return SIM_SW_INTERNAL;
}

/* Status word for a class byte that no command has (section 2.1). */
static uint16_t refuse_class(uint8_t cla)
{
    if ((cla & 0x60) != 0) {
        return SIM_SW_UNKNOWN_CLA;
    }
    if ((cla & 0x0C) != 0) {
        return SIM_SW_NO_SECURE_MESSAGING;
    }
    if ((cla & 0x10) != 0) {
        return SIM_SW_NO_CHAINING;
    }
    if ((cla & 0x03) != 0) {
        return SIM_SW_NO_CHANNELS;
    }
    return SIM_SW_UNKNOWN_CLA;
}

/* Which command this is and whether it may run now; otherwise the reason as status word. */
static uint16_t admit(const struct sim_card *card, const struct sim_apdu *apdu,
                      const struct sim_command **found)
{
    const struct sim_command *table = card->profile->device->commands;
    bool any_class = card->profile->device->any_class;
    const struct sim_command *command =
        sim_command_find(table, any_class ? -1 : apdu->cla, apdu->ins);
    bool class_exists = apdu->cla == 0x00 || apdu->cla == 0x80;
    if (any_class ? (apdu->cla & 0x0C) != 0 : !class_exists) {
        return any_class ? SIM_SW_NOT_USABLE : refuse_class(apdu->cla);
    }
    if (card->applet == SIM_APPLET_NONE &&
        (command == NULL || (command->flags & SIM_CMD_ANY_APPLET) == 0)) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    if (card->applet != SIM_APPLET_HSM &&
        (command == NULL || (command->flags & SIM_CMD_ANY_APPLET) == 0)) {
        return apdu->cla == 0x80 ? SIM_SW_UNKNOWN_CLA : SIM_SW_UNKNOWN_INS;
    }
    if (command == NULL) {
        bool known = !any_class && sim_command_find(table, -1, apdu->ins) != NULL;
        return known ? SIM_SW_UNKNOWN_CLA : SIM_SW_UNKNOWN_INS;
    }
    if ((command->flags & SIM_CMD_NEEDS_USER) != 0 && !sim_card_is_authenticated(card)) {
        return SIM_SW_NOT_AUTHENTICATED;
    }
    *found = command;
    return SIM_SW_OK;
}

static bool is_error(uint16_t sw)
{
    uint8_t sw1 = (uint8_t)(sw >> 8);
    return sw1 != 0x90 && sw1 != 0x61 && sw1 != 0x62 && sw1 != 0x63;
}

static uint16_t execute(struct sim_card *card, const struct sim_apdu *apdu,
                        const struct sim_command **command, struct sim_buf *out)
{
    uint16_t sw = admit(card, apdu, command);
    card->answers_whole = false;
    if (*command == NULL || (*command)->handler != sim_cmd_get_response) {
        drop_pending(card);
    }
    if (sw != SIM_SW_OK || *command == NULL) {
        return sw;
    }
    sw = (*command)->handler(card, apdu, out);
    if (out->failed) {
        sw = SIM_SW_INTERNAL;
    }
    if (!is_error(sw) && !sim_card_commit(card)) {
        sw = SIM_SW_MEMORY_FAILURE;
        /* nobody is logged in by what did not happen, as by INITIALIZE */
        sim_card_clear_security(card);
    }
    if (card->state.dirty) {
        undo(card);
    }
    return sw;
}

/*
 * Cut the answer to what the host has room for. What does not fit waits for GET RESPONSE; without
 * Le the host wants no data at all (GENERATE then only fills CE, section 6.2).
 */
static uint16_t fit_to_le(struct sim_card *card, const struct sim_apdu *apdu, bool hidden,
                          uint16_t sw, struct sim_buf *data)
{
    if (card->answers_whole) {
        return sw;
    }
    if (apdu->le == 0 && !card->profile->device->answers_without_le) {
        sim_buf_clear(data);
        return sw;
    }
    size_t room = sim_card_room(card, apdu);
    if (data->len <= room) {
        return sw;
    }
    size_t rest = data->len - room;
    drop_pending(card);
    sim_buf_put(&card->pending, data->data + room, rest);
    if (card->pending.failed) {
        sim_buf_clear(data);
        drop_pending(card);
        return SIM_SW_INTERNAL;
    }
    card->pending_hidden = hidden;
    data->len = room;
    return (uint16_t)(SIM_SW_MORE_DATA | (rest < 256 ? rest : 0));
}

/* Execute a command whose form is right; `hidden` tells whether the answer is a secret. */
static uint16_t answer(struct sim_card *card, const struct sim_apdu *apdu, bool *hidden,
                       struct sim_buf *response)
{
    const struct sim_command *known = NULL;
    bool was_pending_hidden = card->pending_hidden;
    uint16_t sw = execute(card, apdu, &known, response);
    *hidden = known != NULL && ((known->flags & SIM_CMD_HIDE_RESPONSE) != 0 ||
                                (was_pending_hidden && known->handler == sim_cmd_get_response));
    if (is_error(sw)) {
        sim_buf_clear(response);
    }
    return sw;
}

static bool is_protected(const struct sim_card *card, const struct sim_apdu *apdu)
{
    return card->sm.is_active && card->applet == SIM_APPLET_HSM && (apdu->cla & 0x0C) == 0x0C;
}

/*
 * Execute a command under secure messaging. A command that ends the channel or begins another is
 * still answered in the one that it came in.
 */
static uint16_t answer_protected(struct sim_card *card, const struct sim_apdu *apdu, bool *hidden,
                                 struct sim_buf *response)
{
    struct sim_apdu plain;
    struct sim_buf data = { 0 };
    uint16_t sw = sim_sm_unwrap(&card->sm, apdu, &plain, &data);
    if (sw != SIM_SW_OK) {
        sim_sm_end(&card->sm);
        drop_pending(card);
        sim_buf_free(&data);
        return card->profile->device->hides_status ? SIM_SW_NOT_USABLE : sw;
    }
    struct sim_sm channel = card->sm;
    if (card->trace) {
        sim_trace_plain_command(&plain);
    }
    sw = answer(card, &plain, hidden, response);
    if (plain.le == 0) {
        sim_buf_clear(response);
    }
    if (card->trace) {
        sim_trace_response("<< ", response, sw, *hidden);
    }
    if (!sim_sm_wrap(&channel, apdu->ins, sw, response)) {
        sim_sm_end(&card->sm);
        sw = SIM_SW_INTERNAL;
    } else {
        sw = card->profile->device->hides_status ? SIM_SW_OK : sw;
        sw = fit_to_le(card, apdu, *hidden, sw, response);
    }
    if (card->sm.epoch == channel.epoch) {
        card->sm = channel;
    }
    OPENSSL_cleanse(&channel, sizeof(channel));
    sim_buf_free(&data);
    return sw;
}

void sim_card_transmit(struct sim_card *card, const uint8_t *command, size_t len,
                       struct sim_buf *response)
{
    struct sim_apdu apdu;
    bool well_formed = sim_apdu_parse(&apdu, command, len) && len <= card->profile->max_command;
    bool hidden = false;
    uint16_t sw = SIM_SW_WRONG_LENGTH;

    sim_buf_clear(response);
    card->busy_ms = 0;
    if (card->profile->device->answers_without_le && apdu.data.len == 0 && apdu.le == 0) {
        apdu.le = 256;
    }
    if (card->trace) {
        sim_trace_command(&apdu, well_formed, command, len);
    }
    if (well_formed && is_protected(card, &apdu)) {
        sw = answer_protected(card, &apdu, &hidden, response);
    } else if (well_formed) {
        sw = answer(card, &apdu, &hidden, response);
        if (sw == SIM_SW_OK || sw == SIM_SW_KEY_AUTHENTICATED) {
            sw = fit_to_le(card, &apdu, hidden, sw, response);
        }
    }
    if (card->died) {
        sim_buf_clear(response);
        return;
    }
    if (card->trace) {
        sim_trace_response("< ", response, sw, hidden);
        if (card->busy_ms > 0) {
            sim_trace_latency(card->busy_ms);
        }
    }
    sim_buf_put_u16(response, sw);
}
