/* SPDX-License-Identifier: Apache-2.0 */
/* CHANGE REFERENCE DATA 00 24 00 xx: old value and new value in a row (protocol section 5.3). */
#include "commands.h"
#include "pin.h"

static uint16_t change_user(struct sim_card *card, struct sim_slice data)
{
    struct sim_state *state = &card->state;
    struct sim_slice old_pin;
    if (!state->initialised || state->user_pin.len == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    /* the card knows how long the old PIN is: the rest is the new one */
    if (!sim_slice_take(&data, state->user_pin.len, &old_pin) ||
        !sim_pin_length_is_valid(data.len)) {
        return SIM_SW_WRONG_DATA;
    }
    card->user_verified = false;
    card->just_initialised = false;
    uint16_t sw = sim_pin_check(card, &state->user_pin, old_pin);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    sim_pin_set(card, &state->user_pin, data);
    state->transport_pin = false;
    card->user_verified = true;
    return SIM_SW_OK;
}

static uint16_t change_so(struct sim_card *card, struct sim_slice data)
{
    struct sim_pin *pin = &card->state.so_pin;
    struct sim_slice old_pin;
    if (pin->len == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (data.len != (size_t)2 * SIM_SO_PIN_LEN ||
        !sim_slice_take(&data, SIM_SO_PIN_LEN, &old_pin)) {
        return SIM_SW_WRONG_LENGTH;
    }
    card->so_verified = false;
    uint16_t sw = sim_pin_check(card, pin, old_pin);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    sim_pin_set(card, pin, data);
    return SIM_SW_OK;
}

uint16_t sim_cmd_change_reference_data(struct sim_card *card, const struct sim_apdu *apdu,
                                       struct sim_buf *out)
{
    (void)out;
    if (apdu->p1 != 0x00) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->p2 == 0x81) {
        return change_user(card, apdu->data);
    }
    if (apdu->p2 == 0x88) {
        return change_so(card, apdu->data);
    }
    return SIM_SW_REFERENCE_NOT_FOUND;
}
