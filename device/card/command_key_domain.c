/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

/* 6.8: shares, outstanding, key check value; XKEK domains add their UID */
#define STATUS_MIN 10
#define STATUS_MAX (STATUS_MIN + 64)

/* P1 of KEY DOMAIN (6.8) */
#define QUERY_OR_IMPORT 0x00
#define CREATE_DKEK 0x01
#define CREATE_XKEK 0x02
#define DELETE_DOMAIN 0x03
#define DELETE_KEK 0x04

static int read_domain_status(const uint8_t *response, size_t len, unsigned int domain,
                              struct schsm_key_domain_status *status, struct schsm_error *err)
{
    if (len < STATUS_MIN || len > STATUS_MAX) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the device told the state of key domain %u in %zu bytes", domain, len);
    }
    status->slot = status->exists = true;
    status->shares = response[0];
    status->outstanding = response[1];
    memcpy(status->kcv, response + 2, sizeof(status->kcv));
    status->uid_len = len - STATUS_MIN;
    memcpy(status->uid, response + STATUS_MIN, status->uid_len);
    return 1;
}

int schsm_card_key_domain_status(struct schsm_card *card, unsigned int domain,
                                 struct schsm_key_domain_status *status, struct schsm_error *err)
{
    const struct schsm_apdu apdu = {
        .cla = 0x80, .ins = SCHSM_INS_KEY_DOMAIN, .p2 = (uint8_t)domain, .le = 256
    };
    uint8_t response[256];
    size_t len = sizeof(response);

    memset(status, 0, sizeof(*status));
    if (!schsm_card_exchange_plain(card, &apdu, response, &len, err)) {
        return 0;
    }
    switch (card->status_word) {
    case SCHSM_SW_REFERENCE_NOT_FOUND: /* a slot without a domain */
        status->slot = true;
        return 1;
    case SCHSM_SW_WRONG_P1P2: /* beyond the last slot */
    case SCHSM_SW_OFFSET:     /* or beyond the last that a Pico HSM can have */
    case SCHSM_SW_INS:        /* initialised without DKEK and domains */
        return 1;
    case SCHSM_SW_OK:
        return read_domain_status(response, len, domain, status, err);
    default:
        return schsm_fail_status_word(err, apdu.ins, card->status_word);
    }
}

/* A change; status: what is there afterwards, which not every device tells after each. NULL: not
 * wanted. */
static int change_domain(struct schsm_card *card, uint8_t what, unsigned int domain,
                         const uint8_t *data, size_t data_len,
                         struct schsm_key_domain_status *status, struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .cla = 0x80,
                                     .ins = SCHSM_INS_KEY_DOMAIN,
                                     .p1 = what,
                                     .p2 = (uint8_t)domain,
                                     .data = data,
                                     .data_len = data_len,
                                     .le = SCHSM_APDU_SHORT_LE_MAX };
    uint8_t response[SCHSM_APDU_SHORT_LE_MAX];
    size_t len = sizeof(response);

    if (!schsm_card_execute_secret(card, &apdu, response, &len, err)) {
        return 0;
    }
    return status == NULL || read_domain_status(response, len, domain, status, err);
}

int schsm_card_create_dkek_domain(struct schsm_card *card, unsigned int domain, unsigned int shares,
                                  struct schsm_error *err)
{
    const uint8_t count = (uint8_t)shares;

    return change_domain(card, CREATE_DKEK, domain, &count, sizeof(count), NULL, err);
}

int schsm_card_create_xkek_domain(struct schsm_card *card, unsigned int domain, const uint8_t *data,
                                  size_t len, struct schsm_error *err)
{
    return change_domain(card, CREATE_XKEK, domain, data, len, NULL, err);
}

int schsm_card_import_dkek_share(struct schsm_card *card, unsigned int domain,
                                 const uint8_t share[SCHSM_DKEK_LEN],
                                 struct schsm_key_domain_status *status, struct schsm_error *err)
{
    memset(status, 0, sizeof(*status));
    return change_domain(card, QUERY_OR_IMPORT, domain, share, SCHSM_DKEK_LEN, status, err);
}

int schsm_card_delete_kek(struct schsm_card *card, unsigned int domain, struct schsm_error *err)
{
    return change_domain(card, DELETE_KEK, domain, NULL, 0, NULL, err);
}

int schsm_card_delete_key_domain(struct schsm_card *card, unsigned int domain,
                                 struct schsm_error *err)
{
    /* The Pico HSM answers "not found" after it did it. */
    return change_domain(card, DELETE_DOMAIN, domain, NULL, 0, NULL, err) ||
           (card->result == SCHSM_TRANSPORT_OK &&
            card->status_word == SCHSM_SW_REFERENCE_NOT_FOUND);
}
