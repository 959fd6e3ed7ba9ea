/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: one line of JSON for what happened, written before anything else happens. Each has
 * the digest of the plan.
 */
#include "tool/ceremony.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/descriptor.h"

#define ENDING ".journal"
#define JOURNAL_MAX ((size_t)64 * 1024 * 1024) /* bytes */

void schsm_ceremony_now(char text[SCHSM_TIME_TEXT_MAX])
{
    time_t now = time(NULL);
    struct tm local;

    text[0] = '\0';
    if (localtime_r(&now, &local) != NULL) {
        (void)strftime(text, SCHSM_TIME_TEXT_MAX, "%Y-%m-%d %H:%M:%S %z", &local);
    }
}

static int fail_journal(const struct schsm_journal *journal, const char *what,
                        struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_FILE, "the journal %s cannot be %s: %s", journal->path,
                      what, strerror(errno));
}

static int fail_damaged(const struct schsm_journal *journal, size_t line, struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_FILE,
                      "the journal %s is damaged in line %zu: nobody can tell what was done; keep "
                      "it, and begin the ceremony anew with another --record",
                      journal->path, line);
}

static int sync_folder(const struct schsm_journal *journal, struct schsm_error *err)
{
    const char *slash = strrchr(journal->path, '/');
    char *folder = slash == NULL
                       ? OPENSSL_strdup(".")
                       : OPENSSL_strndup(journal->path, (size_t)(slash - journal->path) + 1);
    int fd = folder != NULL ? schsm_descriptor_open(folder, O_RDONLY | O_DIRECTORY, 0) : -1;

    OPENSSL_free(folder);
    if (fd < 0) {
        return fail_journal(journal, "written", err);
    }
    (void)fsync(fd); /* not all file systems can */
    (void)close(fd);
    return 1;
}

/* --- what an earlier run left --------------------------------------------------------------- */

/* The devices that were chosen then. */
static int take_devices(struct schsm_journal *journal, const json_t *entry, struct schsm_plan *plan,
                        struct schsm_error *err)
{
    const json_t *devices = json_object_get(entry, "devices");

    for (size_t i = 0; i < plan->device_count; i++) {
        struct schsm_plan_device *device = &plan->devices[i];
        const char *serial = json_string_value(json_object_get(devices, device->name));

        if (serial == NULL || !schsm_plan_serial_ok(serial) ||
            (device->serial[0] != '\0' && strcmp(device->serial, serial) != 0)) {
            return fail_damaged(journal, 1, err);
        }
        (void)snprintf(device->serial, sizeof(device->serial), "%s", serial);
    }
    return 1;
}

static int take_step(struct schsm_journal *journal, const json_t *entry, bool ended,
                     const struct schsm_plan *plan, size_t line, struct schsm_error *err)
{
    json_int_t step = json_integer_value(json_object_get(entry, "step"));
    const char *outcome = json_string_value(json_object_get(entry, "outcome"));

    if (step != (json_int_t)journal->done + 1 || step > (json_int_t)plan->step_count ||
        (ended && outcome == NULL)) {
        return fail_damaged(journal, line, err);
    }
    journal->under_way = !ended || strcmp(outcome, SCHSM_STEP_INTERRUPTED) == 0;
    journal->done += ended && strcmp(outcome, SCHSM_STEP_DONE) == 0;
    return 1;
}

/* line: its number, from 1. Takes the entry over. */
static int take_entry(struct schsm_journal *journal, json_t *entry, size_t line,
                      struct schsm_plan *plan, struct schsm_error *err)
{
    const char *digest = json_string_value(json_object_get(entry, "plan"));
    const char *kind = json_string_value(json_object_get(entry, "kind"));

    if (digest == NULL || kind == NULL || json_array_append_new(journal->entries, entry) != 0) {
        json_decref(entry);
        return fail_damaged(journal, line, err);
    }
    if (strcmp(digest, plan->digest) != 0) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "%s has changed since the ceremony began: go on with the plan as it was, "
                          "or keep the journal %s and begin anew with another --record",
                          plan->path, journal->path);
    }
    if ((line == 1) != (strcmp(kind, SCHSM_JOURNAL_BEGUN) == 0)) {
        return fail_damaged(journal, line, err);
    }
    if (line == 1) {
        return take_devices(journal, entry, plan, err);
    }
    if (strcmp(kind, SCHSM_JOURNAL_STEP_BEGUN) == 0) {
        return take_step(journal, entry, false, plan, line, err);
    }
    if (strcmp(kind, SCHSM_JOURNAL_STEP) == 0) {
        return take_step(journal, entry, true, plan, line, err);
    }
    return strcmp(kind, SCHSM_JOURNAL_RECORD) == 0 || fail_damaged(journal, line, err);
}

