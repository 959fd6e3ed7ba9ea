/* SPDX-License-Identifier: Apache-2.0 */
/* GET RESPONSE 00 C0 00 00 Le: what a short Le left behind (protocol section 2.1). */
#include "commands.h"

uint16_t sim_cmd_get_response(struct sim_card *card, const struct sim_apdu *apdu,
                              struct sim_buf *out)
{
    size_t left = card->pending.len - card->pending_offset;
    if (sim_apdu_p1p2(apdu) != 0) {
        return SIM_SW_WRONG_P1P2;
    }
    if (left == 0) {
        return SIM_SW_CONDITIONS;
    }
    if (apdu->data.len != 0 || apdu->le == 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    size_t room = sim_card_room(card, apdu);
    size_t len = left < room ? left : room;
    sim_buf_put(out, card->pending.data + card->pending_offset, len);
    card->pending_offset += len;
    left -= len;
    if (left > 0) {
        return (uint16_t)(SIM_SW_MORE_DATA | (left < 256 ? left : 0));
    }
    sim_buf_clear(&card->pending);
    card->pending_offset = 0;
    card->pending_hidden = false;
    return SIM_SW_OK;
}
