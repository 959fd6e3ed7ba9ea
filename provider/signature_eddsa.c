/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EdDSA: the device signs the message as it is, in one piece (PureEdDSA). As with the other
 * signatures (signature.h), a twin of the default provider keeps the parameters, and does all that
 * needs no device.
 */
#include <stdbool.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "honoured.h"
#include "implementations.h"
#include "pkey.h"
#include "trace.h"

struct eddsa {
    struct schsm_provider *prov;
    struct schsm_pkey *key; /* NULL before the first init */
    bool on_device;         /* signing with a device key; else the twin does it all */
    EVP_MD_CTX *twin;       /* NULL before init */
    EVP_PKEY_CTX *twin_key; /* the twin's; alone, and ours, for what is hashed already */
};

static OSSL_FUNC_signature_newctx_fn eddsa_newctx;
static OSSL_FUNC_signature_freectx_fn eddsa_freectx;
static OSSL_FUNC_signature_dupctx_fn eddsa_dupctx;
static OSSL_FUNC_signature_digest_sign_init_fn eddsa_sign_init;
static OSSL_FUNC_signature_digest_sign_fn eddsa_sign;
static OSSL_FUNC_signature_digest_verify_init_fn eddsa_verify_init;
static OSSL_FUNC_signature_digest_verify_fn eddsa_verify;
#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
static OSSL_FUNC_signature_sign_init_fn eddsa_sign_prehashed_init;
static OSSL_FUNC_signature_sign_fn eddsa_sign_prehashed;
static OSSL_FUNC_signature_verify_init_fn eddsa_verify_prehashed_init;
static OSSL_FUNC_signature_verify_fn eddsa_verify_prehashed;
#endif
static OSSL_FUNC_signature_get_ctx_params_fn eddsa_get_params;
static OSSL_FUNC_signature_gettable_ctx_params_fn eddsa_gettable_params;
static OSSL_FUNC_signature_set_ctx_params_fn eddsa_set_params;
static OSSL_FUNC_signature_settable_ctx_params_fn eddsa_settable_params;

/* None: contexts and prehashing (OpenSSL 3.2) are not what the device does. */
static const OSSL_PARAM honoured[] = { OSSL_PARAM_END };

static void *eddsa_newctx(void *provctx, const char *propq)
{
    struct eddsa *ctx = OPENSSL_zalloc(sizeof(*ctx));

    schsm_trace_of("signature_newctx", "EdDSA");
    (void)propq; /* for the application's providers; in our own library context it says nothing */
    if (ctx != NULL) {
        ctx->prov = provctx;
    }
    return ctx;
}

static void drop_twin(struct eddsa *ctx)
{
    if (ctx->twin == NULL) {
        EVP_PKEY_CTX_free(ctx->twin_key);
    }
    EVP_MD_CTX_free(ctx->twin);
    ctx->twin = NULL;
    ctx->twin_key = NULL;
}

static void eddsa_freectx(void *vctx)
{
    struct eddsa *ctx = vctx;

    if (ctx == NULL) {
        return;
    }
    schsm_trace("signature_freectx", ctx->key);
    drop_twin(ctx);
    schsm_pkey_free(ctx->key);
    OPENSSL_free(ctx);
}

static void *eddsa_dupctx(void *vctx)
{
    const struct eddsa *from = vctx;
    struct eddsa *ctx = NULL;

    schsm_trace("signature_dupctx", from->key);
    if ((ctx = eddsa_newctx(from->prov, NULL)) == NULL) {
        return NULL;
    }
    ctx->on_device = from->on_device;
    if (from->key != NULL) {
        ctx->key = schsm_pkey_ref(from->key);
    }
    if (from->twin != NULL) {
        if ((ctx->twin = EVP_MD_CTX_new()) == NULL || !EVP_MD_CTX_copy_ex(ctx->twin, from->twin)) {
            eddsa_freectx(ctx);
            return NULL;
        }
        ctx->twin_key = EVP_MD_CTX_get_pkey_ctx(ctx->twin);
    } else if (from->twin_key != NULL &&
               (ctx->twin_key = EVP_PKEY_CTX_dup(from->twin_key)) == NULL) {
        eddsa_freectx(ctx);
        return NULL;
    }
    return ctx;
}

