/* SPDX-License-Identifier: Apache-2.0 */
/* An AES key on a device as a program holds it: where it is and how to log in for it. */
#ifndef SCHSM_KEYMGMT_LOADED_SECRET_H
#define SCHSM_KEYMGMT_LOADED_SECRET_H

#include "context.h"
#include "find.h"
#include "login.h"
#include "secret_key.h"
#include "uri.h"

struct schsm_loaded_secret;

/*
 * The one AES key that the URI names. The device is looked at; a PIN that the URI or the
 * configuration gives is proven now, unless the configuration says when else, and where they give
 * none the controlling terminal is asked when one is needed. The context is borrowed and outlives
 * the key. One reference, the caller's. NULL where there is no such key, or several, or it cannot
 * be found out.
 */
struct schsm_loaded_secret *schsm_loaded_secret_find(struct schsm_context *context, const char *uri,
                                                     struct schsm_error *err);

/* The same of a key that a search gave, and without a PIN so far. The match is empty afterwards,
 * whatever the outcome. */
struct schsm_loaded_secret *schsm_loaded_secret_from_match(struct schsm_context *context,
                                                           struct schsm_match *match,
                                                           const struct schsm_uri *uri,
                                                           struct schsm_error *err);

/*
 * Proves a PIN that the URI or the configuration gives, or the application's answer (passphrase:
 * may be NULL), unless the configuration says when else; where there is none, the controlling
 * terminal is asked when one is needed. Before anybody uses the key.
 */
int schsm_loaded_secret_login_at_load(struct schsm_loaded_secret *secret,
                                      const struct schsm_passphrase *passphrase,
                                      struct schsm_error *err);

/* Makes one on the device that the URI means, as schsm_key_generate makes pairs of keys. */
struct schsm_loaded_secret *schsm_loaded_secret_generate(struct schsm_context *context,
                                                         const struct schsm_uri *uri,
                                                         const struct schsm_generate *spec,
                                                         struct schsm_error *err);

struct schsm_loaded_secret *schsm_loaded_secret_ref(struct schsm_loaded_secret *secret);
void schsm_loaded_secret_free(struct schsm_loaded_secret *secret);

/* Its URI, which finds it again, without a PIN. The key's. */
const char *schsm_loaded_secret_uri(const struct schsm_loaded_secret *secret);

/* What a user recognises it by, for sentences and the log. The key's. */
const char *schsm_loaded_secret_name(const struct schsm_loaded_secret *secret);

/* Its length; 0: the device does not tell. */
unsigned int schsm_loaded_secret_bits(const struct schsm_loaded_secret *secret);

/* For operations: *login and what is returned are good as long as the key is. */
struct schsm_secret_key schsm_loaded_secret_key(const struct schsm_loaded_secret *secret,
                                                struct schsm_login *login);

#endif
