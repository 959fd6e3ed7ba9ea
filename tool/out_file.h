/* SPDX-License-Identifier: Apache-2.0 */
/* Files of bytes that commands write where --out says. */
#ifndef SCHSM_TOOL_OUT_FILE_H
#define SCHSM_TOOL_OUT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "keymgmt/file.h"
#include "keymgmt/find.h"
#include "tool.h"

/* Rows for a command's options. */
#define SCHSM_OPTION_OUT                                                                           \
    {                                                                                              \
        "out", 'o', false, "FILE", "write to this file, - for standard output", NULL               \
    }
#define SCHSM_OPTION_OUT_BYTES                                                                     \
    {                                                                                              \
        "out", 'o', false, "FILE",                                                                 \
            "write the bytes as they are into this file, - for standard output", NULL              \
    }
#define SCHSM_OPTION_OVERWRITE                                                                     \
    {                                                                                              \
        "overwrite", '\0', false, NULL, "replace the file if it is there", NULL                    \
    }

/*
 * Writes what is no secret to the file of --out, whole or not at all, and says so: what is the
 * subject of "... is in FILE", or with --json the value of "wrote".
 */
int schsm_out_write(const struct schsm_tool *tool, const char *what, const uint8_t *content,
                    size_t len, struct schsm_error *err);

/* What was read of an object. */
struct schsm_content {
    const uint8_t *bytes;
    size_t len;
    const char *format; /* "pem" and the like; NULL: has none */
    bool text;          /* ASCII, else JSON has it in base64 */
    enum schsm_file_secrecy secrecy;
};

/*
 * Writes it as it is, whole or not at all, to the file of --out or to standard output. With --json
 * prints the object with "format", and "text" or "base64", or "file" where --out names one; for
 * "--out -" nothing but the content.
 */
int schsm_out_object(const struct schsm_tool *tool, const struct schsm_match *match,
                     const struct schsm_content *content, struct schsm_error *err);

/*
 * Writes bytes to the file of --out, which must be given, whole or not at all, and with --json
 * prints "bytes", their number, and "file".
 */
int schsm_out_bytes(const struct schsm_tool *tool, enum schsm_file_secrecy secrecy,
                    const uint8_t *bytes, size_t len, struct schsm_error *err);

/*
 * Whether the file of --out can be written, to be asked before anything is asked of a device: fails
 * with EXISTS where it must not be replaced. The first is content where --out is not given.
 */
int schsm_out_check_given(const struct schsm_tool *tool, struct schsm_error *err);
int schsm_out_check(const struct schsm_tool *tool, struct schsm_error *err);

#endif
