/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a result agree with the public part of the key? A device that was exchanged, whose key was
 * replaced, or that computes wrongly must not be believed: a wrong secret loses data, and one wrong
 * signature of an RSA key with the Chinese remainder theorem gives the key away. All of it on the
 * host, but for ECDH, whose result shows nothing: there the device's public key is compared.
 *
 * The results of secret keys (SCHSM_OP_AES_...) have nothing to agree with: such a key has no
 * public part, and its value is on the device alone. Who uses one checks what can be checked
 * without it (keymgmt/secret_key.h): a key that was wrapped is computed twice, and unwrapped it
 * shows by its redundancy whether it was the same key.
 */
#ifndef SCHSM_CHECK_CHECK_H
#define SCHSM_CHECK_CHECK_H

#include <stdatomic.h>
#include <stdbool.h>

#include <openssl/evp.h>

#include "model/device.h"

/* The key that a device is supposed to hold. All of it is the caller's. */
struct schsm_expected_key {
    OSSL_LIB_CTX *libctx;
    EVP_PKEY *public_key;
    const char *name; /* for sentences */
    bool first_only;  /* only the first result on each connection is compared */
};

/* What was found out about one device; zero at the beginning. Connections to it, 0: none. On
 * another one there may be another card. */
struct schsm_checked {
    atomic_ulong result;      /* a result agreed with the public part */
    atomic_ulong public_part; /* it showed the public part */
};

/* One private operation as it was asked for: object is the key as the device told it. */
struct schsm_asked {
    struct schsm_device *device;
    const struct schsm_object *object;
    const struct schsm_login *login;
    enum schsm_operation operation;
    const uint8_t *in;
    size_t in_len;
};

/*
 * Whether what an operation made of its input agrees with the public part. Where it does not, the
 * output is wiped, *out_len 0, and the sentence says whose fault it is: WRONG_KEY. No device
 * command, but for the first ECDH on a connection, and after a result that is wrong.
 */
int schsm_check_result(const struct schsm_expected_key *key, struct schsm_checked *checked,
                       const struct schsm_asked *asked, uint8_t *out, size_t *out_len,
                       struct schsm_error *err);

/* Whether a signature that an operation made of its input agrees with the public key. */
int schsm_signature_fits(OSSL_LIB_CTX *libctx, EVP_PKEY *key, enum schsm_operation operation,
                         const uint8_t *in, size_t in_len, const uint8_t *sig, size_t sig_len);

/* Whether the device shows the public part: 1, or 0 with WRONG_KEY or why it cannot be told. */
int schsm_check_device(const struct schsm_expected_key *key, struct schsm_device *device,
                       const struct schsm_object *object, const struct schsm_login *login,
                       struct schsm_error *err);

#endif
