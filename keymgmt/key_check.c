/* SPDX-License-Identifier: Apache-2.0 */
/* Does a signature agree with the public part? All of it on the host. */
#include "key_internal.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

/* The RSA public operation bare: what was signed, padding and all. RSA-PSS keys know no other. */
static int open_block(EVP_PKEY *key, const uint8_t *sig, size_t sig_len, uint8_t *block)
{
    BIGNUM *n = NULL, *e = NULL, *number = BN_bin2bn(sig, (int)sig_len, NULL);
    BN_CTX *ctx = BN_CTX_new();
    int ok = number != NULL && ctx != NULL &&
             EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) &&
             EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) &&
             BN_mod_exp(number, number, e, n, ctx) &&
             BN_bn2binpad(number, block, (int)sig_len) == (int)sig_len;

    BN_CTX_free(ctx);
    BN_free(number);
    BN_free(e);
    BN_free(n);
    return ok;
}

/* A block that was signed as it came, or what stands in PKCS#1 padding (RFC 8017, 9.2). */
static int block_fits(EVP_PKEY *key, bool padded, const uint8_t *in, size_t in_len,
                      const uint8_t *sig, size_t sig_len)
{
    uint8_t *block = OPENSSL_malloc(sig_len);
    size_t at = 0;
    int fits = block != NULL && in_len <= sig_len && open_block(key, sig, sig_len, block);

    if (fits && padded) {
        fits = block[0] == 0x00 && block[1] == 0x01;
        for (at = 2; at < sig_len && block[at] == 0xFF; at++) {
        }
        fits = fits && at < sig_len && block[at++] == 0x00;
    }
    fits = fits && sig_len - at == in_len && memcmp(block + at, in, in_len) == 0;
    OPENSSL_free(block);
    return fits;
}

/* The hash that PSS takes for one of this length (see SCHSM_OP_RSA_PSS_SIGN). */
static const char *pss_digest(size_t len)
{
    static const struct {
        size_t len;
        const char *name;
    } digests[] = { { 20, "SHA1" }, { 32, "SHA256" }, { 48, "SHA384" }, { 64, "SHA512" } };

    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        if (digests[i].len == len) {
            return digests[i].name;
        }
    }
    return "unknown";
}

static int hash_fits(OSSL_LIB_CTX *libctx, EVP_PKEY *key,
                     const struct schsm_operation_traits *traits, const char *digest,
                     const uint8_t *hash, size_t hash_len, const uint8_t *sig, size_t sig_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    EVP_MD *md = digest == NULL ? NULL : EVP_MD_fetch(libctx, digest, NULL);
    int fits = ctx != NULL && (digest == NULL || md != NULL) && EVP_PKEY_verify_init(ctx) > 0;

    if (traits->padding == SCHSM_PADDING_PSS) {
        fits = fits && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0;
    }
    fits = fits && (md == NULL || EVP_PKEY_CTX_set_signature_md(ctx, md) > 0) &&
           EVP_PKEY_verify(ctx, sig, sig_len, hash, hash_len) > 0;
    EVP_MD_free(md);
    EVP_PKEY_CTX_free(ctx);
    return fits;
}

int schsm_key_signature_fits(OSSL_LIB_CTX *libctx, EVP_PKEY *key, enum schsm_operation operation,
                             const uint8_t *in, size_t in_len, const uint8_t *sig, size_t sig_len)
{
    const struct schsm_operation_traits *traits = schsm_operation_traits(operation);
    uint8_t hash[EVP_MAX_MD_SIZE];
    const char *digest = traits->digest;
    int fits = 0;

    ERR_set_mark();
    switch (traits->input) {
    case SCHSM_INPUT_BLOCK:
    case SCHSM_INPUT_DIGEST_INFO:
        fits = block_fits(key, traits->padding == SCHSM_PADDING_PKCS1, in, in_len, sig, sig_len);
        break;
    case SCHSM_INPUT_MESSAGE:
        fits = EVP_Q_digest(libctx, digest, NULL, in, in_len, hash, &in_len) &&
               hash_fits(libctx, key, traits, digest, hash, in_len, sig, sig_len);
        break;
    case SCHSM_INPUT_HASH:
        digest = traits->padding == SCHSM_PADDING_PSS ? pss_digest(in_len) : NULL;
        fits = hash_fits(libctx, key, traits, digest, in, in_len, sig, sig_len);
        break;
    case SCHSM_INPUT_POINT:
        break;
    }
    ERR_pop_to_mark();
    return fits;
}
