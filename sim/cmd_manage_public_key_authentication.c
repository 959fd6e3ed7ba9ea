/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MANAGE PUBLIC KEY AUTHENTICATION 80 54: the state, registering and replacing keys, and who is
 * registered (protocol sections 6.12 and 16.3).
 */
#include <string.h>

#include "commands.h"
#include "pka.h"
#include "trust.h"

static void put_status(const struct sim_card *card, struct sim_buf *out)
{
    sim_buf_put_u8(out, card->state.pka_total);
    sim_buf_put_u8(out, sim_pka_missing(&card->state));
    sim_buf_put_u8(out, card->state.pka_required);
    sim_buf_put_u8(out, sim_pka_authenticated(card));
}

/* The key with this public key, or -1: one holder must not count twice. */
static int find_public_key(const struct sim_state *state, struct sim_slice public_key)
{
    for (int i = 0; i < state->pka_total; i++) {
        if (sim_slice_equal(sim_buf_slice(&state->pka_keys[i].public_key), public_key)) {
            return i;
        }
    }
    return -1;
}

/* Put the key of an authenticated request at `place`; its device must be the key chosen before. */
static uint16_t set_key(struct sim_card *card, int place, struct sim_slice data)
{
    struct sim_state *state = &card->state;
    struct sim_cvc_authenticated authenticated;
    struct sim_public_key key;
    const struct sim_slice chosen = { (const uint8_t *)card->verification_key,
                                      strlen(card->verification_key) };
    if (!sim_cvc_take_authenticated(&authenticated, &data) || data.len != 0) {
        return SIM_SW_WRONG_DATA;
    }
    if (chosen.len == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (!sim_slice_equal(authenticated.outer_car, chosen)) {
        return SIM_SW_CONDITIONS;
    }
    uint16_t sw = sim_trust_check_request(card, &authenticated, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    sim_public_key_free(&key);
    const struct sim_cvc *request = &authenticated.request;
    int same_name = sim_pka_find(state, request->chr);
    int same_key = find_public_key(state, request->public_key);
    if ((same_name >= 0 && same_name != place) || (same_key >= 0 && same_key != place)) {
        return SIM_SW_EXISTS;
    }
    struct sim_pka_key *registered = &state->pka_keys[place];
    sim_buf_clear(&registered->public_key);
    sim_buf_put(&registered->public_key, request->public_key.data, request->public_key.len);
    memcpy(registered->chr, request->chr.data, request->chr.len);
    registered->chr[request->chr.len] = '\0';
    state->dirty = true;
    card->pka.authenticated[place] = false;
    if (card->pka.selected == place + 1) {
        card->pka.selected = 0;
    }
    return registered->public_key.failed ? SIM_SW_INTERNAL : SIM_SW_OK;
}

/* While keys are missing nobody could authenticate yet: whoever sets the card up registers them. */
static uint16_t status_or_register(struct sim_card *card, const struct sim_apdu *apdu,
                                   struct sim_buf *out)
{
    const struct sim_state *state = &card->state;
    uint16_t sw = SIM_SW_OK;
    if (apdu->p2 != 0) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->data.len > 0) {
        int place = 0;
        while (place < state->pka_total && state->pka_keys[place].chr[0] != '\0') {
            place++;
        }
        sw = place == state->pka_total ? SIM_SW_NO_SPACE : set_key(card, place, apdu->data);
    }
    put_status(card, out);
    return sw;
}

static uint16_t replace(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    const struct sim_state *state = &card->state;
    if ((state->options & SIM_OPT_REPLACE_PKA_KEYS) == 0) {
        return SIM_SW_CONDITIONS;
    }
    if (!sim_card_is_authenticated(card)) {
        return SIM_SW_NOT_AUTHENTICATED;
    }
    if (apdu->p2 >= state->pka_total) {
        return SIM_SW_WRONG_P1P2;
    }
    if (state->pka_keys[apdu->p2].chr[0] == '\0') {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    uint16_t sw = set_key(card, apdu->p2, apdu->data);
    put_status(card, out);
    return sw;
}

static uint16_t query(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    const struct sim_state *state = &card->state;
    if (apdu->data.len != 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (apdu->p2 >= state->pka_total) {
        return SIM_SW_WRONG_P1P2;
    }
    const char *chr = state->pka_keys[apdu->p2].chr;
    if (chr[0] == '\0') {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    sim_buf_put(out, chr, strlen(chr));
    return card->pka.authenticated[apdu->p2] ? SIM_SW_KEY_AUTHENTICATED : SIM_SW_OK;
}

uint16_t sim_cmd_manage_public_key_authentication(struct sim_card *card,
                                                  const struct sim_apdu *apdu, struct sim_buf *out)
{
    static sim_handler *const operations[] = { status_or_register, replace, query };
    if (card->state.pka_total == 0) {
        return SIM_SW_UNKNOWN_INS;
    }
    if (apdu->p1 >= sizeof(operations) / sizeof(operations[0])) {
        return SIM_SW_WRONG_P1P2;
    }
    return operations[apdu->p1](card, apdu, out);
}
