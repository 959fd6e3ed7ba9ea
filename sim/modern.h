/* SPDX-License-Identifier: Apache-2.0 */
/* The Montgomery and Edwards curves of a Pico HSM (protocol sections 9.3 and 19.5). */
#ifndef SIM_MODERN_H
#define SIM_MODERN_H

#include "buf.h"
#include "key_kind.h"

#include <openssl/evp.h>

struct sim_key;

enum {
    SIM_MODERN_FIELD = 56,  /* bytes of the longest prime */
    SIM_MODERN_PUBLIC = 57, /* and of the longest public key */
};

struct sim_modern_curve {
    const char *name; /* libcrypto's name of the kind of key */
    enum sim_key_kind kind;
    size_t field_bytes;    /* of p */
    size_t public_bytes;   /* of the public key, and of its base point */
    struct sim_slice p, n; /* the prime and the order, big endian */
    struct sim_slice base; /* the base point, little endian */
    struct sim_slice a, b; /* as a wrapped key holds them; empty where it holds none */
};

/* The curve of a key; NULL for keys of other kinds. */
const struct sim_modern_curve *sim_modern_curve_of(const EVP_PKEY *pkey);

/*
 * The curve that a request means by its prime, big endian, and its base point, of which the
 * firmware looks at the first byte and the length only; NULL when the prime is none of theirs.
 */
const struct sim_modern_curve *sim_modern_curve_find(struct sim_slice p, struct sim_slice base);

/* Generate a key on the curve; NULL when libcrypto fails. The caller frees it. */
EVP_PKEY *sim_modern_generate(const struct sim_modern_curve *curve);

/* Append the public key; false when libcrypto fails. */
bool sim_modern_put_public(const struct sim_key *key, struct sim_buf *out);

/* Bytes of the prime of a key's curve. */
size_t sim_modern_field_bytes(const struct sim_key *key);

/* Append the shared secret with the public key `peer` of a Montgomery key; false when it is none.
 */
bool sim_modern_agree(const struct sim_key *key, struct sim_slice peer, struct sim_buf *out);

/* Append the signature of an Edwards key over `message`; false when libcrypto fails. */
bool sim_modern_sign(const struct sim_key *key, struct sim_slice message, struct sim_buf *out);

#endif
