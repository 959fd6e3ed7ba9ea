/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A short secret (a PIN, a key) in memory of its own: a private mapping, locked against swapping
 * where the process may, and again in its children, who inherit no locks; left out of core dumps,
 * cleansed before it is given back. Reference counted; the content never changes after creation, so
 * threads may share one.
 */
#ifndef SCHSM_BASE_SECRET_H
#define SCHSM_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct schsm_secret;

/* Copies len bytes (0..4000). NULL with err set when memory runs out. The caller cleanses its own
 * copy. */
struct schsm_secret *schsm_secret_new(const void *data, size_t len, struct schsm_error *err);

/*
 * The same with len zero bytes, which the caller may fill in through *data until somebody else gets
 * to see the secret: for what is computed, so that no copy lies elsewhere.
 */
struct schsm_secret *schsm_secret_alloc(size_t len, uint8_t **data, struct schsm_error *err);

struct schsm_secret *schsm_secret_ref(struct schsm_secret *secret); /* returns its argument */
void schsm_secret_free(struct schsm_secret *secret);                /* NULL is fine */

const uint8_t *schsm_secret_data(const struct schsm_secret *secret); /* not NUL terminated */
size_t schsm_secret_len(const struct schsm_secret *secret);

#endif
