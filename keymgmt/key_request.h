/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside a key whose public part no file tells: a request that the key signs itself. */
#ifndef SCHSM_KEYMGMT_KEY_REQUEST_H
#define SCHSM_KEYMGMT_KEY_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/error.h"

/*
 * The authenticated request (cvc_request.h) of an RSA or EC pair for the device with this serial
 * number, named as the keys that the device makes. *out is OPENSSL_malloc'ed, the caller's.
 */
int schsm_key_request(OSSL_LIB_CTX *libctx, EVP_PKEY *pair, const char *serial, uint8_t **out,
                      size_t *len, struct schsm_error *err);

#endif
