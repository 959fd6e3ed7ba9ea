/* SPDX-License-Identifier: Apache-2.0 */
/* CV certificates made for the tests, with libcrypto's keys: a second way to the same bytes. */
#ifndef SCHSM_TEST_CERTIFICATES_H
#define SCHSM_TEST_CERTIFICATES_H

#include <openssl/evp.h>

#include "support.h"

struct certificate_spec {
    const char *car, *chr;
    EVP_PKEY *key;      /* whose public part it holds */
    EVP_PKEY *signer;   /* NULL: itself */
    const char *digest; /* of the signer; NULL: SHA256 */
    bool pss;           /* RSA signer */
    uint8_t key_scheme; /* last byte of the key's OID; 0: SHA-256 */
    bool no_parameters; /* leave out the EC domain parameters */
    int role;           /* byte of the CHAT; negative: no CHAT and no dates, as in requests */
};

/* 7F21 */
struct bytes make_certificate(const struct certificate_spec *spec);

/* 67 around it, signed by the device's key under the name outer_car. */
struct bytes make_request(const struct certificate_spec *spec, const char *outer_car,
                          EVP_PKEY *device);

/* The key's SubjectPublicKeyInfo as libcrypto encodes it. */
struct bytes encode_public_key(EVP_PKEY *key);

#endif
