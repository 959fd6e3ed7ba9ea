/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm mac: an authentication code, with an AES key on the device. */
#include "tool/commands.h"

#include <string.h>

#include <openssl/crypto.h>

#include "tool/out_file.h"
#include "tool/output.h"
#include "tool/secret_key_use.h"

#define MAC_LEN SCHSM_AES_BLOCK

static int make_mac(struct schsm_key_use *use, uint8_t mac[MAC_LEN], struct schsm_error *err)
{
    struct schsm_cmac *cmac = OPENSSL_zalloc(sizeof(*cmac));
    uint8_t piece[SCHSM_CIPHER_MAX];
    size_t len = sizeof(piece);
    int ok = cmac != NULL || schsm_fail_memory(err);

    while (ok && len == sizeof(piece)) {
        ok = use->in.read(use->in.arg, piece, &len, err) &&
             schsm_cmac_update(&use->key, cmac, piece, len, err);
    }
    ok = ok && schsm_cmac_finish(&use->key, cmac, mac, err);
    OPENSSL_clear_free(cmac, sizeof(*cmac));
    OPENSSL_cleanse(piece, sizeof(piece));
    return ok;
}

static int print_mac(const struct schsm_tool *tool, const struct schsm_key_use *use,
                     const uint8_t mac[MAC_LEN], struct schsm_error *err)
{
    if (tool->json) {
        return schsm_json_print(json_pack("{s:I, s:s, s:o}", "bytes", (json_int_t)use->bytes,
                                          "algorithm", "aes-cmac", "mac",
                                          schsm_json_hex(mac, MAC_LEN)),
                                err);
    }
    schsm_print_hex(mac, MAC_LEN);
    return 1;
}

static int run_mac(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *wanted = schsm_tool_setting(tool, "verify");
    struct schsm_key_use use = { .reader = NULL };
    uint8_t mac[MAC_LEN], expected[MAC_LEN];
    int ok = 0;

    if (wanted != NULL && schsm_tool_setting(tool, "out") != NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--verify compares, and writes nothing");
    }
    if ((wanted != NULL && !schsm_tool_hex("verify", wanted, expected, MAC_LEN, err)) ||
        !schsm_out_check_given(tool, err)) {
        return 0;
    }
    ok = schsm_key_use_begin(tool, &use, err) &&
         schsm_key_use_in(tool, &use, "authenticates", err) && make_mac(&use, mac, err);
    schsm_progress_stop(use.progress);
    use.progress = NULL;
    if (ok && wanted != NULL && CRYPTO_memcmp(mac, expected, MAC_LEN) != 0) {
        ok = schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                        "the code is another one: the data was changed, or the code was made with "
                        "another key");
    } else if (ok) {
        ok = schsm_tool_setting(tool, "out") != NULL
                 ? schsm_out_bytes(tool, SCHSM_FILE_FOR_ALL, mac, MAC_LEN, err)
                 : print_mac(tool, &use, mac, err);
    }
    schsm_key_use_end(&use);
    return ok;
}

static const struct schsm_option mac_options[] = {
    SCHSM_OPTION_OUT_BYTES,
    SCHSM_OPTION_OVERWRITE,
    { "verify", '\0', false, "HEX", "compare with this code; status 1 where it is another", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_mac = {
    .name = "mac",
    .synopsis = "URI [FILE]",
    .arguments_min = 1,
    .arguments_max = 2,
    .summary = "Make a message authentication code with an AES key on the device",
    .help =
        "Prints the CMAC (NIST SP 800-38B) of FILE, or of standard input, by the AES key that URI "
        "names: 16 bytes in hexadecimal; with --out as they are into a file. Needs the PIN.\n"
        "All data goes through the device, some 10,000 to 100,000 bytes in a second. The key must "
        "permit aes-cmac, and for more than goes into one command (about 1000 bytes, with some "
        "readers 200) aes-cbc-encrypt as well. For large files it is quicker to authenticate their "
        "hash.\n"
        " sc-hsm mac label=vault message\n"
        " sc-hsm mac label=vault message --verify 070a16b46b4d4144f79bdd9dd04a287c\n"
        " openssl dgst -sha256 -binary backup.tar | sc-hsm mac label=vault\n",
    .options = mac_options,
    .run = run_mac,
};