/* A new beginning. A NULL key means: the one from before. */
static int take_key(struct eddsa *ctx, struct schsm_pkey *key, bool sign)
{
    if (ctx == NULL) {
        return 0;
    }
    if (key != NULL) {
        schsm_pkey_ref(key);
        schsm_pkey_free(ctx->key);
        ctx->key = key;
    }
    drop_twin(ctx);
    if (ctx->key == NULL || ctx->key->pkey == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "a signature operation was started without a key");
    }
    ctx->on_device = sign && ctx->key->device != NULL;
    return 1;
}

static int start(struct eddsa *ctx, const char *md_name, struct schsm_pkey *key,
                 const OSSL_PARAM params[], bool sign)
{
    int ok = 0;

    if (!take_key(ctx, key, sign)) {
        return 0;
    }
    if ((ctx->on_device && !schsm_honoured(ctx->prov, params, honoured)) ||
        (ctx->twin = EVP_MD_CTX_new()) == NULL) {
        return 0;
    }
    ok = sign ? EVP_DigestSignInit_ex(ctx->twin, &ctx->twin_key, md_name, ctx->prov->libctx, NULL,
                                      ctx->key->pkey, params)
              : EVP_DigestVerifyInit_ex(ctx->twin, &ctx->twin_key, md_name, ctx->prov->libctx, NULL,
                                        ctx->key->pkey, params);
    if (ok <= 0) {
        drop_twin(ctx);
    }
    return ok > 0;
}

static int eddsa_sign_init(void *vctx, const char *md_name, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_digest_sign_init", vkey);
    return start(vctx, md_name, vkey, params, true);
}

static int eddsa_verify_init(void *vctx, const char *md_name, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_digest_verify_init", vkey);
    return start(vctx, md_name, vkey, params, false);
}

static int no_operation(const struct eddsa *ctx)
{
    return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                              "the signature operation was not started with a key");
}

static int eddsa_sign(void *vctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
                      const unsigned char *data, size_t data_len)
{
    struct eddsa *ctx = vctx;
    size_t need = 0;

    schsm_trace("signature_digest_sign", ctx->key);
    if (ctx->twin == NULL) {
        return no_operation(ctx);
    }
    if (!ctx->on_device) {
        *sig_len = sig_size;
        return EVP_DigestSign(ctx->twin, sig, sig_len, data, data_len) > 0;
    }
    need = (size_t)EVP_PKEY_get_size(ctx->key->pkey);
    if (sig == NULL) {
        *sig_len = need;
        return 1;
    }
    if (sig_size < need) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the buffer of %zu bytes is too small for a signature of %zu",
                                  sig_size, need);
    }
    *sig_len = sig_size;
    return schsm_pkey_operate(ctx->key, SCHSM_OP_EDDSA_SIGN, data, data_len, sig, sig_len);
}

static int eddsa_verify(void *vctx, const unsigned char *sig, size_t sig_len,
                        const unsigned char *data, size_t data_len)
{
    struct eddsa *ctx = vctx;

    schsm_trace("signature_digest_verify", ctx->key);
    if (ctx->twin == NULL) {
        return no_operation(ctx);
    }
    return EVP_DigestVerify(ctx->twin, sig, sig_len, data, data_len) > 0;
}

/* From OpenSSL 3.4 on the default provider's keys sign what is hashed already, where the parameter
 * "instance" says so (Ed25519ph, Ed448ph). */
#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
static int start_prehashed(struct eddsa *ctx, struct schsm_pkey *key, const OSSL_PARAM params[],
                           int (*init)(EVP_PKEY_CTX *twin, const OSSL_PARAM params[]), bool sign)
{
    int done;

    if (!take_key(ctx, key, sign)) {
        return 0;
    }
    if (ctx->on_device) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_UNSUPPORTED,
                                  "the device signs messages as they are (PureEdDSA), and nothing "
                                  "that is hashed already: use EVP_DigestSign");
    }
    if ((ctx->twin_key = schsm_pkey_ctx(ctx->key)) == NULL) {
        return 0;
    }
    done = init(ctx->twin_key, params);
    if (done <= 0) {
        drop_twin(ctx);
    }
    return done > 0;
}

static int eddsa_sign_prehashed_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_sign_init", vkey);
    return start_prehashed(vctx, vkey, params, EVP_PKEY_sign_init_ex, true);
}

