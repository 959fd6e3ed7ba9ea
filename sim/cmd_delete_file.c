/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE FILE 00 E4 02 00 02 FID (protocol section 4.5). */
#include "binary.h"
#include "commands.h"
#include "fs.h"

static bool exists(struct sim_state *state, uint16_t fid)
{
    if (fid >> 8 == SIM_PREFIX_KEY) {
        return (fid & 0xFF) == 0 || sim_keys_find(state, (uint8_t)fid) != NULL;
    }
    return sim_fs_find(state, fid) != NULL;
}

uint16_t sim_cmd_delete_file(struct sim_card *card, const struct sim_apdu *apdu,
                             struct sim_buf *out)
{
    struct sim_slice data = apdu->data;
    uint16_t fid;
    (void)out;
    if (apdu->p1 != 0x02 || apdu->p2 != 0x00) {
        return SIM_SW_WRONG_P1P2;
    }
    if (data.len != 2 || !sim_slice_u16(&data, &fid)) {
        return SIM_SW_WRONG_LENGTH;
    }
    /* who may not delete anything is not told what there is */
    if (!sim_card_is_authenticated(card)) {
        return SIM_SW_NOT_AUTHENTICATED;
    }
    if (!exists(&card->state, fid)) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    if (!sim_binary_allowed(card, sim_fs_rights(fid).remove)) {
        return SIM_SW_NOT_AUTHENTICATED;
    }
    /* a key's description and certificate stay: genuine cards leave them to the host (4.1) */
    if (fid >> 8 == SIM_PREFIX_KEY) {
        sim_keys_remove(&card->state, (uint8_t)fid);
    } else {
        sim_fs_remove(&card->state, fid);
    }
    if (card->current_fid == fid) {
        card->current_fid = 0;
    }
    return SIM_SW_OK;
}
