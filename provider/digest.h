/* SPDX-License-Identifier: Apache-2.0 */
/* Digests for the host's part of an operation. */
#ifndef SCHSM_PROVIDER_DIGEST_H
#define SCHSM_PROVIDER_DIGEST_H

#include <openssl/evp.h>

#define SCHSM_DIGEST_NAME_MAX 64 /* with its terminator; libcrypto's own limit is 50 */

/*
 * Makes *md the digest of that name, fetching it from libctx only if it is another one already.
 * 0 with libcrypto's error raised if there is none; *md is NULL then.
 */
int schsm_digest_select(OSSL_LIB_CTX *libctx, const char *name, EVP_MD **md);

#endif
