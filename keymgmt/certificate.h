/* SPDX-License-Identifier: Apache-2.0 */
/* Which key a certificate belongs to, and what a certificate is called that belongs to none. */
#ifndef SCHSM_KEYMGMT_CERTIFICATE_H
#define SCHSM_KEYMGMT_CERTIFICATE_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "context.h"
#include "find.h"

/*
 * The private key on the device to this certificate's public key: *key becomes it, without its
 * value, and *found false where there is none among those whose public part the device tells.
 * *unknown: how many keys there are whose public part it does not tell.
 */
int schsm_certificate_find_key(struct schsm_context *context, struct schsm_device *device,
                               X509 *certificate, struct schsm_object *key, bool *found,
                               size_t *unknown, struct schsm_error *err);

/*
 * Makes sure that a private key, match, belongs to the certificate, and fails with WRONG_KEY where
 * it does not. Where the device does not tell the key's public part, it has to make a signature,
 * for which login is used.
 */
int schsm_certificate_check_key(struct schsm_context *context, struct schsm_match *match,
                                X509 *certificate, const struct schsm_login *login,
                                struct schsm_error *err);

/* The certificate's common name, else its organisation, else "certificate". */
void schsm_certificate_label(X509 *certificate, char label[SCHSM_LABEL_MAX + 1]);

/* An id that no other object will have: the SHA-1 fingerprint. */
int schsm_certificate_id(X509 *certificate, uint8_t id[SCHSM_ID_MAX], size_t *len,
                         struct schsm_error *err);

#endif
