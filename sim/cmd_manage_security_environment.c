/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MANAGE SECURITY ENVIRONMENT 00 22: choose the key to verify a certificate with (81 B6), the
 * registered key to authenticate with (81 A4), or the protocol of chip authentication (41 A4)
 * (protocol sections 6.13 and 17.1).
 */
#include <string.h>

#include "commands.h"
#include "pka.h"
#include "secure_messaging.h"
#include "tlv.h"
#include "trust.h"

enum { TAG_PROTOCOL = 0x80, TAG_KEY_NAME = 0x83 };

static uint16_t choose_verification_key(struct sim_card *card, struct sim_slice name)
{
    struct sim_trusted trusted;
    card->verification_key[0] = '\0';
    if (!sim_trust_find(card, name, &trusted)) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    memcpy(card->verification_key, trusted.chr, sizeof(trusted.chr));
    sim_public_key_free(&trusted.key);
    return SIM_SW_OK;
}

static uint16_t choose_registered_key(struct sim_card *card, struct sim_slice name)
{
    int place = sim_pka_find(&card->state, name);
    card->pka.selected = 0;
    if (place < 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (card->pka.authenticated[place]) {
        return SIM_SW_CONDITIONS;
    }
    card->pka.selected = (uint8_t)(place + 1);
    return SIM_SW_OK;
}

static uint16_t choose_protocol(struct sim_card *card, struct sim_slice oid)
{
    card->chip_authentication = sim_slice_equal(oid, sim_sm_protocol);
    return card->chip_authentication ? SIM_SW_OK : SIM_SW_WRONG_DATA;
}

static const struct choice {
    uint16_t p1p2;
    uint32_t tag;
    uint16_t (*run)(struct sim_card *card, struct sim_slice value);
} choices[] = {
    { 0x81B6, TAG_KEY_NAME, choose_verification_key },
    { 0x81A4, TAG_KEY_NAME, choose_registered_key },
    { 0x41A4, TAG_PROTOCOL, choose_protocol },
};

uint16_t sim_cmd_manage_security_environment(struct sim_card *card, const struct sim_apdu *apdu,
                                             struct sim_buf *out)
{
    (void)out;
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        struct sim_slice data = apdu->data, value;
        uint32_t tag;
        if (choices[i].p1p2 != sim_apdu_p1p2(apdu)) {
            continue;
        }
        if (!sim_tlv_next(&data, &tag, &value) || tag != choices[i].tag || data.len != 0) {
            return SIM_SW_WRONG_DATA;
        }
        return choices[i].run(card, value);
    }
    return SIM_SW_WRONG_P1P2;
}
