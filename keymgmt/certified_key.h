/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key with what its device certified of it: the request of its making and the device's chain.
 * Such keys vouch for themselves before other devices: a custodian's for public-key authentication,
 * a key domain's signer, a key for the exchange of a key encryption key (protocol reference
 * sections 15 and 16).
 */
#ifndef SCHSM_KEYMGMT_CERTIFIED_KEY_H
#define SCHSM_KEYMGMT_CERTIFIED_KEY_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/crypto.h>

#include "format/cvc_container.h"
#include "model/device.h"

struct schsm_certified_key {
    struct schsm_device *device; /* the registry's */
    int key_ref;
    char name[SCHSM_CVC_NAME_MAX + 1]; /* as the request names the key */
    uint8_t *request;                  /* 67 */
    size_t request_len;
    uint8_t *device_id; /* file 2F02 */
    size_t device_id_len;
    struct schsm_container parts; /* views into both */
};

/*
 * Reads both from the device and verifies the device's and the key's own signature; who made the
 * device is not looked at. *key is always to be cleared. Fails with NOT_FOUND where the request is
 * gone, WRONG_KEY where a signature does not verify.
 */
int schsm_certified_key_load(struct schsm_device *device, int key_ref,
                             struct schsm_certified_key *key, struct schsm_error *err);
void schsm_certified_key_clear(struct schsm_certified_key *key);

/* The key as a file that other devices read; OPENSSL_malloc'ed for the caller. */
int schsm_certified_key_export(const struct schsm_certified_key *key, uint8_t **file, size_t *len,
                               struct schsm_error *err);

/*
 * ECDSA with SHA-256 over a message, as r || s; *signature_len is the capacity and becomes the
 * length, SCHSM_ECDSA_RAW_MAX suffices. The signature is verified with the request's public key:
 * WRONG_KEY where the request is another key's.
 */
int schsm_certified_key_sign(OSSL_LIB_CTX *libctx, const struct schsm_certified_key *key,
                             const struct schsm_login *login, const uint8_t *message,
                             size_t message_len, uint8_t *signature, size_t *signature_len,
                             struct schsm_error *err);

/*
 * Reads a file of certified keys (format/cvc_container.h), which must be of that kind and, but for
 * a device id, what it claims to be. needed ends the sentence for another kind: "a membership is
 * needed". *file is OPENSSL_malloc'ed, the caller's also after failure; *parts are views into it.
 * Fails with BAD_INPUT, DEVICE_DATA or WRONG_KEY, naming the file.
 */
int schsm_certified_file_read(const char *path, enum schsm_container_kind kind, const char *needed,
                              uint8_t **file, struct schsm_container *parts,
                              struct schsm_error *err);

#endif
