/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key encryption key of a device or key domain (DKEK), and what is derived from it (protocol
 * reference sections 13.1 and 13.2). It is 32 bytes, the exclusive or of all its shares.
 *
 * libctx: where host cryptography is done; NULL is libcrypto's default.
 */
#ifndef SCHSM_FORMAT_DKEK_H
#define SCHSM_FORMAT_DKEK_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/crypto.h>

#include "base/error.h"
#include "base/secret.h"

#define SCHSM_DKEK_LEN 32 /* of the key and of each share */
#define SCHSM_KCV_LEN 8   /* key check value */
#define SCHSM_KCV_TEXT_MAX (2 * SCHSM_KCV_LEN + 1)

/* The key check value: the first bytes of SHA-256(key). Fails with ARGUMENT for another length. */
int schsm_dkek_kcv(OSSL_LIB_CTX *libctx, const struct schsm_secret *dkek,
                   uint8_t kcv[SCHSM_KCV_LEN], struct schsm_error *err);

/* A key check value in hexadecimal digits, as all tools print it. */
void schsm_kcv_text(const uint8_t kcv[SCHSM_KCV_LEN], char text[SCHSM_KCV_TEXT_MAX]);

/* The two AES-256 keys that protect a wrapped key. */
enum schsm_dkek_use {
    SCHSM_DKEK_ENCRYPTION = 1, /* KENC */
    SCHSM_DKEK_AUTHENTICATION  /* KMAC */
};

/* A derived key, 32 bytes, the caller's to free; NULL on failure. */
struct schsm_secret *schsm_dkek_derive(OSSL_LIB_CTX *libctx, const struct schsm_secret *dkek,
                                       enum schsm_dkek_use use, struct schsm_error *err);

/* The key out of all its shares (1 or more), in any order; NULL on failure. */
struct schsm_secret *schsm_dkek_combine(struct schsm_secret *const *shares, size_t count,
                                        struct schsm_error *err);

#endif
