/* SPDX-License-Identifier: Apache-2.0 */
/* The commands by which a card comes to know keys of other devices: sections 6.12 to 6.15, 15.4 and
 * 15.5. */
#include "command.h"

#include <string.h>

#include "format/cvc.h"

/* MANAGE SECURITY ENVIRONMENT (6.13) */
#define SET_FOR_VERIFICATION 0x81
#define TEMPLATE_AUTHENTICATION 0xA4
#define TEMPLATE_SIGNATURE 0xB6
#define TAG_NAME 0x83

/* MANAGE PUBLIC KEY AUTHENTICATION (6.12) */
#define PKA_REGISTER 0x00
#define PKA_NAME 0x02

/* Chooses a key by its name; the status word tells what came of it. */
static int select_key(struct schsm_card *card, uint8_t template, const uint8_t *name, size_t len,
                      struct schsm_error *err)
{
    uint8_t data[2 + SCHSM_CVC_NAME_MAX];
    const struct schsm_apdu apdu = { .ins = SCHSM_INS_MANAGE_SECURITY_ENVIRONMENT,
                                     .p1 = SET_FOR_VERIFICATION,
                                     .p2 = template,
                                     .data = data,
                                     .data_len = 2 + len };

    if (len == 0 || len > SCHSM_CVC_NAME_MAX) {
        card->result = SCHSM_TRANSPORT_OK;
        card->status_word = 0;
        return schsm_fail(
            err, SCHSM_REASON_DEVICE_DATA,
            "the name of a key in a certificate has %zu characters instead of 1 to %d", len,
            SCHSM_CVC_NAME_MAX);
    }
    data[0] = TAG_NAME;
    data[1] = (uint8_t)len;
    memcpy(data + 2, name, len);
    return schsm_card_exchange_plain(card, &apdu, NULL, NULL, err);
}

int schsm_card_select_verifier(struct schsm_card *card, const uint8_t *name, size_t len,
                               bool *known, struct schsm_error *err)
{
    if (!select_key(card, TEMPLATE_SIGNATURE, name, len, err)) {
        return 0;
    }
    if (known != NULL) {
        *known = card->status_word == SCHSM_SW_OK;
    }
    if (card->status_word == SCHSM_SW_OK ||
        (known != NULL && card->status_word == SCHSM_SW_REFERENCE_NOT_FOUND)) {
        return 1;
    }
    return schsm_fail_status_word(err, SCHSM_INS_MANAGE_SECURITY_ENVIRONMENT, card->status_word);
}

int schsm_card_verify_certificate(struct schsm_card *card, const uint8_t *content, size_t len,
                                  struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .ins = SCHSM_INS_PERFORM_SECURITY_OPERATION,
                                     .p2 = 0xBE, /* verify certificate, self-descriptive */
                                     .data = content,
                                     .data_len = len };

    return schsm_card_execute(card, &apdu, NULL, NULL, err);
}

int schsm_card_pka_register(struct schsm_card *card, const uint8_t *content, size_t len,
                            struct schsm_public_key_status *status, struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .cla = 0x80,
                                     .ins = SCHSM_INS_MANAGE_PUBLIC_KEY_AUTHENTICATION,
                                     .p1 = PKA_REGISTER,
                                     .data = content,
                                     .data_len = len };

    return schsm_card_execute(card, &apdu, NULL, NULL, err) &&
           schsm_card_public_key_status(card, status, err);
}

int schsm_card_pka_name(struct schsm_card *card, unsigned int index, uint8_t *name,
                        size_t *name_len, bool *authenticated, struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .cla = 0x80,
                                     .ins = SCHSM_INS_MANAGE_PUBLIC_KEY_AUTHENTICATION,
                                     .p1 = PKA_NAME,
                                     .p2 = (uint8_t)index,
                                     .le = SCHSM_APDU_SHORT_LE_MAX };

    if (!schsm_card_exchange_plain(card, &apdu, name, name_len, err)) {
        return 0;
    }
    *authenticated = card->status_word == SCHSM_SW_ALREADY_AUTHENTICATED;
    if (card->status_word == SCHSM_SW_REFERENCE_NOT_FOUND) {
        *name_len = 0;
        return 1;
    }
    return *authenticated || schsm_card_accepted(card, &apdu, err);
}

int schsm_card_pka_select(struct schsm_card *card, const uint8_t *name, size_t len,
                          enum schsm_pka_selection *selection, struct schsm_error *err)
{
    if (!select_key(card, TEMPLATE_AUTHENTICATION, name, len, err)) {
        return 0;
    }
    switch (card->status_word) {
    case SCHSM_SW_OK:
        *selection = SCHSM_PKA_SELECTED;
        return 1;
    case SCHSM_SW_REFERENCE_NOT_FOUND:
        *selection = SCHSM_PKA_UNKNOWN;
        return 1;
    case SCHSM_SW_CONDITIONS:
        *selection = SCHSM_PKA_DONE;
        return 1;
    default:
        return schsm_fail_status_word(err, SCHSM_INS_MANAGE_SECURITY_ENVIRONMENT,
                                      card->status_word);
    }
}

int schsm_card_external_authenticate(struct schsm_card *card, const uint8_t *signature, size_t len,
                                     struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .ins = SCHSM_INS_EXTERNAL_AUTHENTICATE,
                                     .data = signature,
                                     .data_len = len };

    return schsm_card_execute(card, &apdu, NULL, NULL, err);
}

int schsm_card_derive_xkek(struct schsm_card *card, unsigned int key_ref, const uint8_t *content,
                           size_t len, struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .cla = 0x80,
                                     .ins = SCHSM_INS_DECIPHER,
                                     .p1 = (uint8_t)key_ref,
                                     .p2 = SCHSM_ALGORITHM_ECDH_XKEK,
                                     .data = content,
                                     .data_len = len };

    return schsm_card_execute(card, &apdu, NULL, NULL, err);
}
