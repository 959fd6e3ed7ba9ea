/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11_public_key.h"

#include <string.h>

#include <openssl/crypto.h>

#define NUMBER_MAX 2048 /* bytes: 16384 bits */
#define POINT_MAX 256
#define SPKI_MAX (2 * NUMBER_MAX + 64)

/* RFC 3279, RFC 5480 */
static const uint8_t oid_rsa[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01 };
static const uint8_t oid_ec[] = { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01 };

/* RFC 5280: id-ce-basicConstraints as an element */
static const uint8_t basic_constraints[] = { 0x06, 0x03, 0x55, 0x1D, 0x13 };

static int fail_malformed(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the token's public key is malformed");
}

/* An INTEGER that is not negative. */
static void put_number(struct schsm_tlv_writer *writer, struct schsm_view number)
{
    static const uint8_t zero = 0;
    size_t mark = schsm_tlv_begin(writer, 0x02);

    if (number.data[0] >= 0x80) {
        schsm_tlv_put_raw(writer, &zero, 1);
    }
    schsm_tlv_put_raw(writer, number.data, number.len);
    schsm_tlv_end(writer, mark);
}

static bool strip(struct schsm_view *number)
{
    while (number->len > 0 && number->data[0] == 0) {
        number->data++;
        number->len--;
    }
    return number->len > 0 && number->len <= NUMBER_MAX;
}

static int finish(const struct schsm_tlv_writer *writer, uint8_t **spki, size_t *spki_len,
                  struct schsm_error *err)
{
    if (writer->failed) {
        return fail_malformed(err);
    }
    *spki = OPENSSL_memdup(writer->out, writer->len);
    *spki_len = writer->len;
    return *spki != NULL ? 1 : schsm_fail_memory(err);
}

int schsm_pkcs11_rsa_key(struct schsm_view modulus, struct schsm_view exponent, uint8_t **spki,
                         size_t *spki_len, struct schsm_error *err)
{
    static const uint8_t no_unused_bits = 0;
    uint8_t out[SPKI_MAX];
    struct schsm_tlv_writer writer;
    size_t outer, inner, key;

    if (!strip(&modulus) || !strip(&exponent)) {
        return fail_malformed(err);
    }
    schsm_tlv_write(&writer, out, sizeof(out));
    outer = schsm_tlv_begin(&writer, 0x30);
    inner = schsm_tlv_begin(&writer, 0x30);
    schsm_tlv_put(&writer, 0x06, oid_rsa, sizeof(oid_rsa));
    schsm_tlv_put(&writer, 0x05, NULL, 0);
    schsm_tlv_end(&writer, inner);
    inner = schsm_tlv_begin(&writer, 0x03);
    schsm_tlv_put_raw(&writer, &no_unused_bits, 1);
    key = schsm_tlv_begin(&writer, 0x30);
    put_number(&writer, modulus);
    put_number(&writer, exponent);
    schsm_tlv_end(&writer, key);
    schsm_tlv_end(&writer, inner);
    schsm_tlv_end(&writer, outer);
    return finish(&writer, spki, spki_len, err);
}

int schsm_pkcs11_ec_key(struct schsm_view params, struct schsm_view point, uint8_t **spki,
                        size_t *spki_len, struct schsm_error *err)
{
    static const uint8_t no_unused_bits = 0;
    uint8_t out[SPKI_MAX];
    struct schsm_tlv_writer writer;
    struct schsm_tlv curve, wrapped;
    size_t outer, inner;

    if (!schsm_tlv_first(params.data, params.len, &curve) || curve.tag != 0x06 ||
        curve.whole.len != params.len) {
        return fail_malformed(err);
    }
    /* A bare uncompressed point begins with 04 as well, but its length byte does not fit. */
    if (schsm_tlv_first(point.data, point.len, &wrapped) && wrapped.tag == 0x04 &&
        wrapped.whole.len == point.len && wrapped.value.len % 2 == 1) {
        point = wrapped.value;
    }
    if (point.len < 3 || point.len > POINT_MAX || point.data[0] != 0x04 || point.len % 2 != 1) {
        return fail_malformed(err);
    }
    schsm_tlv_write(&writer, out, sizeof(out));
    outer = schsm_tlv_begin(&writer, 0x30);
    inner = schsm_tlv_begin(&writer, 0x30);
    schsm_tlv_put(&writer, 0x06, oid_ec, sizeof(oid_ec));
    schsm_tlv_put_raw(&writer, params.data, params.len);
    schsm_tlv_end(&writer, inner);
    inner = schsm_tlv_begin(&writer, 0x03);
    schsm_tlv_put_raw(&writer, &no_unused_bits, 1);
    schsm_tlv_put_raw(&writer, point.data, point.len);
    schsm_tlv_end(&writer, inner);
    schsm_tlv_end(&writer, outer);
    return finish(&writer, spki, spki_len, err);
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
