/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm data write, read, delete: data objects. */
#include "tool/commands.h"

#include <string.h>

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "keymgmt/file.h"
#include "tool/ask.h"
#include "tool/object.h"
#include "tool/out_file.h"
#include "tool/output.h"
#include "tool/target.h"

#define DATA_MAX 65535 /* bytes: the device's file offsets have no more */

/* --- write --------------------------------------------------------------------------------- */

/* What names objects of this label; to be cleared, also after failure. The options that chose the
 * device choose it here as well, and it may have no serial number. */
static int name_label(struct schsm_uri *uri, const char *label, struct schsm_error *err)
{
    schsm_uri_init(uri);
    uri->label = OPENSSL_strdup(label);
    return uri->label != NULL ? 1 : schsm_fail_memory(err);
}

/* What an interrupted replacement left of the object that it replaced. */
static int remove_rest(struct schsm_tool *tool, struct schsm_device *device, const char *label,
                       const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_match_list list = { NULL, 0 };
    struct schsm_uri uri;
    int ok = name_label(&uri, label, err) &&
             schsm_find(&tool->context, &uri, SCHSM_OBJECT_ORPHAN, &list, err);

    for (size_t i = 0; ok && i < list.count; i++) {
        const struct schsm_match *match = &list.matches[i];

        if (match->device == device && match->object.orphan_of == SCHSM_OBJECT_DATA) {
            ok = schsm_device_remove(device, &match->object, login, err);
        }
    }
    schsm_match_list_clear(&list);
    schsm_uri_clear(&uri);
    return ok;
}

/* The objects that have this label already, also those that only who is logged in can see. One may
 * be replaced, where the user said so. */
static int look_for_label(struct schsm_tool *tool, const char *serial, const char *label,
                          struct schsm_match_list *list, struct schsm_error *err)
{
    struct schsm_uri uri;
    bool revealed = false;
    int ok = 0;

    if (!name_label(&uri, label, err) || !schsm_tool_reveal(tool, &uri, &revealed, err) ||
        !schsm_find(&tool->context, &uri, SCHSM_OBJECT_DATA, list, err)) {
        goto done;
    }
    if (list->count > 0 && !schsm_tool_flag(tool, "replace")) {
        schsm_fail(err, SCHSM_REASON_EXISTS,
                   "there is a data object '%s' on %s already: choose another label, or replace it "
                   "with --replace",
                   label, serial);
    } else if (list->count > 2) { /* two: a replacement may have been interrupted */
        schsm_find_fail(&uri, list, SCHSM_OBJECT_DATA, err);
    } else {
        ok = 1;
    }

done:
    schsm_uri_clear(&uri);
    return ok;
}

/*
 * Of two objects of this label: where one is what is to be stored, an interrupted replacement left
 * the other, which goes now. The one stays in the list alone.
 */
static int finish_replacement(struct schsm_match_list *list, const struct schsm_store *spec,
                              const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_uri uri;
    int ok = 1;

    for (size_t i = 0; i < 2; i++) {
        struct schsm_match *match = &list->matches[i], *other = &list->matches[1 - i];
        struct schsm_object *object = &match->object;

        if (!schsm_device_read(match->device, object, login, err)) {
            return 0;
        }
        if (object->private_data == spec->private_data && object->value_len == spec->value_len &&
            memcmp(object->value, spec->value, spec->value_len) == 0) {
            ok = schsm_device_remove(other->device, &other->object, login, err);
            schsm_match_clear(other);
            list->matches[0] = *match;
            list->matches[0].shares_name = false;
            list->count = 1;
            return ok;
        }
    }
    ok = name_label(&uri, spec->label, err) && schsm_find_fail(&uri, list, SCHSM_OBJECT_DATA, err);
    schsm_uri_clear(&uri);
    return ok;
}

static int confirm_data_replacement(const struct schsm_tool *tool, const char *serial,
                                    const char *label, struct schsm_error *err)
{
    char text[SCHSM_LABEL_MAX + 256];

    BIO_snprintf(text, sizeof(text),
                 "This puts the file in the place of the data object '%s' on the device %s. What "
                 "that holds now is lost.",
                 label, serial);
    return schsm_tool_confirm(tool, serial, text, err);
}

