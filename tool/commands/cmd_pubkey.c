/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm pubkey: the public part of a key. */
#include "tool/commands.h"

#include <string.h>

#include <openssl/crypto.h>

#include "tool/key_format.h"
#include "tool/object.h"
#include "tool/out_file.h"

/* A key's URI means its private object, whichever way the public part is known. */
#define WANTED ((unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_SECRET)

static int run_pubkey(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *format = schsm_tool_setting(tool, "format");
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    uint8_t *text = NULL;
    size_t len = 0;
    int ok = 0;

    if (schsm_tool_flag(tool, "reference")) {
        format = "reference";
    } else if (format == NULL) {
        format = "pem";
    }
    if (!schsm_key_format_check(format, err) || !schsm_out_check_given(tool, err) ||
        !schsm_tool_object(tool, tool->arguments[0], WANTED, &match, serial, err)) {
        goto done;
    }
    if (match.object.type == SCHSM_OBJECT_SECRET) {
        char name[SCHSM_OBJECT_NAME_MAX];

        schsm_object_name(&match.object, name, sizeof(name));
        schsm_fail(err, SCHSM_REASON_NO_PUBLIC_KEY, "device %s, %s: an AES key has no public part",
                   serial, name);
        goto done;
    }
    ok = schsm_device_read(match.device, &match.object, NULL, err) &&
         schsm_key_format(tool, &match, format, &text, &len, err);
    if (ok) {
        const struct schsm_content content = {
            .bytes = text, .len = len, .format = format, .text = strcmp(format, "der") != 0
        };

        /* a JWK is JSON as it stands */
        ok = strcmp(format, "jwk") == 0 && schsm_tool_setting(tool, "out") == NULL
                 ? schsm_file_write("-", SCHSM_FILE_FOR_ALL, false, text, len, err)
                 : schsm_out_object(tool, &match, &content, err);
    }

done:
    OPENSSL_free(text);
    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option pubkey_options[] = {
    { "format", 'f', false, "FORMAT", "pem, der, ssh, jwk or reference; default: pem", NULL },
    { "reference", '\0', false, NULL, "the same as --format reference", NULL },
    { "out", 'o', false, "FILE", "write to this file; default: standard output", NULL },
    SCHSM_OPTION_OVERWRITE,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_pubkey = {
    .name = "pubkey",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Write a key's public part",
    .help = "Writes the public part of the key that URI names, such as sc-hsm:id=10, or shorter "
            "id=10 or label=web. No PIN is needed. The device knows the public part from the key's "
            "certificate or from the request that it made with the key; where it has neither, only "
            "key reference files and certificates elsewhere know it.\n"
            "Formats: pem and der for OpenSSL and most others, ssh for one line of authorized_keys "
            "(RSA, P-256, P-384, P-521, Ed25519), jwk for a JSON Web Key (these, secp256k1, Ed448, "
            "X25519 and X448), reference for the file that stands for the private key wherever "
            "OpenSSL reads one. With --json the text, or DER in base64, is a part of what is "
            "printed; a JWK is printed as it is.\n"
            " sc-hsm pubkey label=web --out web.pub\n"
            " sc-hsm pubkey label=login --format ssh >>~/.ssh/authorized_keys\n"
            " sc-hsm pubkey id=10 --format reference --out web.pem\n",
    .options = pubkey_options,
    .run = run_pubkey,
};
