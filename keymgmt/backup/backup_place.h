/* SPDX-License-Identifier: Apache-2.0 */
/* Where the objects of a backup lie: in a folder, or for a copy from device to device in memory. */
#ifndef SCHSM_BACKUP_BACKUP_PLACE_H
#define SCHSM_BACKUP_BACKUP_PLACE_H

#include "manifest.h"

/* What a folder would hold, by the same names; cleansed when it goes. */
struct schsm_backup_memory {
    struct schsm_backup_content *first; /* the last that was written */
};

/* Frees and cleanses all of it. */
void schsm_backup_memory_clear(struct schsm_backup_memory *memory);

struct schsm_backup_place {
    const char *folder;
    struct schsm_backup_memory *memory; /* NULL: in the folder */
};

/* Whether the place has something of this name. */
bool schsm_backup_place_has(const struct schsm_backup_place *place, const char *name);

/* Writes the content of an entry whose name is set, whole or not at all; in a folder its digest is
 * filled in. Fails with FILE. */
int schsm_backup_place_write(const struct schsm_backup_place *place,
                             struct schsm_backup_entry *entry, const uint8_t *content, size_t len,
                             struct schsm_error *err);

/* The content of an entry, of a folder compared with the manifest; the caller's to free with
 * OPENSSL_clear_free. Fails with FILE or BAD_INPUT. */
int schsm_backup_place_read(const struct schsm_backup_place *place,
                            const struct schsm_backup_entry *entry, uint8_t **content, size_t *len,
                            struct schsm_error *err);

/* Says in a failure which file of a folder it is about; memory has none. Returns 0. */
int schsm_backup_place_context(const struct schsm_backup_place *place,
                               const struct schsm_backup_entry *entry, struct schsm_error *err);

#endif
