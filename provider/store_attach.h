/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OSSL_STORE_attach with the scheme sc-hsm: one key reference, in PEM or DER, read from where the
 * BIO stands. Nothing else is taken for a key there, and nothing behind it is read, so that a
 * program that means keys on devices alone can say so. The scheme "file" reads references as well,
 * among all else.
 */
#ifndef SCHSM_PROVIDER_STORE_ATTACH_H
#define SCHSM_PROVIDER_STORE_ATTACH_H

#include <openssl/core.h>

#include "keymgmt/reference.h"
#include "pkey.h"

/* *reference is the caller's, to be cleared. 0 with an error raised. */
int schsm_store_read_reference(struct schsm_provider *prov, OSSL_CORE_BIO *core,
                               struct schsm_reference *reference);

/* The key that it stands for, its PIN proven where one is at hand; NULL with an error raised. */
struct schsm_pkey *schsm_store_attached_key(struct schsm_provider *prov,
                                            const struct schsm_reference *reference,
                                            OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_arg);

#endif
