/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11_public_key.h"

#include <string.h>

#include "spki.h"

#define NUMBER_MAX 8192 /* bytes: more than any key has; what OpenSSL uses is known elsewhere */
#define POINT_MAX 256

/* RFC 5280: id-ce-basicConstraints as an element */
static const uint8_t basic_constraints[] = { 0x06, 0x03, 0x55, 0x1D, 0x13 };

static const char what[] = "the token's public key";

/* Whether it is a number of a length that we know. */
static bool is_number(struct schsm_view number)
{
    size_t len = schsm_view_number(number).len;

    return len > 0 && len <= NUMBER_MAX;
}

int schsm_pkcs11_rsa_key(struct schsm_view modulus, struct schsm_view exponent, uint8_t **spki,
                         size_t *spki_len, struct schsm_error *err)
{
    if (!is_number(modulus) || !is_number(exponent)) {
        return schsm_fail_malformed(err, what);
    }
    return schsm_spki_rsa(modulus, exponent, spki, spki_len, err);
}

int schsm_pkcs11_ec_key(struct schsm_view params, struct schsm_view point, uint8_t **spki,
                        size_t *spki_len, struct schsm_error *err)
{
    struct schsm_tlv curve, wrapped;

    if (!schsm_tlv_first(params.data, params.len, &curve) || curve.tag != 0x06 ||
        curve.whole.len != params.len) {
        return schsm_fail_malformed(err, what);
    }
    /* A bare uncompressed point begins with 04 as well, but its length byte does not fit. */
    if (schsm_tlv_first(point.data, point.len, &wrapped) && wrapped.tag == 0x04 &&
        wrapped.whole.len == point.len && wrapped.value.len % 2 == 1) {
        point = wrapped.value;
    }
    if (point.len < 3 || point.len > POINT_MAX || point.data[0] != 0x04 || point.len % 2 != 1) {
        return schsm_fail_malformed(err, what);
    }
    return schsm_spki_ec(params, point, spki, spki_len, err);
}

bool schsm_pkcs11_is_authority(const uint8_t *certificate, size_t len)
{
    const uint8_t *end = certificate + len;
    const uint8_t *at =
        len == 0 ? NULL : memmem(certificate, len, basic_constraints, sizeof(basic_constraints));
    struct schsm_tlv_reader reader;
    struct schsm_tlv part, sequence, ca;

    if (at == NULL) {
        return false;
    }
    at += sizeof(basic_constraints);
    schsm_tlv_read(&reader, at, (size_t)(end - at));
    if (!schsm_tlv_next(&reader, &part) || (part.tag == 0x01 && !schsm_tlv_next(&reader, &part))) {
        return false;
    }
    return part.tag == 0x04 && schsm_tlv_first(part.value.data, part.value.len, &sequence) &&
           sequence.tag == 0x30 && schsm_tlv_first(sequence.value.data, sequence.value.len, &ca) &&
           ca.tag == 0x01 && ca.value.len == 1 && ca.value.data[0] != 0;
}
