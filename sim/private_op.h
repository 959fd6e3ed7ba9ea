/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that use a key have in common: finding the key, its policy, its price. */
#ifndef SIM_PRIVATE_OP_H
#define SIM_PRIVATE_OP_H

#include "apdu.h"
#include "card.h"
#include "keys.h"

/*
 * The key `id` if it is of this kind (SIM_KEY_NONE: any) and may be used with `algorithm` now.
 * Status word: 9000; 6A88 no such key; 6985 the device key; 6A81 and 6984 by policy (protocol
 * section 6.4).
 */
uint16_t sim_private_op_begin(struct sim_card *card, uint8_t id, enum sim_key_kind kind,
                              uint8_t algorithm, struct sim_key **key);

/*
 * Count the operation, stored before it happens as a PIN try is, and take the time that a real
 * device would. Status word: 9000, or 6581 when the counter could not be stored.
 */
uint16_t sim_private_op_count(struct sim_card *card, struct sim_key *key);

#endif
