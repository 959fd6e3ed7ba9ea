/* SPDX-License-Identifier: Apache-2.0 */
/* GET CHALLENGE 00 84 00 00 Le: random bytes (protocol section 6.1). */
#include "commands.h"

#include <openssl/rand.h>

enum { MAX_CHALLENGE = 1024 };

uint16_t sim_cmd_get_challenge(struct sim_card *card, const struct sim_apdu *apdu,
                               struct sim_buf *out)
{
    if (sim_apdu_p1p2(apdu) != 0) {
        return SIM_SW_WRONG_P1P2;
    }
    size_t len = apdu->le;
    if (apdu->data.len != 0 || len == 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    /* an extended Le of 0 means "as many as you can" */
    if (len == 65536) {
        len = MAX_CHALLENGE;
    }
    if (len > MAX_CHALLENGE) {
        return SIM_SW_WRONG_LENGTH;
    }
    uint8_t *random = sim_buf_reserve(out, len);
    if (random == NULL || RAND_bytes(random, (int)len) != 1) {
        return SIM_SW_INTERNAL;
    }
    sim_pka_set_challenge(card, (struct sim_slice){ random, len });
    return SIM_SW_OK;
}
