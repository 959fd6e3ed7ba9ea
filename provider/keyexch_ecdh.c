/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDH. For a device key the device multiplies the peer's point, and we derive from the X
 * coordinate what was asked for.
 */
#include "implementations.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "agree.h"
#include "digest.h"
#include "honoured.h"
#include "keyexch.h"
#include "trace.h"

static OSSL_FUNC_keyexch_init_fn ecdh_init;
static OSSL_FUNC_keyexch_set_peer_fn ecdh_set_peer;
static OSSL_FUNC_keyexch_derive_fn ecdh_derive;
static OSSL_FUNC_keyexch_get_ctx_params_fn ecdh_get_params;
static OSSL_FUNC_keyexch_gettable_ctx_params_fn ecdh_gettable_params;
static OSSL_FUNC_keyexch_set_ctx_params_fn ecdh_set_params;
static OSSL_FUNC_keyexch_settable_ctx_params_fn ecdh_settable_params;

/* What the twin says of derivation. */
struct ecdh_parameters {
    char kdf[32]; /* "" or X963KDF */
    char md[SCHSM_DIGEST_NAME_MAX];
    size_t out_len;
    void *ukm; /* the twin's */
    size_t ukm_len;
};

static const struct schsm_pkey *key_of(const void *vctx)
{
    const struct schsm_agreement *ctx = vctx;

    return ctx != NULL ? ctx->key : NULL;
}

/*
 * What key agreement on the device does. The cofactor mode is kept by the twin and means nothing:
 * all curves that devices have are of cofactor 1.
 */
static const OSSL_PARAM honoured[] = {
    OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, NULL),
    OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST_PROPS, NULL, 0),
    OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, NULL),
    OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, NULL, 0),
    OSSL_PARAM_END,
};

static int ecdh_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    return schsm_agreement_start(vctx, vkey, params, honoured);
}

static int ecdh_set_peer(void *vctx, void *vpeer)
{
    struct schsm_agreement *ctx = vctx;
    const struct schsm_pkey *peer = vpeer;

    if (!schsm_agreement_may_set_peer(ctx, peer)) {
        return 0;
    }
    /* libcrypto has validated the point, if the caller wanted that; the curve is checked here. */
    if (EVP_PKEY_derive_set_peer_ex(ctx->twin, peer->pkey, 0) <= 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the peer's key is not one on the same curve");
    }
    if (ctx->key->device == NULL) {
        return 1;
    }
    if ((ctx->peer = schsm_agree_public(peer->pkey, &ctx->peer_len)) == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_CRYPTO,
                                  "the peer's key has no point that can be used");
    }
    return 1;
}

static int read_parameters(const struct schsm_agreement *ctx, struct ecdh_parameters *ecdh)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, ecdh->kdf,
                                         sizeof(ecdh->kdf)),
        OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, ecdh->md,
                                         sizeof(ecdh->md)),
        OSSL_PARAM_construct_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, &ecdh->out_len),
        OSSL_PARAM_construct_octet_ptr(OSSL_EXCHANGE_PARAM_KDF_UKM, &ecdh->ukm, 0),
        OSSL_PARAM_construct_end(),
    };

    memset(ecdh, 0, sizeof(*ecdh));
    if (EVP_PKEY_CTX_get_params(ctx->twin, params) <= 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_CRYPTO,
                                  "the parameters of the key agreement cannot be read");
    }
    if (ecdh->ukm != NULL && OSSL_PARAM_modified(&params[3])) {
        ecdh->ukm_len = params[3].return_size;
    }
    return 1;
}

static int derive_x963(const struct schsm_agreement *ctx, const struct ecdh_parameters *ecdh,
                       unsigned char *x, size_t x_len, unsigned char *out)
{
    char *md = (char *)ecdh->md;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, md, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, x, x_len),
        ecdh->ukm_len == 0
            ? OSSL_PARAM_construct_end()
            : OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, ecdh->ukm, ecdh->ukm_len),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(ctx->prov->libctx, OSSL_KDF_NAME_X963KDF, NULL);
    EVP_KDF_CTX *kdf_ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    int ok = kdf_ctx != NULL && EVP_KDF_derive(kdf_ctx, out, ecdh->out_len, params) > 0;

    EVP_KDF_CTX_free(kdf_ctx);
    EVP_KDF_free(kdf);
    if (!ok) {
        schsm_raise_reason(ctx->prov, SCHSM_REASON_CRYPTO,
                           "libcrypto could not derive %zu bytes by X9.63 with digest \"%s\"",
                           ecdh->out_len, ecdh->md);
    }
    return ok;
}

/*
 * Without derivation function a buffer that is too small gets the leftmost bytes: so does the
 * default provider, and TLS implementations rely on it.
 */
