/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a key on a device signs of itself for others: certification requests (PKCS#10) and
 * self-signed certificates (X.509). libcrypto encodes names and extensions, the device signs, and
 * what comes of it is read and verified by libcrypto before it is handed out.
 */
#ifndef SCHSM_KEYMGMT_ISSUE_H
#define SCHSM_KEYMGMT_ISSUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509v3.h>

#include "base/tlv.h"
#include "context.h"
#include "find.h"

struct schsm_issue {
    struct schsm_context *context;
    const struct schsm_match *key; /* a private key that came with its public part */
    const struct schsm_login *login;
    X509_NAME *subject;
    GENERAL_NAMES *names; /* subject alternative names; NULL: none */
    bool pss;             /* of an RSA key: sign by PSS, also where it may sign otherwise */
    bool authority;       /* certificate: it may sign others */
    unsigned int days;    /* certificate: for how long from now on */
};

/*
 * RSA keys sign with SHA-256, by PKCS#1 v1.5 or by PSS where that is asked for or is all that the
 * key permits; EC keys with the digest that is as long as their curve; Ed25519 and Ed448 as they
 * are. *der is OPENSSL_malloc'ed, the caller's. Fails as the key's operation does, and with
 * UNSUPPORTED for keys that sign nothing.
 */
int schsm_issue_request(const struct schsm_issue *issue, uint8_t **der, size_t *len,
                        struct schsm_error *err);
int schsm_issue_self_signed(const struct schsm_issue *issue, uint8_t **der, size_t *len,
                            struct schsm_error *err);

/* The signature alone (issue_sign.c), for issue.c: */

struct schsm_signature_scheme;

/* How the key signs; NULL with UNSUPPORTED where it does not. */
const struct schsm_signature_scheme *schsm_signature_scheme(const struct schsm_issue *issue,
                                                            EVP_PKEY *public_key,
                                                            struct schsm_error *err);

/* The scheme's AlgorithmIdentifier, which the signed part has to name as well. */
struct schsm_view schsm_signature_algorithm(const struct schsm_signature_scheme *scheme);

/* *signature is OPENSSL_malloc'ed, the caller's. */
int schsm_signature_make(const struct schsm_issue *issue, EVP_PKEY *public_key,
                         const struct schsm_signature_scheme *scheme, const uint8_t *message,
                         size_t len, uint8_t **signature, size_t *signature_len,
                         struct schsm_error *err);

#endif
