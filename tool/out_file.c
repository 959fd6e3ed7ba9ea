/* SPDX-License-Identifier: Apache-2.0 */
#include "out_file.h"

#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "keymgmt/file.h"
#include "object.h"
#include "output.h"

int schsm_out_check_given(const struct schsm_tool *tool, struct schsm_error *err)
{
    const char *path = schsm_tool_setting(tool, "out");

    return path == NULL || schsm_file_check_place(path, schsm_tool_flag(tool, "overwrite"), err);
}

int schsm_out_check(const struct schsm_tool *tool, struct schsm_error *err)
{
    return schsm_tool_setting(tool, "out") != NULL
               ? schsm_out_check_given(tool, err)
               : schsm_fail(err, SCHSM_REASON_ARGUMENT, "say where to write it: --out FILE");
}

int schsm_out_write(const struct schsm_tool *tool, const char *what, const uint8_t *content,
                    size_t len, struct schsm_error *err)
{
    const char *path = schsm_tool_setting(tool, "out");

    if (!schsm_file_write(path, SCHSM_FILE_FOR_ALL, schsm_tool_flag(tool, "overwrite"), content,
                          len, err)) {
        return 0;
    }
    if (schsm_file_is_stdout(path)) {
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

static json_t *base64_json(const struct schsm_content *content)
{
    size_t size = (content->len + 2) / 3 * 4 + 1;
    char *base64 = OPENSSL_zalloc(size);
    json_t *json = NULL;

    if (base64 != NULL) {
        (void)EVP_EncodeBlock((unsigned char *)base64, content->bytes, (int)content->len);
        json = json_string(base64);
    }
    OPENSSL_clear_free(base64, size);
    return json;
}

static int print_out_json(const struct schsm_tool *tool, const struct schsm_match *match,
                          const struct schsm_content *content, const char *path,
                          struct schsm_error *err)
{
    char *uri = schsm_match_uri(match, true, err);
    json_t *json = NULL, *value = NULL;
    const char *name;
    int ok = 0;

    if (uri == NULL) {
        return 0;
    }
    json = schsm_object_json(tool, &match->object, NULL, uri);
    OPENSSL_free(uri);
    if (path != NULL) {
        name = "file";
        value = schsm_json_text(path);
    } else if (content->text) {
        name = "text";
        char *text = OPENSSL_strndup((const char *)content->bytes, content->len);

        value = text != NULL ? schsm_json_text(text) : NULL;
        OPENSSL_free(text);
    } else {
        name = "base64";
        value = base64_json(content);
    }
    /* These take the value over, also where they fail. */
    ok = json_object_set_new(json, name, value) == 0;
    if (content->format != NULL) {
        ok = json_object_set_new(json, "format", json_string(content->format)) == 0 && ok;
    }
    if (!ok) {
        json_decref(json);
        return schsm_fail_memory(err);
    }
    return schsm_json_print(json, err);
}

int schsm_out_object(const struct schsm_tool *tool, const struct schsm_match *match,
                     const struct schsm_content *content, struct schsm_error *err)
{
    const char *path = schsm_tool_setting(tool, "out");

    if ((path != NULL || !tool->json) &&
        !schsm_file_write(path != NULL ? path : "-", content->secrecy,
                          schsm_tool_flag(tool, "overwrite"), content->bytes, content->len, err)) {
        return 0;
    }
    return tool->json && (path == NULL || !schsm_file_is_stdout(path))
               ? print_out_json(tool, match, content, path, err)
               : 1;
}

int schsm_out_bytes(const struct schsm_tool *tool, enum schsm_file_secrecy secrecy,
                    const uint8_t *bytes, size_t len, struct schsm_error *err)
{
    const char *path = schsm_tool_setting(tool, "out");

    if (!schsm_file_write(path, secrecy, schsm_tool_flag(tool, "overwrite"), bytes, len, err)) {
        return 0;
    }
    return !tool->json || schsm_file_is_stdout(path) ||
           schsm_json_print(
               json_pack("{s:I, s:o}", "bytes", (json_int_t)len, "file", schsm_json_text(path)),
               err);
}
