/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenSSL's key pointer is with us: a key on a device, or an ordinary software key or public
 * key. Either way `pkey` is a key of our own library context, where the default provider does all
 * host cryptography; a device key has its public part there.
 */
#ifndef SCHSM_PROVIDER_PKEY_H
#define SCHSM_PROVIDER_PKEY_H

#include <stdatomic.h>
#include <stdbool.h>

#include <openssl/evp.h>

#include "../keymgmt/key.h"
#include "provider.h"

struct schsm_pkey {
    atomic_int references;
    struct schsm_provider *prov;
    const char *type;         /* "RSA" or "EC", static */
    EVP_PKEY *pkey;           /* NULL while import has not happened yet */
    bool has_public;          /* pkey holds a public part, not parameters alone */
    bool has_private;         /* pkey holds a software private key */
    struct schsm_key *device; /* NULL: software or public key */
};

struct schsm_pkey *schsm_pkey_new(struct schsm_provider *prov, const char *type);
struct schsm_pkey *schsm_pkey_ref(struct schsm_pkey *key); /* returns its argument */
void schsm_pkey_free(struct schsm_pkey *key);

/* Takes over device; pkey becomes its public part. NULL with an error raised; device is freed. */
struct schsm_pkey *schsm_pkey_from_device(struct schsm_provider *prov, struct schsm_key *device);

/* A context of our library context for the key's host operations; NULL with errors raised. */
EVP_PKEY_CTX *schsm_pkey_ctx(const struct schsm_pkey *key);

/* One private operation on the device; raises its error. */
int schsm_pkey_operate(const struct schsm_pkey *key, enum schsm_operation operation,
                       const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len);

#endif
