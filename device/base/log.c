/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No locks, so that a child forked in the middle of a line can log: the level and the current sink
 * are atomics, a line is one write to a file opened for appending.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "descriptor.h"

#define LEVEL_UNSET (-1)

static const char *const level_names[] = { "off", "error", "info", "debug", "apdu" };

#define SINKS 8 /* different files in the life of a process */
#define SINK_PATH_MAX 1024

enum sink_state { SINK_FREE, SINK_CLAIMED, SINK_READY };

/* A file that messages go to. The descriptor is checked before use: a program that becomes a daemon
 * may have closed it and given its number to something else. */
struct sink {
    atomic_int state; /* enum sink_state */
    atomic_int fd;    /* -1: not opened yet, -2: cannot be opened */
    _Atomic(dev_t) device;
    _Atomic(ino_t) inode;
    char path[SINK_PATH_MAX];
};

static atomic_int current_level = LEVEL_UNSET;
static _Atomic(struct sink *) current_sink; /* NULL: standard error */
static struct sink sinks[SINKS]; /* static, so that no thread can hold one that is gone */

/* Standard error as it was when we came: what has its number later may be anything. */
static struct schsm_descriptor_file standard_error;

__attribute__((constructor)) static void remember_standard_error(void)
{
    standard_error = schsm_descriptor_file(STDERR_FILENO);
}

/* The descriptor of standard error, -1 where it was closed or replaced since. */
static int standard_error_fd(void)
{
    return schsm_descriptor_is(STDERR_FILENO, &standard_error) ? STDERR_FILENO : -1;
}

/* Whether the descriptor is still the file that was opened. */
static bool is_ours(struct sink *sink, int fd)
{
    const struct schsm_descriptor_file file = { true, sink->device, sink->inode };

    return schsm_descriptor_is(fd, &file);
}

/* A module that is unloaded leaves no descriptors behind. */
__attribute__((destructor)) static void close_sinks(void)
{
    atomic_store(&current_level, SCHSM_LOG_OFF);
    for (size_t i = 0; i < SINKS; i++) {
        int fd = sinks[i].state == SINK_READY ? atomic_exchange(&sinks[i].fd, -2) : -2;

        if (is_ours(&sinks[i], fd)) {
            (void)close(fd);
        }
    }
}

/* The sink for a path; NULL, which is standard error, where the path is too long or one too many.
 */
static struct sink *get_sink(const char *path)
{
    size_t size = strlen(path) + 1;

    if (size > SINK_PATH_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < SINKS; i++) {
        int state = SINK_FREE;

        if (atomic_compare_exchange_strong(&sinks[i].state, &state, SINK_CLAIMED)) {
            memcpy(sinks[i].path, path, size);
            atomic_store(&sinks[i].fd, -1);
            atomic_store(&sinks[i].state, SINK_READY);
            return &sinks[i];
        }
        if (state == SINK_READY && strcmp(sinks[i].path, path) == 0) {
            return &sinks[i];
        }
    }
    return NULL;
}

/* Whether there is a standard error to tell. */
static bool tell_standard_error(const struct sink *sink, int error)
{
    int fd = standard_error_fd();

    return fd >= 0 && dprintf(fd, "sc-hsm: cannot write the log file %s: %s\n", sink->path,
                              strerror(error)) > 0;
}

/* The open file; -1 with errno where it cannot be opened, which is tried once. */
static int open_sink(struct sink *sink, int expected)
{
    struct schsm_descriptor_file file;
    int fd = schsm_descriptor_open(sink->path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0600);

    if (fd < 0) {
        return -1;
    }
    file = schsm_descriptor_file(fd);
    sink->device = file.device;
    sink->inode = file.inode;
    if (!atomic_compare_exchange_strong(&sink->fd, &expected, fd)) {
        (void)close(fd); /* another thread was faster */
        return expected >= 0 ? expected : -1;
    }
    return fd;
}

