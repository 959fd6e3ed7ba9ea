/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of 80 columns. */
#include "tool/ceremony.h"

#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "tool/text.h"

#define WIDTH 80
#define ROW_COLUMN 16 /* where the texts of rows begin */
#define HANG 4        /* by so much the further lines of a command are indented */

/* Characters that mean nothing to a shell. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%"

/* Columns that a piece of UTF-8 text takes, and in *len its bytes: as much as has room. */
static size_t columns_of(const char *text, size_t *len, size_t room)
{
    size_t at = 0, columns = 0;
    mbstate_t state;

    memset(&state, 0, sizeof(state));
    while (at < *len) {
        wchar_t character = 0;
        size_t bytes = mbrtowc(&character, text + at, *len - at, &state);
        int width = 1;

        if (bytes == 0 || bytes > *len - at) { /* no UTF-8 here: byte by byte */
            memset(&state, 0, sizeof(state));
            bytes = 1;
        } else {
            width = wcwidth(character) >= 0 ? wcwidth(character) : 1;
        }
        if (columns + (size_t)width > room && at > 0) {
            break;
        }
        columns += (size_t)width;
        at += bytes;
    }
    *len = at;
    return columns;
}

/* What leads the first line takes `indent` columns. A word that is longer than a line is broken. */
static void show_words(FILE *out, const char *lead, const char *text, size_t indent, size_t hang)
{
    size_t column = indent;
    bool first = true;

    (void)fprintf(out, "%-*s", (int)indent, lead);
    while (*text != '\0') {
        size_t len = strcspn(text, " "), whole = len;
        size_t columns = columns_of(text, &len, WIDTH - hang);

        if (!first && column + 1 + columns > WIDTH) {
            (void)fprintf(out, "\n%*s", (int)hang, "");
            column = hang;
            first = true;
        }
        (void)fprintf(out, "%s%.*s", first ? "" : " ", (int)len, text);
        column += columns + (first ? 0 : 1);
        first = false;
        if (len < whole) { /* the rest of it begins the next line */
            (void)fprintf(out, "\n%*s", (int)hang, "");
            column = hang;
            first = true;
        }
        text += len;
        text += strspn(text, " ");
    }
    (void)fputc('\n', out);
}

/* Widths follow the locale; the text is UTF-8 in any. */
static void show_text(FILE *out, const char *lead, const char *text, size_t indent, size_t hang)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 != (locale_t)0 ? uselocale(utf8) : (locale_t)0;
    char *printable = schsm_text_printable(text);

    if (out != NULL && printable != NULL) {
        show_words(out, lead, printable, indent, hang);
    }
    OPENSSL_free(printable);
    if (utf8 != (locale_t)0) {
        uselocale(before);
        freelocale(utf8);
    }
}

void schsm_ceremony_show(FILE *out, size_t indent, size_t hang, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len >= 0) {
        show_text(out, "", text, indent, hang);
        free(text);
    }
}

void schsm_ceremony_show_row(FILE *out, const char *name, const char *text)
{
    show_text(out, name, text, ROW_COLUMN, ROW_COLUMN);
}

void schsm_ceremony_show_command(FILE *out, const json_t *words, size_t indent)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    if (bio == NULL || json_array_size(words) == 0) {
        BIO_free(bio);
        return;
    }
    BIO_printf(bio, SCHSM_TOOL_NAME);
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        bool plain = word[strspn(word, PLAIN)] == '\0';

        BIO_printf(bio, plain ? " " : " '");
        for (; *word != '\0'; word++) {
            BIO_printf(bio, *word == '\'' ? "'\\''" : "%c", *word);
        }
        BIO_printf(bio, plain ? "" : "'");
    }
    if (BIO_write(bio, "", 1) == 1 && BIO_get_mem_data(bio, &text) > 0) {
        show_text(out, "", text, indent, indent + HANG);
    }
    BIO_free(bio);
}
