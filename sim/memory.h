/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the card's memory its objects take (protocol section 1.3). */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include "state.h"

/* Bytes taken by all keys and files. */
size_t sim_memory_used(const struct sim_state *state);

/* Whether the capacity is exceeded by growth since `before` bytes were used. */
bool sim_memory_is_exceeded(const struct sim_state *state, size_t before);

/* Bytes that are left, as the 4-byte number of the memory report (section 6.7). */
uint32_t sim_memory_left(const struct sim_state *state);

#endif
