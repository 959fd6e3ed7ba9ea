/* SPDX-License-Identifier: Apache-2.0 */
#include "pin.h"

#include <string.h>

#include <openssl/crypto.h>

bool sim_pin_length_is_valid(size_t len)
{
    return len >= SIM_MIN_PIN && len <= SIM_MAX_PIN;
}

uint16_t sim_pin_status(const struct sim_pin *pin)
{
    return pin->tries_left == 0 ? SIM_SW_BLOCKED : (uint16_t)(SIM_SW_WRONG_PIN | pin->tries_left);
}

uint16_t sim_pin_check(struct sim_card *card, struct sim_pin *pin, struct sim_slice value)
{
    if (pin->tries_left == 0) {
        return SIM_SW_BLOCKED;
    }
    pin->tries_left--;
    card->state.dirty = true;
    if (!sim_card_commit(card)) {
        return SIM_SW_MEMORY_FAILURE;
    }
    if (value.len != pin->len || CRYPTO_memcmp(value.data, pin->value, pin->len) != 0) {
        return sim_pin_status(pin);
    }
    pin->tries_left = pin->tries_max;
    card->state.dirty = true;
    return SIM_SW_OK;
}

void sim_pin_set(struct sim_card *card, struct sim_pin *pin, struct sim_slice value)
{
    OPENSSL_cleanse(pin->value, sizeof(pin->value));
    memcpy(pin->value, value.data, value.len);
    pin->len = (uint8_t)value.len;
    card->state.dirty = true;
}
