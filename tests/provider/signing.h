/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of signatures share: signing and verifying as programs do, with all they may set.
 */
#ifndef SCHSM_TESTS_SIGNING_H
#define SCHSM_TESTS_SIGNING_H

#include "checks.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The library context of the test's keys. */
extern OSSL_LIB_CTX *signing_libctx;

/* What digest_sign() signs. */
extern const unsigned char signing_message[25];

/* Parameters of a signature, as a program would give them. NULL and NONE leave them alone. */
#define NONE (-100)
struct options {
    const char *pad;
    const char *salt; /* text form */
    int salt_number;
    const char *mgf1;
};
extern const struct options plain;

struct result {
    int ok;
    unsigned char sig[600];
    size_t sig_len;
    unsigned char aid[200];
    size_t aid_len;
};

/* The whole of a DigestSign with all that a caller could see of it. */
struct result digest_sign(EVP_PKEY *key, const char *md, const struct options *options);

int digest_verify(EVP_PKEY *key, const char *md, const struct options *options,
                  const struct result *result);

/* Signing of a digest, or of anything, that the caller has made; sig has 600 bytes. */
int raw_sign(EVP_PKEY *key, const char *md, const char *pad, const unsigned char *data, size_t len,
             unsigned char *sig, size_t *sig_len);

int raw_verify(EVP_PKEY *key, const unsigned char *data, size_t len, const unsigned char *sig,
               size_t sig_len);

#endif
