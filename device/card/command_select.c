/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

#include "base/tlv.h"
#include "format/cvc_tags.h"

/* 3.1: standard ISO object identifier AID with the OID 1.3.6.1.4.1.24991.2.1 */
static const uint8_t aid[] = { 0xE8, SCHSM_OID_CARDCONTACT, 0x02, 0x01 };

/* 3.3: the tags around and of the proprietary attributes */
#define TAG_FCI 0x6F
#define TAG_FCP 0x62
#define TAG_ATTRIBUTES 0x85
#define TAG_KEY_METADATA 0xA5
#define TAG_SIZE 0x81
#define TAG_CONTENT_SIZE 0x80 /* what genuine cards tell (19.6) */

/* Attributes are read from their end: options (2), type, major, minor; old cards give the last two
 * only. A response of another form tells nothing, and is no failure: the applet is selected. */
static void parse_fci(const uint8_t *data, size_t len, struct schsm_card_fci *fci)
{
    struct schsm_tlv outer, attributes;
    const uint8_t *bytes;
    size_t n;

    memset(fci, 0, sizeof(*fci));
    fci->type = -1;
    if (!schsm_tlv_first(data, len, &outer) || (outer.tag != TAG_FCI && outer.tag != TAG_FCP) ||
        !schsm_tlv_find(outer.value.data, outer.value.len, TAG_ATTRIBUTES, &attributes)) {
        return;
    }
    bytes = attributes.value.data;
    n = attributes.value.len;
    if (n >= 2) {
        fci->version_major = bytes[n - 2];
        fci->version_minor = bytes[n - 1];
    }
    if (n >= 3) {
        fci->type = bytes[n - 3];
    }
    if (n >= 5) {
        fci->options_told = true;
        fci->options = (unsigned int)bytes[n - 5] << 8 | bytes[n - 4];
    }
}

int schsm_card_select(struct schsm_card *card, struct schsm_card_fci *fci, struct schsm_error *err)
{
    const struct schsm_apdu apdu = {
        .ins = SCHSM_INS_SELECT, .p1 = 0x04, .data = aid, .data_len = sizeof(aid), .le = 256
    };
    uint8_t response[256];
    size_t len = sizeof(response);

    if (!schsm_card_exchange_plain(card, &apdu, response, &len, err)) {
        return 0;
    }
    if (card->status_word == SCHSM_SW_FILE_NOT_FOUND) {
        return schsm_fail(err, SCHSM_REASON_NO_DEVICE, "the card is no SmartCard-HSM");
    }
    if (!schsm_card_accepted(card, &apdu, err)) {
        return 0;
    }
    if (fci != NULL) {
        parse_fci(response, len, fci);
    }
    return 1;
}

/* The size of a transparent file; -1 where the template does not tell. */
static int32_t parse_size(const uint8_t *data, size_t len)
{
    struct schsm_tlv outer, size;
    int32_t value = 0;

    if (!schsm_tlv_first(data, len, &outer) || (outer.tag != TAG_FCI && outer.tag != TAG_FCP) ||
        (!schsm_tlv_find(outer.value.data, outer.value.len, TAG_SIZE, &size) &&
         !schsm_tlv_find(outer.value.data, outer.value.len, TAG_CONTENT_SIZE, &size)) ||
        size.value.len == 0 || size.value.len > 3) {
        return -1;
    }
    for (size_t i = 0; i < size.value.len; i++) {
        value = value << 8 | size.value.data[i];
    }
    return value;
}

/* 3.2; the applet stays selected, and nobody is logged out. */
static int select_file(struct schsm_card *card, unsigned int file, uint8_t response[256],
                       size_t *len, bool *exists, struct schsm_error *err)
{
    const uint8_t data[2] = { (uint8_t)(file >> 8), (uint8_t)file };
    const struct schsm_apdu apdu = {
        .ins = SCHSM_INS_SELECT, .data = data, .data_len = sizeof(data), .le = 256
    };

    *exists = false;
    *len = 256;
    if (!schsm_card_exchange_plain(card, &apdu, response, len, err)) {
        return 0;
    }
    /* 19.6: "wrong parameters" is a genuine card's word for a file that it does not know */
    if (card->status_word == SCHSM_SW_FILE_NOT_FOUND || card->status_word == SCHSM_SW_WRONG_P1P2) {
        return 1;
    }
    *exists = true;
    return schsm_card_accepted(card, &apdu, err);
}

int schsm_card_select_file(struct schsm_card *card, unsigned int file, bool *exists,
                           int32_t *length, struct schsm_error *err)
{
    uint8_t response[256];
    size_t len;

    *length = -1;
    if (!select_file(card, file, response, &len, exists, err)) {
        return 0;
    }
    if (*exists) {
        *length = parse_size(response, len);
    }
    return 1;
}

int schsm_card_key_metadata(struct schsm_card *card, unsigned int key_ref, uint8_t *metadata,
                            size_t *len, struct schsm_error *err)
{
    struct schsm_tlv outer, found;
    uint8_t response[256];
    size_t capacity = *len, response_len;
    bool exists;

    *len = 0;
    if (!select_file(card, SCHSM_FILE_KEY | key_ref, response, &response_len, &exists, err)) {
        return 0;
    }
    if (exists && schsm_tlv_first(response, response_len, &outer) &&
        (outer.tag == TAG_FCI || outer.tag == TAG_FCP) &&
        schsm_tlv_find(outer.value.data, outer.value.len, TAG_KEY_METADATA, &found) &&
        found.value.len <= capacity && found.value.len > 0) {
        memcpy(metadata, found.value.data, found.value.len);
        *len = found.value.len;
    }
    return 1;
}
