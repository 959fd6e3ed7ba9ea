/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that came to a device and were not described before the program was killed, on devices that
 * describe keys themselves (hsm_wrap.h). The same command made again goes on with such a key.
 */
#ifndef SCHSM_KEYMGMT_UNFINISHED_H
#define SCHSM_KEYMGMT_UNFINISHED_H

#include <stdbool.h>
#include <stddef.h>

#include "model/device.h"
#include "base/error.h"

/* Key references under which a key may be one. */
struct schsm_unfinished {
    unsigned int refs[255];
    size_t count;
};

/* The keys, secret ones or pairs, that the device has described itself; with key_ref at most that
 * one, -1: any. None, and nobody is asked, where the device describes no keys. */
int schsm_unfinished_find(struct schsm_device *device, bool secret, int key_ref,
                          struct schsm_unfinished *unfinished, struct schsm_error *err);

#endif
