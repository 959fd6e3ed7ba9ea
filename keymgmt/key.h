/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private key on a device, as the host knows it: its public part, where it lives, and how to log
 * in for it. Creating one from a reference that carries the public part costs no device command;
 * the device is found at the first private operation.
 */
#ifndef SCHSM_KEYMGMT_KEY_H
#define SCHSM_KEYMGMT_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "context.h"
#include "find.h"
#include "login.h"
#include "reference.h"
#include "uri.h"

struct schsm_key;

/* From a parsed key reference file. Without a public part in it the device is asked for it; one
 * that shows the key only after a login asks for a PIN first (reveal.h; passphrase may be NULL). */
struct schsm_key *schsm_key_from_reference(struct schsm_context *context,
                                           const struct schsm_reference *reference,
                                           const struct schsm_passphrase *passphrase,
                                           struct schsm_error *err);

/* From an object found on a device; uri gives the PIN source, if any. */
struct schsm_key *schsm_key_from_match(struct schsm_context *context, struct schsm_match *match,
                                       const struct schsm_uri *uri, struct schsm_error *err);

/*
 * Generates a key pair. selector of the device and PIN source come from uri (an empty one: the
 * configuration's; without any PIN source the controlling terminal is asked).
 */
struct schsm_key *schsm_key_generate(struct schsm_context *context, const struct schsm_uri *uri,
                                     const struct schsm_generate *spec, struct schsm_error *err);

/* Whether it was made here, and not loaded: then its reference file may be yet to be written. */
bool schsm_key_was_made(const struct schsm_key *key);

/*
 * Replaces the public part of a key just made, which nobody shares yet, by that of an RSA-PSS key
 * with the same numbers. The device knows plain RSA keys alone: from here on the key's reference
 * says what it is for.
 */
int schsm_key_restrict(struct schsm_key *key, EVP_PKEY *restricted, struct schsm_error *err);

struct schsm_key *schsm_key_ref(struct schsm_key *key); /* returns its argument */
void schsm_key_free(struct schsm_key *key);

/*
 * The PIN at load: proves a PIN that the URI, the configuration or the callback supplies, as
 * product.md section 3 says; passphrase may be NULL. Without a PIN from anywhere it succeeds and
 * touches nothing; an empty answer of the callback is failure (PIN_MISSING).
 */
int schsm_key_login_at_load(struct schsm_key *key, const struct schsm_passphrase *passphrase,
                            struct schsm_error *err);

/*
 * One private operation; sizes as in device.h. The result is checked with the public part before it
 * is handed out, each time unless the setting `verify` says otherwise: a key that was replaced on
 * the device is WRONG_KEY, a device that computes wrongly DEVICE_DATA, and *out_len is 0 then. For
 * ECDH the device's public key is compared at the first use of a connection.
 */
int schsm_key_operate(struct schsm_key *key, enum schsm_operation operation, const uint8_t *in,
                      size_t in_len, uint8_t *out, size_t *out_len, struct schsm_error *err);

/* Whether the device holds the key whose public part we have: 1, or 0 with WRONG_KEY or why it
 * cannot be told. Asks the device. */
int schsm_key_check(struct schsm_key *key, struct schsm_error *err);

/* Deletes the key pair on the device; the object is useless afterwards. */
int schsm_key_remove(struct schsm_key *key, struct schsm_error *err);

const char *schsm_key_name(const struct schsm_key *key); /* borrowed; as in sentences */
int schsm_key_place(const struct schsm_key *key); /* its key reference; -1: a token's has none */
EVP_PKEY *schsm_key_public(const struct schsm_key *key); /* borrowed; public part only */

/* The URI that names the key, without a PIN; OPENSSL_malloc'ed for the caller, NULL on failure. */
char *schsm_key_uri(struct schsm_key *key, struct schsm_error *err);

/* The key's reference file in DER; OPENSSL_malloc'ed for the caller. */
int schsm_key_reference(struct schsm_key *key, uint8_t **der, size_t *len, struct schsm_error *err);

/* The same in PEM, with what it stands for (schsm_reference_write). */
int schsm_key_reference_write(struct schsm_key *key, BIO *out, struct schsm_error *err);

#endif
