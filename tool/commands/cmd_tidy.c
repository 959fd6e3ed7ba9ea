/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm tidy: deletes what belongs to nothing. */
#include "tool/commands.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "keymgmt/defect.h"
#include "tool/ask.h"
#include "tool/object.h"
#include "tool/output.h"
#include "tool/target.h"

/* Keeps what is surely of no use: what is there in half, or alone. What cannot be read may be
 * something that we do not know. */
static void keep_tidied(struct schsm_object_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->objects[i].defect == SCHSM_DEFECT_NONE ||
            list->objects[i].defect == SCHSM_DEFECT_COPY ||
            list->objects[i].defect == SCHSM_DEFECT_NO_CONTENT) {
            list->objects[kept++] = list->objects[i];
        } else {
            schsm_object_clear(&list->objects[i]);
        }
    }
    list->count = kept;
}

static int confirm_tidying(struct schsm_tool *tool, const char *serial,
                           const struct schsm_object_list *list, struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX];
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    int ok = 0;

    if (out == NULL) {
        return schsm_fail_memory(err);
    }
    BIO_printf(out, "This deletes from the device %s what belongs to nothing: ", serial);
    for (size_t i = 0; i < list->count; i++) {
        schsm_object_name(&list->objects[i], name, sizeof(name));
        BIO_printf(out, "%s%s", i > 0 ? ", " : "", name);
        if (list->objects[i].label[0] != '\0') {
            BIO_printf(out, " ('%s')", list->objects[i].label);
        }
    }
    if (BIO_write(out, ".", 2) == 2) { /* with the terminator */
        (void)BIO_get_mem_data(out, &text);
        ok = schsm_tool_confirm(tool, serial, text, err);
    } else {
        schsm_fail_memory(err);
    }
    BIO_free(out);
    return ok;
}

static int report_tidied(const struct schsm_tool *tool, struct schsm_device *device,
                         const char *serial, const struct schsm_object_list *list, size_t deleted,
                         struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX];
    json_t *array = tool->json ? json_array() : NULL;

    for (size_t i = 0; i < deleted; i++) {
        struct schsm_match match = { .device = device, .object = list->objects[i] };
        char *uri = NULL;

        match.shares_name = true;
        if (tool->json) {
            uri = schsm_match_uri(&match, true, err);
            if (uri == NULL) {
                json_decref(array);
                return 0;
            }
            schsm_json_append(&array, schsm_object_json(tool, &match.object, NULL, uri));
            OPENSSL_free(uri);
            continue;
        }
        schsm_object_name(&match.object, name, sizeof(name));
        if (!schsm_say(err, "Deleted %s.", name)) {
            return 0;
        }
    }
    if (tool->json) {
        return schsm_json_print(
            json_pack("{s:o, s:o}", "serial", schsm_json_serial(serial), "deleted", array), err);
    }
    return list->count > 0 ||
           schsm_say(err, "Nothing on the device %s belongs to nothing.", serial);
}

static int run_tidy(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types =
                                                    SCHSM_OBJECT_ORPHAN | SCHSM_SEARCH_THOROUGHLY,
                                                .key_ref = -1 };
    struct schsm_object_list list = { NULL, 0 };
    struct schsm_error reporting = SCHSM_ERROR_INIT;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;
    struct schsm_login login;
    size_t deleted = 0;
    int ok = 0;

    if (!schsm_tool_device(tool, &device, serial, err) ||
        !schsm_device_find(device, &filter, &list, err)) {
        goto done;
    }
    keep_tidied(&list);
    if (list.count > 0 &&
        (!confirm_tidying(tool, serial, &list, err) ||
         !schsm_tool_login(tool, device, "what belongs to nothing", &login, err))) {
        goto done;
    }
    ok = 1;
    while (ok && deleted < list.count) {
        ok = schsm_device_remove(device, &list.objects[deleted], &login, err);
        deleted += ok != 0;
    }
    if (!report_tidied(tool, device, serial, &list, deleted, &reporting) && ok) {
        ok = schsm_fail_as(err, &reporting);
    }

done:
    schsm_object_list_clear(&list);
    return ok;
}

static const struct schsm_option tidy_options[] = { SCHSM_OPTION_YES, SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_tidy = {
    .name = "tidy",
    .synopsis = "",
    .summary = "Delete what belongs to nothing",
    .help =
        "Deletes what interrupted commands and other programs left: descriptions, certificates "
        "and requests of keys that are not on the device any more, descriptions of data and of "
        "certificates that are not there, certificates that were written in part, and copies of "
        "those that stand beside their keys. 'list --all' shows these orphans. Keys, whole "
        "certificates and data are never among them. "
        "What goes is said first, and has to be confirmed by typing the device's serial "
        "number.\n"
        " sc-hsm list --all\n"
        " sc-hsm tidy\n",
    .options = tidy_options,
    .run = run_tidy,
};