static int derive_on_device(const struct schsm_agreement *ctx, const struct ecdh_parameters *ecdh,
                            size_t field_len, unsigned char *out, size_t *out_len, size_t out_size)
{
    unsigned char *x = OPENSSL_malloc(field_len);
    int ok = 0;

    if (x == NULL || !schsm_agree(ctx->key, ctx->peer, ctx->peer_len, x, field_len)) {
        goto end;
    }
    if (ecdh->kdf[0] != '\0') {
        ok = derive_x963(ctx, ecdh, x, field_len, out);
        *out_len = ecdh->out_len;
    } else {
        *out_len = out_size < field_len ? out_size : field_len;
        memcpy(out, x, *out_len);
        ok = 1;
    }
end:
    OPENSSL_clear_free(x, field_len);
    return ok;
}

static int ecdh_derive(void *vctx, unsigned char *secret, size_t *secret_len, size_t out_size)
{
    struct schsm_agreement *ctx = vctx;
    struct ecdh_parameters ecdh;
    size_t field_len;
    int done = 0;

    if (!schsm_agreement_may_derive(ctx, secret, secret_len, out_size, &done)) {
        return done;
    }
    if (!read_parameters(ctx, &ecdh) || (field_len = schsm_agree_size(ctx->key->pkey)) == 0) {
        return 0;
    }
    if (ecdh.kdf[0] != '\0' && strcmp(ecdh.kdf, OSSL_KDF_NAME_X963KDF) != 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_UNSUPPORTED,
                                  "the key derivation function %s is not offered", ecdh.kdf);
    }
    if (secret == NULL) {
        *secret_len = ecdh.kdf[0] != '\0' ? ecdh.out_len : field_len;
        return 1;
    }
    if (out_size == 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the buffer for the secret has no room for a single byte");
    }
    if (ecdh.kdf[0] != '\0' && out_size < ecdh.out_len) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the buffer of %zu bytes is too small to derive %zu", out_size,
                                  ecdh.out_len);
    }
    return derive_on_device(ctx, &ecdh, field_len, secret, secret_len, out_size);
}

static int ecdh_get_params(void *vctx, OSSL_PARAM params[])
{
    struct schsm_agreement *ctx = vctx;

    schsm_trace("keyexch_get_ctx_params", key_of(vctx));
    if (params == NULL || params->key == NULL || ctx->twin == NULL) {
        return 1;
    }
    return EVP_PKEY_CTX_get_params(ctx->twin, params) > 0;
}

static int ecdh_set_params(void *vctx, const OSSL_PARAM params[])
{
    struct schsm_agreement *ctx = vctx;

    if (params == NULL || params->key == NULL) {
        return 1;
    }
    schsm_trace("keyexch_set_ctx_params", key_of(vctx));
    if (ctx->twin == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the key agreement was not started with a key");
    }
    return (ctx->key->device == NULL || schsm_honoured(ctx->prov, params, honoured)) &&
           EVP_PKEY_CTX_set_params(ctx->twin, params) > 0;
}

/* The default provider's table: static there, it outlives the algorithm fetched here. */
static const OSSL_PARAM *host_table(const struct schsm_provider *prov,
                                    const OSSL_PARAM *(*get)(const EVP_KEYEXCH *))
{
    EVP_KEYEXCH *host = EVP_KEYEXCH_fetch(prov->libctx, "ECDH", NULL);
    const OSSL_PARAM *params = host == NULL ? NULL : get(host);

    EVP_KEYEXCH_free(host);
    return params;
}

static const OSSL_PARAM *ecdh_gettable_params(void *vctx, void *provctx)
{
    schsm_trace("keyexch_gettable_ctx_params", key_of(vctx));
    (void)vctx;
    return host_table(provctx, EVP_KEYEXCH_gettable_ctx_params);
}

static const OSSL_PARAM *ecdh_settable_params(void *vctx, void *provctx)
{
    const struct schsm_agreement *ctx = vctx;

    schsm_trace("keyexch_settable_ctx_params", key_of(vctx));
    return ctx != NULL && ctx->key != NULL && ctx->key->device != NULL
               ? honoured
               : host_table(provctx, EVP_KEYEXCH_settable_ctx_params);
}

const OSSL_DISPATCH schsm_keyexch_ecdh[] = {
    { OSSL_FUNC_KEYEXCH_NEWCTX, (void (*)(void))schsm_agreement_new },
    { OSSL_FUNC_KEYEXCH_FREECTX, (void (*)(void))schsm_agreement_free },
    { OSSL_FUNC_KEYEXCH_DUPCTX, (void (*)(void))schsm_agreement_dup },
    { OSSL_FUNC_KEYEXCH_INIT, (void (*)(void))ecdh_init },
    { OSSL_FUNC_KEYEXCH_SET_PEER, (void (*)(void))ecdh_set_peer },
    { OSSL_FUNC_KEYEXCH_DERIVE, (void (*)(void))ecdh_derive },
    { OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, (void (*)(void))ecdh_get_params },
    { OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, (void (*)(void))ecdh_gettable_params },
    { OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, (void (*)(void))ecdh_set_params },
    { OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, (void (*)(void))ecdh_settable_params },
    { 0, NULL }
};
