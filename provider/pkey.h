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

#include "keymgmt/key.h"
#include "provider.h"

struct schsm_pkey {
    atomic_int references;
    struct schsm_provider *prov;
    const char *type; /* "RSA", "RSA-PSS", "EC", "ED25519", "ED448", "X25519", "X448"; static */
    EVP_PKEY *pkey;   /* NULL while import has not happened yet */
    bool has_public;  /* pkey holds a public part, not parameters alone */
    bool has_private; /* pkey holds a software private key */
    struct schsm_key *device; /* NULL: software or public key */
    atomic_uint refused;      /* operations that the device's key does not permit, a bit for each */
    /* The device made it, and nobody has asked anything of it since: see schsm_keymgmt_free. */
    atomic_bool unclaimed;
};

struct schsm_pkey *schsm_pkey_new(struct schsm_provider *prov, const char *type);
struct schsm_pkey *schsm_pkey_ref(struct schsm_pkey *key); /* returns its argument */
void schsm_pkey_free(struct schsm_pkey *key);

/* Takes over device; pkey becomes its public part. NULL with an error raised; device is freed. */
struct schsm_pkey *schsm_pkey_from_device(struct schsm_provider *prov, struct schsm_key *device);

/* The same, but that device stays the caller's on failure. */
struct schsm_pkey *schsm_pkey_around(struct schsm_provider *prov, struct schsm_key *device);

/* The answer to whoever wants its private part. */
#define SCHSM_STAYS_ON_DEVICE                                                                      \
    "the private key stays on the SmartCard-HSM and cannot be exported; its key reference file, "  \
    "as 'openssl pkey -in KEY -out FILE' writes it, stands for it wherever a program reads a key"

/* A context of our library context for the key's host operations; NULL with errors raised. */
EVP_PKEY_CTX *schsm_pkey_ctx(const struct schsm_pkey *key);

/* One private operation on the device; raises its error. */
int schsm_pkey_operate(struct schsm_pkey *key, enum schsm_operation operation,
                       const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len);

/* Operations with one and the same result, the one to be preferred first. */
#define SCHSM_ATTEMPTS_MAX 3
struct schsm_attempts {
    struct schsm_attempt {
        enum schsm_operation operation;
        const unsigned char *in;
        size_t in_len;
    } list[SCHSM_ATTEMPTS_MAX];
    size_t count;
    const char *hint; /* NULL, or what else would do, for the sentence where none is permitted */
};

void schsm_attempts_add(struct schsm_attempts *attempts, enum schsm_operation operation,
                        const unsigned char *in, size_t in_len);

/*
 * The first of the operations that the key permits. Which ones it refuses is remembered, so that
 * only its first use costs device commands to find out.
 */
int schsm_pkey_attempt(struct schsm_pkey *key, const struct schsm_attempts *attempts,
                       unsigned char *out, size_t *out_len);

#endif
