/* SPDX-License-Identifier: Apache-2.0 */
/* A restore on its way; for restore.c and restore_compare.c. */
#ifndef SCHSM_BACKUP_RESTORING_H
#define SCHSM_BACKUP_RESTORING_H

#include "backup_internal.h"

/* What is to become of an entry. */
struct schsm_restore_fate {
    enum { SCHSM_RESTORE_WRITE, SCHSM_RESTORE_LEAVE, SCHSM_RESTORE_NEVER } what;
    const char *there; /* LEAVE: what is said of it */
    int beside;        /* certificates of a key: the place of that key in the list; -1: none */
    int unfinished; /* WRITE: the key reference under which the key is, not described yet; 0: none
                     */
};

struct schsm_restoring {
    const struct schsm_backup_job *job;
    const struct schsm_manifest *manifest;
    struct schsm_restored *restored;
    char serial[SCHSM_SERIAL_MAX + 1]; /* of the device */
    struct schsm_object_list there;    /* what it had at the beginning */
    bool *used;                        /* for each of these: it is an entry's */
    bool describes_keys;               /* the device does, itself */
    struct schsm_restore_fate *fates;  /* for each entry */
};

/* Whether it is a copy from another device: then each object stands alone, where a backup is
 * restored onto a device that it fits, or not at all. */
bool schsm_restore_is_copy(const struct schsm_restoring *restoring);

/* Counts an object that is not restored, for a reason of its own, and tells it. */
void schsm_restore_give_up(const struct schsm_restoring *restoring,
                           const struct schsm_backup_entry *entry,
                           const struct schsm_error *failure);

/*
 * Finds out which entries the device has already. NEVER stays NEVER. Fails with EXISTS, before
 * anything is written, where an entry's id is that of an object that is none of the backup's; in a
 * copy that entry is given up.
 */
int schsm_restore_compare(struct schsm_restoring *restoring, struct schsm_error *err);

/* The first key pair of the list to which this certificate or request belongs; -1: none. */
int schsm_restore_find_pair(const struct schsm_restoring *restoring, struct schsm_view certificate);

#endif
