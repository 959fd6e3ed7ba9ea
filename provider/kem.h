/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What key encapsulations have in common. As with signatures (signature.h), a twin of the default
 * provider keeps the parameters, tells the lengths, and does all that needs no device: software
 * keys, and encapsulation for a device's key, which takes the public part alone.
 */
#ifndef SCHSM_PROVIDER_KEM_H
#define SCHSM_PROVIDER_KEM_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/core_dispatch.h>

#include "pkey.h"

struct schsm_kem {
    struct schsm_provider *prov;
    struct schsm_pkey *key;  /* the recipient's; NULL before init */
    struct schsm_pkey *auth; /* the sender's, where it is authenticated; else NULL */
    /*
     * NULL before init. Where a device takes part it is started for encapsulation with the public
     * part of the key, as for decapsulation it would want a private one.
     */
    EVP_PKEY_CTX *twin;
    bool on_device;      /* a device takes part; else the twin does it all */
    unsigned char *seed; /* DHKEM: what the sender's ephemeral key is made of, or NULL */
    size_t seed_len;
};

OSSL_FUNC_kem_newctx_fn schsm_kem_new;
OSSL_FUNC_kem_freectx_fn schsm_kem_free;
OSSL_FUNC_kem_encapsulate_init_fn schsm_kem_encapsulate_init;
OSSL_FUNC_kem_decapsulate_init_fn schsm_kem_decapsulate_init;
OSSL_FUNC_kem_set_ctx_params_fn schsm_kem_set_params;

/*
 * The init functions' part that is the same for all: takes a reference to both keys (auth: NULL
 * where no sender is authenticated) and makes a twin, not started yet. 0 with an error raised.
 */
int schsm_kem_start(struct schsm_kem *ctx, struct schsm_pkey *key, struct schsm_pkey *auth,
                    bool on_device);

/* Whether a device can do what these parameters say; else 0 with an error raised. */
int schsm_kem_honours(const struct schsm_kem *ctx, const OSSL_PARAM params[]);

/* A failed start: the twin goes. Returns result, what the init function is to return. */
int schsm_kem_give_up(struct schsm_kem *ctx, int result);

/*
 * Bytes of an encapsulation and of its secret. 1, or what the operation is to return instead, with
 * an error raised: 0, or -2 where none was chosen and this version of OpenSSL chooses none itself.
 */
int schsm_kem_sizes(const struct schsm_kem *ctx, size_t *wrapped, size_t *secret);

/*
 * Before a device decapsulates: whether the buffer and the encapsulation are as long as they have
 * to be. True: the device may, and the secret will have *need bytes. Else *done is what the
 * operation is to return, with an error raised where that is no success: the secrets of software
 * keys are made here, and lengths that were asked for are told.
 */
bool schsm_kem_may_decapsulate(const struct schsm_kem *ctx, unsigned char *secret,
                               size_t *secret_len, const unsigned char *in, size_t in_len,
                               size_t *need, int *done);

/* The default provider's table for its algorithm of that name; static there. */
const OSSL_PARAM *schsm_kem_host_table(const struct schsm_provider *prov, const char *name,
                                       const OSSL_PARAM *(*get)(const EVP_KEM *));

#endif
