/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What key agreements have in common. As with signatures (signature.h), a twin of the default
 * provider keeps the parameters, checks the peer, and does all that needs no device.
 */
#ifndef SCHSM_PROVIDER_KEYEXCH_H
#define SCHSM_PROVIDER_KEYEXCH_H

#include <stddef.h>

#include <openssl/core_dispatch.h>

#include "pkey.h"

struct schsm_agreement {
    struct schsm_provider *prov;
    struct schsm_pkey *key; /* NULL before the first init */
    EVP_PKEY_CTX *twin;     /* NULL before init */
    unsigned char *peer;    /* its public key for the device; NULL before set_peer */
    size_t peer_len;
};

OSSL_FUNC_keyexch_newctx_fn schsm_agreement_new;
OSSL_FUNC_keyexch_freectx_fn schsm_agreement_free;
OSSL_FUNC_keyexch_dupctx_fn schsm_agreement_dup;

/* The init function; key NULL: the one from before. honoured: what a key on a device can do. */
int schsm_agreement_start(struct schsm_agreement *ctx, struct schsm_pkey *key,
                          const OSSL_PARAM params[], const OSSL_PARAM honoured[]);

/* Before a peer is set: 1 where both have keys, else 0 with an error raised. Forgets the one from
 * before. */
int schsm_agreement_may_set_peer(struct schsm_agreement *ctx, const struct schsm_pkey *peer);

/*
 * Before a device derives. 1: it may. 0 with an error raised where there is no key or no peer. A
 * software key's secret is made here: *done is what the derive function returns then.
 */
int schsm_agreement_may_derive(struct schsm_agreement *ctx, unsigned char *secret,
                               size_t *secret_len, size_t out_size, int *done);

#endif
