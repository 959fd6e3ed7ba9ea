/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people, JSON for programs; both on standard output. */
#ifndef SCHSM_TOOL_OUTPUT_H
#define SCHSM_TOOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/hex.h"
#include "base/error.h"

#define SCHSM_COLUMNS_MAX 8

/* How a column that is too wide for the terminal is made to fit. */
enum schsm_table_fit {
    SCHSM_FIT_NOT = 0, /* it stays as it is */
    SCHSM_FIT_SHORTEN, /* cut, for what is told elsewhere in full */
    SCHSM_FIT_WRAP,    /* goes on in the next line */
};

/* What a cell is to catch the eye for, where colours are wanted. */
enum schsm_table_mark { SCHSM_MARK_NONE = 0, SCHSM_MARK_WARNING, SCHSM_MARK_ERROR };

struct schsm_cell {
    char *text; /* printable */
    enum schsm_table_mark mark;
};

/* Cells are added row by row; a row is whole when it has as many cells as there are columns. */
struct schsm_table {
    size_t columns;
    enum schsm_table_fit fits[SCHSM_COLUMNS_MAX];
    bool has_headings;
    struct schsm_cell *cells;
    size_t count, room;
    bool failed; /* memory ran out on the way */
};

/* headings: NULL, or one for each column, printed as the first row. columns: at most
 * SCHSM_COLUMNS_MAX. */
void schsm_table_init(struct schsm_table *table, size_t columns, const char *const *headings);
void schsm_table_fit(struct schsm_table *table, size_t column, enum schsm_table_fit fit);
void schsm_table_add(struct schsm_table *table, const char *cell);
void schsm_table_addf(struct schsm_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds two cells: a name, and what is said of it. */
void schsm_table_row(struct schsm_table *table, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Marks the cell that was added last. */
void schsm_table_mark(struct schsm_table *table, enum schsm_table_mark mark);

/* Prints the table and clears it: fitted to the terminal, and with colours where standard output is
 * one, and NO_COLOR is not set; else every cell whole. */
int schsm_table_print(struct schsm_table *table, struct schsm_error *err);
void schsm_table_clear(struct schsm_table *table);

/* A JSON string of a text that may hold anything; null for "". */
json_t *schsm_json_text(const char *text);

/* For sentences: the serial number, or SCHSM_TOOL_NO_SERIAL for "". */
const char *schsm_serial_text(const char *serial);

/* A serial number as schsm_tool_device tells it; null where the device has none. */
json_t *schsm_json_serial(const char *serial);

/* A JSON number, null where it is negative: unknown. */
json_t *schsm_json_count(int number);

/* A JSON string of bytes as hex digits. */
json_t *schsm_json_hex(const uint8_t *bytes, size_t len);

/* Appends the item, which is the array's then. Where memory ran out, also for the item, *array is
 * NULL from then on, and so is what is packed of it. */
void schsm_json_append(json_t **array, json_t *item);

/* Prints a document and frees it; a NULL one means that memory ran out. */
int schsm_json_print(json_t *document, struct schsm_error *err);

/* Prints a line for people, every character of it printable (text.h). */
int schsm_say(struct schsm_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints bytes as lower case hex digits, as a line. */
void schsm_print_hex(const uint8_t *bytes, size_t len);

#endif
