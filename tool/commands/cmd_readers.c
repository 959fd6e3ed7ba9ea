/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm readers: what is plugged in. */
#include "tool/commands.h"

#include <string.h>

#include "tool/output.h"

#define READERS_MAX 64

/* The serial number where the device tells it; a listing does not fail because one does not. */
static void serial_in(struct schsm_tool *tool, const struct schsm_reader *reader, char *serial)
{
    struct schsm_device_selector selector = { .reader = reader->name };
    struct schsm_device *device = NULL;

    memcpy(serial, reader->serial, sizeof(reader->serial));
    if (reader->is_hsm && schsm_registry_device(tool->context.registry, &selector, &device, NULL) &&
        !schsm_device_serial(device, serial, NULL)) {
        serial[0] = '\0';
    }
}

static const char *card_text(const struct schsm_reader *reader)
{
    if (reader->is_hsm) {
        return "SmartCard-HSM";
    }
    if (reader->is_token) {
        return "PKCS#11 token";
    }
    return reader->card_present ? "another card" : "no card";
}

static const char *card_name(const struct schsm_reader *reader)
{
    if (reader->is_hsm) {
        return "hsm";
    }
    if (reader->is_token) {
        return "token";
    }
    return reader->card_present ? "other" : "none";
}

static int print_readers_json(struct schsm_tool *tool, const struct schsm_reader *readers,
                              size_t count, struct schsm_error *err)
{
    json_t *array = json_array();
    char serial[SCHSM_SERIAL_MAX + 1];

    for (size_t i = 0; i < count; i++) {
        serial_in(tool, &readers[i], serial);
        schsm_json_append(
            &array, json_pack("{s:o, s:s, s:o}", "reader", schsm_json_text(readers[i].name), "card",
                              card_name(&readers[i]), "serial", schsm_json_text(serial)));
    }
    return schsm_json_print(json_pack("{s:o}", "readers", array), err);
}

static int print_readers_table(struct schsm_tool *tool, const struct schsm_reader *readers,
                               size_t count, struct schsm_error *err)
{
    static const char *const headings[] = { "CARD", "SERIAL", "READER" };
    struct schsm_table table;
    char serial[SCHSM_SERIAL_MAX + 1];

    schsm_table_init(&table, 3, headings);
    for (size_t i = 0; i < count; i++) {
        serial_in(tool, &readers[i], serial);
        schsm_table_add(&table, card_text(&readers[i]));
        schsm_table_add(&table, serial[0] != '\0' ? serial : "-");
        schsm_table_add(&table, readers[i].name);
    }
    return schsm_table_print(&table, err);
}

static int run_readers(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_reader readers[READERS_MAX];
    size_t count = READERS_MAX;

    if (!schsm_registry_readers(tool->context.registry, readers, &count, err)) {
        return 0;
    }
    if (count == 0) {
        return schsm_fail(err, SCHSM_REASON_NO_READER, "no reader is connected: plug in a device");
    }
    return tool->json ? print_readers_json(tool, readers, count, err)
                      : print_readers_table(tool, readers, count, err);
}

const struct schsm_command schsm_command_readers = {
    .name = "readers",
    .synopsis = "",
    .summary = "Show the readers and what is in them",
    .help =
        "Lists every reader that the PC/SC service knows: whether a card is in it, whether that "
        "card is a SmartCard-HSM, and its serial number; behind them, with --pkcs11-module, the "
        "labels of that module's tokens. --reader and --serial do not narrow this list.\n",
    .run = run_readers,
};