/* The descriptor to write to, -1 for none. */
static int sink_fd(struct sink *sink)
{
    int fd, before;

    if (sink == NULL) {
        return standard_error_fd();
    }
    before = atomic_load(&sink->fd);
    if (before == -2 || is_ours(sink, before)) {
        return before;
    }
    fd = open_sink(sink, before);
    if (fd < 0 && atomic_compare_exchange_strong(&sink->fd, &before, -2)) {
        tell_standard_error(sink, errno);
    }
    return fd;
}

bool schsm_log_level_parse(const char *text, enum schsm_log_level *level)
{
    for (size_t i = 0; text != NULL && i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcasecmp(text, level_names[i]) == 0) {
            *level = (enum schsm_log_level)i;
            return true;
        }
    }
    return false;
}

int schsm_log_set(enum schsm_log_level level, const char *file, struct schsm_error *err)
{
    struct sink *sink = file == NULL || *file == '\0' ? NULL : get_sink(file);
    int ok = 1;

    (void)schsm_log_level_parse(secure_getenv("SC_HSM_LOG"), &level);
    if (sink != NULL && level != SCHSM_LOG_OFF && !is_ours(sink, atomic_load(&sink->fd))) {
        atomic_store(&sink->fd, -1);
        if (open_sink(sink, -1) < 0 && atomic_load(&sink->fd) < 0) {
            int error = errno;

            atomic_store(&sink->fd, -2);
            ok = tell_standard_error(sink, error) ||
                 schsm_fail(err, SCHSM_REASON_CONFIG, "cannot write the log file %s: %s",
                            sink->path, strerror(error));
        }
    }
    atomic_store(&current_sink, sink);
    atomic_store(&current_level, (int)level);
    return ok;
}

bool schsm_log_wants(enum schsm_log_level level)
{
    int current = atomic_load_explicit(&current_level, memory_order_relaxed);

    if (current == LEVEL_UNSET) {
        enum schsm_log_level first = SCHSM_LOG_OFF;

        (void)schsm_log_level_parse(secure_getenv("SC_HSM_LOG"), &first);
        if (atomic_compare_exchange_strong(&current_level, &current, (int)first)) {
            current = (int)first;
        }
    }
    return level != SCHSM_LOG_OFF && (int)level <= current;
}

/* Starts a line with time, process and level; returns its length. */
static size_t start_line(char *line, size_t size, enum schsm_log_level level)
{
    struct timespec now = { 0, 0 };
    struct tm utc;
    size_t len;
    int more;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &utc) == NULL) {
        memset(&utc, 0, sizeof(utc));
    }
    len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    more = snprintf(line + len, size - len, ".%03ldZ %ld %s ", now.tv_nsec / 1000000,
                    (long)getpid(), level_names[level]);
    return more < 0 ? len : len + (size_t)more;
}

/* Ends the line and writes it in one piece; control characters in it become `?`. */
static void finish_line(char *line, size_t len)
{
    int saved = errno;
    int fd = sink_fd(atomic_load(&current_sink));

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F) {
            line[i] = '?';
        }
    }
    line[len++] = '\n';
    if (fd >= 0) {
        while (write(fd, line, len) < 0 && errno == EINTR) {
        }
    }
    errno = saved;
}

void schsm_log(enum schsm_log_level level, const char *format, ...)
{
    char line[1024];
    size_t len;
    va_list args;
    int more;

    if (!schsm_log_wants(level)) {
        return;
    }
    len = start_line(line, sizeof(line) - 1, level);
    va_start(args, format);
    more = vsnprintf(line + len, sizeof(line) - 1 - len, format, args);
    va_end(args);
    if (more > 0) {
        len += (size_t)more < sizeof(line) - 1 - len ? (size_t)more : sizeof(line) - 2 - len;
    }
    finish_line(line, len);
}

void schsm_log_line(enum schsm_log_level level, const char *text, size_t len)
{
    char line[SCHSM_LOG_LINE_MAX + 64]; /* 64: what a line starts with, and its end */
    size_t used;

    if (!schsm_log_wants(level)) {
        return;
    }
    used = start_line(line, sizeof(line) - 1, level);
    if (len > sizeof(line) - 1 - used) {
        len = sizeof(line) - 1 - used;
    }
    memcpy(line + used, text, len);
    finish_line(line, used + len);
}