/* What follows the last line break was never whole. */
static int take_lines(struct schsm_journal *journal, const char *text, size_t len,
                      struct schsm_plan *plan, struct schsm_error *err)
{
    size_t at = 0;

    for (size_t line = 1; at < len; line++) {
        const char *end = memchr(text + at, '\n', len - at);

        if (end == NULL) {
            break;
        }
        if (!take_entry(journal, json_loadb(text + at, (size_t)(end - text) - at, 0, NULL), line,
                        plan, err)) {
            return 0;
        }
        at = (size_t)(end - text) + 1;
    }
    return (ftruncate(journal->fd, (off_t)at) == 0 &&
            lseek(journal->fd, (off_t)at, SEEK_SET) >= 0) ||
           fail_journal(journal, "written", err);
}

static int read_journal(struct schsm_journal *journal, struct schsm_plan *plan,
                        struct schsm_error *err)
{
    struct stat about;
    char *text = NULL;
    size_t len = 0;
    ssize_t got = 1;
    int ok;

    if (fstat(journal->fd, &about) != 0 || !S_ISREG(about.st_mode) ||
        (uint64_t)about.st_size > JOURNAL_MAX) {
        return fail_damaged(journal, 1, err);
    }
    text = OPENSSL_zalloc((size_t)about.st_size + 1);
    while (text != NULL && len < (size_t)about.st_size && got > 0) {
        got = read(journal->fd, text + len, (size_t)about.st_size - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (text == NULL) {
        return schsm_fail_memory(err);
    }
    ok = got < 0 ? fail_journal(journal, "read", err) : take_lines(journal, text, len, plan, err);
    OPENSSL_free(text);
    return ok;
}

int schsm_journal_open(const char *record, struct schsm_plan *plan, struct schsm_journal *journal,
                       bool *found, struct schsm_error *err)
{
    size_t size = strlen(record) + sizeof(ENDING);

    *journal = (struct schsm_journal){ .fd = -1, .entries = json_array() };
    journal->path = OPENSSL_zalloc(size);
    if (journal->path == NULL || journal->entries == NULL) {
        return schsm_fail_memory(err);
    }
    (void)snprintf(journal->path, size, "%s" ENDING, record);
    journal->fd = schsm_descriptor_open(journal->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
                                        S_IRUSR | S_IWUSR);
    if (journal->fd < 0) {
        return fail_journal(journal, "opened", err);
    }
    if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "this ceremony is under way in another window: the journal %s is in use",
                          journal->path);
    }
    journal->ours = true;
    if (!read_journal(journal, plan, err)) {
        return 0;
    }
    *found = json_array_size(journal->entries) > 0;
    return 1;
}

void schsm_journal_close(struct schsm_journal *journal)
{
    /* one in which nothing stands helps nobody */
    if (journal->ours && lseek(journal->fd, 0, SEEK_END) == 0) {
        (void)unlink(journal->path);
    }
    if (journal->fd >= 0) {
        (void)close(journal->fd);
    }
    json_decref(journal->entries);
    OPENSSL_free(journal->path);
    *journal = (struct schsm_journal){ .fd = -1 };
}

/* --- what happens --------------------------------------------------------------------------- */

int schsm_journal_add(struct schsm_journal *journal, const struct schsm_plan *plan,
                      const char *kind, json_t *entry, struct schsm_error *err)
{
    bool first = json_array_size(journal->entries) == 0;
    char *line = NULL;
    int ok = 0;

    if (entry == NULL || json_object_set_new(entry, "kind", json_string(kind)) != 0 ||
        json_object_set_new(entry, "plan", json_string(plan->digest)) != 0 ||
        json_array_append(journal->entries, entry) != 0 ||
        (line = json_dumps(entry, JSON_COMPACT | JSON_ENSURE_ASCII)) == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    if (!schsm_descriptor_write(journal->fd, line, strlen(line)) ||
        !schsm_descriptor_write(journal->fd, "\n", 1) || fsync(journal->fd) != 0) {
        fail_journal(journal, "written", err);
        goto done;
    }
    ok = !first || sync_folder(journal, err);

done:
    json_decref(entry);
    free(line);
    return ok;
}

int schsm_journal_remove(struct schsm_journal *journal, struct schsm_error *err)
{
    return unlink(journal->path) == 0 || errno == ENOENT || fail_journal(journal, "deleted", err);
}
