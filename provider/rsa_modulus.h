/* SPDX-License-Identifier: Apache-2.0 */
/* The modulus as a block of bytes: the device takes blocks of its length that are less than it. */
#ifndef SCHSM_PROVIDER_RSA_MODULUS_H
#define SCHSM_PROVIDER_RSA_MODULUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

/* Big endian, OPENSSL_malloc'ed for the caller, EVP_PKEY_get_size bytes. NULL on failure. */
uint8_t *schsm_rsa_modulus(const EVP_PKEY *pkey, size_t *len);

/* False also on failure. Not constant-time: for data that is no secret. */
bool schsm_rsa_below_modulus(const EVP_PKEY *pkey, const uint8_t *block, size_t len);

#endif
