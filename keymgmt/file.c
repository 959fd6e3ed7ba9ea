/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/descriptor.h"

#define FIRST_ROOM 4096

static int fail_read(const char *path, const char *why, struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s cannot be read: %s",
                      strcmp(path, "-") == 0 ? "standard input" : path, why);
}

/* Grows by copying, so that nothing secret stays behind in memory given back. */
static int grow(uint8_t **content, size_t *room, size_t len)
{
    uint8_t *grown = OPENSSL_malloc(*room * 2 + 1);

    if (grown == NULL) {
        return 0;
    }
    memcpy(grown, *content, len);
    OPENSSL_clear_free(*content, *room + 1);
    *content = grown;
    *room *= 2;
    return 1;
}

int schsm_file_read(const char *path, size_t max, uint8_t **content, size_t *len,
                    struct schsm_error *err)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : schsm_descriptor_open(path, O_RDONLY, 0);
    size_t room = FIRST_ROOM;
    ssize_t got = 1;
    int ok = 0;

    *content = NULL;
    *len = 0;
    if (fd < 0) {
        return fail_read(path, strerror(errno), err);
    }
    *content = OPENSSL_malloc(room + 1);
    if (*content == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    while (got != 0 && *len <= max) {
        if (*len == room && !grow(content, &room, *len)) {
            schsm_fail_memory(err);
            goto done;
        }
        got = read(fd, *content + *len, room - *len);
        if (got < 0 && errno != EINTR) {
            fail_read(path, strerror(errno), err);
            goto done;
        }
        *len += got > 0 ? (size_t)got : 0;
    }
    if (*len > max) {
        schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                   "%s is longer than %zu bytes, so it cannot be what is wanted here", path, max);
        goto done;
    }
    (*content)[*len] = '\0';
    ok = 1;

done:
    if (!ok) {
        OPENSSL_clear_free(*content, *content != NULL ? room + 1 : 0);
        *content = NULL;
        *len = 0;
    }
    if (fd != STDIN_FILENO) {
        (void)close(fd);
    }
    return ok;
}

static bool write_descriptor(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);

        if (done < 0 && errno != EINTR) {
            return false;
        }
        bytes += done > 0 ? done : 0;
        len -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

/*
 * Puts the whole file in its place; without overwrite only where there is none. The file systems of
 * memory sticks know no links, those of networks no such renaming.
 */
static bool put_in_place(const char *from, const char *path, bool overwrite)
{
    if (overwrite) {
        return rename(from, path) == 0;
    }
    if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
        return true;
    }
    return errno != EEXIST && link(from, path) == 0;
}

/* Has the name last as well, once the file does: what was reported as saved survives a power cut.
 * Not all file systems can, and the file is written either way. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash == NULL ? OPENSSL_strdup(".") : OPENSSL_strndup(path, (size_t)(slash - path) + 1);
    int fd = folder == NULL ? -1 : schsm_descriptor_open(folder, O_RDONLY | O_DIRECTORY, 0);

    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    OPENSSL_free(folder);
}

int schsm_file_write(const char *path, enum schsm_file_secrecy secrecy, bool overwrite,
                     const void *content, size_t len, struct schsm_error *err)
{
    mode_t mask = umask(077);
    mode_t mode = secrecy == SCHSM_FILE_FOR_OWNER ? 0600 : 0666 & ~mask;
    size_t size = strlen(path) + sizeof(".XXXXXX");
    char *name = NULL;
    int fd = -1;
    int ok = 0;

    (void)umask(mask);
    if (strcmp(path, "-") == 0) {
        /* Whatever was printed before comes before. */
        return fflush(stdout) == 0 && write_descriptor(STDOUT_FILENO, content, len)
                   ? 1
                   : schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                                "standard output cannot be written: %s", strerror(errno));
    }
    name = OPENSSL_malloc(size);
    if (name == NULL) {
        return schsm_fail_memory(err);
    }
    (void)snprintf(name, size, "%s.XXXXXX", path);
    fd = mkostemp(name, O_CLOEXEC);
    ok = fd >= 0 && fchmod(fd, mode) == 0 && write_descriptor(fd, content, len) && fsync(fd) == 0 &&
         put_in_place(name, path, overwrite);
    if (!ok && fd >= 0 && errno == EEXIST) {
        schsm_fail(err, SCHSM_REASON_EXISTS,
                   "%s is there already, and stays as it is: name another file, or replace it with "
                   "--overwrite",
                   path);
    } else if (!ok) {
        schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s cannot be written: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(name); /* gone already where it was renamed */
    }
    if (ok) {
        sync_folder(path);
    }
    OPENSSL_free(name);
    return ok;
}
