/* SPDX-License-Identifier: Apache-2.0 */
/* READ BINARY 00 B1 FID, data 54 02 offset (protocol section 4.3). */
#include "binary.h"
#include "commands.h"
#include "fs.h"

uint16_t sim_cmd_read_binary(struct sim_card *card, const struct sim_apdu *apdu,
                             struct sim_buf *out)
{
    struct sim_slice data = apdu->data;
    size_t offset;
    uint16_t fid = sim_binary_fid(card, apdu);
    if (fid == 0) {
        return SIM_SW_NO_CURRENT_FILE;
    }
    if (!sim_binary_take_offset(&data, &offset) || data.len != 0) {
        return SIM_SW_WRONG_DATA;
    }
    if (apdu->le == 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    const struct sim_file *file = sim_fs_find(&card->state, fid);
    if (file == NULL) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    if (!sim_binary_allowed(card, sim_fs_rights(fid).read)) {
        return SIM_SW_NOT_AUTHENTICATED;
    }
    /*
     * Reading on at the very end is answered 6282 without data, only beyond it 6B00: OpenSC reads
     * until nothing comes and gives up the token on anything else.
     */
    if (offset > file->content.len) {
        return SIM_SW_WRONG_OFFSET;
    }
    size_t room = sim_card_room(card, apdu);
    size_t left = file->content.len - offset;
    sim_buf_put(out, file->content.data + offset, left < room ? left : room);
    card->current_fid = fid;
    return left <= room && left < apdu->le ? SIM_SW_END_OF_FILE : SIM_SW_OK;
}
