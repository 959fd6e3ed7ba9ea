/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

/* 6.8: shares, outstanding, key check value; XKEK domains add their UID */
#define STATUS_MIN 10
#define STATUS_MAX (STATUS_MIN + 64)

int schsm_card_key_domain_status(struct schsm_card *card, unsigned int domain,
                                 struct schsm_key_domain_status *status, struct schsm_error *err)
{
    const struct schsm_apdu apdu = {
        .cla = 0x80, .ins = SCHSM_INS_KEY_DOMAIN, .p2 = (uint8_t)domain, .le = 256
    };
    uint8_t response[256];
    size_t len = sizeof(response);

    memset(status, 0, sizeof(*status));
    if (!schsm_card_exchange(card, &apdu, response, &len, err)) {
        return 0;
    }
    switch (card->status_word) {
    case SCHSM_SW_REFERENCE_NOT_FOUND: /* a slot without a domain */
    case SCHSM_SW_WRONG_P1P2:          /* beyond the last slot */
    case SCHSM_SW_INS:                 /* initialised without DKEK and domains */
        return 1;
    case SCHSM_SW_OK:
        break;
    default:
        return schsm_fail_status_word(err, apdu.ins, card->status_word);
    }
    if (len < STATUS_MIN || len > STATUS_MAX) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the device told the state of key domain %u in %zu bytes", domain, len);
    }
    status->exists = true;
    status->shares = response[0];
    status->outstanding = response[1];
    memcpy(status->kcv, response + 2, sizeof(status->kcv));
    status->uid_len = len - STATUS_MIN;
    memcpy(status->uid, response + STATUS_MIN, status->uid_len);
    return 1;
}
