/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of a PKCS#11 module as devices, for the registry. A build without PKCS#11 has
 * pkcs11_absent.c instead. */
#ifndef SCHSM_PKCS11_PKCS11_DEVICE_H
#define SCHSM_PKCS11_PKCS11_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/device.h"
#include "base/error.h"
#include "model/selector.h"

struct schsm_pkcs11_tokens;

/* The tokens of the module at this path; loads nothing. */
struct schsm_pkcs11_tokens *schsm_pkcs11_tokens_new(const char *path, struct schsm_error *err);

/* Frees the devices and ends their sessions. */
void schsm_pkcs11_tokens_free(struct schsm_pkcs11_tokens *tokens);

/*
 * Appends the tokens that fit to devices[], which has room for *count more; *count becomes their
 * number. seen is told each token that does not fit. The caller serialises. None that fits is
 * success; what cannot be asked fails.
 */
int schsm_pkcs11_tokens_find(struct schsm_pkcs11_tokens *tokens,
                             const struct schsm_device_selector *selector,
                             struct schsm_device **devices, size_t *count,
                             void (*seen)(void *arg, const char *label, const char *serial),
                             void *arg, struct schsm_error *err);

/* Whether this thread is inside of a module, which called us from there: then no device may be
 * looked for, because locks are held. */
bool schsm_pkcs11_inside(void);

/* The module's path. */
const char *schsm_pkcs11_tokens_module(const struct schsm_pkcs11_tokens *tokens);

#endif
