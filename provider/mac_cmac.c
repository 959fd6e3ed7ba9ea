/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMAC with an AES key on a device. Data is gathered until a command is full and more follows; so a
 * short message is one command at the end.
 */
#include "skey.h"

#ifdef OSSL_OP_SKEYMGMT

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "implementations.h"
#include "trace.h"

struct schsm_mac {
    struct schsm_provider *prov;
    struct schsm_skey *key; /* NULL: not initialised */
    unsigned int bits;      /* of the cipher that a program names; 0: none */
    struct schsm_cmac cmac;
    bool ended; /* done, or broken off: no more data without a new beginning */
};

static OSSL_FUNC_mac_newctx_fn mac_newctx;
static OSSL_FUNC_mac_dupctx_fn mac_dupctx;
static OSSL_FUNC_mac_freectx_fn mac_freectx;
static OSSL_FUNC_mac_init_fn mac_init;
static OSSL_FUNC_mac_init_skey_fn mac_init_skey;
static OSSL_FUNC_mac_update_fn mac_update;
static OSSL_FUNC_mac_final_fn mac_final;
static OSSL_FUNC_mac_get_ctx_params_fn mac_get_ctx_params;
static OSSL_FUNC_mac_gettable_ctx_params_fn mac_gettable_ctx_params;
static OSSL_FUNC_mac_set_ctx_params_fn mac_set_ctx_params;
static OSSL_FUNC_mac_settable_ctx_params_fn mac_settable_ctx_params;

static void *mac_newctx(void *provctx)
{
    struct schsm_mac *ctx = OPENSSL_zalloc(sizeof(*ctx));

    schsm_trace_of("mac_newctx", "SC-HSM-CMAC");
    if (ctx != NULL) {
        ctx->prov = provctx;
    }
    return ctx;
}

static void mac_freectx(void *vctx)
{
    struct schsm_mac *ctx = vctx;

    schsm_trace_of("mac_freectx", "SC-HSM-CMAC");
    if (ctx != NULL) {
        schsm_skey_free(ctx->key);
        OPENSSL_clear_free(ctx, sizeof(*ctx));
    }
}

static void *mac_dupctx(void *vctx)
{
    const struct schsm_mac *ctx = vctx;
    struct schsm_mac *copy = OPENSSL_memdup(ctx, sizeof(*ctx));

    schsm_trace_skey("mac_dupctx", ctx->key);
    if (copy != NULL && ctx->key != NULL && (copy->key = schsm_skey_dup(ctx->key)) == NULL) {
        OPENSSL_clear_free(copy, sizeof(*copy));
        copy = NULL;
    }
    return copy;
}

static int begin(struct schsm_mac *ctx, const OSSL_PARAM params[])
{
    OPENSSL_cleanse(&ctx->cmac, sizeof(ctx->cmac));
    ctx->ended = false;
    return mac_set_ctx_params(ctx, params);
}

static int mac_init(void *vctx, const unsigned char *key, size_t key_len, const OSSL_PARAM params[])
{
    struct schsm_mac *ctx = vctx;

    (void)key_len;
    schsm_trace_skey("mac_init", ctx->key);
    return key != NULL ? schsm_skey_refuse_bytes(ctx->prov) : begin(ctx, params);
}

/* A cipher for another length of key was meant for another key. */
static int check_length(const struct schsm_mac *ctx, const struct schsm_skey *key)
{
    unsigned int bits = schsm_loaded_secret_bits(key->secret);

    return ctx->bits == 0 || bits == 0 || bits == ctx->bits ||
           schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                              "%s has %u bits, and the cipher is one for %u",
                              schsm_loaded_secret_name(key->secret), bits, ctx->bits);
}

static int mac_init_skey(void *vctx, void *skey, const OSSL_PARAM params[])
{
    struct schsm_mac *ctx = vctx;
    struct schsm_skey *key = NULL;

    schsm_trace_skey("mac_init_skey", skey);
    if (skey == NULL || !begin(ctx, params) || !check_length(ctx, skey) ||
        (key = schsm_skey_dup(skey)) == NULL) {
        return 0;
    }
    schsm_skey_free(ctx->key);
    ctx->key = key;
    return 1;
}

static int may_go_on(const struct schsm_mac *ctx)
{
    if (ctx->key == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "no key was set for the CMAC: EVP_MAC_init_SKEY sets one");
    }
    return !ctx->ended ||
           schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                              "this CMAC is done, or was broken off: initialise it once more");
}

static int mac_update(void *vctx, const unsigned char *data, size_t len)
{
    struct schsm_mac *ctx = vctx;
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_login login;

    schsm_trace_skey("mac_update", ctx->key);
    if (!may_go_on(ctx)) {
        return 0;
    }
    const struct schsm_secret_key key = schsm_skey_operand(ctx->key, &login);

    if (!schsm_cmac_update(&key, &ctx->cmac, data, len, &err)) {
        ctx->ended = true;
        return schsm_raise(ctx->prov, &err);
    }
    return 1;
}

