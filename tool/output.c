/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "text.h"
#include "tool.h"

#define GAP 2 /* spaces between columns */

void schsm_table_init(struct schsm_table *table, size_t columns, const char *const *headings)
{
    memset(table, 0, sizeof(*table));
    table->columns = columns;
    for (size_t i = 0; headings != NULL && i < columns; i++) {
        schsm_table_add(table, headings[i]);
    }
}

void schsm_table_add(struct schsm_table *table, const char *cell)
{
    if (table->count == table->room) {
        size_t room = table->room * 2 + 32;
        char **grown = OPENSSL_realloc(table->cells, room * sizeof(table->cells[0]));

        if (grown == NULL) {
            table->failed = true;
            return;
        }
        table->cells = grown;
        table->room = room;
    }
    table->cells[table->count] = schsm_text_printable(cell);
    if (table->cells[table->count] == NULL) {
        table->failed = true;
    } else {
        table->count++;
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

int schsm_table_print(struct schsm_table *table, struct schsm_error *err)
{
    size_t widths[SCHSM_COLUMNS_MAX] = { 0 };
    bool failed = table->failed;

    for (size_t i = 0; i < table->count; i++) {
        size_t width = schsm_text_width(table->cells[i]);

        if (width > widths[i % table->columns]) {
            widths[i % table->columns] = width;
        }
    }
    for (size_t i = 0; i < table->count && !failed; i++) {
        size_t column = i % table->columns;

        (void)fputs(table->cells[i], stdout);
        if (column + 1 == table->columns) {
            putchar('\n');
        } else {
            printf("%*s", (int)(widths[column] - schsm_text_width(table->cells[i]) + GAP), "");
        }
    }
    schsm_table_clear(table);
    return failed ? schsm_fail_memory(err) : 1;
}

void schsm_table_clear(struct schsm_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        OPENSSL_free(table->cells[i]);
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
