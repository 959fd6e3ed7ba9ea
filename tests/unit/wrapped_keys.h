/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of wrapped keys share. All of it fails the test where something fails. */
#ifndef SCHSM_TEST_WRAPPED_KEYS_H
#define SCHSM_TEST_WRAPPED_KEYS_H

#include <openssl/evp.h>

#include "base/secret.h"
#include "support.h"

struct schsm_secret *secret_from_hex(const char *hex);

/* The DKEK of section 23.2: A5.. and E1.. give 44.. */
struct schsm_secret *forty_four(void);

/* A new software key: of a curve, or with curve NULL of so many bits. */
EVP_PKEY *make(const char *type, const char *curve, unsigned int bits);

void assert_number(EVP_PKEY *key, const char *name, const char *hex);

/* The key in the blob. */
EVP_PKEY *unwrap(const struct bytes *blob, struct schsm_secret *dkek);

/* Wraps a key, and compares what comes out again; returns the length of the blob. */
size_t wrap_and_unwrap(EVP_PKEY *key);

#endif
