/* SPDX-License-Identifier: Apache-2.0 */
#include "custodian.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "text.h"

#define LINE_SIZE 80
#define CLEAR "\033[H\033[2J\033[3J" /* the screen, and what was scrolled off it */

static FILE *open_terminal(struct schsm_error *err)
{
    FILE *terminal = fopen("/dev/tty", "r+e");

    if (terminal == NULL) {
        schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                   "there is no terminal for the custodians of the password: shares are shown and "
                   "typed nowhere else");
        return NULL;
    }
    (void)setvbuf(terminal, NULL, _IONBF, 0); /* no copy stays behind */
    return terminal;
}

/* One line without its end. */
static int read_line(FILE *terminal, char line[LINE_SIZE], struct schsm_error *err)
{
    int c = 0;

    if (fgets(line, LINE_SIZE, terminal) == NULL) {
        return schsm_fail(err, SCHSM_REASON_CANCELLED, "nothing was done: a custodian left");
    }
    if (strchr(line, '\n') == NULL) { /* too long for a share: it will be refused */
        while (c != EOF && c != '\n') {
            c = fgetc(terminal);
        }
    }
    line[strcspn(line, "\r\n")] = '\0';
    return 1;
}

static int show_one(FILE *terminal, const char *what, unsigned int threshold, unsigned int total,
                    const struct schsm_password_share *share, struct schsm_error *err)
{
    char prime[SCHSM_PASSWORD_NUMBER_MAX], value[SCHSM_PASSWORD_NUMBER_MAX], line[LINE_SIZE];
    int ok;

    schsm_password_number_text(share->prime, prime);
    schsm_password_number_text(share->value, value);
    (void)fprintf(
        terminal,
        CLEAR "Custodian %u of %u, part of the password of %s\n\n"
              "  Prime       : %s\n"
              "  Share ID    : %u%s\n"
              "  Share value : %s\n\n"
              "Write all three down and keep them secret. Any %u of the %u custodians can give "
              "the password together, fewer cannot; nobody can show this again.\n"
              "Press Enter to clear the screen: ",
        share->id, total, what, prime, share->id,
        share->id > 9 ? " (in decimal digits; type 0x and hexadecimal ones likewise)" : "", value,
        threshold, total);
    ok = read_line(terminal, line, err);
    (void)fputs(CLEAR, terminal);
    OPENSSL_cleanse(value, sizeof(value));
    return ok;
}

int schsm_custodians_show(const char *what, unsigned int threshold, unsigned int total,
                          const struct schsm_password_share *shares, struct schsm_error *err)
{
    FILE *terminal = open_terminal(err);
    char *printable = schsm_text_printable(what);
    int ok = terminal != NULL;

    if (printable == NULL) {
        ok = schsm_fail_memory(err);
    }
    for (unsigned int i = 0; ok && i < total; i++) {
        ok = show_one(terminal, printable, threshold, total, &shares[i], err);
    }
    if (terminal != NULL) {
        (void)fclose(terminal);
    }
    OPENSSL_free(printable);
    return ok;
}

/* Asks for a number until one is typed. */
static int ask_number(FILE *terminal, const char *label, uint64_t *number, struct schsm_error *err)
{
    struct schsm_error why = SCHSM_ERROR_INIT;
    char line[LINE_SIZE];
    int ok = 0;

    for (;;) {
        (void)fprintf(terminal, "  %s: ", label);
        ok = read_line(terminal, line, err);
        if (!ok || schsm_password_number_parse(line, strlen(line), number, &why)) {
            break;
        }
        (void)fprintf(terminal, "  %s.\n", why.text);
    }
    OPENSSL_cleanse(line, sizeof(line));
    return ok;
}

static int ask_id(FILE *terminal, unsigned int *id, struct schsm_error *err)
{
    struct schsm_error why = SCHSM_ERROR_INIT;
    char line[LINE_SIZE];

    for (;;) {
        (void)fputs("  Share ID    : ", terminal);
        if (!read_line(terminal, line, err)) {
            return 0;
        }
        if (schsm_password_id_parse(line, strlen(line), id, &why)) {
            return 1;
        }
        (void)fprintf(terminal, "  %s.\n", why.text);
    }
}

/* The first custodian's prime is that of all. */
static int ask_one(FILE *terminal, const char *what, unsigned int number, unsigned int count,
                   struct schsm_password_share *shares, struct schsm_error *err)
{
    struct schsm_password_share *share = &shares[number - 1];
    int ok;

    (void)fprintf(terminal, CLEAR "Custodian %u of %u, for the password of %s\n\n", number, count,
                  what);
    if (number > 1) {
        share->prime = shares[0].prime;
        ok = 1;
    } else {
        ok = ask_number(terminal, "Prime       ", &share->prime, err);
    }
    ok = ok && ask_id(terminal, &share->id, err) &&
         ask_number(terminal, "Share value ", &share->value, err);
    (void)fputs(CLEAR, terminal);
    return ok;
}

int schsm_custodians_ask(const char *what, unsigned int count, struct schsm_password_share *shares,
                         struct schsm_error *err)
{
    FILE *terminal = open_terminal(err);
    char *printable = schsm_text_printable(what);
    int ok = terminal != NULL;

    if (printable == NULL) {
        ok = schsm_fail_memory(err);
    }
    for (unsigned int i = 1; ok && i <= count; i++) {
        ok = ask_one(terminal, printable, i, count, shares, err);
    }
    if (terminal != NULL) {
        (void)fclose(terminal);
    }
    OPENSSL_free(printable);
    return ok;
}
