/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of others, which the card verifies signatures with (protocol section 11.2). */
#ifndef SIM_PUBLIC_KEY_H
#define SIM_PUBLIC_KEY_H

#include "buf.h"
#include "curves.h"
#include "keys.h"

struct sim_public_key {
    enum sim_key_kind kind;
    EVP_PKEY *pkey;
    const struct sim_curve *curve; /* EC only */
    size_t size;                   /* bytes of the modulus or of the curve's field */
};

/*
 * Make `key` from the content of a public key template 7F49. An EC key without parameters of its
 * own is on the curve `inherited`, which may be NULL. False for what is malformed, on an unknown
 * curve, no point of it, or no key for SHA-256. The caller frees the key.
 */
bool sim_public_key_parse(struct sim_public_key *key, struct sim_slice template,
                          const struct sim_curve *inherited);

/* Free what the key holds. */
void sim_public_key_free(struct sim_public_key *key);

/* Append the point 04 X Y of an EC key; false for other keys and when libcrypto fails. */
bool sim_public_key_put_point(const struct sim_public_key *key, struct sim_buf *out);

/*
 * Whether `signature` is this key's over `data` hashed with SHA-256: r and s in a row for EC,
 * PKCS#1 v1.5 for RSA.
 */
bool sim_public_key_verify(const struct sim_public_key *key, struct sim_slice data,
                           struct sim_slice signature);

#endif
