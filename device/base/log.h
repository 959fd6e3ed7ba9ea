/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process's log. Off until schsm_log_set is called or SC_HSM_LOG is set, and free of cost then:
 * one atomic load. PINs and key material never reach it, at any level.
 */
#ifndef SCHSM_BASE_LOG_H
#define SCHSM_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum schsm_log_level {
    SCHSM_LOG_OFF = 0,
    SCHSM_LOG_ERROR,
    SCHSM_LOG_INFO,
    SCHSM_LOG_DEBUG,
    SCHSM_LOG_APDU
};

/* Parses a level's name; false if it is none. */
bool schsm_log_level_parse(const char *text, enum schsm_log_level *level);

/*
 * Sets level and file (NULL: standard error, as long as it is what it was when this code was
 * loaded: once closed or replaced, nothing more is written to its descriptor). SC_HSM_LOG in the
 * environment wins over level. Where anything is to be logged, the file is opened at once, for
 * appending, mode 0600, close-on-exec: later the process may be another user, or see other files. A
 * file that cannot be opened is told on standard error; it fails (CONFIG) only where there is none,
 * and nobody would learn of it.
 */
int schsm_log_set(enum schsm_log_level level, const char *file, struct schsm_error *err);

bool schsm_log_wants(enum schsm_log_level level);

/* One line, with time, process id and level. */
void schsm_log(enum schsm_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A long line of len bytes, at most SCHSM_LOG_LINE_MAX; what is more is cut. */
#define SCHSM_LOG_LINE_MAX 16384
void schsm_log_line(enum schsm_log_level level, const char *text, size_t len);

#endif
