/* SPDX-License-Identifier: Apache-2.0 */
/* EC keys in and out of a wrapped key. */
#include "wrapped_private.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "curve.h"
#include "ec_key.h"

#define EC_DER_MAX 320 /* ECPrivateKey on secp521r1 */

/* ECPrivateKey (RFC 5915) with the curve's name and the public key, which libcrypto reads. d has
 * the curve's field_len bytes. */
static EVP_PKEY *ec_to_key(OSSL_LIB_CTX *libctx, const struct schsm_curve *curve, const uint8_t *d,
                           struct schsm_view point, struct schsm_error *err)
{
    static const uint8_t no_unused_bits = 0;
    struct schsm_secret *der;
    struct schsm_tlv_writer writer;
    uint8_t *bytes, oid[SCHSM_CURVE_OID_MAX];
    const uint8_t *at;
    EVP_PKEY *key = NULL;
    size_t sequence, part, bits;

    der = schsm_secret_alloc(EC_DER_MAX, &bytes, err);
    if (der == NULL) {
        return NULL;
    }
    schsm_tlv_write(&writer, bytes, EC_DER_MAX);
    sequence = schsm_tlv_begin(&writer, 0x30);
    schsm_tlv_put_integer(&writer, 1);
    schsm_tlv_put(&writer, 0x04, d, curve->field_len);
    part = schsm_tlv_begin(&writer, 0xA0);
    schsm_tlv_put_raw(&writer, oid, schsm_curve_oid(curve, oid));
    schsm_tlv_end(&writer, part);
    part = schsm_tlv_begin(&writer, 0xA1);
    bits = schsm_tlv_begin(&writer, 0x03);
    schsm_tlv_put_raw(&writer, &no_unused_bits, 1);
    schsm_tlv_put_raw(&writer, point.data, point.len);
    schsm_tlv_end(&writer, bits);
    schsm_tlv_end(&writer, part);
    schsm_tlv_end(&writer, sequence);
    at = bytes;
    if (!writer.failed) {
        key = d2i_PrivateKey_ex(EVP_PKEY_EC, NULL, &at, (long)writer.len, libctx, NULL);
    }
    schsm_secret_free(der);
    if (key == NULL) {
        schsm_fail(err, SCHSM_REASON_FILE, "the public key of the EC key is not on its curve");
    }
    return key;
}

/* Whether private and public key belong together. */
static bool ec_parts_fit(OSSL_LIB_CTX *libctx, EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    bool ok = ctx != NULL && EVP_PKEY_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* p - 3, the parameter a of the NIST curves, in as many bytes as p has; false where p has not the
 * length of a field or is too small. */
static bool minus_three(struct schsm_view p, uint8_t a[SCHSM_FIELD_MAX])
{
    unsigned int borrow = 3;

    if (p.len > SCHSM_FIELD_MAX) {
        return false;
    }
    for (size_t i = p.len; i > 0; i--) {
        a[i - 1] = (uint8_t)(p.data[i - 1] - borrow);
        borrow = p.data[i - 1] < borrow ? 1 : 0;
    }
    return borrow == 0;
}

/* The curve of the key. The Pico HSM writes a as an empty element where it is p - 3 (19.5). */
static const struct schsm_curve *find_curve(const struct schsm_view *elements)
{
    const struct schsm_curve *curve = schsm_curve_by_parameters(
        elements[EC_P], elements[EC_A], elements[EC_B], elements[EC_G], elements[EC_N]);
    struct schsm_view p = schsm_view_number(elements[EC_P]);
    uint8_t a[SCHSM_FIELD_MAX];

    if (curve != NULL || elements[EC_A].len != 0 || !minus_three(p, a)) {
        return curve;
    }
    return schsm_curve_by_parameters(elements[EC_P], (struct schsm_view){ a, p.len },
                                     elements[EC_B], elements[EC_G], elements[EC_N]);
}

EVP_PKEY *schsm_wrapped_ec(OSSL_LIB_CTX *libctx, const struct schsm_view *elements,
                           struct schsm_error *err)
{
    const struct schsm_curve *curve = find_curve(elements);
    struct schsm_view d = elements[EC_D];
    uint8_t padded[SCHSM_FIELD_MAX] = { 0 };
    EVP_PKEY *key = NULL;

    if (curve == NULL) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "the EC key's domain parameters are not those of a curve that we know");
        return NULL;
    }
    if (schsm_view_number(d).len == 0 || !schsm_view_pad(d, padded, curve->field_len)) {
        schsm_fail(err, SCHSM_REASON_FILE, "the private part of the EC key is out of range");
        return NULL;
    }
    (void)ERR_set_mark();
    key = ec_to_key(libctx, curve, padded, elements[EC_Q], err);
    if (key != NULL && !ec_parts_fit(libctx, key)) {
        EVP_PKEY_free(key);
        key = NULL;
        schsm_fail(err, SCHSM_REASON_FILE,
                   "private and public part of the EC key do not fit together");
    }
    (void)ERR_pop_to_mark(); /* our own error says it */
    OPENSSL_cleanse(padded, sizeof(padded));
    return key;
}

int schsm_wrapped_put_ec(OSSL_LIB_CTX *libctx, EVP_PKEY *key, struct schsm_tlv_writer *writer,
                         struct schsm_error *err)
{
    const struct schsm_curve *curve;
    struct schsm_curve_parameters domain;
    uint8_t d[SCHSM_FIELD_MAX], point[SCHSM_POINT_MAX];
    size_t len;
    bool known;

    (void)ERR_set_mark();
    curve = schsm_ec_key_curve(key);
    if (curve == NULL) {
        (void)ERR_pop_to_mark();
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the EC key is on a curve that a SmartCard-HSM does not have");
    }
    len = curve->field_len;
    known = ec_parts_fit(libctx, key) && schsm_ec_key_point(key, curve, point) &&
            schsm_ec_key_private(key, curve, d);
    (void)ERR_pop_to_mark();
    if (!known) {
        OPENSSL_cleanse(d, sizeof(d));
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "this is no private EC key whose parts fit together");
    }
    if (!schsm_curve_parameters(curve, &domain, err)) {
        OPENSSL_cleanse(d, sizeof(d));
        return 0;
    }
    schsm_wrapped_put_size(writer, curve->bits);
    schsm_wrapped_put_element(writer, domain.a, len);
    schsm_wrapped_put_element(writer, domain.b, len);
    schsm_wrapped_put_element(writer, domain.p, len);
    schsm_wrapped_put_element(writer, domain.n, len);
    schsm_wrapped_put_element(writer, domain.g, 1 + 2 * len);
    schsm_wrapped_put_element(writer, d, len);
    schsm_wrapped_put_element(writer, point, 1 + 2 * len);
    OPENSSL_cleanse(d, sizeof(d));
    return 1;
}