static int eddsa_verify_prehashed_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_verify_init", vkey);
    return start_prehashed(vctx, vkey, params, EVP_PKEY_verify_init_ex, false);
}

static int eddsa_sign_prehashed(void *vctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
                                const unsigned char *data, size_t data_len)
{
    struct eddsa *ctx = vctx;

    schsm_trace("signature_sign", ctx->key);
    if (ctx->twin != NULL || ctx->twin_key == NULL) {
        return no_operation(ctx);
    }
    *sig_len = sig_size;
    return EVP_PKEY_sign(ctx->twin_key, sig, sig_len, data, data_len) > 0;
}

static int eddsa_verify_prehashed(void *vctx, const unsigned char *sig, size_t sig_len,
                                  const unsigned char *data, size_t data_len)
{
    struct eddsa *ctx = vctx;

    schsm_trace("signature_verify", ctx->key);
    if (ctx->twin != NULL || ctx->twin_key == NULL) {
        return no_operation(ctx);
    }
    return EVP_PKEY_verify(ctx->twin_key, sig, sig_len, data, data_len) > 0;
}
#endif

static int eddsa_get_params(void *vctx, OSSL_PARAM params[])
{
    struct eddsa *ctx = vctx;

    schsm_trace("signature_get_ctx_params", ctx->key);
    if (params == NULL || params->key == NULL || ctx->twin_key == NULL) {
        return 1;
    }
    return EVP_PKEY_CTX_get_params(ctx->twin_key, params) > 0;
}

static int eddsa_set_params(void *vctx, const OSSL_PARAM params[])
{
    struct eddsa *ctx = vctx;

    schsm_trace("signature_set_ctx_params", ctx->key);
    if (params == NULL || params->key == NULL) {
        return 1;
    }
    if (ctx->twin_key == NULL) {
        return no_operation(ctx);
    }
    return (!ctx->on_device || schsm_honoured(ctx->prov, params, honoured)) &&
           EVP_PKEY_CTX_set_params(ctx->twin_key, params) > 0;
}

/* The default provider's table: static there, it outlives the algorithm fetched here. */
static const OSSL_PARAM *host_table(const struct schsm_provider *prov,
                                    const OSSL_PARAM *(*get)(const EVP_SIGNATURE *))
{
    EVP_SIGNATURE *host = EVP_SIGNATURE_fetch(prov->libctx, "ED25519", NULL);
    const OSSL_PARAM *params = host == NULL ? NULL : get(host);

    EVP_SIGNATURE_free(host);
    return params;
}

static const OSSL_PARAM *eddsa_gettable_params(void *vctx, void *provctx)
{
    (void)vctx;
    schsm_trace_of("signature_gettable_ctx_params", "EdDSA");
    return host_table(provctx, EVP_SIGNATURE_gettable_ctx_params);
}

static const OSSL_PARAM *eddsa_settable_params(void *vctx, void *provctx)
{
    const struct eddsa *ctx = vctx;
    const OSSL_PARAM *host = NULL;

    schsm_trace_of("signature_settable_ctx_params", "EdDSA");
    if (ctx == NULL || !ctx->on_device) {
        host = host_table(provctx, EVP_SIGNATURE_settable_ctx_params);
    }
    return host != NULL ? host : honoured;
}

const OSSL_DISPATCH schsm_signature_eddsa[] = {
    { OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))eddsa_newctx },
    { OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))eddsa_freectx },
    { OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))eddsa_dupctx },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))eddsa_sign_init },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (void (*)(void))eddsa_sign },
    { OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, (void (*)(void))eddsa_verify_init },
    { OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, (void (*)(void))eddsa_verify },
#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
    { OSSL_FUNC_SIGNATURE_SIGN_INIT, (void (*)(void))eddsa_sign_prehashed_init },
    { OSSL_FUNC_SIGNATURE_SIGN, (void (*)(void))eddsa_sign_prehashed },
    { OSSL_FUNC_SIGNATURE_VERIFY_INIT, (void (*)(void))eddsa_verify_prehashed_init },
    { OSSL_FUNC_SIGNATURE_VERIFY, (void (*)(void))eddsa_verify_prehashed },
#endif
    { OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, (void (*)(void))eddsa_get_params },
    { OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, (void (*)(void))eddsa_gettable_params },
    { OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))eddsa_set_params },
    { OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))eddsa_settable_params },
    { 0, NULL }
};
