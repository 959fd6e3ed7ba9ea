/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The derivation that a device does with an AES key (card protocol, 6.6): from the key and a text
 * that says what for, a secret. Which function it is, is the device's affair. From OpenSSL 3.6 on,
 * which can give a KDF such a key.
 */
#include "skey.h"

#ifdef OSSL_FUNC_KDF_SET_SKEY

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "implementations.h"
#include "trace.h"

#define NAME "SC-HSM-DERIVE"

struct schsm_kdf {
    struct schsm_provider *prov;
    struct schsm_skey *key; /* NULL: none yet */
    uint8_t info[SCHSM_MESSAGE_MAX];
    size_t info_len;
};

static OSSL_FUNC_kdf_newctx_fn kdf_newctx;
static OSSL_FUNC_kdf_dupctx_fn kdf_dupctx;
static OSSL_FUNC_kdf_freectx_fn kdf_freectx;
static OSSL_FUNC_kdf_reset_fn kdf_reset;
static OSSL_FUNC_kdf_set_skey_fn kdf_set_skey;
static OSSL_FUNC_kdf_derive_fn kdf_derive;
static OSSL_FUNC_kdf_get_ctx_params_fn kdf_get_ctx_params;
static OSSL_FUNC_kdf_gettable_ctx_params_fn kdf_gettable_ctx_params;
static OSSL_FUNC_kdf_set_ctx_params_fn kdf_set_ctx_params;
static OSSL_FUNC_kdf_settable_ctx_params_fn kdf_settable_ctx_params;

static void *kdf_newctx(void *provctx)
{
    struct schsm_kdf *ctx = OPENSSL_zalloc(sizeof(*ctx));

    schsm_trace_of("kdf_newctx", NAME);
    if (ctx != NULL) {
        ctx->prov = provctx;
    }
    return ctx;
}

static void *kdf_dupctx(void *vctx)
{
    const struct schsm_kdf *ctx = vctx;
    struct schsm_kdf *copy = OPENSSL_memdup(ctx, sizeof(*ctx));

    schsm_trace_skey("kdf_dupctx", ctx->key);
    if (copy != NULL && ctx->key != NULL && (copy->key = schsm_skey_dup(ctx->key)) == NULL) {
        OPENSSL_clear_free(copy, sizeof(*copy));
        copy = NULL;
    }
    return copy;
}

static void kdf_reset(void *vctx)
{
    struct schsm_kdf *ctx = vctx;

    schsm_trace_skey("kdf_reset", ctx->key);
    schsm_skey_free(ctx->key);
    ctx->key = NULL;
    OPENSSL_cleanse(ctx->info, sizeof(ctx->info));
    ctx->info_len = 0;
}

static void kdf_freectx(void *vctx)
{
    schsm_trace_of("kdf_freectx", NAME);
    if (vctx != NULL) {
        kdf_reset(vctx);
        OPENSSL_free(vctx);
    }
}

static int kdf_set_skey(void *vctx, void *skey, const char *name)
{
    struct schsm_kdf *ctx = vctx;
    struct schsm_skey *key = NULL;

    schsm_trace_skey("kdf_set_skey", skey);
    if (name != NULL && strcmp(name, OSSL_KDF_PARAM_KEY) != 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "%.40s: the device derives from a '" OSSL_KDF_PARAM_KEY "'",
                                  name);
    }
    if ((key = schsm_skey_dup(skey)) == NULL) {
        return 0;
    }
    schsm_skey_free(ctx->key);
    ctx->key = key;
    return 1;
}

