/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm wrap, unwrap: one key in a file and back. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "format/ecx.h"
#include "hsm/hsm_key_domain.h"
#include "keymgmt/file.h"
#include "keymgmt/wrap_key.h"
#include "tool/ask.h"
#include "tool/object.h"
#include "tool/output.h"
#include "tool/share_file.h"
#include "tool/target.h"

#define KEYS ((unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_SECRET)

static int report_wrapped(const struct schsm_tool *tool, const struct schsm_match *match,
                          const char *path, const uint8_t *file, size_t len,
                          struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX], kcv[SCHSM_KCV_TEXT_MAX], *uri = NULL;
    struct schsm_wrapped_file wrapped;
    int ok = 0;

    if (schsm_file_is_stdout(path)) {
        return 1;
    }
    uri = schsm_match_uri(match, true, err);
    if (uri == NULL || !schsm_wrapped_file_read(file, len, &wrapped, err)) {
        goto done;
    }
    schsm_kcv_text(wrapped.key.kcv, kcv);
    if (tool->json) {
        ok = schsm_json_print(json_pack("{s:s, s:o, s:s}", "uri", uri, "file",
                                        schsm_json_text(path), "key_check_value", kcv),
                              err);
        goto done;
    }
    schsm_object_name(&match->object, name, sizeof(name));
    ok = schsm_say(err, "Wrapped %s: %s opens on devices whose DKEK has key check value %s.", name,
                   path, kcv);

done:
    OPENSSL_free(uri);
    return ok;
}

static int run_wrap(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *path = tool->arguments[1];
    bool overwrite = schsm_tool_flag(tool, "overwrite");
    char serial[SCHSM_SERIAL_MAX + 1], name[SCHSM_OBJECT_NAME_MAX];
    struct schsm_match match = { 0 };
    struct schsm_login login;
    uint8_t *file = NULL;
    size_t len = 0;
    int ok = 0;

    if (!schsm_file_check_place(path, overwrite, err) ||
        !schsm_tool_object(tool, tool->arguments[0], KEYS, &match, serial, err)) {
        goto done;
    }
    schsm_object_name(&match.object, name, sizeof(name));
    if (schsm_ecx_by_type(match.object.key_type) != NULL) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "%s: " SCHSM_ECX_STAYS, name);
        goto done;
    }
    ok = schsm_tool_login(tool, match.device, name, &login, err) &&
         schsm_wrap_key(match.device, match.object.key_ref, &login, &file, &len, err) &&
         schsm_file_write(path, SCHSM_FILE_FOR_OWNER, overwrite, file, len, err) &&
         report_wrapped(tool, &match, path, file, len, err);

