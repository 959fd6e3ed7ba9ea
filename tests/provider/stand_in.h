/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A provider for tests, inside the test program: our signature, cipher and key exchange code under
 * a key management that takes any software key for a key on a device. The device is replaced at
 * schsm_key_operate: libcrypto's bare private operation, counted.
 */
#ifndef SCHSM_TESTS_STAND_IN_H
#define SCHSM_TESTS_STAND_IN_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/provider.h>

extern unsigned int stand_in_operations; /* device operations so far */
extern bool stand_in_broken;             /* the device fails every operation */
extern bool stand_in_busy;               /* the device is at work, not the provider */
extern const char *stand_in_permitted;   /* ids of the algorithms it permits; "": all */

/* A library context with the default provider and the stand-in. */
OSSL_LIB_CTX *stand_in_new(void);
void stand_in_free(OSSL_LIB_CTX *libctx);

/* The same key behind the stand-in, on the "device" or as a plain software key. */
EVP_PKEY *stand_in_key(OSSL_LIB_CTX *libctx, const EVP_PKEY *key, bool on_device);

#endif
