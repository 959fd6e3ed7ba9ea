/* SPDX-License-Identifier: Apache-2.0 */
#include "malformed.h"

#include <string.h>

#include <openssl/rand.h>
#include <openssl/rsa.h>

/* Random bytes, none of them zero. */
static int fill(unsigned char *bytes, size_t len)
{
    if (RAND_bytes(bytes, (int)len) <= 0) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        while (bytes[i] == 0) {
            if (RAND_bytes(&bytes[i], 1) <= 0) {
                return 0;
            }
        }
    }
    return 1;
}

unsigned int random_below(unsigned int limit)
{
    unsigned int number = 0;

    if (RAND_bytes((unsigned char *)&number, sizeof(number)) <= 0) {
        return 0;
    }
    return number % limit; /* limits are small: what the division favours is too little to matter */
}

int right_block(unsigned char *block, size_t size, size_t message_len)
{
    size_t start = size - message_len;

    if (message_len > size - 11 || !fill(block, size) ||
        (message_len > 0 && RAND_bytes(block + start, (int)message_len) <= 0)) {
        return 0;
    }
    block[0] = 0;
    block[1] = 2;
    block[start - 1] = 0;
    return 1;
}

static int first_byte(unsigned char *block, size_t size)
{
    (void)size;
    block[0] = 1;
    return 1;
}

static int type_one(unsigned char *block, size_t size)
{
    memset(block + 2, 0xff, size - 2 - PREMASTER_SIZE - 1);
    block[size - PREMASTER_SIZE - 1] = 0;
    block[1] = 1;
    return 1;
}

static int type_zero(unsigned char *block, size_t size)
{
    (void)size;
    block[1] = 0;
    return 1;
}

static int type_other(unsigned char *block, size_t size)
{
    (void)size;
    block[1] = (unsigned char)(3 + random_below(253));
    return 1;
}

static int no_separator(unsigned char *block, size_t size)
{
    return fill(block + 2, size - 2);
}

/* At places 2 to 9: fewer than eight bytes of padding. */
static int early_separator(unsigned char *block, size_t size)
{
    (void)size;
    block[2 + random_below(8)] = 0;
    return 1;
}

static int first_early_separator(unsigned char *block, size_t size)
{
    (void)size;
    block[2] = 0;
    return 1;
}

static int last_early_separator(unsigned char *block, size_t size)
{
    (void)size;
    block[9] = 0;
    return 1;
}

static int small_number(unsigned char *block, size_t size)
{
    memset(block, 0, size);
    block[size - 1] = (unsigned char)(1 + random_below(255));
    return 1;
}

static int noise(unsigned char *block, size_t size)
{
    if (RAND_bytes(block + 1, (int)size - 1) <= 0) {
        return 0;
    }
    if (block[1] == 2) {
        block[1] = 3;
    }
    return 1;
}

static const struct {
    const char *name;
    int (*spoil)(unsigned char *block, size_t size); /* a right block */
} kinds[] = {
    { "first byte not zero", first_byte },
    { "block type 1", type_one },
    { "block type 0", type_zero },
    { "another block type", type_other },
    { "no separator", no_separator },
    { "separator too early", early_separator },
    { "no padding at all", first_early_separator },
    { "seven bytes of padding", last_early_separator },
    { "a small number", small_number },
    { "noise", noise },
};

const unsigned int malformed_kinds = sizeof(kinds) / sizeof(kinds[0]);

const char *malformed_kind_name(unsigned int kind)
{
    return kinds[kind].name;
}

int malformed_block(unsigned int kind, unsigned char *block, size_t size)
{
    return right_block(block, size, PREMASTER_SIZE) && kinds[kind].spoil(block, size);
}

int put_premaster(unsigned char *block, size_t size, unsigned int version)
{
    unsigned char *premaster = block + size - PREMASTER_SIZE;

    if (!fill(premaster, PREMASTER_SIZE)) {
        return 0;
    }
    premaster[0] = (unsigned char)(version >> 8);
    premaster[1] = (unsigned char)version;
    return 1;
}

int encrypt_block(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const unsigned char *block, size_t size,
                  unsigned char *ciphertext)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    size_t len = size;
    int ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) > 0 &&
             EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0 &&
             EVP_PKEY_encrypt(ctx, ciphertext, &len, block, size) > 0 && len == size;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}
