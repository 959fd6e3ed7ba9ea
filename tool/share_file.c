/* SPDX-License-Identifier: Apache-2.0 */
#include "share_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "pin/source.h"
#include "keymgmt/file.h"
#include "keymgmt/password_shares.h"
#include "ask.h"
#include "custodian.h"

#define FILE_READ_MAX 4096 /* more than enough to see that it is something else */
#define PASSWORD_NEW_MIN 6 /* as sc-hsm-tool wants it */

static void tell(void *arg, unsigned int percent)
{
    (void)arg;
    (void)fprintf(stderr, "\rWorking on the password: %3u %% ", percent);
}

/* Nothing is shown where standard error is no terminal. */
static struct schsm_share_progress start_progress(void)
{
    return (struct schsm_share_progress){ isatty(STDERR_FILENO) ? tell : NULL, NULL };
}

static void end_progress(const struct schsm_share_progress *progress)
{
    if (progress->tell != NULL) {
        (void)fprintf(stderr, "\r%34s\r", "");
    }
}

int schsm_share_file_read(const char *path, uint8_t file[SCHSM_SHARE_FILE_LEN],
                          struct schsm_error *err)
{
    uint8_t *content = NULL;
    size_t len = 0;
    int ok;

    if (!schsm_file_read(path, FILE_READ_MAX, &content, &len, err)) {
        return 0;
    }
    ok = schsm_dkek_share_extract(content, len, file, err);
    if (!ok) {
        schsm_fail_context(err, "%s", path);
    }
    OPENSSL_clear_free(content, len);
    return ok;
}

/* The password that custodians give together, in one or two forms. */
static int ask_password_parts(struct schsm_tool *tool, const char *path, unsigned int count,
                              struct schsm_secret **password, struct schsm_secret **longer,
                              struct schsm_error *err)
{
    uint8_t *room;
    struct schsm_secret *memory =
        schsm_secret_alloc(count * sizeof(struct schsm_password_share), &room, err);
    struct schsm_password_share *shares;
    int ok;

    if (memory == NULL) {
        return 0;
    }
    shares = (struct schsm_password_share *)(void *)room;
    ok = schsm_custodians_ask(path, count, shares, err) &&
         schsm_password_shares_combine(tool->context.libctx, shares, count, password, longer, err);
    schsm_secret_free(memory);
    return ok;
}

static int read_password(const char *path, const char *source, struct schsm_secret **password,
                         struct schsm_error *err)
{
    const struct schsm_pin_prompt prompt = { .what = "password", .object = path, .tries_left = -1 };
    struct schsm_pin_source *parsed =
        schsm_pin_source_parse(source != NULL ? source : "prompt", err);
    int ok = 0;

    if (parsed == NULL) {
        return schsm_fail_context(err, "option --password-source");
    }
    if (schsm_pin_source_is_pinpad(parsed)) {
        schsm_fail(err, SCHSM_REASON_CONFIG, "a password cannot be typed on a PIN pad");
    } else {
        ok = schsm_pin_source_read(parsed, &prompt, password, err);
    }
    if (!ok && err->reason == SCHSM_REASON_PIN_MISSING) {
        schsm_fail(
            err, SCHSM_REASON_PIN_MISSING,
            "there is no terminal to ask for the password of %s at: give it with --password-source",
            path);
    }
    schsm_pin_source_free(parsed);
    return ok;
}

static int get_password(struct schsm_tool *tool, const char *path, const char *source,
                        struct schsm_secret **password, struct schsm_secret **longer,
                        struct schsm_error *err)
{
    int64_t custodians = 0;

    if (!schsm_tool_number(tool, "password-shares", SCHSM_PASSWORD_THRESHOLD_MIN,
                           SCHSM_PASSWORD_SHARES_MAX, &custodians, err)) {
        return 0;
    }
    return custodians > 0 && source == NULL
               ? ask_password_parts(tool, path, (unsigned int)custodians, password, longer, err)
               : read_password(path, source, password, err);
}

struct schsm_secret *schsm_share_file_open(struct schsm_tool *tool, const char *path,
                                           const uint8_t file[SCHSM_SHARE_FILE_LEN],
                                           const char *source, struct schsm_error *err)
{
    struct schsm_secret *password = NULL, *longer = NULL, *share = NULL;
    struct schsm_share_progress progress;

    if (!get_password(tool, path, source, &password, &longer, err)) {
        return NULL;
    }
    progress = start_progress();
    share = schsm_dkek_share_open(tool->context.libctx, file, SCHSM_SHARE_FILE_LEN, password,
                                  &progress, err);
    if (share == NULL && longer != NULL) {
        share = schsm_dkek_share_open(tool->context.libctx, file, SCHSM_SHARE_FILE_LEN, longer,
                                      &progress, err);
    }
    end_progress(&progress);
    if (share == NULL) {
        schsm_fail_context(err, "%s", path);
    }
    schsm_secret_free(longer);
    schsm_secret_free(password);
    return share;
}

struct schsm_secret *schsm_share_files_combine(struct schsm_tool *tool, size_t *count,
                                               struct schsm_error *err)
{
    const char *paths[SCHSM_SHARES_MAX], *sources[SCHSM_SHARES_MAX];
    struct schsm_secret *shares[SCHSM_SHARES_MAX] = { NULL }, *dkek = NULL;
    size_t opened = 0, given;
    uint8_t file[SCHSM_SHARE_FILE_LEN];

