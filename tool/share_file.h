/* SPDX-License-Identifier: Apache-2.0 */
/* DKEK share files on the command line: where their passwords come from. */
#ifndef SCHSM_TOOL_SHARE_FILE_H
#define SCHSM_TOOL_SHARE_FILE_H

#include <stdint.h>

#include "base/secret.h"
#include "keymgmt/dkek_share.h"
#include "tool.h"

#define SCHSM_SHARES_MAX 255 /* of one DKEK */

/* Beside an option --share, which is to be given for each file. */
#define SCHSM_OPTIONS_SHARE_PASSWORDS                                                              \
    { .name = "password-source",                                                                   \
      .repeats = true,                                                                             \
      .argument = "SRC",                                                                           \
      .summary = "the password of the share at the same place: file:PATH, env:NAME, fd:N or "      \
                 "prompt, the default" },                                                          \
    {                                                                                              \
        .name = "password-shares", .argument = "T",                                                \
        .summary =                                                                                 \
            "passwords that no source is named for were split: T custodians type their parts"      \
    }

/* Reads a share file, which must look like one. */
int schsm_share_file_read(const char *path, uint8_t file[SCHSM_SHARE_FILE_LEN],
                          struct schsm_error *err);

/*
 * Decrypts the share of a file with its password: from the source (file:, env:, fd:, prompt), or
 * with --password-shares T from T custodians at the terminal, or, where both are missing, as it is
 * typed. source may be NULL. NULL on failure; the sentence names the file.
 */
struct schsm_secret *schsm_share_file_open(struct schsm_tool *tool, const char *path,
                                           const uint8_t file[SCHSM_SHARE_FILE_LEN],
                                           const char *source, struct schsm_error *err);

/*
 * The DKEK out of the files of all --share options, with the --password-source options in the same
 * order. *count becomes how many files there were. NULL on failure.
 */
struct schsm_secret *schsm_share_files_combine(struct schsm_tool *tool, size_t *count,
                                               struct schsm_error *err);

/*
 * What can be told before anybody types: whether the file can be written, and whether the option's
 * source, if it is given and no prompt, has a password that is long enough. *password becomes that
 * one, or NULL where it is still to be asked for or drawn.
 */
int schsm_share_file_prepare(struct schsm_tool *tool, const char *path, bool overwrite,
                             const char *source_option, struct schsm_secret **password,
                             struct schsm_error *err);

/*
 * Writes a share to a new file (with overwrite, also in the place of an old one) under password,
 * which it takes over, or for NULL a new one: from the option's source, or split among custodians
 * where shares_option says T/M, or typed twice. Custodians are shown their parts before the file is
 * there.
 */
int schsm_share_file_write(struct schsm_tool *tool, const char *path, bool overwrite,
                           const struct schsm_secret *share, struct schsm_secret *password,
                           const char *source_option, const char *shares_option,
                           struct schsm_error *err);

/* T/M as an option gives it; both 0 where it was not given. Fails with ARGUMENT. */
int schsm_share_split(const struct schsm_tool *tool, const char *option, unsigned int *threshold,
                      unsigned int *total, struct schsm_error *err);

#endif
