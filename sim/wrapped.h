/* SPDX-License-Identifier: Apache-2.0 */
/* Keys wrapped under the key encryption key of a domain (protocol section 14). */
#ifndef SIM_WRAPPED_H
#define SIM_WRAPPED_H

#include "profile.h"
#include "state.h"

/*
 * Append `key` wrapped under `domain`, which is ready, in the form of this device. An RSA key of
 * which this would be more than `form->max` bytes is wrapped as exponent and modulus (type 05)
 * instead of all its parts (06). False when libcrypto fails.
 */
bool sim_wrapped_put(struct sim_buf *out, const struct sim_key *key,
                     const struct sim_domain *domain, const struct sim_wrapped_form *form);

/* The key domain whose key encryption key `blob` names; -1 when there is none here. */
int sim_wrapped_find_domain(const struct sim_state *state, struct sim_slice blob);

/*
 * Make `key` from a blob wrapped under `domain`; its id is `id`, its policy the blob's list.
 * Status word: 9000; 6A80 wrong MAC or contents; 6A81 a kind of key that this card does not have.
 */
uint16_t sim_wrapped_open(struct sim_slice blob, const struct sim_domain *domain,
                          const struct sim_wrapped_form *form, uint8_t id, struct sim_key *key);

#endif
