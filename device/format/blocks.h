/* SPDX-License-Identifier: Apache-2.0 */
/* AES over whole blocks, for the formats that pad by themselves. */
#ifndef SCHSM_FORMAT_BLOCKS_H
#define SCHSM_FORMAT_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#define SCHSM_BLOCK_LEN 16 /* bytes of AES's block, and of a first vector */

/*
 * Encrypts or decrypts len bytes, a multiple of SCHSM_BLOCK_LEN, to as many bytes at out. name:
 * libcrypto's, such as "AES-256-CBC", with the key that it needs; iv: NULL for ECB. False where
 * libcrypto fails.
 */
bool schsm_crypt_blocks(OSSL_LIB_CTX *libctx, const char *name, const uint8_t *key,
                        const uint8_t *iv, bool encrypt, const uint8_t *in, size_t len,
                        uint8_t *out);

#endif
