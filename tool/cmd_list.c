/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm list: keys, certificates and data objects, each with its URI. */
#include "commands.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "../keymgmt/find.h"
#include "../keymgmt/uri.h"
#include "output.h"

/* A public key is a part of its private one here, and listed alone only where it is asked for. */
#define LISTED                                                                                     \
    (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_SECRET | SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_DATA)

static const struct type {
    enum schsm_object_type type;
    const char *name; /* in JSON, as in a URI */
    const char *text;
} types[] = {
    { SCHSM_OBJECT_PRIVATE, "private", "private key" },
    { SCHSM_OBJECT_PUBLIC, "public", "public key" },
    { SCHSM_OBJECT_SECRET, "secret", "secret key" },
    { SCHSM_OBJECT_CERTIFICATE, "cert", "certificate" },
    { SCHSM_OBJECT_DATA, "data", "data" },
};

static const char *const key_types[] = {
    [SCHSM_KEY_NONE] = "",
    [SCHSM_KEY_RSA] = "RSA",
    [SCHSM_KEY_EC] = "EC",
    [SCHSM_KEY_AES] = "AES",
};

static const struct type *type_of(const struct schsm_object *object)
{
    size_t i = 0;

    while (i + 1 < sizeof(types) / sizeof(types[0]) && types[i].type != object->type) {
        i++;
    }
    return &types[i];
}

/* A certificate has the type and size of its key, but is measured in bytes. */
static bool is_key(const struct schsm_object *object)
{
    return (object->type & (SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_DATA)) == 0;
}

/* -1: unknown */
static int size_in_bytes(const struct schsm_object *object)
{
    return object->value != NULL && !is_key(object) ? (int)object->value_len : -1;
}

static json_t *object_json(const struct schsm_object *object, const char *uri)
{
    char id[2 * SCHSM_ID_MAX + 1];

    schsm_hex(object->id, object->id_len, id);
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:s}", "type", type_of(object)->name,
        "key_ref", schsm_json_count(object->key_ref), "id", schsm_json_text(id), "label",
        schsm_json_text(object->label), "algorithm", schsm_json_text(key_types[object->key_type]),
        "bits", schsm_json_count(object->bits != 0 ? (int)object->bits : -1), "bytes",
        schsm_json_count(size_in_bytes(object)), "authority", object->authority ? 1 : 0, "private",
        object->private_data ? 1 : 0, "uri", uri);
}

static void object_row(struct schsm_table *table, const struct schsm_object *object,
                       const char *uri)
{
    char id[2 * SCHSM_ID_MAX + 1];

    schsm_hex(object->id, object->id_len, id);
    schsm_table_addf(table, "%s%s", object->private_data ? "private " : "", type_of(object)->text);
    if (object->key_ref >= 0) {
        schsm_table_addf(table, "%d", object->key_ref);
    } else {
        schsm_table_add(table, "-");
    }
    schsm_table_add(table, object->id_len > 0 ? id : "-");
    schsm_table_add(table, object->label[0] != '\0' ? object->label : "-");
    if (is_key(object) && object->bits > 0) {
        schsm_table_addf(table, "%s %u", key_types[object->key_type], object->bits);
    } else if (object->key_type != SCHSM_KEY_NONE && is_key(object)) {
        schsm_table_add(table, key_types[object->key_type]);
    } else if (size_in_bytes(object) >= 0) {
        schsm_table_addf(table, "%d bytes", size_in_bytes(object));
    } else {
        schsm_table_add(table, "-");
    }
    schsm_table_add(table, uri);
}

/* Data objects come without their content, and only it tells the size. */
static int read_sizes(struct schsm_match_list *list, struct schsm_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        struct schsm_object *object = &list->matches[i].object;

        if (object->type == SCHSM_OBJECT_DATA && !object->private_data &&
            !schsm_device_read(list->matches[i].device, object, NULL, err)) {
            return 0;
        }
    }
    return 1;
}

static int print(const struct schsm_match_list *list, bool json, struct schsm_error *err)
{
    static const char *const headings[] = { "TYPE", "KEY-REF", "ID", "LABEL", "SIZE", "URI" };
    json_t *array = json_array();
    struct schsm_table table;
    int ok = 1;

    schsm_table_init(&table, 6, headings);
    for (size_t i = 0; i < list->count && ok; i++) {
        char *uri = schsm_match_uri(&list->matches[i], true, err);

        ok = uri != NULL;
        if (ok && json) {
            ok = schsm_json_append(array, object_json(&list->matches[i].object, uri), err);
        } else if (ok) {
            object_row(&table, &list->matches[i].object, uri);
        }
        OPENSSL_free(uri);
    }
    if (ok && json) {
        ok = schsm_json_print(json_pack("{s:O}", "objects", array), err);
    }
    json_decref(array);
    if (json || !ok) {
        schsm_table_clear(&table);
        return ok;
    }
    return schsm_table_print(&table, err);
}

static int run(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_match_list list = { NULL, 0 };
    struct schsm_uri uri;
    int ok = 0;

    schsm_uri_init(&uri);
    if (tool->argument_count > 0 && !schsm_uri_parse(&uri, tool->arguments[0], err)) {
        goto done;
    }
    if (!schsm_find(&tool->context, &uri, uri.types != 0 ? uri.types : LISTED, &list, err) ||
        !read_sizes(&list, err)) {
        goto done;
    }
    if (list.count == 0 && schsm_uri_names_object(&uri)) {
        schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                   "nothing on the device has that name; '" SCHSM_TOOL_NAME
                   " list' shows what is there");
        goto done;
    }
    if (list.count == 0 && !tool->json) {
        ok = puts("There is nothing to list.") != EOF;
        goto done;
    }
    ok = print(&list, tool->json, err);

done:
    schsm_match_list_clear(&list);
    schsm_uri_clear(&uri);
    return ok;
}

const struct schsm_command schsm_command_list = {
    .name = "list",
    .synopsis = "[URI]",
    .arguments_max = 1,
    .summary = "Show keys, certificates and data objects",
    .help = "Shows what is on the device, each object with the sc-hsm: URI that names it for "
            "openssl. A URI as "
            "argument narrows the list, for example sc-hsm:type=cert or sc-hsm:id=10.\n"
            "No PIN is needed; the size of a data object that is read only after login stays "
            "unknown.\n",
    .run = run,
};
