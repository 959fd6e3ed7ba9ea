/* SPDX-License-Identifier: Apache-2.0 */
/* What the encoders have in common. */
#ifndef SCHSM_PROVIDER_ENCODER_H
#define SCHSM_PROVIDER_ENCODER_H

#include <openssl/bio.h>
#include <openssl/core_dispatch.h>

#include "pkey.h"

struct schsm_encoder {
    struct schsm_provider *prov;
    char cipher[64]; /* for a software key: how to encrypt it; "": not at all */
    char cipher_properties[128];
};

OSSL_FUNC_encoder_newctx_fn schsm_encoder_newctx;
OSSL_FUNC_encoder_freectx_fn schsm_encoder_freectx;

/*
 * Lets the default provider encode key->pkey, which is a software key or the public part of a
 * device key; output and structure as in OSSL_ENCODER_CTX_new_for_pkey(3).
 */
int schsm_encode_on_host(const struct schsm_encoder *encoder, const struct schsm_pkey *key,
                         int selection, const char *output, const char *structure, BIO *out,
                         OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg);

#endif
