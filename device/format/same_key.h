/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two public keys are one. */
#ifndef SCHSM_FORMAT_SAME_KEY_H
#define SCHSM_FORMAT_SAME_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

/* Whether two keys have the same public part, whether or not one is restricted to RSA-PSS: devices
 * know plain RSA keys alone. */
bool schsm_same_public_key(const EVP_PKEY *a, const EVP_PKEY *b);

/* Whether a SubjectPublicKeyInfo of the device's is this key, which may be restricted to RSA-PSS.
 * One that libcrypto cannot read is none. */
bool schsm_public_key_is(OSSL_LIB_CTX *libctx, const uint8_t *spki, size_t len,
                         const EVP_PKEY *key);

#endif
