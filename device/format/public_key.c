/* SPDX-License-Identifier: Apache-2.0 */
#include "public_key.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>

#include "cvc.h"
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
    { 0x67, from_request },
    { 0x7F21, from_cvc },
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

/* RFC 3279, RFC 5480: contents of the OBJECT IDENTIFIERs */
static const uint8_t oid_rsa[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01 };
static const uint8_t oid_rsa_pss[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A };
static const uint8_t oid_ec[] = { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01 };

static bool has_oid(const struct schsm_tlv *tlv, const uint8_t *oid, size_t len)
{
    return tlv->tag == 0x06 && tlv->value.len == len && memcmp(tlv->value.data, oid, len) == 0;
}

static unsigned int count_bits(const uint8_t *number, size_t len)
{
    unsigned int bits;

    while (len > 0 && *number == 0) {
        number++;
        len--;
    }
    if (len == 0 || len > 4096) {
        return 0;
    }
    bits = (unsigned int)len * 8;
    for (unsigned int top = *number; (top & 0x80) == 0; top <<= 1) {
        bits--;
    }
    return bits;
}

void schsm_public_key_describe(const uint8_t *spki, size_t spki_len, enum schsm_key_type *type,
                               unsigned int *bits)
{
    struct schsm_tlv outer, algorithm, oid, bit_string, key, modulus;
    struct schsm_tlv_reader reader;

    if (!schsm_tlv_first(spki, spki_len, &outer)) {
        return;
    }
    schsm_tlv_read(&reader, outer.value.data, outer.value.len);
    if (!schsm_tlv_next(&reader, &algorithm) || !schsm_tlv_next(&reader, &bit_string) ||
        bit_string.tag != 0x03 || bit_string.value.len < 2 ||
        !schsm_tlv_first(algorithm.value.data, algorithm.value.len, &oid)) {
        return;
    }
    if (has_oid(&oid, oid_rsa, sizeof(oid_rsa)) ||
        has_oid(&oid, oid_rsa_pss, sizeof(oid_rsa_pss))) {
        *type = SCHSM_KEY_RSA;
        if (schsm_tlv_first(bit_string.value.data + 1, bit_string.value.len - 1, &key) &&
            schsm_tlv_first(key.value.data, key.value.len, &modulus)) {
            *bits = count_bits(modulus.value.data, modulus.value.len);
        }
    } else if (has_oid(&oid, oid_ec, sizeof(oid_ec))) {
        *type = SCHSM_KEY_EC;
        /* unused bits, 04, X, Y; the only field of the card's that does not fill its bytes is
         * that of secp521r1 */
        *bits = (unsigned int)(bit_string.value.len - 2) / 2 * 8;
        if (*bits == 528) {
            *bits = 521;
        }
    }
}