static int run_data_write(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_store spec = { .type = SCHSM_OBJECT_DATA,
                                .application = schsm_tool_setting(tool, "application"),
                                .private_data = schsm_tool_flag(tool, "private") };
    struct schsm_match_list same = { NULL, 0 };
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    struct schsm_login login;
    uint8_t id[SCHSM_ID_MAX];
    uint8_t *content = NULL;
    size_t len = 0;
    int ok = 0;

    if (!schsm_tool_new_name(tool, id, &spec.id_len, &spec.label, err)) {
        return 0;
    }
    if (spec.label == NULL || spec.label[0] == '\0') {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "give the data object a name with --label, by which it is found again");
    }
    spec.id = spec.id_len > 0 ? id : NULL;
    if (!schsm_file_read(tool->arguments[0], DATA_MAX, &content, &len, err)) {
        return 0;
    }
    if (len == 0) {
        schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s is empty: there is nothing to store",
                   tool->arguments[0]);
        goto done;
    }
    spec.value = content;
    spec.value_len = len;
    if (!schsm_tool_device(tool, &match.device, serial, err) ||
        !look_for_label(tool, serial, spec.label, &same, err) ||
        (same.count > 0 && !confirm_data_replacement(tool, serial, spec.label, err))) {
        goto done;
    }
    if (!schsm_tool_login(tool, match.device, spec.label, &login, err)) {
        goto done;
    }
    if (same.count == 2) {
        ok = finish_replacement(&same, &spec, &login, err) &&
             schsm_object_report(tool, "Stored", &same.matches[0], NULL, err);
        goto done;
    }
    spec.replaces = same.count > 0 ? &same.matches[0].object : NULL;
    ok = schsm_device_store(match.device, &spec, &login, &match.object, err) &&
         (!schsm_tool_flag(tool, "replace") ||
          remove_rest(tool, match.device, spec.label, &login, err)) &&
         schsm_object_report(tool, "Stored", &match, NULL, err);

done:
    OPENSSL_clear_free(content, len);
    schsm_match_list_clear(&same);
    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option data_write_options[] = {
    { "label", 'l', false, "TEXT", "its name; needed", NULL },
    { "private", 'p', false, NULL, "only who knows the PIN may read it", NULL },
    { "application", 'a', false, "TEXT", "the program it belongs to", NULL },
    { "id", 'i', false, "HEX", "its place on the device, 00 to ff; default: a free one", NULL },
    { "replace", '\0', false, NULL, "take the place of the one with this label", NULL },
    SCHSM_OPTION_YES,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_data_write = {
    .name = "data write",
    .synopsis = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Store a file as a data object",
    .help = "Stores the content of FILE, or of standard input for -, on the device under a label. "
            "Everybody who has the device can read it; with --private only who knows the PIN. The "
            "PIN is needed to store it. A device has room for some 70 kilobytes altogether.\n"
            "With --replace an object with this label is replaced, once you have typed the "
            "device's serial number, or at once with --yes: the new one is stored first, the old "
            "one deleted afterwards, so that room for both is needed.\n"
            " sc-hsm data write notes.txt --label notes\n"
            " sc-hsm data write - --label recovery --private <codes\n",
    .options = data_write_options,
    .run = run_data_write,
};

/* --- read ---------------------------------------------------------------------------------- */

static int run_data_read(struct schsm_tool *tool, struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX];
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_login login = { 0 };
    struct schsm_match match = { 0 };
    int ok = 0;

    if (!schsm_out_check_given(tool, err) ||
        !schsm_tool_object(tool, tool->arguments[0], SCHSM_OBJECT_DATA, &match, serial, err)) {
        goto done;
    }
    schsm_object_name(&match.object, name, sizeof(name));
    if ((match.object.private_data && !schsm_tool_login(tool, match.device, name, &login, err)) ||
        !schsm_device_read(match.device, &match.object, &login, err)) {
        goto done;
    }
    const struct schsm_content content = { .bytes = match.object.value,
                                           .len = match.object.value_len,
                                           .secrecy = match.object.private_data
                                                          ? SCHSM_FILE_FOR_OWNER
                                                          : SCHSM_FILE_FOR_ALL };

    ok = schsm_out_object(tool, &match, &content, err);

done:
    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option data_read_options[] = {
    { "out", 'o', false, "FILE", "write to this file; default: standard output", NULL },
    SCHSM_OPTION_OVERWRITE,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_data_read = {
    .name = "data read",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Read a data object",
    .help = "Writes the content of the data object that URI names, such as sc-hsm:label=notes or "
            "shorter label=notes, byte by byte to standard output or a file. For a private one the "
            "PIN is needed, and the file is readable by its owner alone. With --json the content "
            "is in base64.\n"
            " sc-hsm data read label=notes --out notes.txt\n",
    .options = data_read_options,
    .run = run_data_read,
};

/* --- delete -------------------------------------------------------------------------------- */

static int run_data_delete(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    int ok =
        schsm_tool_removable(tool, tool->arguments[0], SCHSM_OBJECT_DATA, &match, serial, err) &&
        schsm_object_delete(tool, &match, serial, "", err);

    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option data_delete_options[] = { SCHSM_OPTION_YES, SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_data_delete = {
    .name = "data delete",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Delete a data object",
    .help = "Deletes the data object that URI names, such as label=notes, once the device's serial "
            "number was typed for confirmation.\n"
            " sc-hsm data delete label=notes\n",
    .options = data_delete_options,
    .run = run_data_delete,
};
