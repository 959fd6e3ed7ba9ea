/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long real devices take. The card adds up what a command costs; whoever answers the reader
 * waits until that time is over, so that nothing in the card ever sleeps.
 */
#ifndef SIM_LATENCY_H
#define SIM_LATENCY_H

#include "keys.h"

struct sim_card;

enum sim_latency {
    SIM_LATENCY_NONE,  /* as fast as this machine */
    SIM_LATENCY_JCOP2, /* the first generation, JCOP 2.4 */
    SIM_LATENCY_JCOP3,
    SIM_LATENCY_JCOP4,
};

enum sim_operation {
    SIM_OPERATION_USE,      /* one private operation with the key */
    SIM_OPERATION_GENERATE, /* making the key, its request included */
};

/* The latency of that name ("none", "real", "jcop3", "jcop4"); false when there is none. */
bool sim_latency_parse(enum sim_latency *latency, const char *name);

/* Milliseconds that such a device needs for this operation with this kind and size of key. */
unsigned sim_latency_ms(enum sim_latency latency, enum sim_operation operation,
                        enum sim_key_kind kind, unsigned bits);

/* Note that the command under way did this with `key`. */
void sim_latency_add(struct sim_card *card, enum sim_operation operation,
                     const struct sim_key *key);

#endif
