/* SPDX-License-Identifier: Apache-2.0 */
#include "out_file.h"

#include <stdio.h>
#include <string.h>

#include "../keymgmt/file.h"
#include "output.h"

int schsm_out_check(const struct schsm_tool *tool, struct schsm_error *err)
{
    return schsm_tool_setting(tool, "out") != NULL ||
           schsm_fail(err, SCHSM_REASON_ARGUMENT, "say where to write it: --out FILE");
}

int schsm_out_write(const struct schsm_tool *tool, const char *what, const uint8_t *content,
                    size_t len, struct schsm_error *err)
{
    const char *path = schsm_tool_setting(tool, "out");

    if (!schsm_file_write(path, SCHSM_FILE_FOR_ALL, schsm_tool_flag(tool, "overwrite"), content,
                          len, err)) {
        return 0;
    }
    if (strcmp(path, "-") == 0) {
        return 1;
    }
    if (tool->json) {
        return schsm_json_print(
            json_pack("{s:o, s:o}", "wrote", schsm_json_text(what), "file", schsm_json_text(path)),
            err);
    }
    (void)printf("%s is in %s.\n", what, path);
    return 1;
}
