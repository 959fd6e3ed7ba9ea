/* SPDX-License-Identifier: Apache-2.0 */
#include "certificates.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* Bytes being put together; lengths are written here again, on purpose not with the codec. */
struct text {
    uint8_t data[4096];
    size_t len;
};

static void put(struct text *text, const void *data, size_t len)
{
    assert_true(text->len + len <= sizeof(text->data));
    if (len > 0) {
        memcpy(text->data + text->len, data, len);
    }
    text->len += len;
}

static void put_tlv(struct text *text, unsigned int tag, const void *value, size_t len)
{
    uint8_t header[5];
    size_t n = 0;

    if (tag > 0xFF) {
        header[n++] = (uint8_t)(tag >> 8);
    }
    header[n++] = (uint8_t)tag;
    if (len > 255) {
        header[n++] = 0x82;
        header[n++] = (uint8_t)(len >> 8);
    } else if (len > 127) {
        header[n++] = 0x81;
    }
    header[n++] = (uint8_t)len;
    put(text, header, n);
    put(text, value, len);
}

static void put_bn(struct text *text, unsigned int tag, const BIGNUM *number, int len)
{
    uint8_t value[1024];

    if (len == 0) {
        len = BN_num_bytes(number);
    }
    assert_true(len <= (int)sizeof(value));
    assert_int_equal(BN_bn2binpad(number, value, len), len);
    put_tlv(text, tag, value, (size_t)len);
}

static int field_bytes(EVP_PKEY *key)
{
    return (EVP_PKEY_get_bits(key) + 7) / 8;
}

static void put_ec(struct text *text, EVP_PKEY *key, bool no_parameters)
{
    char name[80];
    uint8_t point[256], *encoded = NULL;
    BIGNUM *p = BN_new(), *a = BN_new(), *b = BN_new();
    EC_GROUP *group;
    size_t len, point_len;
    int field;

    assert_int_equal(EVP_PKEY_get_group_name(key, name, sizeof(name), &len), 1);
    group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(name));
    assert_non_null(group);
    assert_int_equal(EC_GROUP_get_curve(group, p, a, b, NULL), 1);
    field = (BN_num_bits(p) + 7) / 8;
    if (!no_parameters) {
        put_bn(text, 0x81, p, field);
        put_bn(text, 0x82, a, field);
        put_bn(text, 0x83, b, field);
        point_len = EC_POINT_point2oct(group, EC_GROUP_get0_generator(group),
                                       POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), NULL);
        put_tlv(text, 0x84, point, point_len);
        put_bn(text, 0x85, EC_GROUP_get0_order(group), field);
    }
    point_len = EVP_PKEY_get1_encoded_public_key(key, &encoded);
    put_tlv(text, 0x86, encoded, point_len);
    if (!no_parameters) {
        put_tlv(text, 0x87, "\x01", 1);
    }
    OPENSSL_free(encoded);
    EC_GROUP_free(group);
    BN_free(p);
    BN_free(a);
    BN_free(b);
}

static void put_rsa(struct text *text, EVP_PKEY *key)
{
    BIGNUM *n = NULL, *e = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e), 1);
    put_bn(text, 0x81, n, 0);
    put_bn(text, 0x82, e, 0);
    BN_free(n);
    BN_free(e);
}

/* 5F37: a block for RSA, r || s for EC. */
static void put_signature(struct text *text, EVP_PKEY *key, const char *digest, bool pss,
                          const struct text *message)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding;
    uint8_t signature[1024], raw[256];
    const uint8_t *at = signature;
    size_t len = sizeof(signature);
    ECDSA_SIG *parsed;
    int field = field_bytes(key);

    assert_int_equal(EVP_DigestSignInit_ex(context, &padding, digest, NULL, NULL, key, NULL), 1);
    if (pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING), 1);
    }
    assert_int_equal(EVP_DigestSign(context, signature, &len, message->data, message->len), 1);
    EVP_MD_CTX_free(context);
    if (EVP_PKEY_is_a(key, "RSA")) {
        put_tlv(text, 0x5F37, signature, len);
        return;
    }
    parsed = d2i_ECDSA_SIG(NULL, &at, (long)len);
    assert_non_null(parsed);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(parsed), raw, field), field);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(parsed), raw + field, field), field);
    ECDSA_SIG_free(parsed);
    put_tlv(text, 0x5F37, raw, 2 * (size_t)field);
}

static void put_certificate(struct text *text, const struct certificate_spec *spec)
{
    bool rsa = EVP_PKEY_is_a(spec->key, "RSA");
    uint8_t oid[] = {
        0x04,        0x00,
        0x7F,        0x00,
        0x07,        0x02,
        0x02,        0x02,
        rsa ? 1 : 2, spec->key_scheme != 0 ? spec->key_scheme : (uint8_t)(rsa ? 2 : 3)
    };
    uint8_t role = (uint8_t)spec->role;
    struct text key = { { 0 }, 0 }, body = { { 0 }, 0 }, all = { { 0 }, 0 }, chat = { { 0 }, 0 };
    struct text whole_body = { { 0 }, 0 };

    put_tlv(&key, 0x06, oid, sizeof(oid));
    if (rsa) {
        put_rsa(&key, spec->key);
    } else {
        put_ec(&key, spec->key, spec->no_parameters);
    }
    put_tlv(&body, 0x5F29, "\0", 1);
    if (spec->car != NULL) {
        put_tlv(&body, 0x42, spec->car, strlen(spec->car));
    }
    put_tlv(&body, 0x7F49, key.data, key.len);
    put_tlv(&body, 0x5F20, spec->chr, strlen(spec->chr));
    if (spec->role >= 0) {
        put_tlv(&chat, 0x06, "\x2B\x06\x01\x04\x01\x81\xC3\x1F\x03\x01\x01", 11);
        put_tlv(&chat, 0x53, &role, 1);
        put_tlv(&body, 0x7F4C, chat.data, chat.len);
        put_tlv(&body, 0x5F25, "\x02\x01\x00\x03\x02\x03", 6);
        put_tlv(&body, 0x5F24, "\x03\x01\x00\x03\x02\x03", 6);
        put_tlv(&body, 0x65, NULL, 0);
    }
    put_tlv(&whole_body, 0x7F4E, body.data, body.len);
    put(&all, whole_body.data, whole_body.len);
    put_signature(&all, spec->signer == NULL ? spec->key : spec->signer,
                  spec->digest == NULL ? "SHA256" : spec->digest, spec->pss, &whole_body);
    put_tlv(text, 0x7F21, all.data, all.len);
}

struct bytes make_certificate(const struct certificate_spec *spec)
{
    struct text text = { { 0 }, 0 };

    put_certificate(&text, spec);
    return copy_bytes(text.data, text.len);
}

struct bytes make_request(const struct certificate_spec *spec, const char *outer_car,
                          EVP_PKEY *device)
{
    struct text inner = { { 0 }, 0 }, text = { { 0 }, 0 };

    put_certificate(&inner, spec);
    put_tlv(&inner, 0x42, outer_car, strlen(outer_car));
    put_signature(&inner, device, "SHA256", false, &inner);
    put_tlv(&text, 0x67, inner.data, inner.len);
    return copy_bytes(text.data, text.len);
}

struct bytes encode_public_key(EVP_PKEY *key)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    struct bytes bytes;

    assert_true(len > 0);
    bytes = copy_bytes(der, (size_t)len);
    OPENSSL_free(der);
    return bytes;
}
