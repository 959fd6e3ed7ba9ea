/* SPDX-License-Identifier: Apache-2.0 */
/* Elliptic curve key agreement with a key on the card (protocol section 6.5). */
#ifndef SIM_ECDH_H
#define SIM_ECDH_H

#include "buf.h"
#include "keys.h"

/*
 * Append the shared point 04 X Y; its x is the shared secret. False when `peer_point` is no point
 * 04 X Y of the key's curve, and when libcrypto fails.
 */
bool sim_ecdh(const struct sim_key *key, struct sim_slice peer_point, struct sim_buf *out);

#endif
