/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm dkek create-share, recrypt-share: share files, without a device. */
#include "tool/commands.h"

#include <stdio.h>

#include "tool/output.h"
#include "tool/share_file.h"

/* What was written. The key check value is the DKEK's where this is the only share. */
static int report_share(const struct schsm_tool *tool, const char *path,
                        const struct schsm_secret *share, unsigned int threshold,
                        unsigned int total, struct schsm_error *err)
{
    char text[SCHSM_KCV_TEXT_MAX];
    uint8_t kcv[SCHSM_KCV_LEN];

    if (!schsm_dkek_kcv(tool->context.libctx, share, kcv, err)) {
        return 0;
    }
    schsm_kcv_text(kcv, text);
    if (tool->json) {
        json_t *custodians =
            total == 0 ? json_null()
                       : json_pack("{s:i, s:i}", "threshold", (int)threshold, "total", (int)total);

        return schsm_json_print(json_pack("{s:o, s:s, s:o}", "file", schsm_json_text(path),
                                          "key_check_value_alone", text, "password_shares",
                                          custodians),
                                err);
    }
    return schsm_say(err, "%s holds a DKEK share. As the only share its key check value is %s.",
                     path, text);
}

static int run_dkek_create_share(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *path = tool->arguments[0];
    bool overwrite = schsm_tool_flag(tool, "overwrite");
    struct schsm_secret *share = NULL, *password = NULL;
    unsigned int threshold, total;
    int ok;

    if (!schsm_share_split(tool, "password-shares", &threshold, &total, err)) {
        return 0;
    }
    if (total > 0 && schsm_tool_setting(tool, "password-source") != NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a password that is split is drawn here: give either --password-shares "
                          "or --password-source");
    }
    if (!schsm_share_file_prepare(tool, path, overwrite, "password-source", &password, err)) {
        return 0;
    }
    share = schsm_dkek_share_new(tool->context.libctx, err);
    if (share == NULL) {
        schsm_secret_free(password);
        return 0;
    }
    ok = schsm_share_file_write(tool, path, overwrite, share, password, "password-source",
                                "password-shares", err) &&
         report_share(tool, path, share, threshold, total, err);
    schsm_secret_free(share);
    return ok;
}

static const struct schsm_option dkek_create_share_options[] = {
    { .name = "password-source",
      .argument = "SRC",
      .summary =
          "where the password comes from: file:PATH, env:NAME, fd:N or prompt, the default" },
    { .name = "password-shares",
      .argument = "T/M",
      .summary = "split a random password among M custodians, any T of whom can give it together" },
    { .name = "overwrite", .summary = "replace the file if it is there; its share is lost then" },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_dkek_create_share = {
    .name = "dkek create-share",
    .synopsis = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Make a share of a DKEK",
    .help = "Makes 32 random bytes, a share of a device key encryption key (DKEK), and writes them "
            "to FILE under a password of at least 6 characters, which is typed twice. No device is "
            "needed. A DKEK is the sum of all shares that a device was initialised to expect, and "
            "each device that imported the same shares has the same DKEK; so each share may be in "
            "another person's hands, and no single person can rebuild the keys of the device.\n"
            "Keep FILE and its password apart from each other and safe: wrapped keys and backups "
            "are worth nothing without all shares, and open to everybody who has them all.\n"
            "With --password-shares T/M the password is drawn at random and split: M custodians (3 "
            "or more) are shown their parts at this terminal one after the other, and the screen "
            "is cleared in between. Any T of them can give the password together. Nobody ever sees "
            "it whole.\n"
            "FILE can be imported by OpenSC's sc-hsm-tool as well.\n"
            " sc-hsm dkek create-share dkek-1.pbe\n"
            " sc-hsm dkek create-share dkek-1.pbe --password-shares 3/5\n",
    .options = dkek_create_share_options,
    .by_itself = true,
    .run = run_dkek_create_share,
};

static int run_dkek_recrypt_share(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *path = tool->arguments[1];
    bool overwrite = schsm_tool_flag(tool, "overwrite");
    struct schsm_secret *share = NULL, *password = NULL;
    uint8_t file[SCHSM_SHARE_FILE_LEN];
    unsigned int threshold, total;
    int ok;

    if (!schsm_share_split(tool, "new-password-shares", &threshold, &total, err)) {
        return 0;
    }
    if (total > 0 && schsm_tool_setting(tool, "new-password-source") != NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a password that is split is drawn here: give either "
                          "--new-password-shares or --new-password-source");
    }
    if (!schsm_share_file_read(tool->arguments[0], file, err) ||
        !schsm_share_file_prepare(tool, path, overwrite, "new-password-source", &password, err)) {
        return 0;
    }
    share = schsm_share_file_open(tool, tool->arguments[0], file,
                                  schsm_tool_setting(tool, "password-source"), err);
    if (share == NULL) {
        schsm_secret_free(password);
        return 0;
    }
    ok = schsm_share_file_write(tool, path, overwrite, share, password, "new-password-source",
                                "new-password-shares", err) &&
         report_share(tool, path, share, threshold, total, err);
    schsm_secret_free(share);
    return ok;
}

static const struct schsm_option dkek_recrypt_share_options[] = {
    { .name = "password-source",
      .argument = "SRC",
      .summary = "the old password: file:PATH, env:NAME, fd:N or prompt, the default" },
    { .name = "password-shares",
      .argument = "T",
      .summary = "the old password was split: T custodians type their parts" },
    { .name = "new-password-source", .argument = "SRC", .summary = "the new password, likewise" },
    { .name = "new-password-shares",
      .argument = "T/M",
      .summary = "split a new random password among M custodians, any T of whom can give it" },
    { .name = "overwrite", .summary = "replace NEW if it is there; it may be FILE itself" },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_dkek_recrypt_share = {
    .name = "dkek recrypt-share",
    .synopsis = "FILE NEW",
    .arguments_min = 2,
    .arguments_max = 2,
    .summary = "Give a DKEK share another password",
    .help = "Decrypts the share in FILE with its password, and writes the same share to NEW under "
            "another one, or under one that is split among custodians. Devices and wrapped keys "
            "are not touched: the DKEK stays the same. Whoever has the old file and the old "
            "password still has the share, so destroy all copies of FILE.\n"
            " sc-hsm dkek recrypt-share dkek-1.pbe dkek-1-new.pbe\n"
            " sc-hsm dkek recrypt-share dkek-1.pbe dkek-1-split.pbe --new-password-shares 3/5\n",
    .options = dkek_recrypt_share_options,
    .by_itself = true,
    .run = run_dkek_recrypt_share,
};
