/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm data list: the data objects. */
#include "tool/commands.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "keymgmt/defect.h"
#include "tool/object.h"
#include "tool/object_table.h"
#include "tool/output.h"
#include "tool/tell.h"

static int print_data_json(const struct schsm_tool *tool, const struct schsm_match_list *list,
                           struct schsm_error *err)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++) {
        char *uri = schsm_match_uri(&list->matches[i], true, err);

        if (uri == NULL) {
            json_decref(array);
            return 0;
        }
        schsm_json_append(&array, schsm_object_json(tool, &list->matches[i].object, NULL, uri));
        OPENSSL_free(uri);
    }
    return schsm_json_print(json_pack("{s:o}", "objects", array), err);
}

static int print_data_table(const struct schsm_match_list *list, struct schsm_error *err)
{
    static const char *const headings[] = { "LABEL", "SIZE", "READ BY", "APPLICATION", "URI" };
    struct schsm_table table;

    schsm_table_init(&table, sizeof(headings) / sizeof(headings[0]), headings);
    schsm_table_fit(&table, 0, SCHSM_FIT_SHORTEN);
    schsm_table_fit(&table, 3, SCHSM_FIT_SHORTEN);
    schsm_table_fit(&table, 4, SCHSM_FIT_WRAP);
    for (size_t i = 0; i < list->count; i++) {
        const struct schsm_object *object = &list->matches[i].object;
        char *uri = schsm_match_uri(&list->matches[i], true, err);

        if (uri == NULL) {
            schsm_table_clear(&table);
            return 0;
        }
        schsm_table_add(&table, object->label[0] != '\0' ? object->label : "-");
        if (schsm_object_bytes(object) >= 0) {
            schsm_table_addf(&table, "%d bytes", schsm_object_bytes(object));
        } else {
            schsm_table_add(&table, object->private_data ? "-" : "unreadable");
        }
        schsm_table_add(&table, object->private_data ? "PIN" : "all");
        schsm_table_add(&table, object->application[0] != '\0' ? object->application : "-");
        schsm_table_add(&table, uri);
        OPENSSL_free(uri);
    }
    return schsm_table_print(&table, err);
}

/* Names what cannot be read; the status is the last one's. */
static int fail_for_unreadable(const struct schsm_tool *tool, const struct schsm_match_list *list,
                               struct schsm_error *err)
{
    int ok = 1;

    for (size_t i = 0; i < list->count; i++) {
        char text[SCHSM_DEFECT_TEXT_MAX];

        if (list->matches[i].object.defect == SCHSM_DEFECT_NONE) {
            continue;
        }
        if (!ok) {
            schsm_tell_warning(tool, err);
        }
        schsm_defect_text(&list->matches[i], text);
        ok = schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "%s", text);
    }
    return ok;
}

static int run_data_list(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_match_list list = { NULL, 0 };
    struct schsm_uri uri;
    bool revealed = false;
    int ok = 0;

    schsm_uri_init(&uri);
    /* Nobody is asked for a PIN to list; one that is given shows what a device hides. */
    if ((tool->context.config.pin_source != NULL &&
         !schsm_tool_reveal(tool, &uri, &revealed, err)) ||
        !schsm_find(&tool->context, &uri, SCHSM_OBJECT_DATA, &list, err) ||
        !schsm_object_read_sizes(&list, err)) {
        goto done;
    }
    ok = (tool->json        ? print_data_json(tool, &list, err)
          : list.count == 0 ? schsm_say(err, "There are no data objects.")
                            : print_data_table(&list, err)) &&
         fail_for_unreadable(tool, &list, err);

done:
    schsm_match_list_clear(&list);
    schsm_uri_clear(&uri);
    return ok;
}

const struct schsm_command schsm_command_data_list = {
    .name = "data list",
    .synopsis = "",
    .summary = "Show the data objects",
    .help = "Shows each data object: its label, its size, whether the PIN is needed to read it, "
            "the program it belongs to, and the URI that names it. No PIN is needed; the size of "
            "one that is read only after a login stays unknown.\n",
    .run = run_data_list,
};
