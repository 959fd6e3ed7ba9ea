/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCHSM_FUZZ_H
#define SCHSM_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* libFuzzer's entry point; each target defines it. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A promise that the target checks: ends the run where it is broken. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
