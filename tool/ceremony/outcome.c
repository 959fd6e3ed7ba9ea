/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of this tool in processes of their own, and what they tell. */
#include "tool/ceremony.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/descriptor.h"
#include "tool/child.h"
#include "tool/tell.h"

#define OURSELVES "/proc/self/exe"
#define TOLD_MAX ((size_t)16 * 1024 * 1024) /* bytes that are read of what a command told */
#define MESSAGES_NUMBER 9 /* the descriptor of messages in the command's process */

/* What a command told is in memory alone: it may be secret, and goes no further then. */
static int memory_file(struct schsm_error *err)
{
    int fd = schsm_descriptor_above(memfd_create("sc-hsm", MFD_CLOEXEC));

    if (fd < 0) {
        schsm_fail(err, SCHSM_REASON_FILE, "there is no room for what a command tells: %s",
                   strerror(errno));
    }
    return fd;
}

/* All that is in it, with a terminator; NULL where memory runs out. */
static char *read_all(int fd, size_t *len)
{
    struct stat about;
    char *text = NULL;
    ssize_t got = 1;

    *len = 0;
    if (fstat(fd, &about) != 0 || about.st_size < 0 || (uint64_t)about.st_size > TOLD_MAX) {
        return OPENSSL_zalloc(1);
    }
    text = OPENSSL_zalloc((size_t)about.st_size + 1);
    while (text != NULL && *len < (size_t)about.st_size && got > 0) {
        got = pread(fd, text + *len, (size_t)about.st_size - *len, (off_t)*len);
        *len += got > 0 ? (size_t)got : 0;
    }
    return text;
}

static enum schsm_reason reason_of(const json_t *about)
{
    json_int_t code = json_integer_value(json_object_get(about, "code"));

    return code > 0 && code < SCHSM_REASON_COUNT ? (enum schsm_reason)code : SCHSM_REASON_DEVICE;
}

/* Each line is a document with one member, see tell.h. */
static int take_message(struct schsm_outcome *outcome, const char *line, size_t len)
{
    json_t *document = json_loadb(line, len, 0, NULL);
    const char *kind;
    json_t *about;
    int ok = 1;

    json_object_foreach(document, kind, about)
    {
        const char *text = json_string_value(json_object_get(about, "message"));

        if (text != NULL && strcmp(kind, "error") == 0) {
            OPENSSL_free(outcome->error);
            outcome->error = OPENSSL_strdup(text);
            outcome->reason = reason_of(about);
            ok = outcome->error != NULL;
        } else if (text != NULL) {
            ok = json_array_append_new(outcome->messages, json_string(text)) == 0;
        }
    }
    json_decref(document);
    return ok;
}

static int take_messages(struct schsm_outcome *outcome, int fd)
{
    size_t len = 0;
    char *text = read_all(fd, &len);
    int ok = text != NULL;

    for (char *line = text; ok && line != NULL && *line != '\0';) {
        size_t line_len = strcspn(line, "\n");

        ok = take_message(outcome, line, line_len);
        line += line_len + (line[line_len] == '\n');
    }
    OPENSSL_free(text);
    return ok;
}

static int take_told(struct schsm_outcome *outcome, int fd)
{
    size_t len = 0;
    char *text = read_all(fd, &len);

    if (text == NULL) {
        return 0;
    }
    outcome->told = json_loadb(text, len, 0, NULL);
    OPENSSL_clear_free(text, len);
    return 1;
}

/* The words as a command line of ours; NULL where memory runs out. */
static char **command_line(const char *const *words, size_t count)
{
    char **argv = OPENSSL_zalloc((count + 3) * sizeof(*argv));

    if (argv == NULL) {
        return NULL;
    }
    argv[0] = OURSELVES;
    argv[1] = "--json";
    for (size_t i = 0; i < count; i++) {
        argv[i + 2] = (char *)words[i]; /* nobody writes to it */
    }
    return argv;
}

int schsm_outcome_of(const char *const *words, size_t count, struct schsm_outcome *outcome,
                     struct schsm_error *err)
{
    char **argv = command_line(words, count), number[8];
    int told = memory_file(err), messages = told < 0 ? -1 : memory_file(err), status = 0, ok = 0;
    const int descriptors[] = { told, STDOUT_FILENO, messages, MESSAGES_NUMBER, -1 };
    struct schsm_child_signals signals;

    *outcome = (struct schsm_outcome){ .messages = json_array() };
    (void)snprintf(number, sizeof(number), "%d", MESSAGES_NUMBER);
    if (argv == NULL || outcome->messages == NULL ||
        setenv(SCHSM_TELL_DESCRIPTOR, number, 1) != 0) {
        schsm_fail_memory(err);
        goto done;
    }
    if (messages < 0) {
        goto done;
    }
    schsm_child_hold(&signals);
    ok = schsm_child_run(argv, descriptors, &signals, &status, err);
    schsm_child_release(&signals);
    if (!ok) {
        goto done;
    }
    outcome->status = schsm_child_shell_status(status);
    outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : signals.came;
    ok = (take_messages(outcome, messages) && take_told(outcome, told)) || schsm_fail_memory(err);

done:
    (void)unsetenv(SCHSM_TELL_DESCRIPTOR);
    OPENSSL_free(argv);
    if (told >= 0) {
        (void)close(told);
    }
    if (messages >= 0) {
        (void)close(messages);
    }
    return ok;
}

int schsm_outcome_of_json(const json_t *words, struct schsm_outcome *outcome,
                          struct schsm_error *err)
{
    const char *texts[SCHSM_PLAN_WORDS_MAX];
    size_t count = json_array_size(words);

    for (size_t i = 0; i < count && i < SCHSM_PLAN_WORDS_MAX; i++) {
        texts[i] = json_string_value(json_array_get(words, i));
    }
    return schsm_outcome_of(texts, count < SCHSM_PLAN_WORDS_MAX ? count : SCHSM_PLAN_WORDS_MAX,
                            outcome, err);
}

void schsm_outcome_clear(struct schsm_outcome *outcome)
{
    json_decref(outcome->told);
    json_decref(outcome->messages);
    OPENSSL_free(outcome->error);
    *outcome = (struct schsm_outcome){ .told = NULL };
}
