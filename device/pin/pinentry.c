/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Assuan protocol as a client of pinentry: lines, each answered by OK or ERR; GETPIN by lines D
 * with the PIN before it (https://gnupg.org/documentation/manuals/assuan/).
 */
#include "person.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/secret.h"
#include "program.h"

#define LINE_MAX_LEN 1000 /* of the protocol, without its end */

/* Of libgpg-error, in the low 16 bits of what ERR tells. */
#define ERROR_MASK 0xFFFF
#define ERROR_TIMEOUT 62
#define ERROR_CANCELED 99
#define ERROR_FULLY_CANCELED 198

/* What GETPIN answers goes into pin; all in memory of a secret. */
struct dialogue {
    struct schsm_program program;
    char *line; /* LINE_MAX_LEN + 1 */
    char *pin;
    size_t pin_size, pin_len;
};

/* Takes the line's end off. False at the end of input, or where a line is no line. */
static bool hear_line(struct dialogue *with)
{
    size_t len = 0;
    char c = 0;

    while (len <= LINE_MAX_LEN && schsm_program_hear(&with->program, &c, 1) == 1) {
        if (c == '\n') {
            with->line[len] = '\0';
            return true;
        }
        with->line[len++] = c;
    }
    return false;
}

/* Decodes %XX on the way. What has no room is left out: the buffer is then full. */
static void take_pin(struct dialogue *with, const char *text)
{
    while (*text != '\0' && with->pin_len < with->pin_size) {
        int high = text[0] == '%' ? schsm_hex_digit(text[1]) : -1;
        int low = high >= 0 ? schsm_hex_digit(text[2]) : -1;

        if (low >= 0) {
            with->pin[with->pin_len++] = (char)(high << 4 | low);
            text += 3;
        } else {
            with->pin[with->pin_len++] = *text++;
        }
    }
}

/* 0: OK; an error number of ERR, which stays in the line; -1: the dialogue is over. */
static int hear(struct dialogue *with)
{
    while (hear_line(with)) {
        if (strncmp(with->line, "D ", 2) == 0) {
            take_pin(with, with->line + 2);
        } else if (strncmp(with->line, "ERR ", 4) == 0) {
            int number = (int)(strtoul(with->line + 4, NULL, 10) & ERROR_MASK);

            return number != 0 ? number : ERROR_MASK;
        } else if (strcmp(with->line, "OK") == 0 || strncmp(with->line, "OK ", 3) == 0) {
            return 0;
        } else if (strncmp(with->line, "INQUIRE ", 8) == 0 &&
                   !schsm_program_tell(&with->program, "CAN\n")) {
            return -1;
        }
        /* comments and status lines are for those who want them */
    }
    return -1;
}

/* A command and its argument, in which % and what is no character would be taken for something
 * else. */
static int ask(struct dialogue *with, const char *command, const char *argument)
{
    char text[LINE_MAX_LEN + 2];
    size_t len = 0;

    (void)snprintf(text, sizeof(text), "%s", command);
    len = strlen(text);
    for (; *argument != '\0' && len < LINE_MAX_LEN - 3; argument++) {
        unsigned char c = (unsigned char)*argument;

        if (c == '%' || c < 0x20) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%%%02X", c);
        } else {
            text[len++] = *argument;
        }
    }
    text[len++] = '\n';
    text[len] = '\0';
    return schsm_program_tell(&with->program, text) ? hear(with) : -1;
}

/* Where a pinentry without a window asks: GnuPG's own word for it, else the controlling terminal.
 */
static void name_terminal(struct dialogue *with)
{
    const char *terminal = getenv("GPG_TTY");

    (void)ask(with,
              "OPTION ttyname=", terminal != NULL && *terminal != '\0' ? terminal : "/dev/tty");
}

static int converse(struct dialogue *with, const struct schsm_pin_prompt *prompt)
{
    const char *what = prompt != NULL && prompt->what != NULL ? prompt->what : "PIN";
    char text[SCHSM_PROMPT_TEXT_MAX];
    int result = hear(with); /* it greets */

    if (result == 0) {
        name_terminal(with); /* one that has no use for it says so */
        schsm_pin_prompt_text(prompt, text);
        result = ask(with, "SETDESC ", text);
    }
    if (result == 0) {
        (void)snprintf(text, sizeof(text), "%.60s:", what);
        result = ask(with, "SETPROMPT ", text);
    }
    with->pin_len = 0;
    if (result == 0) {
        result = ask(with, "GETPIN", "");
    }
    (void)schsm_program_tell(&with->program, "BYE\n");
    return result;
}

static int conclude(struct dialogue *with, int result, const char *what, struct schsm_error *err)
{
    const char *text = strchr(with->line, ' ');

    text = text != NULL ? strchr(text + 1, ' ') : NULL;
    if ((result == 0 && with->pin_len == 0) || result == ERROR_CANCELED ||
        result == ERROR_FULLY_CANCELED || result == ERROR_TIMEOUT) {
        return schsm_fail(err, SCHSM_REASON_CANCELLED,
                          "the prompt for the %s was left without an answer", what);
    }
    if (result != 0) {
        return schsm_fail(
            err, SCHSM_REASON_PIN_SOURCE,
            "pinentry could not ask for the %s: %.80s; it needs a window or a terminal", what,
            result > 0 && text != NULL ? text + 1 : "it ended before it answered");
    }
    return 1;
}

int schsm_pinentry_read(const struct schsm_pin_prompt *prompt, char *line, size_t *len,
                        struct schsm_error *err)
{
    static const char *const arguments[] = { "pinentry", NULL };
    const char *what = prompt != NULL && prompt->what != NULL ? prompt->what : "PIN";
    struct dialogue with = { .pin = line, .pin_size = *len };
    struct schsm_secret *room;
    uint8_t *bytes = NULL;
    int result, ok = 0;

    *len = 0;
    room = schsm_secret_alloc(LINE_MAX_LEN + 1, &bytes, err);
    if (room == NULL) {
        return 0;
    }
    with.line = (char *)bytes;
    schsm_pin_prompt_lock();
    if (schsm_program_start(arguments, true, &with.program, err)) {
        result = converse(&with, prompt);
        (void)schsm_program_end(&with.program);
        ok = conclude(&with, result, what, err);
        *len = ok ? with.pin_len : 0;
    }
    schsm_pin_prompt_unlock();
    schsm_secret_free(room);
    return ok;
}
