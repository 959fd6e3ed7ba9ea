/* SPDX-License-Identifier: Apache-2.0 */
/* A backup on its way; for backup.c, copy.c and backup_object.c. */
#ifndef SCHSM_BACKUP_SAVING_H
#define SCHSM_BACKUP_SAVING_H

#include "backup_internal.h"

#define SCHSM_BACKUP_TYPES                                                                         \
    (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_SECRET | SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_DATA)

struct schsm_saving {
    const struct schsm_backup_job *job;
    const struct schsm_backup_wishes *wishes;
    struct schsm_manifest *manifest; /* as it grows */
    struct schsm_manifest before;    /* of a backup that was interrupted */
    bool goes_on;                    /* there was one */
    size_t *failed;
};

/* Whether the entry's content is in the backup. */
bool schsm_backup_is_held(const struct schsm_backup_entry *entry);

/* Whether one of the entries has a file of this name. */
bool schsm_backup_names_file(const struct schsm_manifest *manifest, const char *file);

/* What the manifest says of an object, all but its file's digest. */
void schsm_backup_describe(const struct schsm_object *object, struct schsm_backup_entry *entry);

/* Whether an object needs no entry of its own: a certificate that is in its key's file, and what is
 * left of something that was deleted. */
bool schsm_backup_is_part(const struct schsm_saving *saving, const struct schsm_object *object);

/* Saves an object, or leaves it out and tells why; *entry is filled for the manifest. What is the
 * object's own failure is counted, and is success here. */
int schsm_backup_save(const struct schsm_saving *saving, struct schsm_object *object,
                      struct schsm_backup_entry *entry, struct schsm_error *err);

#endif
