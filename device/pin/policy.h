/* SPDX-License-Identifier: Apache-2.0 */
/* When a PIN may be sent, and which is kept. */
#ifndef SCHSM_PIN_POLICY_H
#define SCHSM_PIN_POLICY_H

#include "base/secret.h"

enum schsm_login_state {
    SCHSM_LOGIN_UNKNOWN, /* ask the card */
    SCHSM_LOGIN_OUT,
    SCHSM_LOGIN_IN
};

/* Puts a reference to pin, which may be NULL, into a place that a forked child is to find whole. */
void schsm_pin_keep(struct schsm_secret **place, struct schsm_secret *pin);

#endif
