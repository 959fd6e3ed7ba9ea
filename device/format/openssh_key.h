/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys as OpenSSH writes them (PROTOCOL.key, "openssh-key-v1"). */
#ifndef SCHSM_FORMAT_OPENSSH_KEY_H
#define SCHSM_FORMAT_OPENSSH_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/error.h"

/* Whether the text has such a key in it. */
bool schsm_openssh_key_is(const uint8_t *text, size_t len);

/*
 * The first such key of a text, RSA or EC, with its public part. NULL on failure: FILE for what is
 * malformed, UNSUPPORTED for a key that a SmartCard-HSM cannot hold, and for one that is encrypted:
 * its key is derived with bcrypt, which libcrypto does not have.
 */
EVP_PKEY *schsm_openssh_key_read(OSSL_LIB_CTX *libctx, const uint8_t *text, size_t len,
                                 struct schsm_error *err);

#endif
