/* SPDX-License-Identifier: Apache-2.0 */
#include "binary.h"

#include "tlv.h"

uint16_t sim_binary_fid(const struct sim_card *card, const struct sim_apdu *apdu)
{
    uint16_t fid = sim_apdu_p1p2(apdu);
    return fid != 0 ? fid : card->current_fid;
}

bool sim_binary_take_offset(struct sim_slice *data, size_t *offset)
{
    struct sim_slice value;
    uint32_t tag;
    uint16_t number;
    if (!sim_tlv_next(data, &tag, &value) || tag != 0x54 || value.len != 2 ||
        !sim_slice_u16(&value, &number)) {
        return false;
    }
    *offset = number;
    return true;
}

bool sim_binary_allowed(const struct sim_card *card, enum sim_access access)
{
    return access == SIM_ACCESS_FREE ||
           (access == SIM_ACCESS_USER && sim_card_is_authenticated(card));
}
