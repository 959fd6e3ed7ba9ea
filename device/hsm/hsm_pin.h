/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing and unblocking the PINs of a SmartCard-HSM (protocol section 5). Each function spends at
 * most one try, and only on a value that the caller gave. Wrong ones fail with PIN_INCORRECT and
 * tries_left, blocked ones with PIN_BLOCKED.
 */
#ifndef SCHSM_HSM_HSM_PIN_H
#define SCHSM_HSM_HSM_PIN_H

#include "model/device.h"
#include "base/error.h"
#include "base/secret.h"

#define SCHSM_HSM_SO_PIN_DIGITS 16
#define SCHSM_HSM_SO_PIN_TRIES 15 /* for the life of the device */

/* The SO-PIN from the 16 hexadecimal digits that people use; the new secret is the caller's. No
 * other form is taken. NULL with PIN_LENGTH. */
struct schsm_secret *schsm_hsm_so_pin_parse(const struct schsm_secret *digits,
                                            struct schsm_error *err);

/*
 * Changes the user PIN; a transport PIN too, which ends that state. min_tries: nothing is sent when
 * fewer tries are left (PIN_TRIES_LOW), 0 for a PIN that a person typed. Where the connection broke
 * in the middle, the sentence says that either PIN may be the right one.
 */
int schsm_hsm_change_pin(struct schsm_device *dev, struct schsm_secret *old_pin,
                         struct schsm_secret *new_pin, int min_tries, struct schsm_error *err);

/*
 * Sets the user PIN's counter back by the SO-PIN, and with new_pin (may be NULL) sets a new PIN
 * (5.4). Fails with UNSUPPORTED where the device was initialised without permission for that.
 */
int schsm_hsm_unblock_pin(struct schsm_device *dev, const struct schsm_secret *so_pin,
                          struct schsm_secret *new_pin, int min_tries, struct schsm_error *err);

/* Changes the SO-PIN; as schsm_hsm_change_pin. */
int schsm_hsm_change_so_pin(struct schsm_device *dev, const struct schsm_secret *old_pin,
                            const struct schsm_secret *new_pin, int min_tries,
                            struct schsm_error *err);

#endif
