/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a key share. */
#ifndef SCHSM_KEYMGMT_KEY_INTERNAL_H
#define SCHSM_KEYMGMT_KEY_INTERNAL_H

#include <stdatomic.h>

#include "check/check.h"
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
    struct schsm_checked checked;
    _Atomic(struct schsm_device *)
        pooled;                      /* all that have the key as one; NULL: not asked for yet */
    struct schsm_pin_source *source; /* changed and taken under the guard of forks */
};

/*
 * Takes over the match's object and adds what uri says of the PIN. The object's value must be the
 * public part. The match is empty afterwards, whatever the outcome.
 */
struct schsm_key *schsm_key_new(struct schsm_context *context, struct schsm_match *match,
                                const struct schsm_uri *uri, struct schsm_error *err);

/* The key as its device knows it. */
const struct schsm_object *schsm_key_object(const struct schsm_key *key);

/*
 * The key's device, looked for at the first call, and with it the key itself where its reference
 * alone does not tell which it is. Two threads may both look; they find the same.
 */
struct schsm_device *schsm_key_device(struct schsm_key *key, struct schsm_error *err);

/*
 * The device for the key's operations and their login: the key's own, or where there is a pool, all
 * devices that have the key as one, which compares results itself.
 */
struct schsm_device *schsm_key_operator(struct schsm_key *key, struct schsm_error *err);

/* A reference of the caller's to the key's PIN source; NULL if it has none. */
struct schsm_pin_source *schsm_key_source(struct schsm_key *key);

/* A key that was just made, and how to log in to its device. */
struct schsm_made_key {
    struct schsm_match match;
    struct schsm_pin_source *source;
    struct schsm_login login; /* points to the source and the specification's label */
};

/* Makes it on the device that the URI means. To be cleared in any case. (key_generate.c) */
int schsm_make_key(struct schsm_context *context, const struct schsm_uri *uri,
                   const struct schsm_generate *spec, struct schsm_made_key *made,
                   struct schsm_error *err);

/* Takes it away again, because of what err says: nobody would ever know of that key. Where it
 * stays, err says so as well. (key_generate.c) */
void schsm_unmake_key(const struct schsm_made_key *made, struct schsm_device *device,
                      const struct schsm_object *object, struct schsm_error *err);
void schsm_made_key_clear(struct schsm_made_key *made);

#endif
