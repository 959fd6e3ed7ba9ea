/* SPDX-License-Identifier: Apache-2.0 */
#include "agree.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

/* From the coordinates, as the encoding that the key itself would give may be a compressed one. */
static unsigned char *encode_point(const EVP_PKEY *key, size_t *len)
{
    BIGNUM *x = NULL, *y = NULL;
    size_t field_len = schsm_agree_size(key);
    unsigned char *point = field_len == 0 ? NULL : OPENSSL_malloc(1 + 2 * field_len);
    int number_len = (int)field_len;

    if (point != NULL && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) &&
        BN_bn2binpad(x, point + 1, number_len) == number_len &&
        BN_bn2binpad(y, point + 1 + field_len, number_len) == number_len) {
        point[0] = 0x04;
        *len = 1 + 2 * field_len;
    } else {
        OPENSSL_free(point);
        point = NULL;
    }
    BN_free(x);
    BN_free(y);
    return point;
}

static unsigned char *encode_raw(const EVP_PKEY *key, size_t *len)
{
    unsigned char *raw = NULL;

    if (EVP_PKEY_get_raw_public_key(key, NULL, len) != 1 || (raw = OPENSSL_malloc(*len)) == NULL ||
        EVP_PKEY_get_raw_public_key(key, raw, len) != 1) {
        OPENSSL_free(raw);
        return NULL;
    }
    return raw;
}

unsigned char *schsm_agree_public(const EVP_PKEY *key, size_t *len)
{
    return EVP_PKEY_is_a(key, "EC") ? encode_point(key, len) : encode_raw(key, len);
}

/* Of EC keys the field's length: the order may be a bit longer. */
size_t schsm_agree_size(const EVP_PKEY *key)
{
    BIGNUM *p = NULL;
    size_t len = 0;

    if (!EVP_PKEY_is_a(key, "EC")) {
        int size = EVP_PKEY_get_size(key);

        return size > 0 ? (size_t)size : 0;
    }
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_P, &p)) {
        len = (size_t)BN_num_bytes(p);
    }
    BN_free(p);
    return len;
}

/* RFC 7748, 6.1: a peer's key of small order gives zero, whatever ours is. */
static bool is_zero(const unsigned char *secret, size_t len)
{
    unsigned char sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum |= secret[i];
    }
    return sum == 0;
}

int schsm_agree(struct schsm_pkey *key, const unsigned char *peer, size_t peer_len,
                unsigned char *secret, size_t secret_len)
{
    bool ec = strcmp(key->type, "EC") == 0;
    size_t len = secret_len;
    int ok = schsm_pkey_operate(key, ec ? SCHSM_OP_ECDH : SCHSM_OP_ECX_DERIVE, peer, peer_len,
                                secret, &len);

    if (ok && len != secret_len) {
        ok = schsm_raise_reason(key->prov, SCHSM_REASON_DEVICE,
                                "the device answered %zu bytes to a key agreement, not %zu", len,
                                secret_len);
    } else if (ok && !ec && is_zero(secret, len)) {
        ok = schsm_raise_reason(key->prov, SCHSM_REASON_ARGUMENT,
                                "the peer's key is one with which every key has the same secret");
    }
    if (!ok) {
        OPENSSL_cleanse(secret, secret_len);
    }
    return ok;
}