static int kdf_derive(void *vctx, unsigned char *out, size_t len, const OSSL_PARAM params[])
{
    struct schsm_kdf *ctx = vctx;
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t secret[SCHSM_MESSAGE_MAX];
    size_t made = sizeof(secret);
    struct schsm_login login;
    int ok;

    schsm_trace_skey("kdf_derive", ctx->key);
    if (!kdf_set_ctx_params(ctx, params)) {
        return 0;
    }
    if (len == 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT, "nothing is to be derived");
    }
    if (ctx->key == NULL || ctx->info_len == 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  ctx->key == NULL
                                      ? "no key was set: EVP_KDF_CTX_set_SKEY sets one"
                                      : "what the secret is for was not said: the parameter "
                                        "'" OSSL_KDF_PARAM_INFO "' says it");
    }
    const struct schsm_secret_key key = schsm_skey_operand(ctx->key, &login);

    ok = schsm_device_operate(key.device, SCHSM_OP_AES_DERIVE, key.object, key.login, ctx->info,
                              ctx->info_len, secret, &made, &err) ||
         schsm_raise(ctx->prov, &err);
    if (ok && len > made) {
        ok = schsm_raise_reason(ctx->prov, SCHSM_REASON_UNSUPPORTED,
                                "the device derives %zu bytes from so many that say what for, and "
                                "%zu are wanted",
                                made, len);
    }
    if (ok) {
        memcpy(out, secret, len);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok;
}

static int kdf_get_ctx_params(void *vctx, OSSL_PARAM params[])
{
    OSSL_PARAM *size = OSSL_PARAM_locate(params, OSSL_KDF_PARAM_SIZE);

    (void)vctx;
    schsm_trace_of("kdf_get_ctx_params", NAME);
    /* which is what says that it depends, here on the device */
    return size == NULL || OSSL_PARAM_set_size_t(size, SIZE_MAX);
}

static const OSSL_PARAM *kdf_gettable_ctx_params(void *vctx, void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_size_t(OSSL_KDF_PARAM_SIZE, NULL),
        OSSL_PARAM_END,
    };

    (void)vctx;
    (void)provctx;
    schsm_trace_of("kdf_gettable_ctx_params", NAME);
    return gettable;
}

static int set_info(struct schsm_kdf *ctx, const OSSL_PARAM *p)
{
    const void *info = NULL;
    size_t len = 0;

    if (!OSSL_PARAM_get_octet_string_ptr(p, &info, &len)) {
        return 0;
    }
    if (len == 0 || len > sizeof(ctx->info)) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "what the secret is for has to be said in 1 to %d bytes",
                                  SCHSM_MESSAGE_MAX);
    }
    memcpy(ctx->info, info, len);
    ctx->info_len = len;
    return 1;
}

static int kdf_set_ctx_params(void *vctx, const OSSL_PARAM params[])
{
    struct schsm_kdf *ctx = vctx;
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, OSSL_KDF_PARAM_INFO);

    schsm_trace_skey("kdf_set_ctx_params", ctx->key);
    if (OSSL_PARAM_locate_const(params, OSSL_KDF_PARAM_KEY) != NULL) {
        return schsm_skey_refuse_bytes(ctx->prov);
    }
    return p == NULL || set_info(ctx, p);
}

static const OSSL_PARAM *kdf_settable_ctx_params(void *vctx, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vctx;
    (void)provctx;
    schsm_trace_of("kdf_settable_ctx_params", NAME);
    return settable;
}

const OSSL_DISPATCH schsm_kdf_derive[] = {
    { OSSL_FUNC_KDF_NEWCTX, (void (*)(void))kdf_newctx },
    { OSSL_FUNC_KDF_DUPCTX, (void (*)(void))kdf_dupctx },
    { OSSL_FUNC_KDF_FREECTX, (void (*)(void))kdf_freectx },
    { OSSL_FUNC_KDF_RESET, (void (*)(void))kdf_reset },
    { OSSL_FUNC_KDF_SET_SKEY, (void (*)(void))kdf_set_skey },
    { OSSL_FUNC_KDF_DERIVE, (void (*)(void))kdf_derive },
    { OSSL_FUNC_KDF_GET_CTX_PARAMS, (void (*)(void))kdf_get_ctx_params },
    { OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, (void (*)(void))kdf_gettable_ctx_params },
    { OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))kdf_set_ctx_params },
    { OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, (void (*)(void))kdf_settable_ctx_params },
    { 0, NULL },
};

#endif
