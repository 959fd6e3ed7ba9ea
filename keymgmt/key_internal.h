/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a key share. */
#ifndef SCHSM_KEYMGMT_KEY_INTERNAL_H
#define SCHSM_KEYMGMT_KEY_INTERNAL_H

#include <stdatomic.h>

#include "key.h"

struct schsm_key {
    atomic_int references;
    struct schsm_context *context;
    char *serial; /* which device; NULL: the configured or only one */
    char *reader;
    char *token;
    struct schsm_object object;           /* value: the DER SubjectPublicKeyInfo */
    _Atomic(struct schsm_object *) found; /* as its device told it, without value; NULL: object */
    bool shares_name;                     /* only its handle tells it from another key */
    bool made;                            /* by us, and not loaded */
    char *name;                           /* for prompts and sentences */
    EVP_PKEY *public_key;
    _Atomic(struct schsm_device *) device; /* the registry's; NULL until first needed */
    /* Connections to the device, 0: none. On another one there may be another card. */
    atomic_ulong checked;            /* a result agreed with the public part */
    atomic_ulong compared;           /* it showed the public part */
    struct schsm_pin_source *source; /* changed and taken under the guard of forks */
};

/*
 * Takes over the match's object and adds what uri says of the PIN. The object's value must be the
 * public part. The match is empty afterwards, whatever the outcome.
 */
struct schsm_key *schsm_key_new(struct schsm_context *context, struct schsm_match *match,
                                const struct schsm_uri *uri, struct schsm_error *err);

/* One private operation, its result as the device gave it. */
int schsm_key_ask_device(struct schsm_key *key, struct schsm_device *device,
                         enum schsm_operation operation, const uint8_t *in, size_t in_len,
                         uint8_t *out, size_t *out_len, struct schsm_error *err);

/* Whether a signature that an operation made of its input agrees with the public key. */
int schsm_key_signature_fits(OSSL_LIB_CTX *libctx, EVP_PKEY *key, enum schsm_operation operation,
                             const uint8_t *in, size_t in_len, const uint8_t *sig, size_t sig_len);

/*
 * Whether what an operation made of its input agrees with the public part (key_check.c). Where it
 * does not, the output is wiped and the sentence says whose fault it is.
 */
int schsm_key_check_result(struct schsm_key *key, struct schsm_device *device,
                           enum schsm_operation operation, const uint8_t *in, size_t in_len,
                           uint8_t *out, size_t *out_len, struct schsm_error *err);

/* The key as its device knows it. */
const struct schsm_object *schsm_key_object(const struct schsm_key *key);

/*
 * The key's device, looked for at the first call, and with it the key itself where its reference
 * alone does not tell which it is. Two threads may both look; they find the same.
 */
struct schsm_device *schsm_key_device(struct schsm_key *key, struct schsm_error *err);

/* A reference of the caller's to the key's PIN source; NULL if it has none. */
struct schsm_pin_source *schsm_key_source(struct schsm_key *key);

#endif
