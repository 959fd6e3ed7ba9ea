/* SPDX-License-Identifier: Apache-2.0 */
/* PINs of a Pico HSM: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER. */
#include "pico.h"
#include "pin.h"

enum { USER_PIN = 0x81, SO_PIN = 0x88 };

/* Every check ends what was before, whatever comes of it; either PIN opens the device. */
static uint16_t check(struct sim_card *card, struct sim_pin *pin, struct sim_slice value)
{
    card->user_verified = card->so_verified = card->just_initialised = false;
    uint16_t sw = sim_pin_check(card, pin, value);
    if (sw == SIM_SW_OK) {
        card->user_verified = pin == &card->state.user_pin;
        card->so_verified = pin == &card->state.so_pin;
    }
    return sw;
}

static uint16_t verify(struct sim_card *card, struct sim_pin *pin, bool verified,
                       struct sim_slice value)
{
    if (value.len > 0) {
        return check(card, pin, value);
    }
    if (pin->tries_left == 0) {
        return SIM_SW_BLOCKED;
    }
    return verified ? SIM_SW_OK : sim_pin_status(pin);
}

uint16_t sim_pico_verify(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    (void)out;
    if (apdu->p1 != 0 || (apdu->p2 & 0x60) != 0) {
        return SIM_SW_WRONG_OFFSET;
    }
    if (apdu->p2 == USER_PIN) {
        /* asked of the options, which nothing but INITIALIZE DEVICE changes: it never ends */
        if ((state->options & SIM_OPT_TRANSPORT_PIN) != 0) {
            return SIM_PICO_INVALID;
        }
        /* where there is none, public keys may be asked for: then any PIN is a wrong one */
        if (state->user_pin.len > 0 || state->pka_total > 0) {
            return verify(card, &state->user_pin, card->user_verified, apdu->data);
        }
    }
    if (apdu->p2 == SO_PIN && state->so_pin.len > 0) {
        return verify(card, &state->so_pin, card->so_verified, apdu->data);
    }
    return SIM_SW_REFERENCE_NOT_FOUND;
}

uint16_t sim_pico_change_reference_data(struct sim_card *card, const struct sim_apdu *apdu,
                                        struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    struct sim_slice data = apdu->data, old_pin;
    struct sim_pin *pin = apdu->p2 == USER_PIN ? &state->user_pin : &state->so_pin;
    (void)out;
    if (apdu->p1 != 0 || (apdu->p2 != USER_PIN && apdu->p2 != SO_PIN)) {
        return SIM_SW_WRONG_OFFSET;
    }
    if (pin->len == 0) {
        return sim_card_die(card, "CHANGE REFERENCE DATA before the first INITIALIZE DEVICE");
    }
    if (!sim_slice_take(&data, pin->len, &old_pin)) {
        old_pin = data;
        data.len = 0;
    }
    uint16_t sw = check(card, pin, old_pin);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (data.len == 0 || data.len > SIM_MAX_PIN) {
        return SIM_SW_WRONG_LENGTH;
    }
    sim_pin_set(card, pin, data);
    return SIM_SW_OK;
}

/* What each P1 carries and does, and the option that it wants besides 0001. */
static const struct {
    bool so_pin_in_data;
    bool sets_pin;
    uint16_t option;
} variants[] = {
    [0x00] = { true, true, 0 },
    [0x01] = { true, false, SIM_OPT_RESET_ONLY },
    [0x02] = { false, true, 0 },
    [0x03] = { false, false, SIM_OPT_RESET_ONLY },
};

uint16_t sim_pico_reset_retry_counter(struct sim_card *card, const struct sim_apdu *apdu,
                                      struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    struct sim_slice new_pin = apdu->data, so_pin = { 0 };
    (void)out;
    if (apdu->p2 != USER_PIN || state->so_pin.len == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if ((state->options & SIM_OPT_RESET_RETRY_COUNTER) == 0) {
        return SIM_PICO_NOT_ALLOWED;
    }
    if (apdu->p1 >= sizeof(variants) / sizeof(variants[0])) {
        return SIM_SW_WRONG_P1P2;
    }
    bool sets_pin = variants[apdu->p1].sets_pin, so_pin_in_data = variants[apdu->p1].so_pin_in_data;
    uint16_t option = variants[apdu->p1].option;
    if ((state->options & option) != option) {
        return SIM_PICO_NOT_ALLOWED;
    }
    if (so_pin_in_data && !sim_slice_take(&new_pin, state->so_pin.len, &so_pin)) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (!so_pin_in_data && !card->so_verified) {
        return SIM_SW_CONDITIONS;
    }
    if (sets_pin ? new_pin.len < 2 || new_pin.len > SIM_MAX_PIN : new_pin.len != 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    uint16_t sw = so_pin_in_data ? check(card, &state->so_pin, so_pin) : SIM_SW_OK;
    if (sw != SIM_SW_OK) {
        return sw;
    }
    state->user_pin.tries_left = state->user_pin.tries_max;
    state->dirty = true;
    if (sets_pin) {
        sim_pin_set(card, &state->user_pin, new_pin);
        card->user_verified = true;
    }
    return SIM_SW_OK;
}
