/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key reference file: DER (and, in PEM, label "SC-HSM PRIVATE KEY")
 *
 *     SEQUENCE { UTF8String "sc-hsm key v1", UTF8String uri, [0] SubjectPublicKeyInfo OPTIONAL }
 *
 * with an explicit tag. It stands for a key on a device wherever OpenSSL reads a private key, and
 * never holds a PIN.
 */
#ifndef SCHSM_KEYMGMT_REFERENCE_H
#define SCHSM_KEYMGMT_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/error.h"
#include "model/device.h"

#define SCHSM_REFERENCE_PEM_NAME "SC-HSM PRIVATE KEY"

struct schsm_reference {
    char *uri;
    uint8_t *spki; /* DER; NULL: absent */
    size_t spki_len;
};

void schsm_reference_clear(struct schsm_reference *reference);

/* How a buffer relates to this format. */
enum schsm_reference_kind {
    SCHSM_REFERENCE_NONE,      /* something else; err is untouched */
    SCHSM_REFERENCE_MALFORMED, /* ours by its first element, but damaged; err is set */
    SCHSM_REFERENCE_OK         /* *reference is filled, to be cleared by the caller */
};

enum schsm_reference_kind schsm_reference_decode(const uint8_t *der, size_t len,
                                                 struct schsm_reference *reference,
                                                 struct schsm_error *err);

/* *der: OPENSSL_malloc'ed, the caller's. spki may be NULL. */
int schsm_reference_encode(const char *uri, const uint8_t *spki, size_t spki_len, uint8_t **der,
                           size_t *len, struct schsm_error *err);

/*
 * Writes the file in PEM for a key of this URI, whose public part is the object's value where it
 * has one: text that says what it stands for, and the reference.
 */
int schsm_reference_write(const char *uri, const struct schsm_object *object, BIO *out,
                          struct schsm_error *err);

#endif
