/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm apdu: single commands, byte by byte. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hsm/hsm_apdu.h"
#include "keymgmt/file.h"
#include "base/hex.h"
#include "tool/ask.h"
#include "tool/output.h"
#include "tool/target.h"

#define COMMANDS_MAX 64
#define COMMAND_BYTES_MAX 4100
#define INPUT_MAX (1u << 20)

/* The commands of this run. */
struct batch {
    struct schsm_hsm_exchange exchanges[COMMANDS_MAX];
    uint8_t *bytes[COMMANDS_MAX]; /* what exchanges[].command points to */
    const char *names[COMMANDS_MAX];
    size_t count;
    bool changes;
};

/* Hexadecimal digits; blanks and colons between bytes are for the eye. No sentence shows them:
 * they may be a PIN. */
static int parse_hex(const char *text, size_t text_len, uint8_t *out, size_t *len,
                     struct schsm_error *err)
{
    size_t room = *len;
    int high = -1;

    *len = 0;
    for (size_t i = 0; i < text_len; i++) {
        int value = schsm_hex_digit(text[i]);

        if (high < 0 && (text[i] == ' ' || text[i] == ':' || text[i] == '\t')) {
            continue;
        }
        if (value < 0 || *len == room) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              value < 0 ? "an APDU is written in hexadecimal digits, two for a byte"
                                        : "an APDU is longer than any device takes");
        }
        if (high < 0) {
            high = value;
        } else {
            out[(*len)++] = (uint8_t)(high << 4 | value);
            high = -1;
        }
    }
    if (high >= 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "an APDU is written in hexadecimal digits, two for a byte");
    }
    return 1;
}

static int add(struct batch *batch, const char *text, size_t text_len, bool from_argv,
               struct schsm_error *err)
{
    struct schsm_hsm_apdu_traits traits;
    size_t len = COMMAND_BYTES_MAX;
    uint8_t *bytes;

    if (batch->count == COMMANDS_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "at most %d APDUs are sent in one run",
                          COMMANDS_MAX);
    }
    bytes = OPENSSL_zalloc(COMMAND_BYTES_MAX);
    if (bytes == NULL) {
        return schsm_fail_memory(err);
    }
    batch->bytes[batch->count] = bytes;
    batch->exchanges[batch->count].command = bytes;
    batch->count++;
    if (!parse_hex(text, text_len, bytes, &len, err) ||
        !schsm_hsm_apdu_traits(bytes, len, &traits, err)) {
        return 0;
    }
    batch->exchanges[batch->count - 1].command_len = len;
    batch->names[batch->count - 1] = traits.name;
    batch->changes = batch->changes || traits.changes;
    if (traits.carries_secret && from_argv) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "this %s carries %s, and every user of this machine can read command "
                          "lines: give it on standard input to '" SCHSM_TOOL_NAME " apdu -'",
                          traits.name, traits.carries_share ? "a key share" : "a PIN");
    }
    return 1;
}

/* One APDU on each line; empty lines and those with a # first are left out. */
static int add_input(struct batch *batch, struct schsm_error *err)
{
    uint8_t *input = NULL;
    size_t len = 0;
    int ok = schsm_file_read("-", INPUT_MAX, &input, &len, err);

    for (size_t at = 0, end; ok && at < len; at = end + 1) {
        const char *line = (const char *)input + at;
        const char *newline = memchr(line, '\n', len - at);
        size_t line_len;

        end = newline != NULL ? (size_t)((const uint8_t *)newline - input) : len;
        line_len = end - at;
        if (line_len > 0 && line[line_len - 1] == '\r') {
            line_len--;
        }
        if (line_len > 0 && line[0] != '#') {
            ok = add(batch, line, line_len, false, err);
        }
    }
    OPENSSL_clear_free(input, len);
    return ok;
}