done:
    OPENSSL_free(file);
    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option wrap_options[] = {
    { .name = "overwrite", .summary = "replace the file if it is there" },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_wrap = {
    .name = "wrap",
    .synopsis = "URI FILE",
    .arguments_min = 2,
    .arguments_max = 2,
    .summary = "Write a key to a file, encrypted under the DKEK",
    .help = "Writes the key that URI names, such as label=web, to FILE, with its description and "
            "its certificate or request. The key leaves the device only encrypted under the "
            "device's DKEK: FILE can be unwrapped on a device that has the same DKEK, and on no "
            "other. The key on the device stays as it is. Needs the PIN.\n"
            "A device that was initialised without a DKEK cannot do this, nor can a key whose list "
            "of algorithms lacks wrap.\n"
            "FILE can be unwrapped with OpenSC's sc-hsm-tool as well.\n"
            " sc-hsm wrap label=web web.wrapped\n",
    .options = wrap_options,
    .run = run_wrap,
};

/* --- unwrap -------------------------------------------------------------------------------- */

static int confirm_key_replacement(const struct schsm_tool *tool, const char *serial,
                                   const struct schsm_unwrap *wishes, struct schsm_error *err)
{
    char which[48] = "the same id", text[400];

    if (!wishes->replace) {
        return 1;
    }
    if (wishes->key_ref >= 0) {
        (void)snprintf(which, sizeof(which), "key reference %d", wishes->key_ref);
    }
    (void)snprintf(text, sizeof(text),
                   "If there is a key with %s on device %s, it is deleted for ever with its "
                   "certificate, and the key from the file takes its place.",
                   which, serial);
    return schsm_tool_confirm(tool, serial, text, err);
}

static int read_wishes(const struct schsm_tool *tool, struct schsm_unwrap *wishes,
                       uint8_t id[SCHSM_ID_MAX], struct schsm_error *err)
{
    int64_t key_ref = -1;

    *wishes = (struct schsm_unwrap){ .replace = schsm_tool_flag(tool, "replace") };
    if (!schsm_tool_new_name(tool, id, &wishes->id_len, &wishes->label, err) ||
        !schsm_tool_number(tool, "key-ref", 1, 255, &key_ref, err)) {
        return 0;
    }
    wishes->id = wishes->id_len > 0 ? id : NULL;
    wishes->key_ref = (int)key_ref;
    return 1;
}

/* The DKEK out of the shares, where they are given: the file's own, and complete. */
static int read_shares(struct schsm_tool *tool, const struct schsm_wrapped_file *wrapped,
                       struct schsm_unwrap *wishes, struct schsm_secret **dkek,
                       struct schsm_error *err)
{
    size_t count = 0;

    if (!schsm_tool_flag(tool, "share")) {
        return 1;
    }
    *dkek = schsm_share_files_combine(tool, &count, err);
    wishes->dkek = *dkek;
    wishes->libctx = tool->context.libctx;
    return *dkek != NULL &&
           schsm_wrapped_key_verify(tool->context.libctx, &wrapped->key, *dkek, err);
}

/* What a key without public part is good for. */
static void warn_untold(const struct schsm_tool *tool, const struct schsm_object *made)
{
    if (made->type == SCHSM_OBJECT_PRIVATE && made->value == NULL && !tool->json) {
        puts("The file tells no public part, so OpenSSL does not find the key: unwrap it with "
             "--share, or store its certificate.");
    }
}

static int run_unwrap(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *path = tool->arguments[0];
    char serial[SCHSM_SERIAL_MAX + 1];
    uint8_t id[SCHSM_ID_MAX], *file = NULL;
    struct schsm_wrapped_file wrapped;
    struct schsm_match match = { 0 };
    struct schsm_unwrap wishes;
    struct schsm_secret *dkek = NULL;
    struct schsm_login login;
    unsigned int domain;
    size_t len = 0;
    int ok = 0;

    if (!read_wishes(tool, &wishes, id, err) ||
        !schsm_file_read(path, SCHSM_KEY_CONTAINER_MAX, &file, &len, err)) {
        return 0;
    }
    if (!schsm_wrapped_file_read(file, len, &wrapped, err)) {
        schsm_fail_context(err, "%s", path);
        goto done;
    }
    /* before a PIN is asked for */
    if (!schsm_tool_device(tool, &match.device, serial, err) ||
        !schsm_hsm_find_kek(match.device, wrapped.key.kcv, &domain, err) ||
        !read_shares(tool, &wrapped, &wishes, &dkek, err) ||
        !confirm_key_replacement(tool, serial, &wishes, err)) {
        goto done;
    }
    ok = schsm_tool_login(tool, match.device, "unwrapping a key", &login, err) &&
         schsm_unwrap_key(match.device, &wrapped, &wishes, &login, &match.object, err) &&
         schsm_object_report(tool, "Unwrapped", &match, NULL, err);
    if (ok) {
        warn_untold(tool, &match.object);
    }

done:
    schsm_secret_free(dkek);
    schsm_match_clear(&match);
    OPENSSL_free(file);
    return ok;
}

static const struct schsm_option unwrap_options[] = {
    { .name = "key-ref",
      .argument = "N",
      .summary = "the device's key reference, 1 to 255; default: the next free" },
    { .name = "id", .letter = 'i', .argument = "HEX", .summary = "object id; default: as it was" },
    { .name = "label", .letter = 'l', .argument = "TEXT", .summary = "label; default: as it was" },
    { .name = "replace",
      .summary = "delete the key that is there with this key reference or id, and take its place" },
    { .name = "share",
      .repeats = true,
      .argument = "FILE",
      .summary =
          "a share of the DKEK, each of them: to compute the public part of a key whose file "
          "does not tell it" },
    SCHSM_OPTIONS_SHARE_PASSWORDS,
    SCHSM_OPTION_YES,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_unwrap = {
    .name = "unwrap",
    .synopsis = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Bring a wrapped key to the device",
    .help =
        "Brings the key from FILE, which 'sc-hsm wrap', OpenSC's sc-hsm-tool or the Key Manager "
        "wrote, or which is a bare key blob, to the device, with its description and "
        "certificate. The device must have the DKEK under "
        "which the key was wrapped; if it has another, nothing is changed, and both key check "
        "values are told. Needs the PIN.\n"
        "The key gets the next free key reference, and keeps its id and label. A key reference "
        "or id that is taken is refused; --id gives the key another one, and --replace deletes "
        "the key that is there, once the serial number was typed. Before that the device has "
        "to accept the new key.\n"
        "A file without certificate and request does not tell the key's public part, and "
        "OpenSSL cannot find the key then. With all shares of the DKEK, --share, it is computed "
        "here, and the device gets a request as for an imported key.\n"
        " sc-hsm unwrap web.wrapped\n"
        " sc-hsm unwrap web.wrapped --id 20 --label web-copy\n",
    .options = unwrap_options,
    .run = run_unwrap,
};
