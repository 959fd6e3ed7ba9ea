/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_key.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#define BLOCK SCHSM_AES_BLOCK

static void xor_into(uint8_t *to, const uint8_t *with)
{
    for (size_t i = 0; i < BLOCK; i++) {
        to[i] ^= with[i];
    }
}

static int operate(const struct schsm_secret_key *key, enum schsm_operation operation,
                   const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len,
                   struct schsm_error *err)
{
    size_t len = out_len;

    return schsm_device_operate(key->device, operation, key->object, key->login, in, in_len, out,
                                &len, err) &&
           (len == out_len ||
            schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                       "the device's result has %zu bytes in place of %zu", len, out_len));
}

int schsm_secret_key_cbc(const struct schsm_secret_key *key, bool encrypt, uint8_t chain[BLOCK],
                         uint8_t *in, size_t len, uint8_t *out, struct schsm_error *err)
{
    enum schsm_operation operation = encrypt ? SCHSM_OP_AES_CBC_ENCRYPT : SCHSM_OP_AES_CBC_DECRYPT;

    for (size_t done = 0; done < len;) {
        size_t piece = len - done < SCHSM_CIPHER_MAX ? len - done : SCHSM_CIPHER_MAX;

        if (encrypt) {
            xor_into(in + done, chain);
        }
        if (!operate(key, operation, in + done, piece, out + done, piece, err)) {
            return 0;
        }
        if (!encrypt) {
            xor_into(out + done, chain);
        }
        memcpy(chain, (encrypt ? out : in) + done + piece - BLOCK, BLOCK);
        done += piece;
    }
    return 1;
}

/* --- CMAC ------------------------------------------------------------------------------------ */

/* The buffer is full and more follows: all but its last block is encrypted, which is what CMAC does
 * up to a message's last block. */
static int chain_buffer(const struct schsm_secret_key *key, struct schsm_cmac *cmac,
                        struct schsm_error *err)
{
    uint8_t out[SCHSM_CIPHER_MAX - BLOCK];

    if (!schsm_secret_key_cbc(key, true, cmac->chain, cmac->buffer, sizeof(out), out, err)) {
        if (err != NULL && err->reason == SCHSM_REASON_NOT_PERMITTED) {
            schsm_fail_context(err,
                               "a MAC over so much takes the permission aes-cbc-encrypt as well");
        }
        return 0;
    }
    memcpy(cmac->buffer, cmac->buffer + sizeof(out), BLOCK);
    cmac->len = BLOCK;
    cmac->chained = true;
    return 1;
}

int schsm_cmac_update(const struct schsm_secret_key *key, struct schsm_cmac *cmac,
                      const uint8_t *data, size_t len, struct schsm_error *err)
{
    while (len > 0) {
        size_t taken;

        if (cmac->len == sizeof(cmac->buffer) && !chain_buffer(key, cmac, err)) {
            return 0;
        }
        taken = sizeof(cmac->buffer) - cmac->len < len ? sizeof(cmac->buffer) - cmac->len : len;
        memcpy(cmac->buffer + cmac->len, data, taken);
        cmac->len += taken;
        data += taken;
        len -= taken;
    }
    return 1;
}

int schsm_cmac_finish(const struct schsm_secret_key *key, struct schsm_cmac *cmac,
                      uint8_t mac[BLOCK], struct schsm_error *err)
{
    if (cmac->chained) {
        xor_into(cmac->buffer, cmac->chain);
    }
    return operate(key, SCHSM_OP_AES_CMAC, cmac->buffer, cmac->len, mac, BLOCK, err);
}

/* --- key wrap -------------------------------------------------------------------------------- */

/* RFC 3394, 2.2.3.1 */
static const uint8_t initial_value[8] = { 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6 };

#define HALF ((size_t)8)
#define ROUNDS 6
#define STEPS_MAX ((size_t)ROUNDS * SCHSM_KEY_WRAP_MAX / HALF)

/* The step's number, big endian, into the first half. */
static void xor_number(uint8_t half[HALF], size_t number)
{
    for (size_t i = 0; i < sizeof(number) && i < HALF; i++) {
        half[HALF - 1 - i] ^= (uint8_t)(number >> 8 * i);
    }
}

/* The blocks that went in and those that came out, once more and all at once: CBC with input made
 * so that each block that goes into the cipher is the one of before. */
static int repeat(const struct schsm_secret_key *key, uint8_t *in, const uint8_t *out, size_t len,
                  struct schsm_error *err)
{
    uint8_t again[STEPS_MAX * BLOCK];

    for (size_t at = BLOCK; at < len; at += BLOCK) {
        xor_into(in + at, out + at - BLOCK);
    }
    return operate(key, SCHSM_OP_AES_CBC_ENCRYPT, in, len, again, len, err) &&
           (memcmp(again, out, len) == 0 ||
            schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                       "the device encrypted the same blocks twice, and not alike: nothing was "
                       "encrypted with it; either the device was exchanged meanwhile, or it "
                       "computes wrongly and should not be used any more"));
}

