/* SPDX-License-Identifier: Apache-2.0 */
/* X25519 and X448. */
#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/params.h>

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

/* The raw public key of the peer; NULL where it has none. */
static unsigned char *encode_peer(const EVP_PKEY *peer, size_t *len)
{
    unsigned char *raw = NULL;

    if (EVP_PKEY_get_raw_public_key(peer, NULL, len) != 1 || (raw = OPENSSL_malloc(*len)) == NULL ||
        EVP_PKEY_get_raw_public_key(peer, raw, len) != 1) {
        OPENSSL_free(raw);
        return NULL;
    }
    return raw;
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
        (ctx->peer = encode_peer(peer->pkey, &ctx->peer_len)) == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT, "the peer's key is no %s key",
                                  ctx->key->type);
    }
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

static int derive_on_device(struct schsm_agreement *ctx, unsigned char *secret, size_t *secret_len)
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
    *secret_len = out_size;
    return derive_on_device(ctx, secret, secret_len);
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
