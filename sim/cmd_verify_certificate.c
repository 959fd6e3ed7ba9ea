/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PERFORM SECURITY OPERATION, VERIFY CERTIFICATE 00 2A 00 BE: the content of a certificate, to be
 * verified with the key that MANAGE SECURITY ENVIRONMENT chose (protocol section 6.14).
 */
#include <string.h>

#include "commands.h"
#include "trust.h"

uint16_t sim_cmd_verify_certificate(struct sim_card *card, const struct sim_apdu *apdu,
                                    struct sim_buf *out)
{
    struct sim_cvc certificate;
    struct sim_trusted issuer;
    struct sim_slice name = { (const uint8_t *)card->verification_key,
                              strlen(card->verification_key) };
    (void)out;
    if (sim_apdu_p1p2(apdu) != 0x00BE) {
        return SIM_SW_WRONG_P1P2;
    }
    if (name.len == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (!sim_cvc_read(&certificate, apdu->data)) {
        return SIM_SW_NOT_USABLE;
    }
    if (!sim_trust_find(card, name, &issuer)) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    bool ok = sim_trust_verify(card, &certificate, &issuer);
    sim_public_key_free(&issuer.key);
    return ok ? SIM_SW_OK : SIM_SW_CONDITIONS;
}
