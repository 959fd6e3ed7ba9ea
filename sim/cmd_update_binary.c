/* SPDX-License-Identifier: Apache-2.0 */
/* UPDATE BINARY 00 D7 FID, data 54 02 offset 53 L content (protocol section 4.4). */
#include "binary.h"
#include "commands.h"
#include "fs.h"
#include "tlv.h"

uint16_t sim_cmd_update_binary(struct sim_card *card, const struct sim_apdu *apdu,
                               struct sim_buf *out)
{
    struct sim_slice data = apdu->data, content;
    size_t offset;
    uint32_t tag;
    (void)out;
    uint16_t fid = sim_binary_fid(card, apdu);
    if (fid == 0) {
        return SIM_SW_NO_CURRENT_FILE;
    }
    if (!sim_binary_take_offset(&data, &offset) || !sim_tlv_next(&data, &tag, &content) ||
        tag != 0x53 || data.len != 0) {
        return SIM_SW_WRONG_DATA;
    }
    enum sim_access access = sim_fs_rights(fid).write;
    if (access == SIM_ACCESS_UNKNOWN_FILE) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    if (!sim_binary_allowed(card, access)) {
        return SIM_SW_NOT_AUTHENTICATED;
    }
    uint16_t sw = sim_fs_write(&card->state, fid, offset, content);
    if (sw == SIM_SW_OK) {
        card->current_fid = fid; /* "create, then write the current file" must work */
    }
    return sw;
}
