/* SPDX-License-Identifier: Apache-2.0 */
/* What key.c and key_generate.c share. */
#ifndef SCHSM_KEYMGMT_KEY_INTERNAL_H
#define SCHSM_KEYMGMT_KEY_INTERNAL_H

#include <stdatomic.h>

#include "key.h"

/*
 * Takes over the match's object and adds what uri says of the PIN. The object's value must be the
 * public part. The match is empty afterwards, whatever the outcome.
 */
struct schsm_key *schsm_key_new(struct schsm_context *context, struct schsm_match *match,
                                const struct schsm_uri *uri, struct schsm_error *err);

/* The login for operations with this PIN source. */
struct schsm_login schsm_key_login(const struct schsm_context *context,
                                   struct schsm_pin_source *source, const char *object);

#endif
