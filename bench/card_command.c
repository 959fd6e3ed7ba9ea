/* SPDX-License-Identifier: Apache-2.0 */
#include "card_command.h"

#include <string.h>

#define RSA_RAW 0x20
#define ECDSA_RAW 0x70
#define RSA_BLOCK 256
#define EC_BLOCK 32

const struct bench_command bench_select = { { 0x00, 0xA4, 0x04, 0x00, 11, 0xE8, 0x2B, 0x06, 0x01,
                                              0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01, 0x00 },
                                            17 };

void bench_verify(struct bench_command *command, const char *pin)
{
    size_t len = strlen(pin) > 16 ? 16 : strlen(pin);

    memcpy(command->bytes, (const uint8_t[]){ 0x00, 0x20, 0x00, 0x81, (uint8_t)len }, 5);
    memcpy(command->bytes + 5, pin, len);
    command->len = 5 + len;
}

/* Extended length: three bytes of Lc, two of Le. */
static void sign_block(struct bench_command *command, unsigned int key_ref, uint8_t algorithm,
                       size_t block_len)
{
    uint8_t *p = command->bytes;

    memcpy(p,
           (const uint8_t[]){ 0x80, 0x68, (uint8_t)key_ref, algorithm, 0x00,
                              (uint8_t)(block_len >> 8), (uint8_t)block_len },
           7);
    memset(p + 7, 0x5A, block_len);
    memset(p + 7 + block_len, 0x00, 2);
    command->len = 7 + block_len + 2;
}

int bench_sign(struct bench_command *command, unsigned int key_ref, const char *algorithm)
{
    if (strcmp(algorithm, "rsa") == 0) {
        sign_block(command, key_ref, RSA_RAW, RSA_BLOCK);
        command->bytes[7] = 0x00; /* smaller than any modulus */
        return 1;
    }
    if (strcmp(algorithm, "ec") == 0) {
        sign_block(command, key_ref, ECDSA_RAW, EC_BLOCK);
        return 1;
    }
    return 0;
}
