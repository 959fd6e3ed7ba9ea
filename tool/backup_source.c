/* SPDX-License-Identifier: Apache-2.0 */
#include "backup_source.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "keymgmt/file.h"
#include "keymgmt/wrap_key.h"

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int schsm_backup_source_open(struct schsm_tool *tool, struct schsm_backup_source *source,
                             struct schsm_error *err)
{
    memset(source, 0, sizeof(*source));
    if (!schsm_tool_flag(tool, "share")) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "name every share of the backup's DKEK with --share FILE");
    }
    if (tool->argument_count == 1 && is_folder(tool->arguments[0])) {
        source->folder = tool->arguments[0];
        if (!schsm_backup_folder_read_manifest(source->folder, &source->manifest, err)) {
            return 0;
        }
        source->count = source->manifest.count;
        return 1;
    }
    for (size_t i = 0; i < tool->argument_count; i++) {
        if (is_folder(tool->arguments[i])) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "name one folder of a backup, or files of wrapped keys: %s is a "
                              "folder among others",
                              tool->arguments[i]);
        }
    }
    source->files = tool->arguments;
    source->count = tool->argument_count;
    return 1;
}

void schsm_backup_source_clear(struct schsm_backup_source *source)
{
    schsm_manifest_clear(&source->manifest);
    schsm_secret_free(source->dkek);
    source->dkek = NULL;
}

int schsm_backup_source_unlock(struct schsm_tool *tool, struct schsm_backup_source *source,
                               struct schsm_error *err)
{
    size_t shares = 0;

    source->dkek = schsm_share_files_combine(tool, &shares, err);
    return source->dkek != NULL;
}

const struct schsm_backup_entry *schsm_backup_source_entry(const struct schsm_backup_source *source,
                                                           size_t at)
{
    return source->folder != NULL ? &source->manifest.entries[at] : NULL;
}

bool schsm_backup_source_is_key(const struct schsm_backup_source *source, size_t at)
{
    const struct schsm_backup_entry *entry = schsm_backup_source_entry(source, at);

    return entry == NULL || (entry->kind == SCHSM_BACKUP_KEY && entry->file[0] != '\0');
}

static bool is_secret_file(const char *path)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_wrapped_file wrapped;
    uint8_t *content = NULL;
    size_t len = 0;
    bool secret = schsm_file_read(path, SCHSM_KEY_CONTAINER_MAX, &content, &len, &ignored) &&
                  schsm_wrapped_file_read(content, len, &wrapped, &ignored) &&
                  wrapped.key.type == SCHSM_KEY_AES;

    OPENSSL_free(content);
    return secret;
}

bool schsm_backup_source_has_secrets(const struct schsm_backup_source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct schsm_backup_entry *entry = schsm_backup_source_entry(source, i);

        if (entry == NULL
                ? is_secret_file(source->files[i])
                : schsm_backup_source_is_key(source, i) && entry->key_type == SCHSM_KEY_AES) {
            return true;
        }
    }
    return false;
}

void schsm_backup_source_name(const struct schsm_backup_source *source, size_t at,
                              char name[SCHSM_SOURCE_NAME_MAX])
{
    const struct schsm_backup_entry *entry = schsm_backup_source_entry(source, at);

    if (entry != NULL) {
        schsm_backup_entry_name(entry, name, SCHSM_SOURCE_NAME_MAX);
    } else {
        (void)OPENSSL_strlcpy(name, source->files[at], SCHSM_SOURCE_NAME_MAX);
    }
}

int schsm_backup_source_key(const struct schsm_tool *tool, const struct schsm_backup_source *source,
                            size_t at, struct schsm_backup_key *key, struct schsm_error *err)
{
    const struct schsm_backup_entry *entry = schsm_backup_source_entry(source, at);

    return entry != NULL ? schsm_backup_open_key(tool->context.libctx, source->folder, entry,
                                                 source->dkek, key, err)
                         : schsm_backup_open_file(tool->context.libctx, source->files[at],
                                                  source->dkek, key, err);
}
