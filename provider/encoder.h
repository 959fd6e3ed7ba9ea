/* SPDX-License-Identifier: Apache-2.0 */
/* What the encoders have in common. */
#ifndef SCHSM_PROVIDER_ENCODER_H
#define SCHSM_PROVIDER_ENCODER_H

#include <openssl/bio.h>
#include <openssl/core_dispatch.h>

#include "pkey.h"

struct schsm_encoder {
    struct schsm_provider *prov;
    const char *output;    /* as OSSL_ENCODER_CTX_new_for_pkey(3) has it; static */
    const char *structure; /* likewise; NULL: the one that comes first for the output */
    OSSL_PARAM *params;    /* what the application asked for, NULL: nothing */
};

/*
 * Lets the default provider encode key->pkey, which is a software key or the public part of a
 * device key, in the encoder's form and by the application's parameters.
 */
int schsm_encode_on_host(const struct schsm_encoder *encoder, const struct schsm_pkey *key,
                         int selection, BIO *out, OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg);

/* Writes what stands for a device key's private part in the encoder's form, or raises why not. */
int schsm_encode_reference(const struct schsm_encoder *encoder, const struct schsm_pkey *key,
                           BIO *out);

#endif
