/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "pin/source.h"
#include "text.h"

static int check_length(const struct schsm_question *question, const struct schsm_secret *secret,
                        struct schsm_error *err)
{
    size_t len = schsm_secret_len(secret);

    if (len >= question->min && len <= question->max) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                      question->min == question->max
                          ? "the %s has %zu characters, and must have %zu"
                          : "the %s has %zu characters, and must have %zu to %zu",
                      question->what, len, question->min, question->max);
}

/* At the terminal a second time; what is typed must be the same. */
static int compare(struct schsm_pin_source *terminal, const struct schsm_question *question,
                   const struct schsm_secret *secret, struct schsm_error *err)
{
    char what[128];
    const struct schsm_pin_prompt prompt = { .what = what,
                                             .device = question->device,
                                             .tries_left = -1 };
    struct schsm_secret *second = NULL;
    int ok = 0;

    BIO_snprintf(what, sizeof(what), "%s once more", question->what);
    ok = schsm_pin_source_read(terminal, &prompt, &second, err);
    if (ok && (schsm_secret_len(second) != schsm_secret_len(secret) ||
               CRYPTO_memcmp(schsm_secret_data(second), schsm_secret_data(secret),
                             schsm_secret_len(secret)) != 0)) {
        ok = schsm_fail(err, SCHSM_REASON_ARGUMENT, "the two entries of the %s differ",
                        question->what);
    }
    schsm_secret_free(second);
    return ok;
}

/* serial: for a source that tells devices apart, NULL where that is not permitted. */
static int read_secret(struct schsm_pin_source *source, const struct schsm_question *question,
                       const char *serial, struct schsm_secret **secret, struct schsm_error *err)
{
    const struct schsm_pin_prompt prompt = { .what = question->what,
                                             .device = question->device,
                                             .tries_left = question->tries_left,
                                             .serial = serial };
    int ok = schsm_pin_source_read(source, &prompt, secret, err) &&
             check_length(question, *secret, err) &&
             (!question->twice || schsm_pin_source_is_stored(source) ||
              compare(source, question, *secret, err));

    if (!ok) {
        schsm_secret_free(*secret);
        *secret = NULL;
    }
    return ok;
}

int schsm_tool_secret_from(struct schsm_pin_source *source, const struct schsm_question *question,
                           struct schsm_secret **secret, struct schsm_error *err)
{
    return read_secret(source, question, question->device, secret, err);
}

int schsm_tool_secret(const struct schsm_tool *tool, const char *option,
                      const struct schsm_question *question, struct schsm_secret **secret,
                      struct schsm_error *err)
{
    const char *text = option != NULL ? schsm_tool_setting(tool, option) : NULL;
    struct schsm_pin_source *source = schsm_pin_source_parse(text != NULL ? text : "prompt", err);
    int ok = 0;

    *secret = NULL;
    if (source == NULL) {
        return schsm_fail_context(err, "option --%s", option != NULL ? option : "");
    }
    if (schsm_pin_source_is_pinpad(source)) {
        schsm_fail(err, SCHSM_REASON_CONFIG, "the %s cannot be typed on a PIN pad", question->what);
        goto done;
    }
    ok = read_secret(source, question, NULL, secret, err);
    if (!ok && err != NULL && err->reason == SCHSM_REASON_PIN_MISSING && option != NULL) {
        schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                   "there is no terminal to ask for the %s at: give it with --%s", question->what,
                   option);
    }

done:
    schsm_pin_source_free(source);
    return ok;
}

int schsm_tool_confirm(const struct schsm_tool *tool, const char *serial, const char *consequences,
                       struct schsm_error *err)
{
    /* one without a serial number that could be typed */
    return strcmp(serial, SCHSM_TOOL_NO_SERIAL) == 0
               ? schsm_tool_confirm_by(tool, "word", "yes", consequences, err)
               : schsm_tool_confirm_by(tool, "serial number", serial, consequences, err);
}

int schsm_tool_confirm_by(const struct schsm_tool *tool, const char *what, const char *word,
                          const char *consequences, struct schsm_error *err)
{
    char line[SCHSM_SERIAL_MAX + 2];
    char *printable = NULL;
    FILE *terminal = NULL;
    int ok = 0;

    if (schsm_tool_flag(tool, "yes")) {
        return 1;
    }
    printable = schsm_text_printable(consequences);
    if (printable == NULL) {
        return schsm_fail_memory(err);
    }
    terminal = fopen("/dev/tty", "r+e");
    if (terminal == NULL) {
        schsm_fail(err, SCHSM_REASON_CANCELLED,
                   "nothing was done: there is no terminal to ask for confirmation at; "
                   "--yes goes without. %s",
                   printable);
        goto done;
    }
    (void)fprintf(terminal, "%s\nTo go on, type the %s %s: ", printable, what, word);
    (void)fflush(terminal);
    if (fgets(line, sizeof(line), terminal) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        ok = strcmp(line, word) == 0;
    }
    (void)fclose(terminal);
    if (!ok) {
        schsm_fail(err, SCHSM_REASON_CANCELLED, "nothing was done: that was not the %s %s", what,
                   word);
    }

done:
    OPENSSL_free(printable);
    return ok;
}
