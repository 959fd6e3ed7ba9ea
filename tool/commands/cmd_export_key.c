/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm pka export and domain export-key: a key with what its device certified of it, in the one
 * file for both purposes. */
#include "tool/commands.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "keymgmt/certified_key.h"
#include "tool/object.h"
#include "tool/out_file.h"

static int run_export_key(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1], what[128];
    struct schsm_match match = { 0 };
    struct schsm_certified_key key = { 0 };
    uint8_t *file = NULL;
    size_t len = 0;
    int ok =
        schsm_out_check(tool, err) &&
        schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_PRIVATE, &match, serial, err) &&
        schsm_certified_key_load(match.device, match.object.key_ref, &key, err) &&
        schsm_certified_key_export(&key, &file, &len, err);

    if (ok) {
        (void)snprintf(what, sizeof(what), "Key %s with the certificates of device %s", key.name,
                       serial);
        ok = schsm_out_write(tool, what, file, len, err);
    }
    OPENSSL_free(file);
    schsm_certified_key_clear(&key);
    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option export_key_options[] = { SCHSM_OPTION_OUT, SCHSM_OPTION_OVERWRITE,
                                                          SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_pka_export = {
    .name = "pka export",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Write a key with its device's certificates into a file, to be registered elsewhere",
    .help =
        "For a custodian: writes the public key that URI names, as this device certified it, and "
        "the device's certificates. The file holds no secret. Whoever sets up the other device "
        "registers it there with 'pka register', and the key then opens that device together with "
        "those of other custodians. sc-hsm-tool reads and writes the same files.\n"
        "The key has to be an EC key, and its request must not have been replaced by a "
        "certificate. No PIN is needed.\n"
        " sc-hsm keygen --type ec:brainpoolP256r1 --label custodian\n"
        " sc-hsm pka export label=custodian --out alice.pka\n",
    .options = export_key_options,
    .run = run_export_key,
};

const struct schsm_command schsm_command_domain_export_key = {
    .name = "domain export-key",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary =
        "Write an exchange key with its device's certificates into a file, for the other device",
    .help =
        "Writes the public part of the exchange key that URI names ('domain create-exchange-key' "
        "makes one), as this device certified it, and the device's certificates. The file holds no "
        "secret. The other device of the key domain takes it with 'domain derive'.\n"
        " sc-hsm domain export-key label=exchange --out a.xkey\n",
    .options = export_key_options,
    .run = run_export_key,
};
