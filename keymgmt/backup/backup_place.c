/* SPDX-License-Identifier: Apache-2.0 */
#include "backup_place.h"

#include <string.h>

#include <openssl/crypto.h>

#include "backup_folder.h"

struct schsm_backup_content {
    struct schsm_backup_content *next;
    char name[SCHSM_BACKUP_FILE_MAX + 1];
    uint8_t *bytes;
    size_t len;
};

void schsm_backup_memory_clear(struct schsm_backup_memory *memory)
{
    while (memory->first != NULL) {
        struct schsm_backup_content *content = memory->first;

        memory->first = content->next;
        OPENSSL_clear_free(content->bytes, content->len); /* private data, perhaps */
        OPENSSL_free(content);
    }
}

static const struct schsm_backup_content *find_content(const struct schsm_backup_memory *memory,
                                                       const char *name)
{
    const struct schsm_backup_content *content = memory->first;

    while (content != NULL && strcmp(content->name, name) != 0) {
        content = content->next;
    }
    return content;
}

static int keep_content(struct schsm_backup_memory *memory, const char *name, const uint8_t *bytes,
                        size_t len, struct schsm_error *err)
{
    struct schsm_backup_content *content = OPENSSL_zalloc(sizeof(*content));

    if (content == NULL || (content->bytes = OPENSSL_memdup(bytes, len)) == NULL) {
        OPENSSL_free(content);
        return schsm_fail_memory(err);
    }
    (void)OPENSSL_strlcpy(content->name, name, sizeof(content->name));
    content->len = len;
    content->next = memory->first;
    memory->first = content;
    return 1;
}

bool schsm_backup_place_has(const struct schsm_backup_place *place, const char *name)
{
    return place->memory != NULL ? find_content(place->memory, name) != NULL
                                 : schsm_backup_folder_has(place->folder, name);
}

int schsm_backup_place_write(const struct schsm_backup_place *place,
                             struct schsm_backup_entry *entry, const uint8_t *content, size_t len,
                             struct schsm_error *err)
{
    return place->memory != NULL
               ? keep_content(place->memory, entry->file, content, len, err)
               : schsm_backup_folder_write(place->folder, entry, content, len, err);
}

int schsm_backup_place_read(const struct schsm_backup_place *place,
                            const struct schsm_backup_entry *entry, uint8_t **content, size_t *len,
                            struct schsm_error *err)
{
    const struct schsm_backup_content *kept;

    if (place->memory == NULL) {
        return schsm_backup_folder_read(place->folder, entry, content, len, err);
    }
    kept = find_content(place->memory, entry->file);
    if (kept == NULL) {
        return schsm_fail(err, SCHSM_REASON_FILE, "it was not read from its device");
    }
    *content = OPENSSL_memdup(kept->bytes, kept->len);
    if (*content == NULL) {
        return schsm_fail_memory(err);
    }
    *len = kept->len;
    return 1;
}

int schsm_backup_place_context(const struct schsm_backup_place *place,
                               const struct schsm_backup_entry *entry, struct schsm_error *err)
{
    return place->memory != NULL ? 0 : schsm_fail_context(err, "%s/%s", place->folder, entry->file);
}
