/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm derive: a secret for something else, from an AES key on the device. */
#include "tool/commands.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/hex.h"
#include "tool/out_file.h"
#include "tool/output.h"
#include "tool/secret_key_use.h"

#define SECRET_MIN 16 /* bytes; less is no secret for long */

/* What the secret is for, from --text, --hex or the file. */
static int read_info(struct schsm_tool *tool, struct schsm_key_use *use, uint8_t *info, size_t *len,
                     struct schsm_error *err)
{
    const char *text = schsm_tool_setting(tool, "text"), *hex = schsm_tool_setting(tool, "hex");
    size_t hex_len = hex != NULL ? strlen(hex) : 0;

    *len = SCHSM_MESSAGE_MAX + 1;
    if (text != NULL) {
        for (*len = 0; *len <= SCHSM_MESSAGE_MAX && text[*len] != '\0'; (*len)++) {
            info[*len] = (uint8_t)text[*len];
        }
    } else if (hex != NULL && hex_len / 2 <= SCHSM_MESSAGE_MAX) {
        if (hex_len % 2 != 0 || !schsm_hex_parse(hex, info, hex_len / 2)) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "--hex takes pairs of hexadecimal digits");
        }
        *len = hex_len / 2;
    } else if (text == NULL && hex == NULL &&
               (!schsm_key_use_in(tool, use, "derives", err) ||
                !use->in.read(use->in.arg, info, len, err))) {
        return 0;
    }
    return (*len >= 1 && *len <= SCHSM_MESSAGE_MAX) ||
           schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                      "what the secret is for has to be said in 1 to %d bytes", SCHSM_MESSAGE_MAX);
}

static int check_sources(const struct schsm_tool *tool, struct schsm_error *err)
{
    int sources =
        (tool->argument_count > 1) + schsm_tool_flag(tool, "text") + schsm_tool_flag(tool, "hex");

    return sources == 1 ||
           schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "say once what the secret is for: by --text, by --hex, or in a file");
}

static int print_derived(const struct schsm_tool *tool, const uint8_t *secret, size_t len,
                         struct schsm_error *err)
{
    if (schsm_tool_setting(tool, "out") != NULL) {
        return schsm_out_bytes(tool, SCHSM_FILE_FOR_OWNER, secret, len, err);
    }
    if (tool->json) {
        return schsm_json_print(
            json_pack("{s:I, s:o}", "bytes", (json_int_t)len, "hex", schsm_json_hex(secret, len)),
            err);
    }
    schsm_print_hex(secret, len);
    return 1;
}

static int run_derive(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_key_use use = { .reader = NULL };
    uint8_t info[SCHSM_MESSAGE_MAX + 1], secret[SCHSM_MESSAGE_MAX];
    size_t info_len = 0, len = sizeof(secret);
    int ok = 0;

    if (!check_sources(tool, err) || !schsm_out_check_given(tool, err)) {
        return 0;
    }
    ok = schsm_key_use_begin(tool, &use, err) && read_info(tool, &use, info, &info_len, err) &&
         schsm_device_operate(use.match.device, SCHSM_OP_AES_DERIVE, &use.match.object, &use.login,
                              info, info_len, secret, &len, err);
    schsm_progress_stop(use.progress);
    use.progress = NULL;
    if (ok && len < SECRET_MIN) {
        ok = schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                        "this device derives no more bytes than it is given, and %zu are too few "
                        "for a secret: say in %d bytes or more what it is for, best in 32",
                        len, SECRET_MIN);
    }
    ok = ok && print_derived(tool, secret, len, err);
    OPENSSL_cleanse(secret, sizeof(secret));
    schsm_key_use_end(&use);
    return ok;
}

static const struct schsm_option derive_options[] = {
    { "text", '\0', false, "TEXT", "what the secret is for, as text", NULL },
    { "hex", '\0', false, "HEX", "the same as bytes in hexadecimal", NULL },
    SCHSM_OPTION_OUT_BYTES,
    SCHSM_OPTION_OVERWRITE,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_derive = {
    .name = "derive",
    .synopsis = "URI [FILE]",
    .arguments_min = 1,
    .arguments_max = 2,
    .summary = "Derive a secret from an AES key on the device",
    .help =
        "Prints a secret that the AES key which URI names and a text of 1 to 1000 bytes make "
        "together: always the same for the same text, and of no use to find the key or another "
        "secret. The text says what the secret is for, in --text, --hex or FILE (- for standard "
        "input). In hexadecimal, or with --out as it is into a file that only you can read. Needs "
        "the PIN, and a key that permits derive.\n"
        "A SmartCard-HSM derives 32 bytes, by extraction and expansion as in NIST SP 800-56C; its "
        "maker has not published the parameters, so only a device with the same key makes the same "
        "secret. A Pico HSM makes HKDF with SHA-256 and without salt, as many bytes as the text "
        "has. A PKCS#11 token derives nothing.\n"
        " sc-hsm derive label=vault --text 'disk 7 of server a'\n"
        " sc-hsm derive label=vault --hex 0001 --out disk.key\n",
    .options = derive_options,
    .run = run_derive,
};
