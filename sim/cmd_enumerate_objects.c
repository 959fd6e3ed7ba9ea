/* SPDX-License-Identifier: Apache-2.0 */
/* ENUMERATE OBJECTS 80 58 00 00: the ids of all files and keys (protocol section 4.2). */
#include "commands.h"
#include "fs.h"

uint16_t sim_cmd_enumerate_objects(struct sim_card *card, const struct sim_apdu *apdu,
                                   struct sim_buf *out)
{
    const struct sim_state *state = &card->state;
    if (sim_apdu_p1p2(apdu) != 0) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->data.len != 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    for (size_t i = 0; i < state->n_files; i++) {
        sim_buf_put_u16(out, state->files[i].fid);
    }
    /* the device key is listed although nothing can be done with it */
    sim_buf_put_u16(out, SIM_PREFIX_KEY << 8);
    for (size_t i = 0; i < state->n_keys; i++) {
        sim_buf_put_u16(out, (uint16_t)(SIM_PREFIX_KEY << 8 | state->keys[i].id));
    }
    return SIM_SW_OK;
}
