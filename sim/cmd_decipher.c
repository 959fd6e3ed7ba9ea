/* SPDX-License-Identifier: Apache-2.0 */
/* DECIPHER 80 62 KEYID ALGORITHM: RSA decryption and ECDH (protocol section 6.5). */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "commands.h"
#include "private_op.h"

/* RSA with one of libcrypto's paddings; `md` for OAEP, MGF1 included. */
static bool rsa_decrypt(const struct sim_key *key, int padding, const EVP_MD *md,
                        struct sim_slice input, struct sim_buf *out)
{
    uint8_t plain[512];
    size_t len = sizeof(plain);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
              (md == NULL || (EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
                              EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1)) &&
              EVP_PKEY_decrypt(ctx, plain, &len, input.data, input.len) == 1;
    if (ok) {
        sim_buf_put(out, plain, len);
    }
    OPENSSL_cleanse(plain, sizeof(plain));
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool decrypt_raw(const struct sim_key *key, struct sim_slice input, struct sim_buf *out)
{
    return rsa_decrypt(key, RSA_NO_PADDING, NULL, input, out);
}

/*
 * Unpadded here and not by libcrypto, whose newer versions answer bad padding with random data; a
 * real card says 6A80.
 */
static bool decrypt_pkcs1(const struct sim_key *key, struct sim_slice input, struct sim_buf *out)
{
    struct sim_buf block = { 0 };
    bool ok = decrypt_raw(key, input, &block) && block.len == key->size && block.data[0] == 0x00 &&
              block.data[1] == 0x02;
    size_t at = 2;
    while (ok && at < block.len && block.data[at] != 0x00) {
        at++;
    }
    /* at least eight padding bytes, and the zero behind them */
    ok = ok && at >= 10 && at < block.len;
    if (ok) {
        sim_buf_put(out, block.data + at + 1, block.len - at - 1);
    }
    sim_buf_free(&block);
    return ok;
}

/* Which hash genuine cards use here is not documented; this is the one that is known. */
static bool decrypt_oaep(const struct sim_key *key, struct sim_slice input, struct sim_buf *out)
{
    return rsa_decrypt(key, RSA_PKCS1_OAEP_PADDING, EVP_sha256(), input, out);
}

/* The whole point is the answer, and EVP_PKEY_derive() gives only X: hence EC_POINT. */
static bool ecdh(const struct sim_key *key, struct sim_slice input, struct sim_buf *out)
{
    bool ok = false;
    BIGNUM *d = NULL;
    BN_CTX *ctx = BN_CTX_secure_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(key->curve->nid);
    EC_POINT *peer = group == NULL ? NULL : EC_POINT_new(group);
    EC_POINT *shared = group == NULL ? NULL : EC_POINT_new(group);
    if (ctx == NULL || peer == NULL || shared == NULL ||
        !EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d)) {
        goto out;
    }
    BN_set_flags(d, BN_FLG_CONSTTIME);
    /* oct2point refuses points that are not on the curve */
    if (EC_POINT_oct2point(group, peer, input.data, input.len, ctx) != 1 ||
        EC_POINT_mul(group, shared, NULL, peer, d, ctx) != 1 ||
        EC_POINT_is_at_infinity(group, shared)) {
        goto out;
    }
    uint8_t *to = sim_buf_reserve(out, input.len);
    ok = to != NULL && EC_POINT_point2oct(group, shared, POINT_CONVERSION_UNCOMPRESSED, to,
                                          input.len, ctx) == input.len;
out:
    EC_POINT_clear_free(shared);
    EC_POINT_free(peer);
    EC_GROUP_free(group);
    BN_CTX_free(ctx);
    BN_clear_free(d);
    return ok;
}

static const struct algorithm {
    uint8_t id;
    enum sim_key_kind kind;
    bool (*run)(const struct sim_key *key, struct sim_slice input, struct sim_buf *out);
} algorithms[] = {
    { 0x21, SIM_KEY_RSA, decrypt_raw },
    { 0x22, SIM_KEY_RSA, decrypt_pkcs1 },
    { 0x23, SIM_KEY_RSA, decrypt_oaep },
    { 0x80, SIM_KEY_EC, ecdh },
};

static bool length_fits(const struct sim_key *key, struct sim_slice data)
{
    if (key->kind == SIM_KEY_RSA) {
        return data.len == key->size;
    }
    return data.len == 1 + 2 * key->size && data.data[0] == 0x04;
}

uint16_t sim_cmd_decipher(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_key *key;
    const struct algorithm *algorithm = NULL;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (algorithms[i].id == apdu->p2) {
            algorithm = &algorithms[i];
        }
    }
    if (algorithm == NULL) {
        return SIM_SW_NOT_SUPPORTED;
    }
    uint16_t sw = sim_private_op_begin(card, apdu->p1, algorithm->kind, algorithm->id, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (!length_fits(key, apdu->data)) {
        return SIM_SW_WRONG_LENGTH;
    }
    sw = sim_private_op_count(card, key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    return algorithm->run(key, apdu->data, out) ? SIM_SW_OK : SIM_SW_WRONG_DATA;
}
