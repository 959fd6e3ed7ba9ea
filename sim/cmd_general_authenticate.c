/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GENERAL AUTHENTICATE 00 86 00 00: chip authentication, which opens a secure channel (protocol
 * section 17.1).
 */
#include <openssl/rand.h>

#include "commands.h"
#include "ecdh.h"
#include "secure_messaging.h"
#include "tlv.h"

enum { TAG_DYNAMIC_DATA = 0x7C, TAG_EPHEMERAL_POINT = 0x80, TAG_NONCE = 0x81, TAG_TOKEN = 0x82 };

static bool parse(struct sim_slice in, struct sim_slice *point)
{
    struct sim_slice content;
    uint32_t tag;
    return sim_tlv_next(&in, &tag, &content) && tag == TAG_DYNAMIC_DATA && in.len == 0 &&
           sim_tlv_next(&content, &tag, point) && tag == TAG_EPHEMERAL_POINT && content.len == 0;
}

static void put_answer(struct sim_buf *out, const uint8_t nonce[SIM_SM_NONCE_LEN],
                       const uint8_t token[SIM_SM_MAC_LEN])
{
    struct sim_buf content = { 0 };
    sim_tlv_put(&content, TAG_NONCE, nonce, SIM_SM_NONCE_LEN);
    sim_tlv_put(&content, TAG_TOKEN, token, SIM_SM_MAC_LEN);
    sim_tlv_put_buf(out, TAG_DYNAMIC_DATA, &content);
    sim_buf_free(&content);
}

uint16_t sim_cmd_general_authenticate(struct sim_card *card, const struct sim_apdu *apdu,
                                      struct sim_buf *out)
{
    const struct sim_key *device = &card->state.device_key;
    struct sim_buf shared = { 0 };
    struct sim_slice point;
    uint8_t nonce[SIM_SM_NONCE_LEN], token[SIM_SM_MAC_LEN];
    if (sim_apdu_p1p2(apdu) != 0) {
        return SIM_SW_WRONG_P1P2;
    }
    if (!card->chip_authentication) {
        return SIM_SW_CONDITIONS;
    }
    if (!parse(apdu->data, &point) || !sim_ecdh(device, point, &shared)) {
        sim_buf_free(&shared);
        return SIM_SW_WRONG_DATA;
    }
    const struct sim_slice x = { shared.data + 1, device->size };
    bool ok = RAND_bytes(nonce, sizeof(nonce)) == 1 && sim_sm_start(&card->sm, x, nonce) &&
              sim_sm_token(&card->sm, point, token);
    if (ok) {
        put_answer(out, nonce, token);
    } else {
        sim_sm_end(&card->sm);
    }
    sim_buf_free(&shared);
    return ok ? SIM_SW_OK : SIM_SW_INTERNAL;
}
