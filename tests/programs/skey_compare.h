/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same done with an AES key of a device, through EVP_SKEY, and with its bytes by the default
 * provider, which is the judge. OpenSSL 3.5 and later.
 */
#ifndef SC_HSM_TESTS_SKEY_COMPARE_H
#define SC_HSM_TESTS_SKEY_COMPARE_H

#include <stddef.h>

#include <openssl/evp.h>

#define SKEY_BLOCK 16
#define SKEY_DATA 40000 /* bytes to work with: more than the provider hands on at once */

struct skey_pair {
    EVP_SKEY *key;
    EVP_CIPHER *cipher;
    EVP_MAC *mac;
    EVP_CIPHER *plain; /* the default provider's */
    EVP_MAC *plain_mac;
    unsigned char *bytes;
    size_t len;
    char plain_name[16];
};

extern unsigned char skey_data[SKEY_DATA];
extern const unsigned char skey_iv[SKEY_BLOCK];

/* The key that a URI names; NULL with the error queue full. */
EVP_SKEY *skey_named(const char *uri);

/* That key and the one of these hexadecimal digits; ends the program where one is missing. */
void skey_pair_load(struct skey_pair *pair, const char *uri, const char *hex);
void skey_pair_free(struct skey_pair *pair);

/* A context of each, initialised with skey_iv: ours by the EVP_SKEY. NULL, told, where that fails.
 */
EVP_CIPHER_CTX *skey_ours(const struct skey_pair *pair, int encrypt, int pad);
EVP_CIPHER_CTX *skey_theirs(const struct skey_pair *pair, int encrypt, int pad);

/* Counts and tells what is not as it should be, an error that is left in the queue among them. */
void skey_step(const char *what, int ok);

/* It must not have been done, and have left one of our errors with this text. Empties the queue. */
void skey_refused(const char *what, int done, const char *text);

/* How many steps were not as they should be. */
int skey_failures(void);

void skey_compare_ciphers(const struct skey_pair *pair);
void skey_compare_macs(const struct skey_pair *pair);
void skey_try_contexts(const struct skey_pair *pair);
void skey_try_refusals(const struct skey_pair *pair);

#endif
