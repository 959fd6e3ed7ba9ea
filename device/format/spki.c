/* SPDX-License-Identifier: Apache-2.0 */
#include "spki.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>

#define HEADERS_MAX 64 /* bytes besides the numbers: tags, lengths, identifiers */

/* Contents of the OBJECT IDENTIFIERs */
static const uint8_t oid_rsa[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01 };
static const uint8_t oid_rsa_pss[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A };
static const uint8_t oid_ec[] = { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01 };

/* Either kind: curve.len is 0 for RSA, whose numbers are then first and second; else first is the
 * point. */
static int write_spki(struct schsm_view curve, struct schsm_view first, struct schsm_view second,
                      uint8_t **spki, size_t *spki_len, struct schsm_error *err)
{
    static const uint8_t no_unused_bits = 0;
    size_t capacity = curve.len + first.len + second.len + HEADERS_MAX, outer, inner, key;
    uint8_t *out = OPENSSL_malloc(capacity);
    struct schsm_tlv_writer writer;

    if (out == NULL) {
        return schsm_fail_memory(err);
    }
    schsm_tlv_write(&writer, out, capacity);
    outer = schsm_tlv_begin(&writer, 0x30);
    inner = schsm_tlv_begin(&writer, 0x30);
    if (curve.len > 0) {
        schsm_tlv_put(&writer, 0x06, oid_ec, sizeof(oid_ec));
        schsm_tlv_put_raw(&writer, curve.data, curve.len);
    } else {
        schsm_tlv_put(&writer, 0x06, oid_rsa, sizeof(oid_rsa));
        schsm_tlv_put(&writer, 0x05, NULL, 0);
    }
    schsm_tlv_end(&writer, inner);
    inner = schsm_tlv_begin(&writer, 0x03);
    schsm_tlv_put_raw(&writer, &no_unused_bits, 1);
    if (curve.len > 0) {
        schsm_tlv_put_raw(&writer, first.data, first.len);
    } else {
        key = schsm_tlv_begin(&writer, 0x30);
        schsm_tlv_put_number(&writer, first);
        schsm_tlv_put_number(&writer, second);
        schsm_tlv_end(&writer, key);
    }
    schsm_tlv_end(&writer, inner);
    schsm_tlv_end(&writer, outer);
    *spki = out;
    *spki_len = writer.len;
    return 1;
}

int schsm_spki_rsa(struct schsm_view modulus, struct schsm_view exponent, uint8_t **spki,
                   size_t *spki_len, struct schsm_error *err)
{
    return write_spki((struct schsm_view){ NULL, 0 }, modulus, exponent, spki, spki_len, err);
}

int schsm_spki_ec(struct schsm_view curve, struct schsm_view point, uint8_t **spki,
                  size_t *spki_len, struct schsm_error *err)
{
    return write_spki(curve, point, (struct schsm_view){ NULL, 0 }, spki, spki_len, err);
}

int schsm_spki_ecx(const struct schsm_ecx *curve, struct schsm_view key, uint8_t **spki,
                   size_t *spki_len, struct schsm_error *err)
{
    static const uint8_t no_unused_bits = 0;
    size_t capacity = key.len + HEADERS_MAX, outer, inner;
    uint8_t *out = OPENSSL_malloc(capacity), oid[SCHSM_ECX_OID_LEN];
    struct schsm_tlv_writer writer;

    if (out == NULL) {
        return schsm_fail_memory(err);
    }
    schsm_ecx_oid(curve, oid);
    schsm_tlv_write(&writer, out, capacity);
    outer = schsm_tlv_begin(&writer, 0x30);
    inner = schsm_tlv_begin(&writer, 0x30);
    schsm_tlv_put(&writer, 0x06, oid, sizeof(oid));
    schsm_tlv_end(&writer, inner);
    inner = schsm_tlv_begin(&writer, 0x03);
    schsm_tlv_put_raw(&writer, &no_unused_bits, 1);
    schsm_tlv_put_raw(&writer, key.data, key.len);
    schsm_tlv_end(&writer, inner);
    schsm_tlv_end(&writer, outer);
    *spki = out;
    *spki_len = writer.len;
    return 1;
}

static bool has_oid(const struct schsm_tlv *tlv, const uint8_t *oid, size_t len)
{
    return tlv->tag == 0x06 && tlv->value.len == len && memcmp(tlv->value.data, oid, len) == 0;
}

static unsigned int count_bits(struct schsm_view number)
{
    unsigned int bits;

    number = schsm_view_number(number);
    if (number.len == 0 || number.len > 4096) {
        return 0;
    }
    bits = (unsigned int)number.len * 8;
    for (unsigned int top = *number.data; (top & 0x80) == 0; top <<= 1) {
        bits--;
    }
    return bits;
}

void schsm_spki_describe(const uint8_t *spki, size_t spki_len, enum schsm_key_type *type,
                         unsigned int *bits)
{
    struct schsm_tlv outer, algorithm, oid, bit_string, key, modulus;
    const struct schsm_ecx *ecx = NULL;
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
            *bits = count_bits(modulus.value);
        }
    } else if (has_oid(&oid, oid_ec, sizeof(oid_ec))) {
        *type = SCHSM_KEY_EC;
        *bits = schsm_field_bits((bit_string.value.len - 2) / 2); /* unused bits, 04, X, Y */
    } else if (oid.tag == 0x06 && (ecx = schsm_ecx_by_oid(oid.value)) != NULL) {
        *type = ecx->type;
        *bits = ecx->bits;
    }
}

bool schsm_spki_rsa_exponent_is_f4(const uint8_t *spki, size_t spki_len)
{
    static const uint8_t f4[] = { 0x01, 0x00, 0x01 };
    struct schsm_tlv outer, algorithm, bit_string, key, modulus, exponent;
    struct schsm_tlv_reader reader;

    if (!schsm_tlv_first(spki, spki_len, &outer)) {
        return false;
    }
    schsm_tlv_read(&reader, outer.value.data, outer.value.len);
    if (!schsm_tlv_next(&reader, &algorithm) || !schsm_tlv_next(&reader, &bit_string) ||
        bit_string.tag != 0x03 || bit_string.value.len < 2 ||
        !schsm_tlv_first(bit_string.value.data + 1, bit_string.value.len - 1, &key)) {
        return false;
    }
    schsm_tlv_read(&reader, key.value.data, key.value.len);
    return schsm_tlv_next(&reader, &modulus) && schsm_tlv_next(&reader, &exponent) &&
           schsm_view_equal(schsm_view_number(exponent.value),
                            (struct schsm_view){ f4, sizeof(f4) });
}
