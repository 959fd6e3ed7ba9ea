/* SPDX-License-Identifier: Apache-2.0 */
/* What an open store gives to libcrypto: keys, certificates and names. */
#ifndef SCHSM_PROVIDER_STORE_EMIT_H
#define SCHSM_PROVIDER_STORE_EMIT_H

#include <stdbool.h>

#include <openssl/core.h>

#include "keymgmt/find.h"
#include "keymgmt/reference.h"
#include "pkey.h"
#include "store_search.h"

struct schsm_open_store {
    struct schsm_provider *prov;
    struct schsm_context *context;
    struct schsm_uri uri;
    struct schsm_store_search search;
    int expect;    /* OSSL_STORE_INFO_*, 0: anything */
    bool searched; /* found is what the URI names */
    bool prepared; /* found is what is going to be given */
    bool names;    /* only the names */
    bool refuse;   /* one was needed: in the end, an error */
    unsigned int
        several; /* types of which only the names are given, as nothing says which is meant */
    bool ended;
    struct schsm_match_list found;
    size_t next;
    struct schsm_match_list defects; /* of a directory: what of its objects cannot be read */
    size_t told;
    bool attached; /* no URI was opened, but this reference read */
    struct schsm_reference reference;
};

/* A private key, or from OpenSSL 4.0 on an AES key, and nothing else. */
bool schsm_store_expects_key(const struct schsm_open_store *store);

/*
 * Whether the PIN is to be proven now. A program that only lists asks for nothing in particular,
 * and costs nobody a PIN. nginx asks for nothing in particular, either, when it loads a key, and
 * gives a pass phrase along: so a URI that names one private key will do.
 */
bool schsm_store_is_load(const struct schsm_open_store *store);

/* Hands a key over to libcrypto; frees it where libcrypto did not take it. */
int schsm_store_emit_key(struct schsm_pkey *key, OSSL_CALLBACK *cb, void *arg);

/* One of the objects that were found, or its name, as the store decided. */
int schsm_store_emit(struct schsm_open_store *store, struct schsm_match *match, OSSL_CALLBACK *cb,
                     void *arg, OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_arg);

#endif
