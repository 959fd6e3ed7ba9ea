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

struct schsm_file_writer {
    char *path; /* as the user gave it */
    struct place place;
    char *name; /* of the file beside the one that is to be; NULL: it has none yet */
    int fd;
    mode_t mode;
    bool overwrite;
};

/* A new file in the same folder that has no name before it is whole: nothing is left of it however
 * this program ends. -1 where file system or system cannot. */
static int open_nameless(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash == NULL ? OPENSSL_strdup(".") : OPENSSL_strndup(path, (size_t)(slash - path) + 1);
    int fd = folder == NULL || access("/proc/self/fd", X_OK) != 0
                 ? -1
                 : schsm_descriptor_open(folder, O_TMPFILE | O_RDWR, 0600);

    OPENSSL_free(folder);
    return fd;
}

/* Gives it that name, which must be free. */
static bool name_it(int fd, const char *name)
{
    char link_to_it[64];

    (void)snprintf(link_to_it, sizeof(link_to_it), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, link_to_it, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0;
}

/* Gives it a name beside the one that it is to have. */
static bool name_beside(struct schsm_file_writer *writer)
{
    size_t size = strlen(writer->place.path) + 32;
    char *name = OPENSSL_malloc(size);

    for (unsigned int i = 0; name != NULL; i++) {
        (void)snprintf(name, size, "%s.%ld-%u", writer->place.path, (long)getpid(), i);
        if (name_it(writer->fd, name)) {
            writer->name = name;
            return true;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    OPENSSL_free(name);
    return false;
}

static void writer_free(struct schsm_file_writer *writer)
{
    int reason = errno;

    if (writer->fd >= 0 && writer->fd != writer->place.descriptor) {
        (void)close(writer->fd);
    }
    if (writer->name != NULL) {
        (void)unlink(writer->name); /* gone already where it was renamed */
    }
    OPENSSL_free(writer->name);
    OPENSSL_free(writer->path);
    place_clear(&writer->place);
    OPENSSL_free(writer);
    errno = reason;
}

static void open_writer(struct schsm_file_writer *writer, const char *path)
{
    const struct place *place = &writer->place;

    if (place->descriptor >= 0) {
        /* Whatever was printed before comes before. */
        writer->fd = fflush(stdout) == 0 ? place->descriptor : -1;
    } else if (place->path == NULL) {
        writer->fd = schsm_descriptor_open(path, O_WRONLY | O_NOCTTY, 0);
    } else {
        writer->fd = open_nameless(place->path);
        if (writer->fd < 0) {
            writer->fd = open_beside(place->path, &writer->name);
        }
    }
}

struct schsm_file_writer *schsm_file_begin(const char *path, enum schsm_file_secrecy secrecy,
                                           bool overwrite, struct schsm_error *err)
{
    struct schsm_file_writer *writer = OPENSSL_zalloc(sizeof(*writer));
    mode_t mask = umask(077);

    (void)umask(mask);
    if (writer == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    writer->place.descriptor = -1;
    writer->fd = -1;
    writer->mode = secrecy == SCHSM_FILE_FOR_OWNER ? 0600 : 0666 & ~mask;
    writer->overwrite = overwrite;
    writer->path = OPENSSL_strdup(path);
    if (writer->path == NULL || !find_place(path, &writer->place)) {
        fail_write(path, err);
        goto failed;
    }
    if (writer->place.path != NULL && writer->place.exists && !overwrite) {
        fail_exists(path, err);
        goto failed;
    }
    open_writer(writer, path);
    if (writer->fd < 0) {
        fail_write(path, err);
        goto failed;
    }
    return writer;

failed:
    writer_free(writer);
    return NULL;
}

bool schsm_file_can_abandon(const struct schsm_file_writer *writer)
{
    return writer->place.path != NULL;
}

int schsm_file_append(struct schsm_file_writer *writer, const void *content, size_t len,
                      struct schsm_error *err)
{
    return schsm_descriptor_write(writer->fd, content, len) ? 1 : fail_write(writer->path, err);
}

/* False with errno. */
static bool finish_writing(struct schsm_file_writer *writer)
{
    const char *path = writer->place.path;

    if (path == NULL) {
        int fd = writer->fd;

        writer->fd = writer->place.descriptor;
        return fd == writer->place.descriptor || close(fd) == 0;
    }
    if (fchmod(writer->fd, writer->mode) != 0 || fsync(writer->fd) != 0) {
        return false;
    }
    if (writer->name == NULL && !writer->overwrite) {
        return name_it(writer->fd, path);
    }
    return (writer->name != NULL || name_beside(writer)) &&
           put_in_place(writer->name, path, writer->overwrite);
}

int schsm_file_commit(struct schsm_file_writer *writer, struct schsm_error *err)
{
    bool ok = finish_writing(writer);

    if (ok && writer->place.path != NULL) {
        sync_folder(writer->place.path);
    }
    if (!ok) {
        (void)(errno == EEXIST ? fail_exists(writer->path, err) : fail_write(writer->path, err));
    }
    writer_free(writer);
    return ok;
}

void schsm_file_abandon(struct schsm_file_writer *writer)
{
    if (writer != NULL) {
        writer_free(writer);
    }
}

int schsm_file_write(const char *path, enum schsm_file_secrecy secrecy, bool overwrite,
                     const void *content, size_t len, struct schsm_error *err)
{
    struct schsm_file_writer *writer = schsm_file_begin(path, secrecy, overwrite, err);

    if (writer == NULL) {
        return 0;
    }
    if (!schsm_file_append(writer, content, len, err)) {
        schsm_file_abandon(writer);
        return 0;
    }
    return schsm_file_commit(writer, err);
}

/* --- reading in pieces ----------------------------------------------------------------------- */

struct schsm_file_reader {
    char *path;
    int fd;
};

struct schsm_file_reader *schsm_file_open(const char *path, struct schsm_error *err)
{
    struct schsm_file_reader *reader = OPENSSL_zalloc(sizeof(*reader));

    if (reader == NULL || (reader->path = OPENSSL_strdup(path)) == NULL) {
        OPENSSL_free(reader);
        schsm_fail_memory(err);
        return NULL;
    }
    reader->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : schsm_descriptor_open(path, O_RDONLY, 0);
    if (reader->fd < 0) {
        fail_read(path, strerror(errno), err);
        OPENSSL_free(reader->path);
        OPENSSL_free(reader);
        return NULL;
    }
    return reader;
}

int schsm_file_read_piece(struct schsm_file_reader *reader, uint8_t *out, size_t *len,
                          struct schsm_error *err)
{
    size_t room = *len;

    *len = 0;
    while (*len < room) {
        ssize_t got = read(reader->fd, out + *len, room - *len);

        if (got < 0 && errno != EINTR) {
            return fail_read(reader->path, strerror(errno), err);
        }
        if (got == 0) {
            break;
        }
        *len += got > 0 ? (size_t)got : 0;
    }
    return 1;
}

unsigned long long schsm_file_size(const struct schsm_file_reader *reader)
{
    struct stat about;

    return fstat(reader->fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0
               ? (unsigned long long)about.st_size
               : 0;
}

void schsm_file_close(struct schsm_file_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->fd != STDIN_FILENO) {
        (void)close(reader->fd);
    }
    OPENSSL_free(reader->path);
    OPENSSL_free(reader);
}