int schsm_secret_key_wrap(const struct schsm_secret_key *key, const struct schsm_secret *content,
                          uint8_t *wrapped, struct schsm_error *err)
{
    size_t len = schsm_secret_len(content), step = 0;
    uint8_t in[STEPS_MAX * BLOCK], out[STEPS_MAX * BLOCK];
    int ok = 0;

    if (len < 2 * HALF || len > SCHSM_KEY_WRAP_MAX || len % HALF != 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a key of %zu bytes cannot be wrapped", len);
    }
    memcpy(wrapped, initial_value, HALF);
    memcpy(wrapped + HALF, schsm_secret_data(content), len);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t at = HALF; at <= len; at += HALF, step++) {
            uint8_t *from = in + step * BLOCK, *to = out + step * BLOCK;

            memcpy(from, wrapped, HALF);
            memcpy(from + HALF, wrapped + at, HALF);
            if (!operate(key, SCHSM_OP_AES_CBC_ENCRYPT, from, BLOCK, to, BLOCK, err)) {
                goto done;
            }
            memcpy(wrapped, to, HALF);
            xor_number(wrapped, step + 1);
            memcpy(wrapped + at, to + HALF, HALF);
        }
    }
    ok = repeat(key, in, out, step * BLOCK, err);

done:
    if (!ok) {
        OPENSSL_cleanse(wrapped, len + HALF);
    }
    OPENSSL_cleanse(in, sizeof(in));
    OPENSSL_cleanse(out, sizeof(out));
    return ok;
}

struct schsm_secret *schsm_secret_key_unwrap(const struct schsm_secret_key *key,
                                             const uint8_t *wrapped, size_t len,
                                             struct schsm_error *err)
{
    uint8_t state[SCHSM_KEY_WRAP_MAX + HALF], block[BLOCK], out[BLOCK];
    struct schsm_secret *content = NULL;
    size_t step;

    if (len < 3 * HALF || len > sizeof(state) || len % HALF != 0) {
        schsm_fail(err, SCHSM_REASON_FILE, "%zu bytes are no wrapped key", len);
        return NULL;
    }
    memcpy(state, wrapped, len);
    step = ROUNDS * (len / HALF - 1);
    while (step > 0) {
        for (size_t at = len - HALF; at > 0; at -= HALF, step--) {
            memcpy(block, state, HALF);
            xor_number(block, step);
            memcpy(block + HALF, state + at, HALF);
            if (!operate(key, SCHSM_OP_AES_CBC_DECRYPT, block, BLOCK, out, BLOCK, err)) {
                goto done;
            }
            memcpy(state, out, HALF);
            memcpy(state + at, out + HALF, HALF);
        }
    }
    if (CRYPTO_memcmp(state, initial_value, HALF) != 0) {
        schsm_fail(err, SCHSM_REASON_WRONG_KEY, "another key wrapped it, or it was changed since");
        goto done;
    }
    content = schsm_secret_new(state + HALF, len - HALF, err);

done:
    OPENSSL_cleanse(state, sizeof(state));
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(out, sizeof(out));
    return content;
}

/* --- whose key it is ------------------------------------------------------------------------- */

static int encrypt_here(OSSL_LIB_CTX *libctx, const struct schsm_secret *secret,
                        const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
    char name[32];
    EVP_CIPHER *cipher = NULL;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0, ok;

    (void)snprintf(name, sizeof(name), "AES-%zu-ECB", schsm_secret_len(secret) * 8);
    ERR_set_mark();
    cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    ok = cipher != NULL && ctx != NULL &&
         EVP_EncryptInit_ex2(ctx, cipher, schsm_secret_data(secret), NULL, NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
         EVP_EncryptUpdate(ctx, out, &len, in, BLOCK) == 1 && len == BLOCK;
    ERR_pop_to_mark();
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return ok;
}

static int cmac_here(OSSL_LIB_CTX *libctx, const struct schsm_secret *secret,
                     const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
    char name[32];
    size_t len = 0;
    OSSL_PARAM cipher[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0),
                            OSSL_PARAM_construct_end() };
    int ok;

    (void)snprintf(name, sizeof(name), "AES-%zu-CBC", schsm_secret_len(secret) * 8);
    ERR_set_mark();
    ok = EVP_Q_mac(libctx, "CMAC", NULL, NULL, cipher, schsm_secret_data(secret),
                   schsm_secret_len(secret), in, BLOCK, out, BLOCK, &len) != NULL &&
         len == BLOCK;
    ERR_pop_to_mark();
    return ok;
}

int schsm_secret_key_is(OSSL_LIB_CTX *libctx, const struct schsm_secret_key *key,
                        const struct schsm_secret *secret, struct schsm_error *err)
{
    uint8_t in[BLOCK], here[BLOCK], there[BLOCK];
    struct schsm_error found = SCHSM_ERROR_INIT;

    if (RAND_bytes_ex(libctx, in, sizeof(in), 0) != 1 || !encrypt_here(libctx, secret, in, here)) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot encrypt a block to compare with");
        return -1;
    }
    if (!operate(key, SCHSM_OP_AES_CBC_ENCRYPT, in, BLOCK, there, BLOCK, &found)) {
        if (found.reason != SCHSM_REASON_NOT_PERMITTED) {
            return schsm_fail_as(err, &found) - 1;
        }
        if (!operate(key, SCHSM_OP_AES_CMAC, in, BLOCK, there, BLOCK, err)) {
            return -1;
        }
        if (!cmac_here(libctx, secret, in, here)) {
            schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot make a CMAC to compare with");
            return -1;
        }
    }
    return CRYPTO_memcmp(here, there, BLOCK) == 0;
}
