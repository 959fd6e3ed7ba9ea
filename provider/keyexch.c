/* SPDX-License-Identifier: Apache-2.0 */
#include "keyexch.h"

#include <openssl/crypto.h>

#include "honoured.h"
#include "trace.h"

static struct schsm_agreement *new_agreement(struct schsm_provider *prov)
{
    struct schsm_agreement *ctx = OPENSSL_zalloc(sizeof(*ctx));

    if (ctx != NULL) {
        ctx->prov = prov;
    }
    return ctx;
}

static void forget_peer(struct schsm_agreement *ctx)
{
    OPENSSL_free(ctx->peer);
    ctx->peer = NULL;
    ctx->peer_len = 0;
}

static void drop_twin(struct schsm_agreement *ctx)
{
    EVP_PKEY_CTX_free(ctx->twin);
    ctx->twin = NULL;
}

void *schsm_agreement_new(void *provctx)
{
    schsm_trace("keyexch_newctx", NULL);
    return new_agreement(provctx);
}

void schsm_agreement_free(void *vctx)
{
    struct schsm_agreement *ctx = vctx;

    schsm_trace("keyexch_freectx", ctx != NULL ? ctx->key : NULL);
    if (ctx == NULL) {
        return;
    }
    drop_twin(ctx);
    forget_peer(ctx);
    schsm_pkey_free(ctx->key);
    OPENSSL_free(ctx);
}

void *schsm_agreement_dup(void *vctx)
{
    const struct schsm_agreement *from = vctx;
    struct schsm_agreement *ctx = new_agreement(from->prov);

    schsm_trace("keyexch_dupctx", from->key);
    if (ctx == NULL) {
        return NULL;
    }
    ctx->key = from->key != NULL ? schsm_pkey_ref(from->key) : NULL;
    ctx->twin = from->twin != NULL ? EVP_PKEY_CTX_dup(from->twin) : NULL;
    ctx->peer = from->peer != NULL ? OPENSSL_memdup(from->peer, from->peer_len) : NULL;
    ctx->peer_len = from->peer_len;
    if ((ctx->twin == NULL) != (from->twin == NULL) ||
        (ctx->peer == NULL) != (from->peer == NULL)) {
        schsm_agreement_free(ctx);
        return NULL;
    }
    return ctx;
}

int schsm_agreement_start(struct schsm_agreement *ctx, struct schsm_pkey *key,
                          const OSSL_PARAM params[], const OSSL_PARAM honoured[])
{
    schsm_trace("keyexch_init", key);
    if (ctx == NULL) {
        return 0;
    }
    if (key != NULL) {
        schsm_pkey_ref(key);
        schsm_pkey_free(ctx->key);
        ctx->key = key;
    }
    drop_twin(ctx);
    forget_peer(ctx);
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
    drop_twin(ctx);
    return 0;
}

int schsm_agreement_may_set_peer(struct schsm_agreement *ctx, const struct schsm_pkey *peer)
{
    schsm_trace("keyexch_set_peer", ctx->key);
    forget_peer(ctx);
    if (ctx->twin == NULL || peer == NULL || peer->pkey == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "a peer was set for a key agreement without keys");
    }
    return 1;
}

int schsm_agreement_may_derive(struct schsm_agreement *ctx, unsigned char *secret,
                               size_t *secret_len, size_t out_size, int *done)
{
    schsm_trace("keyexch_derive", ctx->key);
    *done = 0;
    if (ctx->twin == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the key agreement was not started with a key");
    }
    if (ctx->key->device == NULL) {
        *secret_len = out_size;
        *done = EVP_PKEY_derive(ctx->twin, secret, secret_len) > 0;
        return 0;
    }
    return ctx->peer != NULL || schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                                   "the key agreement has no peer's key yet");
}
