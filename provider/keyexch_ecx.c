/* SPDX-License-Identifier: Apache-2.0 */
/* X25519 and X448. */
#include <string.h>

#include <openssl/params.h>

#include "agree.h"
#include "implementations.h"
#include "keyexch.h"

static OSSL_FUNC_keyexch_init_fn ecx_init;
static OSSL_FUNC_keyexch_set_peer_fn ecx_set_peer;
static OSSL_FUNC_keyexch_derive_fn ecx_derive;

static int ecx_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    static const OSSL_PARAM honoured[] = { OSSL_PARAM_END };

    return schsm_agreement_start(vctx, vkey, params, honoured);
}

static int ecx_set_peer(void *vctx, void *vpeer)
{
    struct schsm_agreement *ctx = vctx;
    const struct schsm_pkey *peer = vpeer;

    if (!schsm_agreement_may_set_peer(ctx, peer)) {
        return 0;
    }
    if (strcmp(peer->type, ctx->key->type) != 0 ||
        EVP_PKEY_derive_set_peer_ex(ctx->twin, peer->pkey, 0) <= 0 ||
        (ctx->peer = schsm_agree_public(peer->pkey, &ctx->peer_len)) == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT, "the peer's key is no %s key",
                                  ctx->key->type);
    }
    return 1;
}

static int ecx_derive(void *vctx, unsigned char *secret, size_t *secret_len, size_t out_size)
{
    struct schsm_agreement *ctx = vctx;
    int done = 0;

    if (!schsm_agreement_may_derive(ctx, secret, secret_len, out_size, &done)) {
        return done;
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
    *secret_len = ctx->peer_len;
    return schsm_agree(ctx->key, ctx->peer, ctx->peer_len, secret, *secret_len);
}

const OSSL_DISPATCH schsm_keyexch_ecx[] = {
    { OSSL_FUNC_KEYEXCH_NEWCTX, (void (*)(void))schsm_agreement_new },
    { OSSL_FUNC_KEYEXCH_FREECTX, (void (*)(void))schsm_agreement_free },
    { OSSL_FUNC_KEYEXCH_DUPCTX, (void (*)(void))schsm_agreement_dup },
    { OSSL_FUNC_KEYEXCH_INIT, (void (*)(void))ecx_init },
    { OSSL_FUNC_KEYEXCH_SET_PEER, (void (*)(void))ecx_set_peer },
    { OSSL_FUNC_KEYEXCH_DERIVE, (void (*)(void))ecx_derive },
    { 0, NULL }
};
