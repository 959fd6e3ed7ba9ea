/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private key of the host's onto a SmartCard-HSM: it is wrapped here as another device would wrap
 * it, which takes the DKEK, and unwrapped there (protocol reference section 14.4).
 */
#ifndef SCHSM_KEYMGMT_IMPORT_KEY_H
#define SCHSM_KEYMGMT_IMPORT_KEY_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "model/device.h"
#include "base/error.h"
#include "base/secret.h"

struct schsm_import {
    EVP_PKEY *key; /* RSA or EC, with its private part; NULL: the key is secret */
    const struct schsm_secret *secret; /* an AES key of 16, 24 or 32 bytes, where key is NULL */
    X509 *certificate;               /* of the key; NULL: the device gets a request in its place */
    const STACK_OF(X509) * chain;    /* CA certificates to store beside it; NULL: none */
    const struct schsm_secret *dkek; /* dkek.h */
    int key_ref;                     /* -1: the next free one */
    const uint8_t *id;               /* NULL: a free one */
    size_t id_len;
    const char *label;         /* NULL: none */
    const uint8_t *algorithms; /* card algorithm ids; NULL: everything is allowed */
    size_t algorithms_len;
};

/*
 * Whether the device takes keys that are wrapped under this DKEK, before a PIN is asked for;
 * WRONG_KEY with both key check values. No login.
 */
int schsm_import_check_dkek(OSSL_LIB_CTX *libctx, struct schsm_device *device,
                            const struct schsm_secret *dkek, struct schsm_error *err);

/*
 * Imports the key. The certificates of the chain come first, those left out that the device has
 * already; *stored becomes how many were stored. EXISTS where the device has the key already and
 * import->id names none for a second copy. An AES key is known by what it makes of a random block,
 * where it permits encryption or CMAC and has no use counter. A failure leaves the device as it
 * was. *made is filled (value: the public key, if it has one), to be cleared with
 * schsm_object_clear.
 */
int schsm_import_key(OSSL_LIB_CTX *libctx, struct schsm_device *device,
                     const struct schsm_import *import, const struct schsm_login *login,
                     struct schsm_object *made, size_t *stored, struct schsm_error *err);

#endif
