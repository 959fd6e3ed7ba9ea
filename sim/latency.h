/* SPDX-License-Identifier: Apache-2.0 */
/* Taking as long as a real device for private operations. */
#ifndef SIM_LATENCY_H
#define SIM_LATENCY_H

#include "keys.h"

/* Milliseconds that a real device needs for one private operation with this key. */
unsigned sim_latency_ms(const struct sim_key *key);

/* Sleep that long. */
void sim_latency_wait(const struct sim_key *key);

#endif
