/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_key_use.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "object.h"
#include "out_file.h"
#include "output.h"
#include "target.h"

static int read_in(void *arg, uint8_t *out, size_t *len, struct schsm_error *err)
{
    struct schsm_key_use *use = arg;

    if (!schsm_file_read_piece(use->reader, out, len, err)) {
        return 0;
    }
    use->bytes += *len;
    if (use->total > 0) {
        schsm_progress_at(use->progress, (unsigned int)(use->bytes / (use->total / 100 + 1)));
    }
    return 1;
}

static int write_out(void *arg, const void *bytes, size_t len, struct schsm_error *err)
{
    struct schsm_key_use *use = arg;

    use->written += len;
    return schsm_file_append(use->writer, bytes, len, err);
}

int schsm_key_use_begin(struct schsm_tool *tool, struct schsm_key_use *use, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];

    memset(use, 0, sizeof(*use));
    use->in = (struct schsm_bytes_in){ read_in, use };
    use->out = (struct schsm_bytes_out){ .write = write_out, .arg = use };
    if (!schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_SECRET, &use->match, serial,
                           err)) {
        return 0;
    }
    schsm_object_name(&use->match.object, use->name, sizeof(use->name));
    use->key = (struct schsm_secret_key){ use->match.device, &use->match.object, &use->login };
    return schsm_tool_login(tool, use->match.device, use->name, &use->login, err) &&
           schsm_device_login(use->match.device, &use->login, err);
}

int schsm_key_use_in(struct schsm_tool *tool, struct schsm_key_use *use, const char *doing,
                     struct schsm_error *err)
{
    use->reader = schsm_file_open(tool->argument_count > 1 ? tool->arguments[1] : "-", err);
    if (use->reader == NULL) {
        return 0;
    }
    use->total = schsm_file_size(use->reader);
    (void)snprintf(use->doing, sizeof(use->doing), "%s %s", use->name, doing);
    use->progress = schsm_progress_start(use->doing);
    return 1;
}

int schsm_key_use_out(struct schsm_tool *tool, struct schsm_key_use *use,
                      enum schsm_file_secrecy secrecy, struct schsm_error *err)
{
    use->writer = schsm_file_begin(schsm_tool_setting(tool, "out"), secrecy,
                                   schsm_tool_flag(tool, "overwrite"), err);
    if (use->writer == NULL) {
        return 0;
    }
    use->out.can_abandon = schsm_file_can_abandon(use->writer);
    return 1;
}

int schsm_key_use_commit(struct schsm_tool *tool, struct schsm_key_use *use, const char *done,
                         unsigned long long bytes, struct schsm_error *err)
{
    const char *path = schsm_tool_setting(tool, "out");
    struct schsm_file_writer *writer = use->writer;

    schsm_progress_stop(use->progress);
    use->progress = NULL;
    use->writer = NULL;
    if (!schsm_file_commit(writer, err)) {
        return 0;
    }
    if (schsm_file_is_stdout(path)) {
        return 1;
    }
    if (tool->json) {
        return schsm_json_print(
            json_pack("{s:I, s:o}", "bytes", (json_int_t)bytes, "file", schsm_json_text(path)),
            err);
    }
    return schsm_say(err, "%s %llu bytes with %s: %s.", done, bytes, use->name, path);
}

void schsm_key_use_end(struct schsm_key_use *use)
{
    schsm_progress_stop(use->progress);
    schsm_file_abandon(use->writer);
    schsm_file_close(use->reader);
    schsm_match_clear(&use->match);
}

int schsm_tool_hex(const char *option, const char *digits, uint8_t *bytes, size_t len,
                   struct schsm_error *err)
{
    return (strlen(digits) == 2 * len && schsm_hex_parse(digits, bytes, len)) ||
           schsm_fail(err, SCHSM_REASON_ARGUMENT, "--%s takes %zu hexadecimal digits", option,
                      2 * len);
}
