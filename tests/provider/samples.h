/* SPDX-License-Identifier: Apache-2.0 */
/* Software keys of all kinds, with our provider and with the default provider alone. */
#ifndef SCHSM_TESTS_SAMPLES_H
#define SCHSM_TESTS_SAMPLES_H

#include "module.h"

enum part { PAIR, PUBLIC, PARAMETERS, PRIVATE };

struct sample {
    const char *what, *type, *group, *encoding, *form, *digest;
    enum part part;
};

#define SAMPLES 23
extern const struct sample samples[SAMPLES];

/* A context that has the default provider alone. */
extern OSSL_LIB_CTX *judge;

/* One key, once with our provider and once with the judge; SM2: two of a kind. */
void make_pair(const struct sample *sample, EVP_PKEY **ours, EVP_PKEY **theirs);

/* SM2 keys cannot be transferred, not with the default provider alone either. */
int comparable(const struct sample *sample);

/* run_with_module with a judge. */
#define run_with_judge(tests) (begin_judging() ? run_with_module(tests) + end_judging() : 1)
int begin_judging(void);
int end_judging(void); /* returns 0 */

#endif
