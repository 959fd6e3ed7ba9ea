/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one device to another with the same key encryption key: a backup and its restoring in one,
 * by the same rules, with nothing but memory between the two devices.
 */
#ifndef SCHSM_BACKUP_COPY_H
#define SCHSM_BACKUP_COPY_H

#include "backup.h"

struct schsm_copy_job {
    OSSL_LIB_CTX *libctx; /* where host cryptography is done */
    struct schsm_device *from, *to;
    const struct schsm_login *from_login, *to_login;
    bool counted_keys; /* copy keys with a use counter too, which takes one use of each */
    /* Whether an object of the first device is to be copied; NULL: all are. */
    bool (*wanted)(void *arg, const struct schsm_object *object);
    void *wanted_arg;
    struct schsm_backup_log log; /* as of a restore; a failure is SCHSM_COPY_FAILED */
};

/*
 * Copies what is wanted. What the other device has already stays as it is there, keys known by
 * their public key, and is not even asked for, so that the same call goes on after an interruption.
 * A key comes with its description and certificate, under its key reference or, where that is
 * taken, a free one. Fails with WRONG_KEY before anything is written where the devices have no key
 * encryption key in common, with the check values of both. An object that stays, or that the other
 * device does not take, its id taken among them, is told and counted in *copied, and stops no
 * other: the call succeeds.
 */
int schsm_copy(const struct schsm_copy_job *job, struct schsm_restored *copied,
               struct schsm_error *err);

#endif
