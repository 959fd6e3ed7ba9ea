/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsmartcols.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "text.h"
#include "tool.h"

#define GAP "  " /* between columns */

void schsm_table_init(struct schsm_table *table, size_t columns, const char *const *headings)
{
    memset(table, 0, sizeof(*table));
    table->columns = columns;
    table->has_headings = headings != NULL;
    for (size_t i = 0; headings != NULL && i < columns; i++) {
        schsm_table_add(table, headings[i]);
    }
}

void schsm_table_fit(struct schsm_table *table, size_t column, enum schsm_table_fit fit)
{
    table->fits[column] = fit;
}

void schsm_table_add(struct schsm_table *table, const char *cell)
{
    if (table->count == table->room) {
        size_t room = table->room * 2 + 32;
        struct schsm_cell *grown = OPENSSL_realloc(table->cells, room * sizeof(table->cells[0]));

        if (grown == NULL) {
            table->failed = true;
            return;
        }
        table->cells = grown;
        table->room = room;
    }
    table->cells[table->count].mark = SCHSM_MARK_NONE;
    table->cells[table->count].text = schsm_text_printable(cell);
    if (table->cells[table->count].text == NULL) {
        table->failed = true;
    } else {
        table->count++;
    }
}

void schsm_table_mark(struct schsm_table *table, enum schsm_table_mark mark)
{
    if (table->count > 0) {
        table->cells[table->count - 1].mark = mark;
    }
}

__attribute__((format(printf, 2, 0))) static void
add_formatted(struct schsm_table *table, const char *format, va_list arguments)
{
    char cell[1024];

    BIO_vsnprintf(cell, sizeof(cell), format, arguments);
    schsm_table_add(table, cell);
}

void schsm_table_addf(struct schsm_table *table, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_formatted(table, format, arguments);
    va_end(arguments);
}

void schsm_table_row(struct schsm_table *table, const char *name, const char *format, ...)
{
    va_list arguments;

    schsm_table_add(table, name);
    va_start(arguments, format);
    add_formatted(table, format, arguments);
    va_end(arguments);
}

/* https://no-color.org: set and not empty. */
static bool colours_are_wanted(void)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

#define SHORTENED_MIN 12 /* so much of a column that is cut stays */

/* What libsmartcols is to leave of a column; 0: it decides. */
static double least_width(const struct schsm_table *table, size_t column)
{
    size_t longest = 0;

    if (table->fits[column] != SCHSM_FIT_SHORTEN || !isatty(STDOUT_FILENO)) {
        return 0;
    }
    for (size_t i = column; i < table->count; i += table->columns) {
        size_t len = strlen(table->cells[i].text);

        longest = len > longest ? len : longest;
    }
    return (double)(longest < SHORTENED_MIN ? longest : SHORTENED_MIN);
}

static int add_columns(struct libscols_table *out, const struct schsm_table *table)
{
    static const int flags[] = {
        [SCHSM_FIT_NOT] = 0,
        [SCHSM_FIT_SHORTEN] = SCOLS_FL_TRUNC,
        [SCHSM_FIT_WRAP] = SCOLS_FL_WRAP,
    };

    for (size_t i = 0; i < table->columns; i++) {
        if (scols_table_new_column(out, NULL, least_width(table, i), flags[table->fits[i]]) ==
            NULL) {
            return 0;
        }
    }
    return 1;
}

/* The headings are a line like all others: libsmartcols leaves its own out where no line follows.
 */
static int add_lines(struct libscols_table *out, const struct schsm_table *table)
{
    static const char *const colours[] = {
        [SCHSM_MARK_NONE] = NULL,
        [SCHSM_MARK_WARNING] = "brown",
        [SCHSM_MARK_ERROR] = "red",
    };

    for (size_t i = 0; i < table->count; i += table->columns) {
        struct libscols_line *line = scols_table_new_line(out, NULL);

        if (line == NULL) {
            return 0;
        }
        for (size_t k = 0; k < table->columns && i + k < table->count; k++) {
            const struct schsm_cell *cell = &table->cells[i + k];

            if (scols_line_set_data(line, k, cell->text) != 0 ||
                scols_cell_set_color(scols_line_get_cell(line, k), colours[cell->mark]) != 0) {
                return 0;
            }
        }
        if (i == 0 && table->has_headings && scols_line_set_color(line, "bold") != 0) {
            return 0;
        }
    }
    return 1;
}

int schsm_table_print(struct schsm_table *table, struct schsm_error *err)
{
    /* Widths follow the locale; the text is UTF-8 in any. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 != (locale_t)0 ? uselocale(utf8) : (locale_t)0;
    struct libscols_table *out = table->failed ? NULL : scols_new_table();
    int ok = out != NULL && scols_table_enable_noheadings(out, 1) == 0 &&
             scols_table_enable_colors(out, colours_are_wanted()) == 0 &&
             scols_table_set_column_separator(out, GAP) == 0 && add_columns(out, table) &&
             add_lines(out, table) && scols_print_table(out) == 0;

    scols_unref_table(out);
    if (utf8 != (locale_t)0) {
        uselocale(before);
        freelocale(utf8);
    }
    schsm_table_clear(table);
    return ok ? 1 : schsm_fail_memory(err);
}

void schsm_table_clear(struct schsm_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        OPENSSL_free(table->cells[i].text);
    }
    OPENSSL_free(table->cells);
    memset(table, 0, sizeof(*table));
}

json_t *schsm_json_text(const char *text)
{
    char *valid = NULL;
    json_t *value = NULL;

    if (text[0] == '\0') {
        return json_null();
    }
    valid = schsm_text_valid(text);
    if (valid != NULL) {
        value = json_string(valid);
    }
    OPENSSL_free(valid);
    return value;
}

const char *schsm_serial_text(const char *serial)
{
    return serial[0] != '\0' ? serial : SCHSM_TOOL_NO_SERIAL;
}

json_t *schsm_json_serial(const char *serial)
{
    return schsm_json_text(strcmp(serial, SCHSM_TOOL_NO_SERIAL) == 0 ? "" : serial);
}

json_t *schsm_json_count(int number)
{
    return number < 0 ? json_null() : json_integer(number);
}

json_t *schsm_json_hex(const uint8_t *bytes, size_t len)
{
    char *hex = OPENSSL_malloc(2 * len + 1);
    json_t *value = NULL;

    if (hex != NULL) {
        schsm_hex(bytes, len, hex);
        value = json_stringn(hex, 2 * len);
    }
    OPENSSL_clear_free(hex, 2 * len + 1);
    return value;
}

void schsm_json_append(json_t **array, json_t *item)
{
    if (json_array_append_new(*array, item) != 0) {
        json_decref(*array);
        *array = NULL;
    }
}

int schsm_json_print(json_t *document, struct schsm_error *err)
{
    int ok = 0;

    if (document == NULL) {
        return schsm_fail_memory(err);
    }
    /* ASCII: what comes from a device must not steer a terminal in this form either. */
    ok = json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0 &&
         putchar('\n') != EOF;
    json_decref(document);
    return ok ? 1 : schsm_fail(err, SCHSM_REASON_DEVICE, "standard output cannot be written");
}

int schsm_say(struct schsm_error *err, const char *format, ...)
{
    char *text = NULL, *printable = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
    }
    va_end(arguments);
    if (text != NULL) {
        printable = schsm_text_printable(text);
        free(text);
    }
    if (printable == NULL) {
        return schsm_fail_memory(err);
    }
    puts(printable);
    OPENSSL_free(printable);
    return 1;
}

void schsm_print_hex(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        printf("%02x", bytes[i]);
    }
    (void)putchar('\n');
}
