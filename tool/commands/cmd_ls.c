/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm ls and cat: the device's files as they are. */
#include "tool/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hsm/hsm_file.h"
#include "tool/out_file.h"
#include "tool/output.h"
#include "tool/target.h"

static json_t *file_json(const struct schsm_hsm_file *file)
{
    char id[8];

    (void)snprintf(id, sizeof(id), "%04X", file->id & 0xFFFF);
    return json_pack("{s:s, s:o, s:s, s:o}", "file", id, "bytes",
                     file->length < 0 ? json_null() : json_integer(file->length), "type",
                     file->type, "number", schsm_json_count(file->number));
}

static int print_files_json(const struct schsm_hsm_file_list *list, const char *serial,
                            struct schsm_error *err)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++) {
        schsm_json_append(&array, file_json(&list->files[i]));
    }
    return schsm_json_print(
        json_pack("{s:o, s:o}", "serial", schsm_json_serial(serial), "files", array), err);
}

static int print_files(const struct schsm_hsm_file_list *list, struct schsm_error *err)
{
    static const char *const headings[] = { "file", "bytes", "what it is", "number" };
    struct schsm_table table;

    schsm_table_init(&table, 4, headings);
    for (size_t i = 0; i < list->count; i++) {
        const struct schsm_hsm_file *file = &list->files[i];

        schsm_table_addf(&table, "%04X", file->id & 0xFFFF);
        if (file->length < 0) {
            schsm_table_add(&table, "-");
        } else {
            schsm_table_addf(&table, "%" PRId32, file->length);
        }
        schsm_table_add(&table, file->type);
        if (file->number < 0) {
            schsm_table_add(&table, "-");
        } else {
            schsm_table_addf(&table, "%d", file->number);
        }
    }
    return schsm_table_print(&table, err);
}

static int run_ls(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_hsm_file_list list = { NULL, 0 };
    struct schsm_device *device = NULL;
    char serial[SCHSM_SERIAL_MAX + 1];
    int ok;

    ok = schsm_tool_device(tool, &device, serial, err) && schsm_hsm_files(device, &list, err) &&
         (tool->json ? print_files_json(&list, serial, err) : print_files(&list, err));
    OPENSSL_free(list.files);
    return ok;
}

const struct schsm_command schsm_command_ls = {
    .name = "ls",
    .synopsis = "",
    .summary = "List the files on the device",
    .help = "Lists every file on the device by its id of four hexadecimal digits, with its length "
            "and what it is; 'sc-hsm cat' shows one. 'sc-hsm list' shows the same as keys, "
            "certificates and data. The length of a key is never told. No PIN is needed.\n"
            " sc-hsm ls\n",
    .run = run_ls,
};

/* The file's id: four hexadecimal digits, as `ls` shows it. */
static int parse_id(const char *text, unsigned int *id, struct schsm_error *err)
{
    if (strlen(text) != 4 || strspn(text, "0123456789abcdefABCDEF") != 4) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "'%.40s' is no file id of four hexadecimal digits; '" SCHSM_TOOL_NAME
                          " ls' lists those that there are",
                          text);
    }
    *id = (unsigned int)strtoul(text, NULL, 16);
    return 1;
}

#define DUMP_COLUMNS 16

static void dump(const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += DUMP_COLUMNS) {
        size_t count = len - at < DUMP_COLUMNS ? len - at : DUMP_COLUMNS;

        printf("%08zX:", at);
        for (size_t i = 0; i < DUMP_COLUMNS; i++) {
            if (i < count) {
                printf(" %02X", bytes[at + i]);
            } else {
                (void)fputs("   ", stdout);
            }
        }
        (void)fputs("  ", stdout);
        for (size_t i = 0; i < count; i++) {
            uint8_t c = bytes[at + i];

            (void)putchar(c >= 0x20 && c < 0x7F ? c : '.');
        }
        (void)putchar('\n');
    }
}

static int print_content(const struct schsm_tool *tool, const uint8_t *content, size_t len,
                         struct schsm_error *err)
{
    if (tool->json) {
        return schsm_json_print(json_pack("{s:s, s:I, s:o}", "file", tool->arguments[0], "bytes",
                                          (json_int_t)len, "hex", schsm_json_hex(content, len)),
                                err);
    }
    dump(content, len);
    return 1;
}

static int run_cat(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_device *device = NULL;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_login login;
    bool is_private;
    unsigned int id = 0;
    uint8_t *content = NULL;
    size_t len = 0;
    int ok = 0;

    if (!parse_id(tool->arguments[0], &id, err)) {
        return 0;
    }
    if (schsm_hsm_file_is_key(id)) {
        return schsm_fail(err, SCHSM_REASON_NOT_PERMITTED,
                          "file %04X is a key, and no device gives one out; '" SCHSM_TOOL_NAME
                          " list' shows what is known of it",
                          id);
    }
    is_private = schsm_hsm_file_is_private(id);
    if (!schsm_out_check_given(tool, err) || !schsm_tool_device(tool, &device, serial, err) ||
        (is_private && !schsm_tool_login(tool, device, "its private data", &login, err)) ||
        !schsm_hsm_file_read(device, id, is_private ? &login : NULL, &content, &len, err)) {
        return 0;
    }
    ok = schsm_tool_setting(tool, "out") != NULL
             ? schsm_out_bytes(tool, is_private ? SCHSM_FILE_FOR_OWNER : SCHSM_FILE_FOR_ALL,
                               content, len, err)
             : print_content(tool, content, len, err);
    OPENSSL_clear_free(content, len);
    return ok;
}

static const struct schsm_option cat_options[] = {
    SCHSM_OPTION_OUT_BYTES,
    SCHSM_OPTION_OVERWRITE,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_cat = {
    .name = "cat",
    .synopsis = "FILE-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Show one file on the device",
    .help = "Shows the file of this id ('sc-hsm ls' lists them) as bytes and characters, or writes "
            "it as it is into the file of --out. Private data (CDxx) needs the PIN. Some devices "
            "keep the end of a longer former content behind the present one.\n"
            " sc-hsm cat 2F02\n"
            " sc-hsm cat CE01 --out certificate.der\n",
    .options = cat_options,
    .run = run_cat,
};
