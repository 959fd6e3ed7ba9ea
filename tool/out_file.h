/* SPDX-License-Identifier: Apache-2.0 */
/* Files of bytes that commands write where --out says. */
#ifndef SCHSM_TOOL_OUT_FILE_H
#define SCHSM_TOOL_OUT_FILE_H

#include <stddef.h>
#include <stdint.h>

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

/* Fails where --out is not given: to be called before anything is asked of a device. */
int schsm_out_check(const struct schsm_tool *tool, struct schsm_error *err);

#endif
