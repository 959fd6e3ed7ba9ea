/* SPDX-License-Identifier: Apache-2.0 */
/* Which PIN a device is used with, and the application's passphrase callback. */
#ifndef SCHSM_KEYMGMT_LOGIN_H
#define SCHSM_KEYMGMT_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "context.h"

/*
 * An application's passphrase callback. Writes at most size bytes to pass, their number to *len,
 * and returns 1; 0 if the application could not ask. info is shown to the user.
 */
struct schsm_passphrase {
    int (*ask)(void *arg, char *pass, size_t size, size_t *len, const char *info);
    void *arg;
};

/*
 * Asks the application for what `info` says. 1: *source is the answer, the caller's to free, and
 * stays as it was where the application could not ask, or answered nothing and may; 0: it answered
 * nothing (PIN_MISSING, naming the object), or memory ran out.
 */
int schsm_passphrase_ask(const struct schsm_passphrase *passphrase, const char *info,
                         const char *object, bool may_be_empty, struct schsm_pin_source **source,
                         struct schsm_error *err);

/* The login for operations with this PIN source, as the configuration wants it. */
struct schsm_login schsm_login_for(const struct schsm_context *context,
                                   struct schsm_pin_source *source, const char *object);

/*
 * Asks the application for the PIN of a device. 1: *source is its answer, the caller's to free, or
 * NULL where there was no need or no way to ask; 0: the answer was empty, or the device says that
 * no PIN can help.
 */
int schsm_login_ask(const struct schsm_context *context, struct schsm_device *device,
                    const char *object, const struct schsm_passphrase *passphrase,
                    struct schsm_pin_source **source, struct schsm_error *err);

#endif
