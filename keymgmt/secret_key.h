/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an AES key on a device does beyond one operation of the device (model/operation.h): data of
 * any length, initialisation vectors, and the wrapping of other keys.
 *
 * Nothing shows whether a device computed rightly or with the key that was meant: such a key has no
 * public part. A key is therefore wrapped twice, and one that is unwrapped shows by its redundancy
 * that it was the same key.
 */
#ifndef SCHSM_KEYMGMT_SECRET_KEY_H
#define SCHSM_KEYMGMT_SECRET_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/crypto.h>

#include "base/error.h"
#include "base/secret.h"
#include "model/device.h"

/* An AES key as a search gave it, and how to log in for it. All of it is the caller's. */
struct schsm_secret_key {
    struct schsm_device *device;
    const struct schsm_object *object;
    const struct schsm_login *login;
};

/*
 * CBC over whole blocks, as many as one likes, without padding: out has as many bytes. chain is the
 * initialisation vector, and becomes that of the data that follows. The first block of in is
 * changed where it is encrypted. in and out do not overlap.
 */
int schsm_secret_key_cbc(const struct schsm_secret_key *key, bool encrypt,
                         uint8_t chain[SCHSM_AES_BLOCK], uint8_t *in, size_t len, uint8_t *out,
                         struct schsm_error *err);

/* CMAC (NIST SP 800-38B) of data that comes in pieces; begin with all zero. What is longer than the
 * buffer takes the permission to encrypt as well. */
struct schsm_cmac {
    uint8_t buffer[SCHSM_CIPHER_MAX];
    size_t len;
    uint8_t chain[SCHSM_AES_BLOCK];
    bool chained; /* the chain goes into the buffer's first block, which is whole then */
};

int schsm_cmac_update(const struct schsm_secret_key *key, struct schsm_cmac *cmac,
                      const uint8_t *data, size_t len, struct schsm_error *err);
int schsm_cmac_finish(const struct schsm_secret_key *key, struct schsm_cmac *cmac,
                      uint8_t mac[SCHSM_AES_BLOCK], struct schsm_error *err);

#define SCHSM_KEY_WRAP_MAX 64 /* bytes of a key to be wrapped */
#define SCHSM_KEY_WRAP_MORE 8 /* bytes that wrapping adds */

/*
 * AES key wrap (RFC 3394) of a key of 16 to SCHSM_KEY_WRAP_MAX bytes, a multiple of 8. Each of its
 * steps is one block for the device: 24 commands for a key of 32 bytes and one that repeats them
 * all, to compare. wrapped has SCHSM_KEY_WRAP_MORE bytes more.
 */
int schsm_secret_key_wrap(const struct schsm_secret_key *key, const struct schsm_secret *content,
                          uint8_t *wrapped, struct schsm_error *err);

/* The other way, 24 commands likewise. WRONG_KEY where it was wrapped by another key, or changed
 * since. NULL on failure. */
struct schsm_secret *schsm_secret_key_unwrap(const struct schsm_secret_key *key,
                                             const uint8_t *wrapped, size_t len,
                                             struct schsm_error *err);

/*
 * Whether the key on the device is this one: 1, 0, or -1 where that cannot be told, because the key
 * permits neither encryption nor CMAC. The device encrypts one random block.
 */
int schsm_secret_key_is(OSSL_LIB_CTX *libctx, const struct schsm_secret_key *key,
                        const struct schsm_secret *secret, struct schsm_error *err);

#endif
