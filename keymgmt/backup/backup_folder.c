/* SPDX-License-Identifier: Apache-2.0 */
#include "backup_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/descriptor.h"
#include "keymgmt/file.h"

/* What is written, until it is whole; a name that nobody else has. */
#define TEMPORARY_NAME ".sc-hsm-backup.tmp"

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

int schsm_backup_folder_lock(const char *folder, struct schsm_error *err)
{
    int lock = -1;

    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        fail_folder(folder, err);
        return -1;
    }
    lock = schsm_descriptor_open(folder, O_RDONLY | O_DIRECTORY, 0);
    if (lock < 0) {
        fail_folder(folder, err);
        return -1;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        schsm_fail(err, SCHSM_REASON_EXISTS, "another backup is at work in the folder %s", folder);
    } else {
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

bool schsm_backup_folder_has(const char *folder, const char *name)
{
    char *path = path_of(folder, name, NULL);
    bool there = path != NULL && access(path, F_OK) == 0;

    OPENSSL_free(path);
    return there;
}

/* Has the names last as well, once the files do; not all file systems can. */
static void sync_names(const char *folder)
{
    int fd = schsm_descriptor_open(folder, O_RDONLY | O_DIRECTORY, 0);

    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

/* Writes a file whole or not at all, in the place of an old one, through the one temporary file,
 * which an interrupted run may have left: the lock keeps others out. */
static int write_whole(const char *folder, const char *name, const uint8_t *content, size_t len,
                       struct schsm_error *err)
{
    char *temporary = path_of(folder, TEMPORARY_NAME, err);
    char *path = temporary != NULL ? path_of(folder, name, err) : NULL;
    int fd = -1, ok = 0;

    if (path == NULL) {
        goto done;
    }
    (void)unlink(temporary);
    fd = schsm_descriptor_open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    ok = fd >= 0 && schsm_descriptor_write(fd, content, len) && fsync(fd) == 0 &&
         rename(temporary, path) == 0;
    if (!ok) {
        schsm_fail(err, SCHSM_REASON_FILE, "%s cannot be written: %s", path, strerror(errno));
    } else {
        sync_names(folder);
    }
    if (fd >= 0) {
        (void)close(fd);
        if (!ok) {
            (void)unlink(temporary);
        }
    }

done:
    OPENSSL_free(path);
    OPENSSL_free(temporary);
    return ok;
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
    char *text = NULL;
    size_t len = 0;
    int ok = schsm_manifest_format(manifest, &text, &len, err) &&
             write_whole(folder, SCHSM_MANIFEST_NAME, (const uint8_t *)text, len, err);

    OPENSSL_free(text);
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
    return digest_of(content, len, entry->digest, err) &&
           write_whole(folder, entry->file, content, len, err);
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
