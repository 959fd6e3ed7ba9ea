/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the card trusts (protocol sections 6.13 and 6.14): its root, itself and its issuer from
 * the start, and those whose certificates it verified in this session.
 */
#ifndef SIM_TRUST_H
#define SIM_TRUST_H

#include "cvc_read.h"
#include "public_key.h"

struct sim_card;

enum { SIM_MAX_TRUSTED = 16 }; /* certificates of one session; the oldest makes room */

/* The holder of a verified certificate. */
struct sim_trusted {
    char chr[17];
    enum sim_cvc_role role;
    struct sim_public_key key;
};

/* The certificates verified in this session; all zero: none. */
struct sim_trust {
    struct sim_trusted verified[SIM_MAX_TRUSTED];
    size_t n; /* ever added: the next one goes to n modulo the size */
};

/*
 * Find the holder `chr` and fill `trusted`, which the caller frees with sim_public_key_free() on
 * its key; false when this card does not know it.
 */
bool sim_trust_find(struct sim_card *card, struct sim_slice chr, struct sim_trusted *trusted);

/*
 * Verify a certificate with the key of `issuer`, whose role must allow it, and remember its
 * holder for this session. False when the signature, the names or the roles don't fit.
 */
bool sim_trust_verify(struct sim_card *card, const struct sim_cvc *certificate,
                      const struct sim_trusted *issuer);

/*
 * Whether an authenticated request was made by a device that the card trusts: its outer signature
 * is that device's, its inner one that of the key inside, which goes to `key` for the caller to
 * free. Status word: 9000; 6A80 no usable public key with parameters; 6985 everything else.
 */
uint16_t sim_trust_check_request(struct sim_card *card, const struct sim_cvc_authenticated *request,
                                 struct sim_public_key *key);

/* Forget what this session verified. */
void sim_trust_clear(struct sim_trust *trust);

#endif
