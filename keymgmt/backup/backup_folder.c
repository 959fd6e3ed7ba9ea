/* SPDX-License-Identifier: Apache-2.0 */
#include "backup_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "keymgmt/file.h"

#define CONTENT_MAX 0x20000 /* bytes of one object's file; a device's have 64 KB */

/* "folder/name", OPENSSL_malloc'ed; NULL with err set. */
static char *path_of(const char *folder, const char *name, struct schsm_error *err)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = OPENSSL_malloc(size);

    if (path == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    (void)snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static int fail_folder(const char *folder, struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_FILE, "the folder %s cannot be used: %s", folder,
                      strerror(errno));
}

/* A file that was being written when its writer ended: "manifest.json.a1B2c3" (file.c). */
static bool is_unfinished(const char *name)
{
    const char *end = strrchr(name, '.');

    return end != NULL && strlen(end) == 7 &&
           (strncmp(name, SCHSM_MANIFEST_NAME, strlen(SCHSM_MANIFEST_NAME)) == 0 ||
            strncmp(name, "key-", 4) == 0 || strncmp(name, "certificate-", 12) == 0 ||
            strncmp(name, "data-", 5) == 0);
}

static int remove_unfinished_files(const char *folder, int lock, struct schsm_error *err)
{
    DIR *listing = opendir(folder);
    const struct dirent *entry;

    if (listing == NULL) {
        return fail_folder(folder, err);
    }
    while ((entry = readdir(listing)) != NULL) {
        if (is_unfinished(entry->d_name) && unlinkat(lock, entry->d_name, 0) != 0) {
            (void)closedir(listing);
            return fail_folder(folder, err);
        }
    }
    (void)closedir(listing);
    return 1;
}

int schsm_backup_folder_lock(const char *folder, struct schsm_error *err)
{
    int lock = -1;

    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        fail_folder(folder, err);
        return -1;
    }
    lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) {
        fail_folder(folder, err);
        return -1;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        schsm_fail(err, SCHSM_REASON_EXISTS, "another backup is at work in the folder %s", folder);
    } else if (remove_unfinished_files(folder, lock, err)) {
        return lock;
    }
    (void)close(lock);
    return -1;
}

void schsm_backup_folder_unlock(int lock)
{
    if (lock >= 0) {
        (void)close(lock);
    }
}

bool schsm_backup_folder_has_manifest(const char *folder)
{
    char *path = path_of(folder, SCHSM_MANIFEST_NAME, NULL);
    bool there = path != NULL && access(path, F_OK) == 0;

    OPENSSL_free(path);
    return there;
}

int schsm_backup_folder_read_manifest(const char *folder, struct schsm_manifest *manifest,
                                      struct schsm_error *err)
{
    char *path = path_of(folder, SCHSM_MANIFEST_NAME, err);
    uint8_t *text = NULL;
    size_t len = 0;
    int ok = 0;

    memset(manifest, 0, sizeof(*manifest));
    if (path == NULL) {
        return 0;
    }
    if (access(path, F_OK) != 0) {
        schsm_fail(err, SCHSM_REASON_NOT_FOUND, "%s holds no backup: there is no %s in it", folder,
                   SCHSM_MANIFEST_NAME);
    } else {
        ok =
            schsm_file_read(path, SCHSM_MANIFEST_MAX, &text, &len, err) &&
            (schsm_manifest_parse(text, len, manifest, err) || schsm_fail_context(err, "%s", path));
    }
    OPENSSL_free(text);
    OPENSSL_free(path);
    return ok;
}

int schsm_backup_folder_write_manifest(const char *folder, const struct schsm_manifest *manifest,
                                       struct schsm_error *err)
{
    char *path = path_of(folder, SCHSM_MANIFEST_NAME, err);
    char *text = NULL;
    size_t len = 0;
    int ok = path != NULL && schsm_manifest_format(manifest, &text, &len, err) &&
             schsm_file_write(path, SCHSM_FILE_FOR_OWNER, true, text, len, err);

    OPENSSL_free(text);
    OPENSSL_free(path);
    return ok;
}

static int digest_of(const uint8_t *content, size_t len, uint8_t digest[SCHSM_BACKUP_DIGEST_LEN],
                     struct schsm_error *err)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new(); /* the default one is the program's */
    int ok =
        libctx != NULL && EVP_Q_digest(libctx, "SHA256", NULL, content, len, digest, NULL) == 1;

    OSSL_LIB_CTX_free(libctx);
    return ok ? 1 : schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot do SHA-256");
}

int schsm_backup_folder_write(const char *folder, struct schsm_backup_entry *entry,
                              const uint8_t *content, size_t len, struct schsm_error *err)
{
    char *path = path_of(folder, entry->file, err);
    int ok = path != NULL && digest_of(content, len, entry->digest, err) &&
             schsm_file_write(path, SCHSM_FILE_FOR_OWNER, true, content, len, err);

    OPENSSL_free(path);
    return ok;
}

int schsm_backup_folder_read(const char *folder, const struct schsm_backup_entry *entry,
                             uint8_t **content, size_t *len, struct schsm_error *err)
{
    char *path = path_of(folder, entry->file, err);
    uint8_t digest[SCHSM_BACKUP_DIGEST_LEN];
    int ok = path != NULL && schsm_file_read(path, CONTENT_MAX, content, len, err);

    if (ok && (!digest_of(*content, *len, digest, err) ||
               memcmp(digest, entry->digest, sizeof(digest)) != 0)) {
        OPENSSL_free(*content);
        *content = NULL;
        ok = schsm_fail(err, SCHSM_REASON_FILE,
                        "%s is not the file that the manifest describes: it was changed or cut",
                        path);
    }
    OPENSSL_free(path);
    return ok;
}

int schsm_backup_folder_check(const char *folder, struct schsm_manifest *manifest,
                              struct schsm_error *err)
{
    int ok = schsm_backup_folder_read_manifest(folder, manifest, err);

    for (size_t i = 0; ok && i < manifest->count; i++) {
        uint8_t *content = NULL;
        size_t len = 0;

        if (manifest->entries[i].file[0] != '\0') {
            ok = schsm_backup_folder_read(folder, &manifest->entries[i], &content, &len, err);
            OPENSSL_free(content);
        }
    }
    if (!ok) {
        schsm_manifest_clear(manifest);
    }
    return ok;
}