static int collect(const struct schsm_tool *tool, struct batch *batch, struct schsm_error *err)
{
    for (size_t i = 0; i < tool->argument_count; i++) {
        const char *text = tool->arguments[i];

        if (!(strcmp(text, "-") == 0 ? add_input(batch, err)
                                     : add(batch, text, strlen(text), true, err))) {
            return 0;
        }
    }
    return batch->count > 0 ||
           schsm_fail(err, SCHSM_REASON_ARGUMENT, "standard input holds no APDU");
}

static void batch_clear(struct batch *batch)
{
    schsm_hsm_exchanges_clear(batch->exchanges, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        OPENSSL_clear_free(batch->bytes[i], COMMAND_BYTES_MAX);
    }
}

static json_t *exchange_json(const char *name, const struct schsm_hsm_exchange *exchange)
{
    return json_pack("{s:s, s:o, s:o, s:s}", "command", name, "response",
                     schsm_json_hex(exchange->response, exchange->response_len), "status_word",
                     json_sprintf("%04X", exchange->status_word), "meaning", exchange->meaning);
}

static int print_exchanges(const struct schsm_tool *tool, const struct batch *batch,
                           struct schsm_error *err)
{
    json_t *array = json_array();

    /* What has no status word was not sent: the way to the device broke before. */
    for (size_t i = 0; i < batch->count && batch->exchanges[i].status_word != 0; i++) {
        const struct schsm_hsm_exchange *exchange = &batch->exchanges[i];

        if (tool->json) {
            schsm_json_append(&array, exchange_json(batch->names[i], exchange));
            continue;
        }
        printf("%s: %04X, %s\n", batch->names[i], exchange->status_word, exchange->meaning);
        if (exchange->response_len > 0) {
            schsm_print_hex(exchange->response, exchange->response_len);
        }
    }
    if (tool->json) {
        return schsm_json_print(json_pack("{s:o}", "responses", array), err);
    }
    json_decref(array);
    return 1;
}

static int run_apdu(struct schsm_tool *tool, struct schsm_error *err)
{
    struct batch *batch = OPENSSL_zalloc(sizeof(*batch));
    struct schsm_device *device = NULL;
    struct schsm_error broken = SCHSM_ERROR_INIT;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_login login;
    bool wants_login = schsm_tool_flag(tool, "login");
    int ok = 0;

    if (batch == NULL) {
        return schsm_fail_memory(err);
    }
    if (!collect(tool, batch, err) || !schsm_tool_device(tool, &device, serial, err) ||
        (batch->changes &&
         !schsm_tool_confirm(
             tool, serial,
             "These commands may change or erase what is on the device, or spend a PIN's "
             "tries or a key's uses.",
             err)) ||
        (wants_login && !schsm_tool_login(tool, device, "these commands", &login, err))) {
        goto done;
    }
    ok = schsm_hsm_transmit(device, batch->exchanges, batch->count, wants_login ? &login : NULL,
                            &broken);
    /* What was answered before the way broke is shown as well. */
    if (!print_exchanges(tool, batch, err)) {
        ok = 0;
    } else if (!ok) {
        *err = broken;
    }

done:
    batch_clear(batch);
    OPENSSL_free(batch);
    return ok;
}

static const struct schsm_option apdu_options[] = {
    { .name = "login", .summary = "log in with the PIN before" },
    SCHSM_OPTION_YES,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_apdu = {
    .name = "apdu",
    .synopsis = "APDU... | -",
    .arguments_min = 1,
    .arguments_max = COMMANDS_MAX,
    .summary = "Send single commands to the device",
    .help =
        "Sends command APDUs, each written in hexadecimal digits, and shows for each what came "
        "back: the status word, what it means, and the data. The SmartCard-HSM application is "
        "selected before, and no other program gets in between. The exit status is 0 when the "
        "device answered, whatever it answered. With - the APDUs are read from standard input, "
        "one on each line: the only way for one that carries a PIN.\n"
        "Commands that may change or erase something, or spend a PIN's tries or a key's uses, have "
        "to be confirmed. This is for people "
        "who know the device's protocol.\n"
        " sc-hsm apdu 0084000008\n"
        " sc-hsm --json apdu 8058000000 00B12F03045402000000\n",
    .options = apdu_options,
    .run = run_apdu,
};