static int mac_final(void *vctx, unsigned char *out, size_t *out_len, size_t room)
{
    struct schsm_mac *ctx = vctx;
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_login login;

    schsm_trace_skey("mac_final", ctx->key);
    if (out == NULL) {
        *out_len = SCHSM_AES_BLOCK;
        return 1;
    }
    if (!may_go_on(ctx)) {
        return 0;
    }
    if (room < SCHSM_AES_BLOCK) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT, "a CMAC has %u bytes",
                                  SCHSM_AES_BLOCK);
    }
    const struct schsm_secret_key key = schsm_skey_operand(ctx->key, &login);

    ctx->ended = true;
    if (!schsm_cmac_finish(&key, &ctx->cmac, out, &err)) {
        return schsm_raise(ctx->prov, &err);
    }
    *out_len = SCHSM_AES_BLOCK;
    return 1;
}

static int mac_get_ctx_params(void *vctx, OSSL_PARAM params[])
{
    OSSL_PARAM *size = OSSL_PARAM_locate(params, OSSL_MAC_PARAM_SIZE);
    OSSL_PARAM *block = OSSL_PARAM_locate(params, OSSL_MAC_PARAM_BLOCK_SIZE);

    (void)vctx;
    schsm_trace_of("mac_get_ctx_params", "SC-HSM-CMAC");
    return (size == NULL || OSSL_PARAM_set_size_t(size, SCHSM_AES_BLOCK)) &&
           (block == NULL || OSSL_PARAM_set_size_t(block, SCHSM_AES_BLOCK));
}

static const OSSL_PARAM *mac_gettable_ctx_params(void *vctx, void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_size_t(OSSL_MAC_PARAM_SIZE, NULL),
        OSSL_PARAM_size_t(OSSL_MAC_PARAM_BLOCK_SIZE, NULL),
        OSSL_PARAM_END,
    };

    (void)vctx;
    (void)provctx;
    schsm_trace_of("mac_gettable_ctx_params", "SC-HSM-CMAC");
    return gettable;
}

/* A program that was written for the default provider's CMAC names the cipher: it says nothing new,
 * but must not be another one. */
static int set_cipher(struct schsm_mac *ctx, const OSSL_PARAM *p)
{
    const char *name = NULL;
    char known[24];

    if (!OSSL_PARAM_get_utf8_string_ptr(p, &name) || name == NULL) {
        return 0;
    }
    for (unsigned int bits = 128; bits <= 256; bits += 64) {
        (void)snprintf(known, sizeof(known), SCHSM_SKEY_NAME "-%u-CBC", bits);
        if (OPENSSL_strcasecmp(name, known) == 0 ||
            OPENSSL_strcasecmp(name, known + strlen("SC-HSM-")) == 0) {
            ctx->bits = bits;
            return 1;
        }
    }
    return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                              "the device makes CMACs with AES-128-CBC, AES-192-CBC and "
                              "AES-256-CBC, not with '%.40s'",
                              name);
}

static int mac_set_ctx_params(void *vctx, const OSSL_PARAM params[])
{
    struct schsm_mac *ctx = vctx;
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, OSSL_MAC_PARAM_CIPHER);

    schsm_trace_skey("mac_set_ctx_params", ctx->key);
    if (OSSL_PARAM_locate_const(params, OSSL_MAC_PARAM_KEY) != NULL) {
        return schsm_skey_refuse_bytes(ctx->prov);
    }
    return p == NULL || set_cipher(ctx, p);
}

static const OSSL_PARAM *mac_settable_ctx_params(void *vctx, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_CIPHER, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vctx;
    (void)provctx;
    schsm_trace_of("mac_settable_ctx_params", "SC-HSM-CMAC");
    return settable;
}

const OSSL_DISPATCH schsm_mac_cmac[] = {
    { OSSL_FUNC_MAC_NEWCTX, (void (*)(void))mac_newctx },
    { OSSL_FUNC_MAC_DUPCTX, (void (*)(void))mac_dupctx },
    { OSSL_FUNC_MAC_FREECTX, (void (*)(void))mac_freectx },
    { OSSL_FUNC_MAC_INIT, (void (*)(void))mac_init },
    { OSSL_FUNC_MAC_INIT_SKEY, (void (*)(void))mac_init_skey },
    { OSSL_FUNC_MAC_UPDATE, (void (*)(void))mac_update },
    { OSSL_FUNC_MAC_FINAL, (void (*)(void))mac_final },
    { OSSL_FUNC_MAC_GET_CTX_PARAMS, (void (*)(void))mac_get_ctx_params },
    { OSSL_FUNC_MAC_GETTABLE_CTX_PARAMS, (void (*)(void))mac_gettable_ctx_params },
    { OSSL_FUNC_MAC_SET_CTX_PARAMS, (void (*)(void))mac_set_ctx_params },
    { OSSL_FUNC_MAC_SETTABLE_CTX_PARAMS, (void (*)(void))mac_settable_ctx_params },
    { 0, NULL },
};

#endif
