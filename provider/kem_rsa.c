/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSASVE (NIST SP 800-56B, 7.2.1): the secret is a random number below the modulus, encapsulated
 * by the bare public operation. For a device key the device does the private one.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "implementations.h"
#include "kem.h"
#include "rsa_modulus.h"
#include "trace.h"

static OSSL_FUNC_kem_dupctx_fn rsa_dupctx;
static OSSL_FUNC_kem_encapsulate_fn rsa_encapsulate;
static OSSL_FUNC_kem_decapsulate_init_fn rsa_decapsulate_init;
static OSSL_FUNC_kem_decapsulate_fn rsa_decapsulate;
static OSSL_FUNC_kem_get_ctx_params_fn rsa_get_params;
static OSSL_FUNC_kem_gettable_ctx_params_fn rsa_gettable_params;
static OSSL_FUNC_kem_settable_ctx_params_fn rsa_settable_params;

static void *rsa_dupctx(void *vctx)
{
    const struct schsm_kem *from = vctx;
    struct schsm_kem *ctx = OPENSSL_zalloc(sizeof(*ctx));

    schsm_trace("kem_dupctx", from->key);
    if (ctx == NULL) {
        return NULL;
    }
    ctx->prov = from->prov;
    ctx->on_device = from->on_device;
    ctx->key = from->key == NULL ? NULL : schsm_pkey_ref(from->key);
    if (from->twin != NULL && (ctx->twin = EVP_PKEY_CTX_dup(from->twin)) == NULL) {
        schsm_kem_free(ctx);
        return NULL;
    }
    return ctx;
}

static int rsa_encapsulate(void *vctx, unsigned char *out, size_t *out_len, unsigned char *secret,
                           size_t *secret_len)
{
    struct schsm_kem *ctx = vctx;

    schsm_trace("kem_encapsulate", ctx->key);
    return ctx->twin == NULL ? schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                                  "the encapsulation was not started with a key")
                             : EVP_PKEY_encapsulate(ctx->twin, out, out_len, secret, secret_len);
}

/* A key that is for PSS signatures alone (RFC 4055, 1.2) decrypts nothing. */
static int rsa_decapsulate_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    struct schsm_kem *ctx = vctx;
    const struct schsm_pkey *key = vkey;

    if (key != NULL && key->device != NULL && strcmp(key->type, "RSA") != 0) {
        schsm_trace("kem_decapsulate_init", vkey);
        schsm_raise_reason(ctx->prov, SCHSM_REASON_UNSUPPORTED,
                           "an %s key makes signatures alone: decapsulation takes an RSA key",
                           key->type);
        return -2; /* EVP_PKEY_decapsulate_init(3): nothing for this type of key */
    }
    return schsm_kem_decapsulate_init(vctx, vkey, params);
}

/*
 * SP 800-56B, 7.1.2: below n - 1, and above 1. The others encapsulate themselves under every key,
 * so that everybody knows the secret.
 */
static int is_in_range(const struct schsm_kem *ctx, const unsigned char *in, size_t len)
{
    size_t modulus_len = 0, zeros = 0;
    unsigned char *modulus = schsm_rsa_modulus(ctx->key->pkey, &modulus_len);
    int fits = 0;

    if (modulus == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_OUT_OF_MEMORY, "out of memory");
    }
    while (zeros < len && in[zeros] == 0) {
        zeros++;
    }
    modulus[modulus_len - 1] &= 0xFE; /* it is odd: this is n - 1 */
    fits = len == modulus_len && memcmp(in, modulus, len) < 0 &&
           !(zeros == len || (zeros == len - 1 && in[len - 1] == 1));
    OPENSSL_free(modulus);
    return fits || schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                      "the data is no encapsulation for this key: as a number it "
                                      "is not between 1 and the key's modulus less 1");
}

static int rsa_decapsulate(void *vctx, unsigned char *secret, size_t *secret_len,
                           const unsigned char *in, size_t in_len)
{
    struct schsm_kem *ctx = vctx;
    size_t need = 0, len = 0;
    int done = 0;

    schsm_trace("kem_decapsulate", ctx->key);
    if (!schsm_kem_may_decapsulate(ctx, secret, secret_len, in, in_len, &need, &done)) {
        return done;
    }
    if (!is_in_range(ctx, in, in_len)) {
        return 0;
    }
    len = need;
    done = schsm_pkey_operate(ctx->key, SCHSM_OP_RSA_DECRYPT, in, in_len, secret, &len);
    if (done && len != need) {
        done = schsm_raise_reason(ctx->prov, SCHSM_REASON_DEVICE,
                                  "the device answered %zu bytes to a decapsulation, not %zu", len,
                                  need);
    }
    if (!done) {
        OPENSSL_cleanse(secret, need);
    } else if (secret_len != NULL) {
        *secret_len = len;
    }
    return done;
}

static int rsa_get_params(void *vctx, OSSL_PARAM params[])
{
    struct schsm_kem *ctx = vctx;

    schsm_trace("kem_get_ctx_params", ctx->key);
    return ctx->twin != NULL && EVP_PKEY_CTX_get_params(ctx->twin, params) > 0;
}

static const OSSL_PARAM *rsa_gettable_params(void *vctx, void *provctx)
{
    schsm_trace("kem_gettable_ctx_params", NULL);
    (void)vctx;
    return schsm_kem_host_table(provctx, "RSA", EVP_KEM_gettable_ctx_params);
}

static const OSSL_PARAM *rsa_settable_params(void *vctx, void *provctx)
{
    schsm_trace("kem_settable_ctx_params", NULL);
    (void)vctx;
    return schsm_kem_host_table(provctx, "RSA", EVP_KEM_settable_ctx_params);
}

const OSSL_DISPATCH schsm_kem_rsa[] = {
    { OSSL_FUNC_KEM_NEWCTX, (void (*)(void))schsm_kem_new },
    { OSSL_FUNC_KEM_FREECTX, (void (*)(void))schsm_kem_free },
    { OSSL_FUNC_KEM_DUPCTX, (void (*)(void))rsa_dupctx },
    { OSSL_FUNC_KEM_ENCAPSULATE_INIT, (void (*)(void))schsm_kem_encapsulate_init },
    { OSSL_FUNC_KEM_ENCAPSULATE, (void (*)(void))rsa_encapsulate },
    { OSSL_FUNC_KEM_DECAPSULATE_INIT, (void (*)(void))rsa_decapsulate_init },
    { OSSL_FUNC_KEM_DECAPSULATE, (void (*)(void))rsa_decapsulate },
    { OSSL_FUNC_KEM_GET_CTX_PARAMS, (void (*)(void))rsa_get_params },
    { OSSL_FUNC_KEM_GETTABLE_CTX_PARAMS, (void (*)(void))rsa_gettable_params },
    { OSSL_FUNC_KEM_SET_CTX_PARAMS, (void (*)(void))schsm_kem_set_params },
    { OSSL_FUNC_KEM_SETTABLE_CTX_PARAMS, (void (*)(void))rsa_settable_params },
    { 0, NULL }
};