    *count = schsm_tool_settings(tool, "share", paths, SCHSM_SHARES_MAX);
    given = schsm_tool_settings(tool, "password-source", sources, SCHSM_SHARES_MAX);
    if (given > *count) {
        schsm_fail(err, SCHSM_REASON_ARGUMENT,
                   "there are more --password-source options than --share options");
        return NULL;
    }
    /* all files first, before anybody types a password */
    for (size_t i = 0; i < *count; i++) {
        if (!schsm_share_file_read(paths[i], file, err)) {
            return NULL;
        }
    }
    while (opened < *count) {
        if (!schsm_share_file_read(paths[opened], file, err)) {
            goto done;
        }
        shares[opened] = schsm_share_file_open(tool, paths[opened], file,
                                               opened < given ? sources[opened] : NULL, err);
        if (shares[opened] == NULL) {
            goto done;
        }
        opened++;
    }
    dkek = schsm_dkek_combine(shares, *count, err);

done:
    while (opened > 0) {
        schsm_secret_free(shares[--opened]);
    }
    return dkek;
}

int schsm_share_split(const struct schsm_tool *tool, const char *option, unsigned int *threshold,
                      unsigned int *total, struct schsm_error *err)
{
    const char *text = schsm_tool_setting(tool, option);
    const char *end = NULL;

    *threshold = *total = 0;
    if (text == NULL) {
        return 1;
    }
    if (!schsm_tool_count(text, UINT_MAX, threshold, &end) || *end != '/' || end[1] < '0' ||
        end[1] > '9') {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--%s is T/M, T of M custodians being needed together, such as 3/5, and "
                          "not '%.40s'",
                          option, text);
    }
    if (!schsm_tool_count(end + 1, SCHSM_PASSWORD_SHARES_MAX, total, &end) || *end != '\0' ||
        *threshold > SCHSM_PASSWORD_SHARES_MAX) {
        *threshold = *total = 0;
    }
    return schsm_password_shares_check(*threshold, *total, err);
}

/* A new password that custodians get parts of. */
static int split_password(struct schsm_tool *tool, const char *path, unsigned int threshold,
                          unsigned int total, struct schsm_secret **password,
                          struct schsm_error *err)
{
    uint8_t *room;
    struct schsm_secret *memory =
        schsm_secret_alloc(total * sizeof(struct schsm_password_share), &room, err);
    struct schsm_password_share *shares;
    int ok;

    if (memory == NULL) {
        return 0;
    }
    shares = (struct schsm_password_share *)(void *)room;
    ok =
        schsm_password_shares_make(tool->context.libctx, threshold, total, shares, password, err) &&
        schsm_custodians_show(path, threshold, total, shares, err);
    schsm_secret_free(memory);
    return ok;
}

static int new_password(struct schsm_tool *tool, const char *path, const char *source_option,
                        const char *shares_option, struct schsm_secret **password,
                        struct schsm_error *err)
{
    char what[200];
    const struct schsm_question question = { .what = what,
                                             .tries_left = -1,
                                             .twice = true,
                                             .min = PASSWORD_NEW_MIN,
                                             .max = SCHSM_SECRET_INPUT_MAX };
    unsigned int threshold, total = 0;

    if (shares_option != NULL && !schsm_share_split(tool, shares_option, &threshold, &total, err)) {
        return 0;
    }
    if (total > 0) {
        return split_password(tool, path, threshold, total, password, err);
    }
    (void)snprintf(what, sizeof(what), "new password of %.160s", path);
    if (schsm_tool_secret(tool, source_option, &question, password, err)) {
        return 1;
    }
    if (err->reason == SCHSM_REASON_PIN_LENGTH) { /* no PIN was wrong */
        schsm_fail(err, SCHSM_REASON_ARGUMENT, "the password of a share has %d to %d characters",
                   PASSWORD_NEW_MIN, SCHSM_SECRET_INPUT_MAX);
    }
    return 0;
}

int schsm_share_file_prepare(struct schsm_tool *tool, const char *path, bool overwrite,
                             const char *source_option, struct schsm_secret **password,
                             struct schsm_error *err)
{
    const char *source = schsm_tool_setting(tool, source_option);

    *password = NULL;
    return schsm_file_check_place(path, overwrite, err) &&
           (source == NULL || strcmp(source, "prompt") == 0 ||
            new_password(tool, path, source_option, NULL, password, err));
}

int schsm_share_file_write(struct schsm_tool *tool, const char *path, bool overwrite,
                           const struct schsm_secret *share, struct schsm_secret *password,
                           const char *source_option, const char *shares_option,
                           struct schsm_error *err)
{
    struct schsm_share_progress progress;
    uint8_t file[SCHSM_SHARE_FILE_LEN];
    int ok =
        password != NULL || new_password(tool, path, source_option, shares_option, &password, err);

    if (ok) {
        progress = start_progress();
        ok = schsm_dkek_share_seal(tool->context.libctx, share, password, &progress, file, err);
        end_progress(&progress);
    }
    schsm_secret_free(password);
    return ok && schsm_file_write(path, SCHSM_FILE_FOR_OWNER, overwrite, file, sizeof(file), err);
}
