/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authenticated request of a key that did not come about on the device (protocol reference
 * sections 11.4 and 14.4): programs find the public part of a key there.
 */
#ifndef SCHSM_FORMAT_CVC_REQUEST_H
#define SCHSM_FORMAT_CVC_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "cvc.h"
#include "base/error.h"

/* The outer CAR of such a request: no device vouches for the key. */
#define SCHSM_CVC_IMPORTED "UTIMPORT00001"

/*
 * Builds the request of a private RSA or EC key: signed by the key itself with SHA-256; the outer
 * signature, which only the device that made a key could make, is all zeros. chr: the name of the
 * key, up to SCHSM_CVC_NAME_MAX characters. *out is allocated with OPENSSL_malloc, the caller's.
 * libctx: where to sign, NULL is libcrypto's default. UNSUPPORTED for a key that the card cannot
 * have.
 */
int schsm_cvc_build_request(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const char *chr, uint8_t **out,
                            size_t *len, struct schsm_error *err);

#endif
