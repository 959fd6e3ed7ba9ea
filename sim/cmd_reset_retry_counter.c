/* SPDX-License-Identifier: Apache-2.0 */
/* RESET RETRY COUNTER 00 2C P1 81: unblock the user PIN by SO-PIN (protocol section 5.4). */
#include "commands.h"
#include "pin.h"

/* What each P1 carries and does. */
static const struct {
    bool so_pin_in_data; /* otherwise VERIFY 88 must have come before */
    bool sets_pin;
} variants[] = {
    [0x00] = { true, true },
    [0x01] = { true, false },
    [0x02] = { false, true },
    [0x03] = { false, false },
};

static bool option_allows(uint16_t options, bool sets_pin)
{
    bool reset_only = (options & SIM_OPT_RESET_ONLY) != 0;
    bool full = (options & SIM_OPT_RESET_RETRY_COUNTER) != 0;
    return sets_pin ? full && !reset_only : full || reset_only;
}

uint16_t sim_cmd_reset_retry_counter(struct sim_card *card, const struct sim_apdu *apdu,
                                     struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    struct sim_slice new_pin = apdu->data, so_pin = { 0 };
    (void)out;
    if (apdu->p1 >= sizeof(variants) / sizeof(variants[0])) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->p2 != 0x81 || !state->initialised || state->user_pin.len == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    bool sets_pin = variants[apdu->p1].sets_pin;
    bool so_pin_in_data = variants[apdu->p1].so_pin_in_data;
    if (so_pin_in_data && !sim_slice_take(&new_pin, SIM_SO_PIN_LEN, &so_pin)) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (sets_pin ? !sim_pin_length_is_valid(new_pin.len) : new_pin.len != 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (!option_allows(state->options, sets_pin)) {
        return SIM_SW_CONDITIONS;
    }
    if (so_pin_in_data) {
        uint16_t sw = sim_pin_check(card, &state->so_pin, so_pin);
        if (sw != SIM_SW_OK) {
            return sw;
        }
    } else if (!card->so_verified) {
        return SIM_SW_CONDITIONS;
    }
    if (sets_pin) {
        sim_pin_set(card, &state->user_pin, new_pin);
    }
    state->user_pin.tries_left = state->user_pin.tries_max;
    state->dirty = true;
    return SIM_SW_OK;
}
