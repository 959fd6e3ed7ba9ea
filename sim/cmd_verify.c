/* SPDX-License-Identifier: Apache-2.0 */
/* VERIFY 00 20 00 xx: log in, or ask how things stand (protocol sections 5.1, 5.2, 5.6). */
#include "commands.h"
#include "pin.h"

static uint16_t verify_user(struct sim_card *card, const struct sim_apdu *apdu)
{
    struct sim_state *state = &card->state;
    if (!state->initialised) {
        return card->profile->device->not_ready;
    }
    if (apdu->data.len == 0 && sim_card_is_authenticated(card) && !state->transport_pin) {
        return SIM_SW_OK;
    }
    /* while registered keys are asked for the PIN's counter says nothing (section 24, 1) */
    if (apdu->data.len == 0 && state->pka_total > 0 && !sim_pka_is_complete(card)) {
        return SIM_SW_NO_COUNTER;
    }
    if (state->user_pin.len == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (apdu->data.len > 0 && !sim_pin_length_is_valid(apdu->data.len)) {
        return SIM_SW_WRONG_DATA;
    }
    if (state->user_pin.tries_left == 0) {
        return SIM_SW_BLOCKED;
    }
    if (state->transport_pin) {
        return SIM_SW_NOT_USABLE;
    }
    if (apdu->data.len == 0) {
        return sim_pin_status(&state->user_pin);
    }
    /* a failed VERIFY also ends an earlier login */
    card->user_verified = false;
    card->just_initialised = false;
    uint16_t sw = sim_pin_check(card, &state->user_pin, apdu->data);
    card->user_verified = sw == SIM_SW_OK;
    return sw;
}

static uint16_t verify_so(struct sim_card *card, const struct sim_apdu *apdu)
{
    struct sim_pin *pin = &card->state.so_pin;
    if (pin->len == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (apdu->data.len == 0) {
        return card->so_verified ? SIM_SW_OK : sim_pin_status(pin);
    }
    if (apdu->data.len != SIM_SO_PIN_LEN) {
        return SIM_SW_WRONG_LENGTH;
    }
    card->so_verified = false;
    uint16_t sw = sim_pin_check(card, pin, apdu->data);
    card->so_verified = sw == SIM_SW_OK;
    return sw;
}

uint16_t sim_cmd_verify(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    (void)out;
    if (apdu->p1 != 0x00) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->p2 == 0x81) {
        return verify_user(card, apdu);
    }
    if (apdu->p2 == 0x88) {
        return verify_so(card, apdu);
    }
    /* 85 and 86, the biometric templates, are absent as on most real cards */
    return SIM_SW_REFERENCE_NOT_FOUND;
}
