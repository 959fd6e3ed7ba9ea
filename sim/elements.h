/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elements of a wrapped key's plaintext (protocol section 14.2): each a value behind its
 * 2-byte length, in an order that the kind of key tells.
 */
#ifndef SIM_ELEMENTS_H
#define SIM_ELEMENTS_H

#include "keys.h"

/* Append one element: the number in `len` bytes; false when it does not fit in. */
bool sim_element_put_number(struct sim_buf *out, const BIGNUM *number, size_t len);

/* Append one element as it is. */
void sim_element_put(struct sim_buf *out, struct sim_slice value);

/*
 * Take one element of at most `max` bytes off `in`; false when there is none. Values may be
 * shorter than usual, and even empty, because some devices leave leading zeros away.
 */
bool sim_element_take(struct sim_slice *in, size_t max, struct sim_slice *value);

/* The same as a number, which the caller frees; NULL when there is none or memory runs out. */
BIGNUM *sim_element_take_number(struct sim_slice *in, size_t max);

/* Append an RSA key: DP1 DQ1 P PQ Q N E, or for `!crt` D N E; false when libcrypto fails. */
bool sim_rsa_put_elements(struct sim_buf *out, const struct sim_key *key, bool crt);

/*
 * The RSA key with a modulus of `bits` that `in` holds in one of the two forms, freed by the
 * caller. Status word: 9000; 6A81 for a size that the card does not have; 6A80 for elements that
 * are no key.
 */
uint16_t sim_rsa_from_elements(struct sim_slice in, unsigned bits, bool crt, EVP_PKEY **pkey);

/*
 * Append an EC key: a b p n G d Q, all of the field's length; `lean`: without leading zeros, and
 * `a` empty where it is 0 or p - 3. False when libcrypto fails.
 */
bool sim_ec_put_elements(struct sim_buf *out, const struct sim_key *key, bool lean);

/*
 * The same RSA key with the exponent 65537, whatever its own is; NULL when there is none, or
 * libcrypto fails. The caller frees it.
 */
EVP_PKEY *sim_rsa_with_usual_exponent(const EVP_PKEY *pkey);

/* Append a Montgomery or Edwards key: a b p n G d Q, without leading zeros. */
bool sim_modern_put_elements(struct sim_buf *out, const struct sim_key *key);

/*
 * The EC key that `in` holds; as sim_rsa_from_elements(). 6A81 for an unknown curve. `lean`: on a
 * curve of the Pico HSM's, which looks at the prime alone.
 */
uint16_t sim_ec_from_elements(struct sim_slice in, unsigned bits, bool lean, EVP_PKEY **pkey);

#endif
