/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#1 v1.5 encryption blocks with one thing wrong each, and right ones to compare with; both
 * encrypted without padding, so that any block can be had.
 */
#ifndef SC_HSM_TESTS_MALFORMED_H
#define SC_HSM_TESTS_MALFORMED_H

#include <stddef.h>

#include <openssl/evp.h>

#define MALFORMED_BLOCK_MAX 512
#define PREMASTER_SIZE 48

/* How many ways to be wrong there are. */
extern const unsigned int malformed_kinds;
const char *malformed_kind_name(unsigned int kind);

/* A block of that kind, size bytes long, its free bytes random. 1 on success, as all below. */
int malformed_block(unsigned int kind, unsigned char *block, size_t size);

/* A right block around a random message of that length, which is at most size - 11. */
int right_block(unsigned char *block, size_t size, size_t message_len);

/* The block's last bytes become a TLS premaster secret that begins with that version; what was
 * wrong in front of them stays wrong. */
int put_premaster(unsigned char *block, size_t size, unsigned int version);

/* Encrypts a block with the public key of libctx; ciphertext has room for size bytes. */
int encrypt_block(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const unsigned char *block, size_t size,
                  unsigned char *ciphertext);

/* A number from 0 to limit - 1. */
unsigned int random_below(unsigned int limit);

#endif
