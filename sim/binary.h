/* SPDX-License-Identifier: Apache-2.0 */
/* What READ BINARY and UPDATE BINARY have in common (protocol sections 4.3 and 4.4). */
#ifndef SIM_BINARY_H
#define SIM_BINARY_H

#include "apdu.h"
#include "card.h"
#include "fs.h"

/* The file meant by P1 P2: an id, or 0000 for the current EF; 0 when there is none. */
uint16_t sim_binary_fid(const struct sim_card *card, const struct sim_apdu *apdu);

/* Take the offset object, `54 02 hh ll`, off the command data. */
bool sim_binary_take_offset(struct sim_slice *data, size_t *offset);

/* Whether the present security state satisfies an access condition. */
bool sim_binary_allowed(const struct sim_card *card, enum sim_access access);

#endif
