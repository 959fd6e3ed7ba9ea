/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcrypto as the flows see it: every library context that our code makes is one and the same, and
 * its random numbers are the same in each run. So a recorded answer to a challenge is right again.
 */
#ifndef FLOW_LIBRARY_H
#define FLOW_LIBRARY_H

#include <openssl/crypto.h>

/* To be called once, first of all. */
void flow_library_start(void);

/* The context in which the host computes. */
OSSL_LIB_CTX *flow_library(void);

enum flow_stream { FLOW_STREAM_HOST, FLOW_STREAM_CARD, FLOW_STREAMS };

/* Both streams of random numbers begin anew. */
void flow_library_rewind(void);

/* Whose random numbers come from here on; returns whose did before. */
enum flow_stream flow_library_stream(enum flow_stream stream);

/* How many contexts our code has not given back. */
int flow_library_borrowed(void);

#endif
