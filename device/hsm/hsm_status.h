/* SPDX-License-Identifier: Apache-2.0 */
/* What only a SmartCard-HSM tells of its state, beside struct schsm_device_info. */
#ifndef SCHSM_HSM_HSM_STATUS_H
#define SCHSM_HSM_HSM_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/device.h"
#include "base/error.h"

struct schsm_hsm_status {
    bool public_key_login; /* the PIN alone does not open it: public keys have to authenticate */
    bool so_pin_set;       /* false: never initialised, the next SO-PIN is the device's for ever */
    bool so_pin_blocked;   /* it can never be initialised again */
    int so_pin_tries;      /* -1: unknown */
    bool options_known;   /* as in struct schsm_device_info, not told while somebody is logged in */
    bool options_untold;  /* the device never tells them, as applets before 2.0 do not */
    unsigned int options; /* enum schsm_hsm_option */
    bool public_keys;     /* public-key authentication is set up, and: */
    unsigned int public_keys_total, public_keys_missing, public_keys_required,
        public_keys_authenticated;
    bool memory_known;
    uint32_t free_memory;                      /* bytes */
    unsigned int version_major, version_minor; /* told with it; 0.0: not told */
};

/* Asks the device; nobody is logged in or out, no try is spent. Best after schsm_device_info, which
 * learns the options where that is harmless. */
int schsm_hsm_status(struct schsm_device *dev, struct schsm_hsm_status *status,
                     struct schsm_error *err);

#endif
