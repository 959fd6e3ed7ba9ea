/* SPDX-License-Identifier: Apache-2.0 */
/* Keys on the card, their policy (protocol section 8.2), and the list of keys in the state. */
#ifndef SIM_KEYS_H
#define SIM_KEYS_H

#include "buf.h"
#include "curves.h"
#include "modern.h"

#include <openssl/evp.h>

struct sim_state;

enum {
    SIM_MAX_ALGORITHMS = 16, /* tag 91 */
    SIM_MAX_AES = 32,
    SIM_MAX_SECRET = 64, /* a Pico HSM also makes keys for XTS */
};
#define SIM_USES_UNLIMITED 0xFFFFFFFFu /* tag 90 */

struct sim_key {
    uint8_t id; /* low byte of CCxx */
    enum sim_key_kind kind;
    EVP_PKEY *pkey;                /* parsed once, for speed; NULL for AES */
    struct sim_buf der;            /* the same key as it stands in the state file; AES: as it is */
    const struct sim_curve *curve; /* EC only */
    const struct sim_modern_curve *modern; /* Montgomery and Edwards only */
    size_t
        size; /* bytes of the modulus, of the curve's field, of the public u or A, of the AES key */
    unsigned bits;
    char chr[17]; /* holder reference given at generation, may be empty */
    uint32_t uses_left;
    uint8_t domain;
    bool names_domain; /* the policy given with it did */
    uint8_t algorithms[SIM_MAX_ALGORITHMS];
    uint8_t n_algorithms; /* 0: everything allowed */
};

/*
 * Make `key` from a libcrypto key, which it takes over (also on failure). Policy: unlimited uses,
 * all algorithms, domain 0. False for key types or curves that the card does not have.
 */
bool sim_key_from_pkey(struct sim_key *key, uint8_t id, EVP_PKEY *pkey);

/* Make `key` from its DER private key; policy as sim_key_from_pkey(). */
bool sim_key_from_der(struct sim_key *key, uint8_t id, struct sim_slice der);

/* Whether the card has RSA keys of this size (section 9.2). */
bool sim_rsa_size_exists(unsigned bits);

/* Make an AES key of 16, 24, 32 or 64 bytes; policy as sim_key_from_pkey(). */
bool sim_key_from_aes(struct sim_key *key, uint8_t id, struct sim_slice value);

/* Wipe and free what the key holds. */
void sim_key_free(struct sim_key *key);

/* The key CC<id>; NULL when there is none. Valid until keys are added or removed. */
struct sim_key *sim_keys_find(struct sim_state *state, uint8_t id);

/* Add `key` to the state, which takes over its content on success; false without memory. */
bool sim_keys_add(struct sim_state *state, struct sim_key *key);

/*
 * Put a new key on the card, which takes over its content in any case. Status word: 9000; 6A89
 * when its id is in use or the device key's (section 24, question 4); 6A84 when the card is full.
 */
uint16_t sim_keys_store(struct sim_state *state, struct sim_key *key);

/* Remove and free CC<id>; false when there is none. */
bool sim_keys_remove(struct sim_state *state, uint8_t id);

/*
 * Status word that says whether `algorithm` may be used with `key` now, its kind being right
 * already: 9000; 6A81 not in the key's list; 6984 use counter at zero (section 6.4).
 */
uint16_t sim_key_check(const struct sim_key *key, uint8_t algorithm);

/* Count one private operation; marks the state changed when the key has a use counter. */
void sim_key_used(struct sim_state *state, struct sim_key *key);

/* Append the public point 04 X Y of an EC key; false when libcrypto fails. */
bool sim_key_put_point(const struct sim_key *key, struct sim_buf *out);

/* Append the exponent of an RSA key; false when libcrypto fails. */
bool sim_key_put_exponent(const struct sim_key *key, struct sim_buf *out);

/* Append the modulus (without leading zeros) of an RSA key; false when libcrypto fails. */
bool sim_key_put_modulus(const struct sim_key *key, struct sim_buf *out);

#endif
