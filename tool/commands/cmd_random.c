/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm random: random numbers from the device. */
#include "tool/commands.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "model/device.h"
#include "tool/out_file.h"
#include "tool/output.h"
#include "tool/target.h"

#define RANDOM_MAX (1u << 20) /* a device gives some 10,000 bytes in a second */

static int print_random(const struct schsm_tool *tool, const uint8_t *bytes, size_t len,
                        struct schsm_error *err)
{
    if (tool->json) {
        return schsm_json_print(
            json_pack("{s:I, s:o}", "bytes", (json_int_t)len, "hex", schsm_json_hex(bytes, len)),
            err);
    }
    schsm_print_hex(bytes, len);
    return 1;
}

static int run_random(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_device *device = NULL;
    char serial[SCHSM_SERIAL_MAX + 1];
    uint8_t *bytes = NULL;
    const char *text = tool->arguments[0], *end = NULL;
    unsigned int len = 0;
    int ok = 0;

    if (!schsm_tool_count(text, RANDOM_MAX, &len, &end) || *end != '\0' || len < 1) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "'%.40s' is no number of bytes from 1 to %u",
                          text, RANDOM_MAX);
    }
    if (!schsm_out_check_given(tool, err) || !schsm_tool_device(tool, &device, serial, err)) {
        return 0;
    }
    bytes = OPENSSL_malloc(len);
    if (bytes == NULL) {
        return schsm_fail_memory(err);
    }
    if (schsm_device_random(device, bytes, len, err)) {
        ok = schsm_tool_setting(tool, "out") != NULL
                 ? schsm_out_bytes(tool, SCHSM_FILE_FOR_OWNER, bytes, len, err)
                 : print_random(tool, bytes, len, err);
    }
    OPENSSL_clear_free(bytes, len);
    return ok;
}

static const struct schsm_option random_options[] = {
    SCHSM_OPTION_OUT_BYTES,
    SCHSM_OPTION_OVERWRITE,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_random = {
    .name = "random",
    .synopsis = "N",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Get N random bytes from the device",
    .help =
        "Prints N bytes (1 to 1048576) of the device's random generator in hexadecimal, or "
        "writes them as they are into the file of --out, which only you can read. No PIN is "
        "needed. On a Pico HSM this ends public-key logins. A PKCS#11 token gives them as well.\n"
        " sc-hsm random 32\n"
        " sc-hsm random 1024 --out seed\n",
    .options = random_options,
    .run = run_random,
};
