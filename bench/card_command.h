/* SPDX-License-Identifier: Apache-2.0 */
/* The three commands that a signature needs, for the programs that send them by hand. */
#ifndef BENCH_CARD_COMMAND_H
#define BENCH_CARD_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_COMMAND_MAX 1024
#define BENCH_RESPONSE_MAX 1024

struct bench_command {
    uint8_t bytes[BENCH_COMMAND_MAX];
    size_t len;
};

extern const struct bench_command bench_select;

/* VERIFY with a PIN of 6 to 16 characters. */
void bench_verify(struct bench_command *command, const char *pin);

/* SIGN of one block that fits the key: rsa with 2048 bits, or ec with a 256-bit curve. 0: neither.
 */
int bench_sign(struct bench_command *command, unsigned int key_ref, const char *algorithm);

#endif
