/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a key share. */
#ifndef SCHSM_KEYMGMT_KEY_INTERNAL_H
#define SCHSM_KEYMGMT_KEY_INTERNAL_H

#include <stdatomic.h>

#include "key.h"

/*
 * Takes over the match's object and adds what uri says of the PIN. The object's value must be the
 * public part. The match is empty afterwards, whatever the outcome.
 */
struct schsm_key *schsm_key_new(struct schsm_context *context, struct schsm_match *match,
                                const struct schsm_uri *uri, struct schsm_error *err);

/* Whether a signature that an operation made of its input agrees with the public key. */
int schsm_key_signature_fits(OSSL_LIB_CTX *libctx, EVP_PKEY *key, enum schsm_operation operation,
                             const uint8_t *in, size_t in_len, const uint8_t *sig, size_t sig_len);

/* The login for operations with this PIN source. */
struct schsm_login schsm_key_login(const struct schsm_context *context,
                                   struct schsm_pin_source *source, const char *object);

#endif
