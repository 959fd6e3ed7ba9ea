/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out at one moment: the n-th allocation of the kinds that are chosen fails. Those
 * of our own code are told by the name of the file that asks libcrypto for it; pages for secrets
 * and what libjansson asks for count as ours.
 */
#ifndef FLOW_MEMORY_H
#define FLOW_MEMORY_H

#include <stdint.h>

enum flow_memory {
    FLOW_MEMORY_LIBCRYPTO = 0x01, /* libcrypto's own allocations count as well */
    FLOW_MEMORY_GONE = 0x02       /* not only the n-th fails, but all that follow, too */
};

/* From here on the n-th fails, 0: none; until the next call. */
void flow_memory_fail(unsigned int kinds, unsigned int n);

/* So many were counted since then. */
unsigned int flow_memory_counted(void);

/* Blocks and pages that nobody has given back yet, whoever asked for them. */
long flow_memory_live(void);

/* Around what the flows themselves compute: it neither fails nor counts. */
void flow_memory_hold(void);
void flow_memory_go_on(void);

/* The same for what is no allocation but may fail as one: true where it is to. */
int flow_memory_refuses(void);

#endif
