/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Pico HSM puts around commands that it otherwise has as a SmartCard-HSM does: its
 * conditions and status words.
 */
#include "pico.h"

enum { P1_OPTIONS = 0x06, P2_AUTHENTICATION = 0xA4, P2_VERIFICATION = 0xB6 };

/* The device key is stored under the PIN: without a login the card cannot prove what it is. */
uint16_t sim_pico_general_authenticate(struct sim_card *card, const struct sim_apdu *apdu,
                                       struct sim_buf *out)
{
    bool has_key = card->state.device_key.kind == SIM_KEY_EC;
    if (!has_key || (!card->user_verified && !card->so_verified)) {
        return SIM_PICO_FAILED;
    }
    uint16_t sw = sim_cmd_general_authenticate(card, apdu, out);
    return sw == SIM_SW_OK ? sw : SIM_PICO_FAILED;
}

uint16_t sim_pico_manage_security_environment(struct sim_card *card, const struct sim_apdu *apdu,
                                              struct sim_buf *out)
{
    if ((apdu->p2 != P2_AUTHENTICATION && apdu->p2 != P2_VERIFICATION) || (apdu->p1 & 1) == 0) {
        return SIM_SW_WRONG_P1P2;
    }
    return sim_cmd_manage_security_environment(card, apdu, out);
}

uint16_t sim_pico_manage_public_key_authentication(struct sim_card *card,
                                                   const struct sim_apdu *apdu, struct sim_buf *out)
{
    if (card->state.pka_total > 0) {
        return sim_cmd_manage_public_key_authentication(card, apdu, out);
    }
    return apdu->data.len > 0 ? SIM_SW_FILE_NOT_FOUND : SIM_SW_WRONG_P1P2;
}

/* The options, whose high byte may be set on the way; the rest of this command is gone. */
uint16_t sim_pico_extras(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    if (apdu->p1 != P1_OPTIONS || apdu->p2 != 0) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->data.len > 1) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (apdu->data.len == 0) {
        sim_buf_put_u16(out, state->options);
    } else {
        state->options = (uint16_t)(apdu->data.data[0] << 8 | (state->options & 0xFF));
        state->dirty = true;
    }
    return SIM_SW_OK;
}
