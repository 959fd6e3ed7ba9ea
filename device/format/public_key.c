/* SPDX-License-Identifier: Apache-2.0 */
#include "public_key.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>

#include "cvc.h"
#include "cvc_tags.h"
#include "base/tlv.h"

static int from_request(struct schsm_view element, uint8_t **spki, size_t *spki_len,
                        struct schsm_error *err)
{
    struct schsm_cvc_request request;

    return schsm_cvc_parse_request(element.data, element.len, &request, err) &&
           schsm_cvc_public_key(&request.cvc.key, NULL, spki, spki_len, err);
}

static int from_cvc(struct schsm_view element, uint8_t **spki, size_t *spki_len,
                    struct schsm_error *err)
{
    struct schsm_cvc cvc;

    return schsm_cvc_parse(element.data, element.len, &cvc, err) &&
           schsm_cvc_public_key(&cvc.key, NULL, spki, spki_len, err);
}

/* Goes to the element behind `count` elements with the given tag. */
static bool skip(struct schsm_tlv_reader *reader, uint32_t tag, int count, struct schsm_tlv *next)
{
    while (count-- > 0) {
        if (next->tag != tag || !schsm_tlv_next(reader, next)) {
            return false;
        }
    }
    return true;
}

/*
 * The subjectPublicKeyInfo of a Certificate as it stands there (RFC 5280 4.1). Not by d2i_X509: it
 * would decode the key as well and for that ask every provider, us among them.
 */
static bool find_spki(struct schsm_view certificate, struct schsm_tlv *spki)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv part;

    if (!schsm_tlv_first(certificate.data, certificate.len, &part) ||
        !schsm_tlv_first(part.value.data, part.value.len, &part) || part.tag != 0x30) {
        return false;
    }
    schsm_tlv_read(&reader, part.value.data, part.value.len);
    if (!schsm_tlv_next(&reader, spki)) {
        return false;
    }
    if (spki->tag == 0xA0 && !schsm_tlv_next(&reader, spki)) { /* version */
        return false;
    }
    /* serialNumber; signature, issuer, validity, subject */
    return skip(&reader, 0x02, 1, spki) && skip(&reader, 0x30, 4, spki) && spki->tag == 0x30 &&
           schsm_tlv_first(spki->value.data, spki->value.len, &part) && part.tag == 0x30 &&
           schsm_tlv_find(spki->value.data, spki->value.len, 0x03, &part);
}

static int from_x509(struct schsm_view element, uint8_t **spki, size_t *spki_len,
                     struct schsm_error *err)
{
    struct schsm_tlv found;

    if (!find_spki(element, &found)) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the key's X.509 certificate is malformed");
    }
    *spki = OPENSSL_memdup(found.whole.data, found.whole.len);
    if (*spki == NULL) {
        return schsm_fail_memory(err);
    }
    *spki_len = found.whole.len;
    return 1;
}

static const struct form {
    uint32_t tag;
    int (*read)(struct schsm_view element, uint8_t **spki, size_t *spki_len,
                struct schsm_error *err);
} forms[] = {
    { SCHSM_CVC_REQUEST, from_request },
    { SCHSM_CVC_CERTIFICATE, from_cvc },
    { 0x30, from_x509 },
};

int schsm_public_key_from_ce(const uint8_t *file, size_t len, uint8_t **spki, size_t *spki_len,
                             struct schsm_error *err)
{
    struct schsm_tlv element;

    if (len == 0) {
        return schsm_fail(err, SCHSM_REASON_NO_PUBLIC_KEY,
                          "the device holds neither certificate nor request for the key");
    }
    if (!schsm_tlv_first(file, len, &element)) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the key's certificate is malformed");
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].tag == element.tag) {
            return forms[i].read(element.whole, spki, spki_len, err);
        }
    }
    return schsm_fail(err, SCHSM_REASON_NO_PUBLIC_KEY,
                      "the file beside the key holds no certificate and no request (tag %02X)",
                      (unsigned int)element.tag);
}
