/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a DKEK share (.pbe), as OpenSC's sc-hsm-tool and CardContact's shell write it
 * (protocol reference section 13.3): "Salted__", a salt, and the share encrypted under a password.
 * Deriving the key takes 30 million MD5 operations on purpose, some seconds.
 */
#ifndef SCHSM_KEYMGMT_DKEK_SHARE_H
#define SCHSM_KEYMGMT_DKEK_SHARE_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/crypto.h>

#include "format/dkek.h"
#include "base/error.h"
#include "base/secret.h"

#define SCHSM_SHARE_FILE_LEN 64

/* Told now and then how far a long computation is; a NULL pointer or function is fine. */
struct schsm_share_progress {
    void (*tell)(void *arg, unsigned int percent);
    void *arg;
};

/*
 * The share in a file; NULL on failure. Fails with FILE for what is no such file, and where the
 * password is wrong or the file damaged, which cannot be told apart.
 */
struct schsm_secret *schsm_dkek_share_open(OSSL_LIB_CTX *libctx, const uint8_t *file, size_t len,
                                           const struct schsm_secret *password,
                                           const struct schsm_share_progress *progress,
                                           struct schsm_error *err);

/*
 * The share's 64 bytes out of what a user's file holds: the bytes, or their base64 as a printout
 * has it, and whatever white space stands between or behind them. Else FILE.
 */
int schsm_dkek_share_extract(const uint8_t *content, size_t len, uint8_t file[SCHSM_SHARE_FILE_LEN],
                             struct schsm_error *err);

/* Whether a file looks like a share, before anybody is asked for its password; else FILE. */
int schsm_dkek_share_check(const uint8_t *file, size_t len, struct schsm_error *err);

/* Encrypts a share (SCHSM_DKEK_LEN bytes) under a password of at least one byte. */
int schsm_dkek_share_seal(OSSL_LIB_CTX *libctx, const struct schsm_secret *share,
                          const struct schsm_secret *password,
                          const struct schsm_share_progress *progress,
                          uint8_t file[SCHSM_SHARE_FILE_LEN], struct schsm_error *err);

/* A new share out of libcrypto's random numbers; NULL on failure. */
struct schsm_secret *schsm_dkek_share_new(OSSL_LIB_CTX *libctx, struct schsm_error *err);

#endif
