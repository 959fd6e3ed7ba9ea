/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the test programs share: a key loaded as any program loads one, by OpenSSL's store from a
 * file or a URI, and signatures judged by a library context that knows nothing of our provider.
 */
#ifndef SC_HSM_TESTS_PROGRAM_H
#define SC_HSM_TESTS_PROGRAM_H

#include <openssl/evp.h>
#include <openssl/provider.h>

struct program_key {
    EVP_PKEY *key;       /* the private key, wherever it is */
    OSSL_LIB_CTX *other; /* with the default provider alone */
    OSSL_PROVIDER *default_provider;
    EVP_PKEY *judge; /* the public key in there */
};

/* Loads the first private key of a file or URI. Ends the program with a message on failure. */
void program_load_key(struct program_key *key, const char *name);
void program_free_key(struct program_key *key);

/* The first private key there, the caller's; NULL where there is none. */
EVP_PKEY *program_first_key(const char *name);

/* Signs the text "message NUMBER" with SHA-256 and verifies the signature. 1 on success; 0 leaves
 * the reason in OpenSSL's error queue, or a line on standard error if the signature is wrong. */
int program_sign(const struct program_key *key, unsigned int number);

/* Prints what the error queue holds, and empties it. */
void program_print_errors(const char *what);

/* Says "failed: " and what the error queue holds, in one line on standard output, and empties it.
 * From OpenSSL 3.5 on the last one is libcrypto's own. */
void program_say_errors(void);

/* A positive number from the command line; ends the program if it is none. */
unsigned int program_number(const char *text);

/* Ends the process when it still waits after 30 seconds, for what takes none; slow machines set
 * SC_HSM_TEST_SCALE in the environment. */
void program_end_late(void);

#endif
