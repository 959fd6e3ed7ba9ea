/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a program does with keys, once each, every result judged by a library context
 * with the default provider alone. For programs that work with one RSA key and one EC key from many
 * threads.
 */
#ifndef SC_HSM_TESTS_OPERATIONS_H
#define SC_HSM_TESTS_OPERATIONS_H

#include <stddef.h>

#include "program.h"

enum outcome {
    OUTCOME_OK,
    OUTCOME_REFUSED, /* with the reason in OpenSSL's error queue */
    OUTCOME_WRONG,   /* a result that is not what it must be */
};

struct operations_keys {
    struct program_key rsa, ec; /* the EC key is on P-256 */
    const char *files[2];       /* their key reference files, RSA first */
    const char *uris[2];
    const char *everything;        /* a URI that lists the device */
    unsigned int everything_count; /* how many objects that shows */
};

struct operation {
    const char *name;
    enum outcome (*run)(const struct operations_keys *keys, unsigned int number);
    unsigned int weight; /* how often, in proportion to the others */
};

extern const struct operation operations[];
extern const size_t operations_count;

/* Objects that a store lists under this URI; -1 where it failed, with the reason in the queue. */
int operations_list(const char *uri);

#endif
