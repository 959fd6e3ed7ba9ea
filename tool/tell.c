/* SPDX-License-Identifier: Apache-2.0 */
#include "tell.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "output.h"

/* status 0: the run goes on. NULL where memory ran out. */
static json_t *describe(const struct schsm_error *why, int status)
{
    json_t *about = json_object();
    int failed = 0;

    if (why->reason != SCHSM_REASON_NONE) {
        failed |= json_object_set_new(about, "reason", json_string(schsm_reason_text(why->reason)));
        failed |= json_object_set_new(about, "code", json_integer(why->reason));
    }
    failed |= json_object_set_new(about, "message", schsm_json_text(why->text));
    if (status != 0) {
        failed |= json_object_set_new(about, "status", json_integer(status));
    }
    if (why->reason != SCHSM_REASON_NONE) {
        failed |= json_object_set_new(about, "tries_left", schsm_json_count(why->tries_left));
        failed |= json_object_set_new(about, "status_word",
                                      why->status_word != 0 ? json_sprintf("%04X", why->status_word)
                                                            : json_null());
    }
    if (failed != 0) {
        json_decref(about);
        about = NULL;
    }
    return about;
}

/* Where messages go: to the ceremony that runs this command as a step, else to standard error. */
static int message_descriptor(void)
{
    const char *number = getenv(SCHSM_TELL_DESCRIPTOR), *end = NULL;
    unsigned int descriptor = 0;

    if (number != NULL && schsm_tool_count(number, INT_MAX, &descriptor, &end) && *end == '\0' &&
        fcntl((int)descriptor, F_GETFD) >= 0) {
        return (int)descriptor;
    }
    return STDERR_FILENO;
}

static void tell(const struct schsm_tool *tool, const char *kind, const struct schsm_error *why,
                 int status)
{
    json_t *document = tool->json ? json_pack("{s:o}", kind, describe(why, status)) : NULL;
    char *line = NULL;

    (void)fflush(stdout);
    if (document != NULL) {
        /* ASCII, as on standard output. */
        line = json_dumps(document, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(document);
    }
    if (line != NULL && message_descriptor() != STDERR_FILENO) {
        (void)dprintf(message_descriptor(), "%s\n", line);
    } else if (line != NULL) {
        (void)fprintf(stderr, "%s\n", line);
    } else {
        (void)fprintf(stderr, SCHSM_TOOL_NAME ": %s\n", why->text);
    }
    free(line);
}

void schsm_tell_error(const struct schsm_tool *tool, const struct schsm_error *why, int status)
{
    tell(tool, "error", why, status);
}

void schsm_tell_warning(const struct schsm_tool *tool, const struct schsm_error *why)
{
    tell(tool, "warning", why, 0);
}

void schsm_tell_note(const struct schsm_tool *tool, const char *format, ...)
{
    struct schsm_error note = SCHSM_ERROR_INIT;
    char text[2 * sizeof(note.text)];
    va_list arguments;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang-tidy 14 misses the va_start */
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    schsm_copy_printable(note.text, sizeof(note.text), text);
    tell(tool, "note", &note, 0);
}
