/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

int schsm_card_generate_key_pair(struct schsm_card *card, unsigned int key_ref, const uint8_t *body,
                                 size_t len, struct schsm_error *err)
{
    /* P2 00: the outer signature is the device key's */
    const struct schsm_apdu apdu = {
        .ins = SCHSM_INS_GENERATE_KEY_PAIR, .p1 = (uint8_t)key_ref, .data = body, .data_len = len
    };

    return schsm_card_execute(card, &apdu, NULL, NULL, err);
}

int schsm_card_generate_secret_key(struct schsm_card *card, unsigned int key_ref, unsigned int bits,
                                   const uint8_t *body, size_t len, struct schsm_error *err)
{
    /* 6.3: B0 AES-128, B1 AES-192, B2 AES-256 */
    const struct schsm_apdu apdu = { .ins = SCHSM_INS_GENERATE_SYMMETRIC_KEY,
                                     .p1 = (uint8_t)key_ref,
                                     .p2 = (uint8_t)(0xB0 + (bits - 128) / 64),
                                     .data = body,
                                     .data_len = len };

    if (bits != 128 && bits != 192 && bits != 256) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%u is no size of an AES key", bits);
    }
    return schsm_card_execute(card, &apdu, NULL, NULL, err);
}

int schsm_card_wrap_key(struct schsm_card *card, unsigned int key_ref, uint8_t *out, size_t *len,
                        struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .cla = 0x80,
                                     .ins = SCHSM_INS_WRAP_KEY,
                                     .p1 = (uint8_t)key_ref,
                                     .p2 = SCHSM_ALGORITHM_WRAP,
                                     .le = SCHSM_APDU_LE_MAX };

    return schsm_card_execute(card, &apdu, out, len, err) &&
           (!card->longer || schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                                        "the device's wrapped key is longer than any can be"));
}

int schsm_card_unwrap_key(struct schsm_card *card, unsigned int key_ref, const uint8_t *blob,
                          size_t len, struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .cla = 0x80,
                                     .ins = SCHSM_INS_UNWRAP_KEY,
                                     .p1 = (uint8_t)key_ref,
                                     .p2 = SCHSM_ALGORITHM_UNWRAP,
                                     .data = blob,
                                     .data_len = blob != NULL ? len : 0 };

    return schsm_card_execute(card, &apdu, NULL, NULL, err);
}
