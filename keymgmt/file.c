/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/descriptor.h"

#ifndef RENAME_NOREPLACE
/* The kernel's, where the C library does not have it, as musl before 1.2.6. */
#include <sys/syscall.h>
#define RENAME_NOREPLACE 1u
static int renameat2(int from_folder, const char *from, int to_folder, const char *to,
                     unsigned int flags)
{
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
}
#endif

#define FIRST_ROOM 4096
#define LINKS_MAX 40 /* as many as Linux follows */

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

/* --- where a file goes ----------------------------------------------------------------------- */

/* What the user's path leads to, all symbolic links followed. */
struct place {
    char *path;     /* of a regular file, or of one that is not there yet; NULL otherwise */
    int descriptor; /* one that this program was started with; -1: none */
    bool special;   /* a device, a FIFO: opened by its name and written */
    bool exists;
};

static void place_clear(struct place *place)
{
    OPENSSL_free(place->path);
    place->path = NULL;
}

/* /dev/fd/N and its like, to which /dev/stdout is a link: the number, or -1. What this program
 * opened by itself is closed on exec, and nobody can mean it. */
static int named_descriptor(const char *path)
{
    static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        size_t len = strlen(folders[i]);
        char *end = NULL;
        long number;

        if (strncmp(path, folders[i], len) != 0 || path[len] < '0' || path[len] > '9') {
            continue;
        }
        number = strtol(path + len, &end, 10);
        if (*end == '\0' && number <= INT_MAX) {
            int flags = fcntl((int)number, F_GETFD);

            return flags >= 0 && (flags & FD_CLOEXEC) == 0 ? (int)number : -1;
        }
    }
    return -1;
}

/* Where the link leads, beside its own folder; the caller's to free. NULL with errno. */
static char *read_link(const char *path)
{
    char target[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    const char *slash = strrchr(path, '/');
    size_t folder = slash == NULL ? 0 : (size_t)(slash - path) + 1, size;
    char *joined;

    if (len <= 0) {
        return NULL;
    }
    target[len] = '\0';
    folder = target[0] == '/' ? 0 : folder;
    size = folder + (size_t)len + 1;
    joined = OPENSSL_malloc(size);
    if (joined == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(joined, path, folder);
    memcpy(joined + folder, target, (size_t)len + 1);
    return joined;
}

/* False with errno. */
static bool find_place(const char *path, struct place *place)
{
    struct stat about;

    *place = (struct place){ .descriptor = strcmp(path, "-") == 0 ? STDOUT_FILENO : -1 };
    if (place->descriptor >= 0) {
        return true;
    }
    if (stat(path, &about) == 0) {
        place->exists = true;
        place->special = !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
        if (S_ISDIR(about.st_mode)) {
            errno = EISDIR;
            return false;
        }
    }
    place->path = OPENSSL_strdup(path);
    for (int links = 0; place->path != NULL; links++) {
        char *next;

        place->descriptor = named_descriptor(place->path);
        if (place->descriptor >= 0 || lstat(place->path, &about) != 0 || !S_ISLNK(about.st_mode)) {
            break;
        }
        if (links == LINKS_MAX) {
            errno = ELOOP;
            place_clear(place);
            return false;
        }
        next = read_link(place->path);
        OPENSSL_free(place->path);
        place->path = next;
    }
    if (place->path == NULL) {
        return false;
    }
    if (place->descriptor >= 0 || place->special) {
        place_clear(place);
    }
    return true;
}

static int fail_write(const char *path, struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s cannot be written: %s",
                      strcmp(path, "-") == 0 ? "standard output" : path, strerror(errno));
}

static int fail_exists(const char *path, struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_EXISTS,
                      "%s is there already, and stays as it is: name another file, or replace it "
                      "with --overwrite",
                      path);
}

bool schsm_file_is_stdout(const char *path)
{
    struct place place;
    bool is = find_place(path, &place) && place.descriptor == STDOUT_FILENO;

    place_clear(&place);
    return is;
}

/* A new file beside the one that is to be; *name is the caller's to free. -1 with errno. */
static int open_beside(const char *path, char **name)
{
    size_t size = strlen(path) + sizeof(".XXXXXX");

    *name = OPENSSL_malloc(size);
    if (*name == NULL) {
        errno = ENOMEM;
        return -1;
    }
    (void)snprintf(*name, size, "%s.XXXXXX", path);
    return mkostemp(*name, O_CLOEXEC);
}

int schsm_file_check_place(const char *path, bool overwrite, struct schsm_error *err)
{
    struct place place;
    char *name = NULL;
    int ok = 1, fd;

    if (!find_place(path, &place)) {
        return fail_write(path, err);
    }
    if (place.path == NULL) {
        ok = (place.descriptor >= 0 || access(path, W_OK) == 0) ? 1 : fail_write(path, err);
        goto done;
    }
    if (place.exists && !overwrite) {
        ok = fail_exists(path, err);
        goto done;
    }
    fd = open_beside(place.path, &name);
    if (fd < 0) {
        ok = fail_write(path, err);
        goto done;
    }
    (void)close(fd);
    (void)unlink(name);

done:
    OPENSSL_free(name);
    place_clear(&place);
    return ok;
}

/* --- writing --------------------------------------------------------------------------------- */

/* Whole or not at all; false with errno. */
static bool write_whole(const char *path, mode_t mode, bool overwrite, const void *content,
                        size_t len)
{
    char *name = NULL;
    int fd = open_beside(path, &name), reason;
    bool ok = fd >= 0 && fchmod(fd, mode) == 0 && schsm_descriptor_write(fd, content, len) &&
              fsync(fd) == 0 && put_in_place(name, path, overwrite);

    reason = errno;
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(name); /* gone already where it was renamed */
    }
    if (ok) {
        sync_folder(path);
    }
    OPENSSL_free(name);
    errno = reason;
    return ok;
}

/* What cannot be written whole or not at all: a device, a FIFO. False with errno. */
static bool write_special(const char *path, const void *content, size_t len)
{
    int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    bool ok = fd >= 0 && schsm_descriptor_write(fd, content, len);

    return fd < 0 ? ok : close(fd) == 0 && ok;
}

int schsm_file_write(const char *path, enum schsm_file_secrecy secrecy, bool overwrite,
                     const void *content, size_t len, struct schsm_error *err)
{
    mode_t mask = umask(077);
    mode_t mode = secrecy == SCHSM_FILE_FOR_OWNER ? 0600 : 0666 & ~mask;
    struct place place;
    bool ok;

    (void)umask(mask);
    if (!find_place(path, &place)) {
        return fail_write(path, err);
    }
    if (place.descriptor >= 0) {
        /* Whatever was printed before comes before. */
        ok = fflush(stdout) == 0 && schsm_descriptor_write(place.descriptor, content, len);
    } else if (place.path == NULL) {
        ok = write_special(path, content, len);
    } else {
        ok = write_whole(place.path, mode, overwrite, content, len);
        if (!ok && errno == EEXIST) {
            place_clear(&place);
            return fail_exists(path, err);
        }
    }
    if (!ok) {
        fail_write(path, err);
    }
    place_clear(&place);
    return ok;
}
