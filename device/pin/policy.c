/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include "base/fork_guard.h"

void schsm_pin_keep(struct schsm_secret **place, struct schsm_secret *pin)
{
    struct schsm_secret *before;

    schsm_guard_lock();
    before = *place;
    *place = schsm_secret_ref(pin);
    schsm_guard_unlock();
    schsm_secret_free(before);
}
