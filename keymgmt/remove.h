/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting what a URI names. */
#ifndef SCHSM_KEYMGMT_REMOVE_H
#define SCHSM_KEYMGMT_REMOVE_H

#include "find.h"
#include "login.h"

/*
 * Deletes the one object that the URI names by key-ref, id, label or handle; a private key goes
 * with its description and its certificate or request. Several are AMBIGUOUS, and nothing is
 * deleted: `type` tells a key from its certificate. A SmartCard-HSM knows a key's public part from
 * that certificate alone, so that afterwards only reference files know it. The PIN comes from the
 * URI, the configuration or passphrase, which may be NULL.
 */
int schsm_remove(struct schsm_context *context, const struct schsm_uri *uri,
                 const struct schsm_passphrase *passphrase, struct schsm_error *err);

/*
 * The same up to the deletion: finds the one object of the wanted types (or-ed), with all that goes
 * with it. For whoever asks before it is done with schsm_device_remove. Where there is no such
 * object, but what an interrupted deletion left of one, match->unfinished is set, and
 * schsm_device_remove deletes the rest; a handle may name one file of that (ORPHAN). *match is the
 * caller's, to be cleared.
 */
int schsm_remove_find(struct schsm_context *context, const struct schsm_uri *uri,
                      unsigned int wanted, struct schsm_match *match, struct schsm_error *err);

#endif
