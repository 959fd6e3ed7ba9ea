/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X25519 and X448. As with ECDH (keyexch_ecdh.c), a twin of the default provider checks the peer
 * and does all that needs no device.
 */
#include <stdbool.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "format/ecx.h"
#include "honoured.h"
#include "implementations.h"
#include "pkey.h"
#include "trace.h"

struct ecx {
    struct schsm_provider *prov;
    struct schsm_pkey *key; /* NULL before the first init */
    EVP_PKEY_CTX *twin;     /* NULL before init */
    uint8_t peer[SCHSM_ECX_PUBLIC_MAX];
    size_t peer_len; /* 0 before set_peer */
};

static OSSL_FUNC_keyexch_newctx_fn ecx_newctx;
static OSSL_FUNC_keyexch_freectx_fn ecx_freectx;
static OSSL_FUNC_keyexch_dupctx_fn ecx_dupctx;
static OSSL_FUNC_keyexch_init_fn ecx_init;
static OSSL_FUNC_keyexch_set_peer_fn ecx_set_peer;
static OSSL_FUNC_keyexch_derive_fn ecx_derive;

static void *ecx_newctx(void *provctx)
{
    struct ecx *ctx = OPENSSL_zalloc(sizeof(*ctx));

    schsm_trace_of("keyexch_newctx", "XDH");
    if (ctx != NULL) {
        ctx->prov = provctx;
    }
    return ctx;
}

static void ecx_freectx(void *vctx)
{
    struct ecx *ctx = vctx;

    if (ctx == NULL) {
        return;
    }
    schsm_trace("keyexch_freectx", ctx->key);
    EVP_PKEY_CTX_free(ctx->twin);
    schsm_pkey_free(ctx->key);
    OPENSSL_free(ctx);
}

static void *ecx_dupctx(void *vctx)
{
    const struct ecx *from = vctx;
    struct ecx *ctx = NULL;

    schsm_trace("keyexch_dupctx", from->key);
    if ((ctx = ecx_newctx(from->prov)) == NULL) {
        return NULL;
    }
    memcpy(ctx->peer, from->peer, sizeof(ctx->peer));
    ctx->peer_len = from->peer_len;
    if (from->key != NULL) {
        ctx->key = schsm_pkey_ref(from->key);
    }
    if (from->twin != NULL && (ctx->twin = EVP_PKEY_CTX_dup(from->twin)) == NULL) {
        ecx_freectx(ctx);
        return NULL;
    }
    return ctx;
}

static int ecx_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    static const OSSL_PARAM honoured[] = { OSSL_PARAM_END };
    struct ecx *ctx = vctx;
    struct schsm_pkey *key = vkey;

    schsm_trace("keyexch_init", key);
    if (ctx == NULL) {
        return 0;
    }
    if (key != NULL) { /* else the one from before */
        schsm_pkey_ref(key);
        schsm_pkey_free(ctx->key);
        ctx->key = key;
    }
    EVP_PKEY_CTX_free(ctx->twin);
    ctx->twin = NULL;
    ctx->peer_len = 0;
    if (ctx->key == NULL || ctx->key->pkey == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "a key agreement was started without a key");
    }
    if (ctx->key->device != NULL && !schsm_honoured(ctx->prov, params, honoured)) {
        return 0;
    }
    ctx->twin = schsm_pkey_ctx(ctx->key);
    if (ctx->twin != NULL && EVP_PKEY_derive_init_ex(ctx->twin, params) > 0) {
        return 1;
    }
    EVP_PKEY_CTX_free(ctx->twin);
    ctx->twin = NULL;
    return 0;
}

static int ecx_set_peer(void *vctx, void *vpeer)
{
    struct ecx *ctx = vctx;
    const struct schsm_pkey *peer = vpeer;
    size_t len = sizeof(ctx->peer);

    schsm_trace("keyexch_set_peer", peer);
    ctx->peer_len = 0;
    if (ctx->twin == NULL || peer == NULL || peer->pkey == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "a peer was set for a key agreement without keys");
    }
    if (strcmp(peer->type, ctx->key->type) != 0 ||
        EVP_PKEY_derive_set_peer_ex(ctx->twin, peer->pkey, 0) <= 0 ||
        EVP_PKEY_get_raw_public_key(peer->pkey, ctx->peer, &len) != 1) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT, "the peer's key is no %s key",
                                  ctx->key->type);
    }
    ctx->peer_len = len;
    return 1;
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

static int derive_on_device(struct ecx *ctx, unsigned char *secret, size_t *secret_len)
{
    if (!schsm_pkey_operate(ctx->key, SCHSM_OP_ECX_DERIVE, ctx->peer, ctx->peer_len, secret,
                            secret_len)) {
        return 0;
    }
    if (is_zero(secret, *secret_len)) {
        *secret_len = 0;
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the peer's key is one with which every key has the same secret");
    }
    return 1;
}

static int ecx_derive(void *vctx, unsigned char *secret, size_t *secret_len, size_t out_size)
{
    struct ecx *ctx = vctx;

    schsm_trace("keyexch_derive", ctx->key);
    if (ctx->twin == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the key agreement was not started with a key");
    }
    if (ctx->key->device == NULL) {
        *secret_len = out_size;
        return EVP_PKEY_derive(ctx->twin, secret, secret_len) > 0;
    }
    if (ctx->peer_len == 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the key agreement has no peer's key yet");
    }
    if (secret == NULL) {
        *secret_len = ctx->peer_len;
        return 1;
    }
    if (out_size < ctx->peer_len) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the buffer of %zu bytes is too small for a secret of %zu",
                                  out_size, ctx->peer_len);
    }
    *secret_len = out_size;
    return derive_on_device(ctx, secret, secret_len);
}

const OSSL_DISPATCH schsm_keyexch_ecx[] = {
    { OSSL_FUNC_KEYEXCH_NEWCTX, (void (*)(void))ecx_newctx },
    { OSSL_FUNC_KEYEXCH_FREECTX, (void (*)(void))ecx_freectx },
    { OSSL_FUNC_KEYEXCH_DUPCTX, (void (*)(void))ecx_dupctx },
    { OSSL_FUNC_KEYEXCH_INIT, (void (*)(void))ecx_init },
    { OSSL_FUNC_KEYEXCH_SET_PEER, (void (*)(void))ecx_set_peer },
    { OSSL_FUNC_KEYEXCH_DERIVE, (void (*)(void))ecx_derive },
    { 0, NULL }
};
