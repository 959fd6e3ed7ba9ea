/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files encrypted for an AES key on a device: CMS (RFC 5652) of type AuthEnvelopedData (RFC 5083)
 * with AES-GCM (RFC 5084). The content has a key of its own, made on the host for this file alone;
 * it stands in the file wrapped by the device's key (KEKRecipientInfo, RFC 3394). So a file of any
 * size costs the device a few commands, nobody can change it unnoticed, and whoever else holds the
 * key opens it with 'openssl cms -decrypt -inform DER -secretkey HEX'.
 */
#ifndef SCHSM_KEYMGMT_ENCRYPTED_FILE_H
#define SCHSM_KEYMGMT_ENCRYPTED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/crypto.h>

#include "secret_key.h"

/* Where bytes come from; as schsm_file_read_piece: *len is room and what came, less than that only
 * at the end. */
struct schsm_bytes_in {
    int (*read)(void *arg, uint8_t *out, size_t *len, struct schsm_error *err);
    void *arg;
};

/* Where bytes go. */
struct schsm_bytes_out {
    int (*write)(void *arg, const void *bytes, size_t len, struct schsm_error *err);
    void *arg;
    bool can_abandon; /* what was written is thrown away where the whole fails */
};

/* Encrypts all that comes. Memory does not depend on how much that is. */
int schsm_encrypt_file(OSSL_LIB_CTX *libctx, const struct schsm_secret_key *key,
                       const struct schsm_bytes_in *in, const struct schsm_bytes_out *out,
                       struct schsm_error *err);

/*
 * Decrypts what that wrote, or another program: BER or DER. What is written to out may count only
 * after success, for the content is authentic no earlier; where out cannot be abandoned nothing is
 * written before, and the encrypted content is kept meanwhile in a file without a name. Fails with
 * WRONG_KEY where it is for other keys or was changed, with FILE where it is malformed.
 */
int schsm_decrypt_file(OSSL_LIB_CTX *libctx, const struct schsm_secret_key *key,
                       const struct schsm_bytes_in *in, const struct schsm_bytes_out *out,
                       struct schsm_error *err);

#endif
