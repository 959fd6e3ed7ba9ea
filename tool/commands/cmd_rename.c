/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm rename: another label or id. */
#include "tool/commands.h"

#include <string.h>

#include <openssl/crypto.h>

#include "tool/object.h"
#include "tool/target.h"

#define RENAMED                                                                                    \
    (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_SECRET | SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_DATA)

/* A key and its certificate are one here: the key is what has the name. */
static void keep_key_alone(struct schsm_match_list *list)
{
    const struct schsm_object *first = list->count > 0 ? &list->matches[0].object : NULL;
    size_t key = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->matches[i].device != list->matches[0].device || first->key_ref < 0 ||
            list->matches[i].object.key_ref != first->key_ref) {
            return;
        }
        if (list->matches[i].object.type != SCHSM_OBJECT_CERTIFICATE) {
            key = i;
        }
    }
    for (size_t i = 0; i < list->count; i++) {
        if (i == key) {
            list->matches[0] = list->matches[i];
        } else {
            schsm_match_clear(&list->matches[i]);
        }
    }
    list->count = list->count > 0;
}

static int find_renamed(struct schsm_tool *tool, const struct schsm_uri *uri,
                        struct schsm_match_list *list, struct schsm_error *err)
{
    if (!schsm_find(&tool->context, uri, RENAMED, list, err)) {
        return 0;
    }
    keep_key_alone(list);
    return 1;
}

static int replace_text(char **text, const char *by, struct schsm_error *err)
{
    OPENSSL_free(*text);
    *text = OPENSSL_strdup(by);
    return *text != NULL ? 1 : schsm_fail_memory(err);
}

/* An interrupted run may have renamed it: then the new name stands where the old one stood. */
static int find_renamed_before(struct schsm_tool *tool, struct schsm_uri *uri,
                               const struct schsm_rename *spec, struct schsm_match_list *list,
                               struct schsm_error *err)
{
    if (spec->label != NULL && uri->label != NULL && !replace_text(&uri->label, spec->label, err)) {
        return 0;
    }
    if (spec->id != NULL && uri->has_id) {
        memcpy(uri->id, spec->id, spec->id_len);
        uri->id_len = spec->id_len;
    }
    return find_renamed(tool, uri, list, err);
}

static bool has_name(const struct schsm_object *object, const struct schsm_rename *spec)
{
    return (spec->label == NULL || strcmp(object->label, spec->label) == 0) &&
           (spec->id == NULL ||
            (object->id_len == spec->id_len && memcmp(object->id, spec->id, spec->id_len) == 0));
}

static int rename_match(struct schsm_tool *tool, struct schsm_match *match,
                        const struct schsm_rename *spec, struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX];
    struct schsm_login login;

    if (has_name(&match->object, spec)) {
        return schsm_object_report(tool, "Has that name already,", match, NULL, err);
    }
    schsm_object_name(&match->object, name, sizeof(name));
    if (!schsm_tool_login(tool, match->device, name, &login, err) ||
        !schsm_device_rename(match->device, &match->object, spec, &login, err)) {
        return 0;
    }
    match->shares_name = match->object.key_ref < 0; /* by its new name it may not be alone */
    return schsm_object_report(tool, "Renamed, now", match, NULL, err);
}

static int run_rename(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_match_list list = { NULL, 0 };
    uint8_t id[SCHSM_ID_MAX];
    struct schsm_rename spec = { .id = NULL };
    struct schsm_uri uri;
    int ok = 0;

    schsm_uri_init(&uri);
    if (!schsm_tool_new_name(tool, id, &spec.id_len, &spec.label, err)) {
        return 0;
    }
    spec.id = spec.id_len > 0 ? id : NULL;
    if (spec.label == NULL && spec.id == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "say what it is to be called, with --label, --id or both");
    }
    if (!schsm_tool_uri(tool, tool->arguments[0], &uri, err)) {
        goto done;
    }
    if (!schsm_uri_names_object(&uri)) {
        schsm_fail(err, SCHSM_REASON_AMBIGUOUS,
                   "only what a URI names by key-ref, id, label or handle can be renamed");
        goto done;
    }
    if (!find_renamed(tool, &uri, &list, err)) {
        goto done;
    }
    if (list.count == 0) {
        struct schsm_error sought = SCHSM_ERROR_INIT;

        (void)schsm_find_fail(&uri, &list, RENAMED, &sought);
        if (!find_renamed_before(tool, &uri, &spec, &list, err)) {
            goto done;
        }
        if (list.count != 1 || !has_name(&list.matches[0].object, &spec)) {
            schsm_fail_as(err, &sought);
            goto done;
        }
    }
    ok = (list.count == 1 || schsm_find_fail(&uri, &list, RENAMED, err)) &&
         rename_match(tool, &list.matches[0], &spec, err);

done:
    schsm_match_list_clear(&list);
    schsm_uri_clear(&uri);
    return ok;
}

static const struct schsm_option rename_options[] = {
    { "label", 'l', false, "TEXT", "the new label", NULL },
    { "id", 'i', false, "HEX", "the new object id", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_rename = {
    .name = "rename",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Give a key, certificate or data object another label or id",
    .help = "Gives what URI names, such as label=web or key-ref=3, another label, another id, or "
            "both. A key's certificate and public key have their names from the key and change "
            "with it. An id that another key or certificate has is refused.\n"
            "It is one write on the device: whatever interrupts it, the object has the old name or "
            "the new one, and the same command again finishes it. Key reference files that were "
            "written before go on working; a URI with the old label or id does not.\n"
            "The objects of a PKCS#11 token are renamed by its own tools.\n"
            " sc-hsm rename label=web --label web-2026 --id 10\n",
    .options = rename_options,
    .run = run_rename,
};
