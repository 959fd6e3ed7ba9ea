/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the PIN policy says when no PIN is sent, or when the device refused one: one sentence for
 * each case, whatever the device is. device: what it is called. All of them return 0; tries_left is
 * set where it is known.
 */
#ifndef SCHSM_PIN_REFUSAL_H
#define SCHSM_PIN_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define SCHSM_TRIES_UNKNOWN (-1)
#define SCHSM_TRIES_FEW (-2) /* fewer than three: all that some devices tell */

/* remedy: how it is unblocked, behind "unblock it with". */
int schsm_refuse_blocked(struct schsm_error *err, const char *device, const char *remedy);

/* remedy: how it is initialised, behind "initialise it with". */
int schsm_refuse_uninitialised(struct schsm_error *err, const char *device, const char *remedy);

/* condition, behind "device D": what is to be done before the PIN can be used. */
int schsm_refuse_must_change(struct schsm_error *err, const char *device, const char *condition);

/* object may be NULL. by_option: the PIN's source is an option's value, see struct schsm_login. */
int schsm_refuse_missing(struct schsm_error *err, const char *device, const char *object,
                         bool by_option);

/* The source wants a PIN pad, and `where`, such as "reader R", has none. */
int schsm_refuse_pad(struct schsm_error *err, const char *where, bool by_option);

/*
 * Whether so many tries are left that a stored PIN may be tried: 1, or 0 with TRIES_LOW.
 * `left_undone` says what was not done therefore. A number that is not known is no reason to
 * refuse; few is taken for two.
 */
int schsm_check_tries(struct schsm_error *err, const char *device, int tries, int min_tries,
                      const char *left_undone, bool by_option);

/* Whether a PIN is as long as the device's are: 1, or 0 with PIN_LENGTH. */
int schsm_check_pin_length(struct schsm_error *err, const char *device, size_t len, size_t min,
                           size_t max);

/* The device refused this very PIN before; tries is what was left then. */
int schsm_refuse_known_wrong(struct schsm_error *err, const char *device, int tries);

/* The device refused the PIN just now; 0 tries: it is blocked by that. */
int schsm_refuse_wrong(struct schsm_error *err, const char *device, int tries, const char *remedy);

#endif
