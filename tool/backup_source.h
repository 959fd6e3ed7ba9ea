/* SPDX-License-Identifier: Apache-2.0 */
/* What `backup verify` and `decrypt-backup` open without a device: a backup's folder, or files of
 * single keys; and the shares of their DKEK. */
#ifndef SCHSM_TOOL_BACKUP_SOURCE_H
#define SCHSM_TOOL_BACKUP_SOURCE_H

#include "backup/backup.h"
#include "share_file.h"
#include "tool.h"

/* Rows for a command's options. */
#define SCHSM_OPTIONS_SHARES                                                                       \
    { .name = "share",                                                                             \
      .repeats = true,                                                                             \
      .argument = "FILE",                                                                          \
      .summary = "a share of the DKEK; give the option once for each" },                           \
        SCHSM_OPTIONS_SHARE_PASSWORDS

#define SCHSM_SOURCE_NAME_MAX (SCHSM_LABEL_MAX + 64)

struct schsm_backup_source {
    const char *folder;             /* NULL: lone files */
    struct schsm_manifest manifest; /* the folder's */
    const char *const *files;       /* lone files */
    size_t count;                   /* of the manifest's entries, or the files */
    struct schsm_secret *dkek;
};

/* What the command line names, with all that can be said without the shares. To be cleared, also
 * after failure. */
int schsm_backup_source_open(struct schsm_tool *tool, struct schsm_backup_source *source,
                             struct schsm_error *err);
void schsm_backup_source_clear(struct schsm_backup_source *source);

/* The DKEK out of the shares. */
int schsm_backup_source_unlock(struct schsm_tool *tool, struct schsm_backup_source *source,
                               struct schsm_error *err);

/* The entry at this place of the manifest; NULL: it is a lone file. */
const struct schsm_backup_entry *schsm_backup_source_entry(const struct schsm_backup_source *source,
                                                           size_t at);

/* Whether there is a key at this place, to be opened. */
bool schsm_backup_source_is_key(const struct schsm_backup_source *source, size_t at);

/* Whether one of the keys is an AES key, as far as their files can be read. */
bool schsm_backup_source_has_secrets(const struct schsm_backup_source *source);

/* What the object is called: "key 'web' (key reference 1)", or the file's name. */
void schsm_backup_source_name(const struct schsm_backup_source *source, size_t at,
                              char name[SCHSM_SOURCE_NAME_MAX]);

/* Opens the key at this place. */
int schsm_backup_source_key(const struct schsm_tool *tool, const struct schsm_backup_source *source,
                            size_t at, struct schsm_backup_key *key, struct schsm_error *err);

#endif
