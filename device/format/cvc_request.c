/* SPDX-License-Identifier: Apache-2.0 */
#include "cvc_request.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "cvc_tags.h"
#include "ec_key.h"
#include "ecdsa.h"

#define INNER_CAR "UTCA00001"  /* as in the requests of keys that the device makes */
#define OUTER_SIGNATURE_LEN 64 /* brainpoolP256r1 */
#define REQUEST_MAX 2048       /* RSA-4096 has some 1,150 bytes */

static const uint8_t oid_rsa[] = { SCHSM_OID_RSA };

static bool put_rsa_number(struct schsm_tlv_writer *writer, uint32_t tag, EVP_PKEY *key,
                           const char *name)
{
    uint8_t bytes[SCHSM_CARD_MODULUS_MAX];
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, name, &number) == 1 &&
              BN_num_bytes(number) <= (int)sizeof(bytes);

    if (ok) {
        schsm_tlv_put(writer, tag, bytes, (size_t)BN_bn2bin(number, bytes));
    }
    BN_free(number);
    return ok;
}

static bool put_rsa_public(struct schsm_tlv_writer *writer, EVP_PKEY *key)
{
    schsm_tlv_put(writer, SCHSM_CVC_OID, oid_rsa, sizeof(oid_rsa));
    return put_rsa_number(writer, SCHSM_CVC_MODULUS, key, OSSL_PKEY_PARAM_RSA_N) &&
           put_rsa_number(writer, SCHSM_CVC_EXPONENT, key, OSSL_PKEY_PARAM_RSA_E);
}

static bool put_ec_key(struct schsm_tlv_writer *writer, EVP_PKEY *key,
                       const struct schsm_curve *curve, struct schsm_error *err)
{
    uint8_t point[SCHSM_POINT_MAX];

    return schsm_ec_key_point(key, curve, point) && schsm_cvc_put_ec_key(writer, curve, point, err);
}

/* The key's signature over the body, as CV certificates have it. An RSA-PSS key signs as plain RSA
 * does, since the card knows no other kind: its numbers are those of one. */
static int put_signature(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const struct schsm_curve *curve,
                         struct schsm_view body, struct schsm_tlv_writer *writer,
                         struct schsm_error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t signature[SCHSM_CARD_MODULUS_MAX], raw[SCHSM_ECDSA_RAW_MAX];
    size_t len = sizeof(signature), raw_len = sizeof(raw);
    bool signed_it;
    int ok = 0;

    (void)ERR_set_mark();
    signed_it = context != NULL &&
                EVP_DigestSignInit_ex(context, NULL, "SHA256", libctx, NULL, key, NULL) == 1 &&
                EVP_DigestSign(context, signature, &len, body.data, body.len) == 1;
    (void)ERR_pop_to_mark(); /* our own error says it */
    if (!signed_it) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not sign with the key");
    } else if (curve == NULL) {
        schsm_tlv_put(writer, SCHSM_CVC_SIGNATURE, signature, len);
        ok = 1;
    } else if (schsm_ecdsa_raw(signature, len, curve->field_len, raw, &raw_len, err)) {
        schsm_tlv_put(writer, SCHSM_CVC_SIGNATURE, raw, raw_len);
        ok = 1;
    }
    EVP_MD_CTX_free(context);
    return ok;
}

static bool put_body(struct schsm_tlv_writer *writer, EVP_PKEY *key,
                     const struct schsm_curve *curve, const char *chr, struct schsm_error *err)
{
    size_t body = schsm_tlv_begin(writer, SCHSM_CVC_BODY), part;
    bool ok;

    schsm_tlv_put_byte(writer, SCHSM_CVC_PROFILE, 0);
    schsm_tlv_put_text(writer, SCHSM_CVC_CAR, INNER_CAR);
    part = schsm_tlv_begin(writer, SCHSM_CVC_KEY);
    ok = curve != NULL ? put_ec_key(writer, key, curve, err) : put_rsa_public(writer, key);
    schsm_tlv_end(writer, part);
    schsm_tlv_put_text(writer, SCHSM_CVC_CHR, chr);
    schsm_tlv_end(writer, body);
    return ok && !writer->failed;
}

/* Puts the outer part around what the writer of the inner one holds. */
static void put_outer(struct schsm_tlv_writer *writer, const struct schsm_tlv_writer *inner)
{
    static const uint8_t none[OUTER_SIGNATURE_LEN];
    size_t request = schsm_tlv_begin(writer, SCHSM_CVC_REQUEST);

    schsm_tlv_put(writer, SCHSM_CVC_CERTIFICATE, inner->out, inner->len);
    schsm_tlv_put_text(writer, SCHSM_CVC_CAR, SCHSM_CVC_IMPORTED);
    schsm_tlv_put(writer, SCHSM_CVC_SIGNATURE, none, sizeof(none));
    schsm_tlv_end(writer, request);
}

int schsm_cvc_build_request(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const char *chr, uint8_t **out,
                            size_t *len, struct schsm_error *err)
{
    const struct schsm_curve *curve = NULL;
    struct schsm_tlv_writer inner, outer;
    uint8_t content[REQUEST_MAX];
    uint8_t *request;

    if (*chr == '\0' || strlen(chr) > SCHSM_CVC_NAME_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a name in a certificate request has 1 to %d characters",
                          SCHSM_CVC_NAME_MAX);
    }
    if (EVP_PKEY_is_a(key, "RSA") != 1) {
        curve = schsm_ec_key_curve(key);
        if (curve == NULL) {
            return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                              "a SmartCard-HSM has no keys of this type or on this curve");
        }
    }
    schsm_tlv_write(&inner, content, sizeof(content));
    if (!put_body(&inner, key, curve, chr, err)) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "the public part of the key cannot be written");
    }
    if (!put_signature(libctx, key, curve, (struct schsm_view){ content, inner.len }, &inner,
                       err)) {
        return 0;
    }
    request = OPENSSL_malloc(REQUEST_MAX);
    if (request == NULL) {
        return schsm_fail_memory(err);
    }
    schsm_tlv_write(&outer, request, REQUEST_MAX);
    put_outer(&outer, &inner);
    if (inner.failed || outer.failed) {
        OPENSSL_free(request);
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the key is too long for a request");
    }
    *out = request;
    *len = outer.len;
    return 1;
}
