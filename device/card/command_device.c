/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about the device as a whole. */
#include "command.h"

#include <string.h>

/* 6.7: the report of INITIALIZE without data: free bytes, 00, version. */
#define MEMORY_REPORT_LEN 7

#define PUBLIC_KEY_STATUS_LEN 4 /* 6.12 */

int schsm_card_initialise(struct schsm_card *card, const uint8_t *objects, size_t len,
                          struct schsm_error *err)
{
    const struct schsm_apdu apdu = {
        .cla = 0x80, .ins = SCHSM_INS_INITIALIZE_DEVICE, .data = objects, .data_len = len
    };

    for (int attempt = 0; attempt < 2; attempt++) {
        if (!schsm_card_exchange(card, &apdu, NULL, NULL, err)) {
            return 0;
        }
        if (card->status_word != SCHSM_SW_NO_MEMORY) {
            break;
        }
    }
    return schsm_card_accepted(card, &apdu, err);
}

int schsm_card_free_memory(struct schsm_card *card, uint32_t *bytes, uint8_t version[2],
                           struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .cla = 0x80, .ins = SCHSM_INS_INITIALIZE_DEVICE, .le = 256 };
    uint8_t response[256];
    size_t len = sizeof(response);

    if (!schsm_card_execute(card, &apdu, response, &len, err)) {
        return 0;
    }
    if (len != MEMORY_REPORT_LEN) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the device told its free memory in %zu bytes", len);
    }
    *bytes = (uint32_t)response[0] << 24 | (uint32_t)response[1] << 16 |
             (uint32_t)response[2] << 8 | response[3];
    memcpy(version, response + 5, 2);
    return 1;
}

int schsm_card_get_challenge(struct schsm_card *card, uint8_t *out, size_t len, bool secret,
                             struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .ins = SCHSM_INS_GET_CHALLENGE, .le = len };
    size_t got = len;

    if (!(secret ? schsm_card_execute_secret(card, &apdu, out, &got, err)
                 : schsm_card_execute(card, &apdu, out, &got, err))) {
        return 0;
    }
    if (got != len) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the device gave %zu random bytes instead of %zu", got, len);
    }
    return 1;
}

int schsm_card_public_key_status(struct schsm_card *card, struct schsm_public_key_status *status,
                                 struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .cla = 0x80,
                                     .ins = SCHSM_INS_MANAGE_PUBLIC_KEY_AUTHENTICATION,
                                     .le = 256 };
    uint8_t response[256];
    size_t len = sizeof(response);

    memset(status, 0, sizeof(*status));
    if (!schsm_card_exchange_plain(card, &apdu, response, &len, err)) {
        return 0;
    }
    switch (card->status_word) {
    case SCHSM_SW_INS:        /* initialised without */
    case SCHSM_SW_WRONG_P1P2: /* the Pico HSM's way to say so */
        return 1;
    case SCHSM_SW_OK:
        break;
    default:
        return schsm_fail_status_word(err, apdu.ins, card->status_word);
    }
    if (len != PUBLIC_KEY_STATUS_LEN) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the device told the state of its public keys in %zu bytes", len);
    }
    *status = (struct schsm_public_key_status){ .enabled = true,
                                                .total = response[0],
                                                .missing = response[1],
                                                .required = response[2],
                                                .authenticated = response[3] };
    return 1;
}
