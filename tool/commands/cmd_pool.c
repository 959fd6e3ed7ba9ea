/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm pool: which devices have which keys. */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "tool/object.h"
#include "tool/output.h"
#include "tool/pool_view.h"

#define SHORT_DIGEST 8 /* bytes of a public key's digest in the table */

/* --- for people ------------------------------------------------------------------------------ */

static void add_holder_row(struct schsm_table *table, const struct schsm_pool_view *view,
                           const struct schsm_pool_holder *holder)
{
    const struct schsm_pool_view_device *device = &view->devices[holder->device];
    const struct schsm_object *object = &holder->match.object;
    char id[2 * SCHSM_ID_MAX + 1], kcv[SCHSM_KCV_TEXT_MAX], state[96];

    schsm_table_add(table, device->name);
    if (object->key_ref >= 0) {
        schsm_table_addf(table, "%d", object->key_ref);
    } else {
        schsm_table_add(table, "-");
    }
    schsm_hex(object->id, object->id_len, id);
    schsm_table_add(table, object->id_len > 0 ? id : "-");
    schsm_table_add(table, object->label[0] != '\0' ? object->label : "-");
    schsm_kcv_text(holder->kcv, kcv);
    schsm_table_add(table, holder->has_kcv ? kcv : "-");
    if (device->info.pin_tries >= 0) {
        schsm_table_addf(table, "%d", device->info.pin_tries);
    } else {
        schsm_table_add(table, "-");
    }
    schsm_pool_holder_text(holder, state, sizeof(state));
    schsm_table_add(table, state);
}

static int print_missing(const struct schsm_pool_view *view, const struct schsm_pool_key *key,
                         struct schsm_error *err)
{
    for (size_t i = 0; i < view->device_count; i++) {
        char *command = NULL, reason[SCHSM_POOL_REASON_MAX];
        int ok = 1;

        if (!schsm_pool_key_missing(view, key, i)) {
            continue;
        }
        if (!schsm_pool_key_command(view, key, i, &command, reason, err)) {
            return 0;
        }
        ok =
            schsm_say(err, command != NULL ? "Not on %s: %s" : "Not on %s, and cannot go there: %s",
                      view->devices[i].name, command != NULL ? command : reason);
        OPENSSL_free(command);
        if (!ok) {
            return 0;
        }
    }
    return 1;
}

static int print_key(const struct schsm_pool_view *view, const struct schsm_pool_key *key,
                     struct schsm_error *err)
{
    static const char *const headings[] = { "DEVICE", "KEY-REF", "ID",   "LABEL",
                                            "DKEK",   "TRIES",   "STATE" };
    const struct schsm_object *object = &key->holders[0].match.object;
    char digest[2 * SHORT_DIGEST + 1];
    struct schsm_table table;

    schsm_hex(key->digest, SHORT_DIGEST, digest);
    if (!schsm_say(err, "%s %u, public key %s", schsm_object_algorithm(object), object->bits,
                   key->public_key != NULL ? digest : "unknown")) {
        return 0;
    }
    schsm_table_init(&table, sizeof(headings) / sizeof(headings[0]), headings);
    for (size_t i = 0; i < key->holder_count; i++) {
        add_holder_row(&table, view, &key->holders[i]);
    }
    return schsm_table_print(&table, err) && print_missing(view, key, err);
}

static int print_view(const struct schsm_pool_view *view, struct schsm_error *err)
{
    if (view->key_count == 0) {
        return schsm_say(err, "There is no private key on any device.");
    }
    for (size_t i = 0; i < view->key_count; i++) {
        if ((i > 0 && !schsm_say(err, "%s", "")) || !print_key(view, &view->keys[i], err)) {
            return 0;
        }
    }
    return 1;
}

/* --- for programs ---------------------------------------------------------------------------- */

static json_t *kcv_json(bool known, const uint8_t kcv[SCHSM_KCV_LEN])
{
    char text[SCHSM_KCV_TEXT_MAX];

    schsm_kcv_text(kcv, text);
    return known ? json_string(text) : json_null();
}

static json_t *holder_json(const struct schsm_pool_view *view,
                           const struct schsm_pool_holder *holder)
{
    const struct schsm_pool_view_device *device = &view->devices[holder->device];
    const struct schsm_object *object = &holder->match.object;
    char *uri = schsm_match_uri(&holder->match, true, NULL);
    json_t *packed = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "serial",
        schsm_json_text(device->info.serial), "device", schsm_json_text(device->name), "key_ref",
        schsm_json_count(object->key_ref), "id", schsm_json_hex(object->id, object->id_len),
        "label", schsm_json_text(object->label), "uri", schsm_json_text(uri != NULL ? uri : ""),
        "key_check_value", kcv_json(holder->has_kcv, holder->kcv), "pin_tries",
        schsm_json_count(device->info.pin_tries), "state", schsm_pool_state_name(holder->state),
        "uses_left",
        holder->state == SCHSM_POOL_COUNTED ? json_integer((json_int_t)holder->uses_left)
                                            : json_null());

    OPENSSL_free(uri);
    return packed;
}

static json_t *missing_json(const struct schsm_pool_view *view, const struct schsm_pool_key *key)
{
    json_t *array = json_array();

    for (size_t i = 0; i < view->device_count; i++) {
        char *command = NULL, reason[SCHSM_POOL_REASON_MAX];

        if (!schsm_pool_key_missing(view, key, i)) {
            continue;
        }
        if (!schsm_pool_key_command(view, key, i, &command, reason, NULL)) {
            json_decref(array);
            return NULL;
        }
        schsm_json_append(&array, json_pack("{s:o, s:o, s:o, s:o}", "serial",
                                            schsm_json_text(view->devices[i].info.serial), "device",
                                            schsm_json_text(view->devices[i].name), "command",
                                            schsm_json_text(command != NULL ? command : ""),
                                            "reason", schsm_json_text(reason)));
        OPENSSL_free(command);
    }
    return array;
}

static json_t *key_json(const struct schsm_pool_view *view, const struct schsm_pool_key *key)
{
    const struct schsm_object *object = &key->holders[0].match.object;
    json_t *holders = json_array();

    for (size_t i = 0; i < key->holder_count; i++) {
        schsm_json_append(&holders, holder_json(view, &key->holders[i]));
    }
    return json_pack(
        "{s:o, s:i, s:o, s:o, s:o}", "algorithm", schsm_json_text(schsm_object_algorithm(object)),
        "bits", (int)object->bits, "public_key_sha256",
        key->public_key != NULL ? schsm_json_hex(key->digest, sizeof(key->digest)) : json_null(),
        "devices", holders, "missing", missing_json(view, key));
}

static int print_view_json(const struct schsm_pool_view *view, struct schsm_error *err)
{
    json_t *keys = json_array(), *failed = json_array();

    for (size_t i = 0; i < view->key_count; i++) {
        schsm_json_append(&keys, key_json(view, &view->keys[i]));
    }
    for (size_t i = 0; i < view->device_count; i++) {
        const struct schsm_pool_view_device *device = &view->devices[i];

        if (device->why.reason != SCHSM_REASON_NONE) {
            schsm_json_append(&failed,
                              json_pack("{s:o, s:o}", "device", schsm_json_text(device->name),
                                        "reason", schsm_json_text(device->why.text)));
        }
    }
    return schsm_json_print(json_pack("{s:o, s:o}", "keys", keys, "failed", failed), err);
}

/* A device that cannot be asked hides no other. */
static int judge_view(const struct schsm_pool_view *view, struct schsm_error *err)
{
    for (size_t i = 0; i < view->device_count; i++) {
        const struct schsm_pool_view_device *device = &view->devices[i];

        if (device->why.reason != SCHSM_REASON_NONE) {
            schsm_fail_as(err, &device->why);
            return schsm_fail_context(err, "%s", device->name);
        }
    }
    return 1;
}

static int run_pool(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_pool_view view;
    int ok = schsm_pool_view_fill(&tool->context, &view, err) &&
             (tool->json ? print_view_json(&view, err) : print_view(&view, err)) &&
             judge_view(&view, err);

    schsm_pool_view_clear(&view);
    return ok;
}

const struct schsm_command schsm_command_pool = {
    .name = "pool",
    .synopsis = "",
    .summary = "Show which devices have which private keys, and what is missing where",
    .help =
        "Shows each private key with all the devices that have it, as the provider uses them "
        "together with the setting pool: a key is its public key, whatever it is called. For each "
        "device it tells key reference, id and label there, the check value of the key encryption "
        "key (DKEK) under which the key can be copied, the PIN tries that are left, and whether "
        "the key can be used there. A key with a use counter is used on one device alone, "
        "and is told as missing nowhere.\n"
        "Below that stands on which devices the key is missing, with the command that copies it "
        "there, or with the reason why it cannot go there.\n"
        "It only reads, and logs nobody in or out. The tokens of --pkcs11-module are shown too; "
        "those that show private keys only after a login are known by the public keys beside "
        "them. --serial, --reader and --token narrow the devices.\n"
        " sc-hsm pool\n",
    .run = run_pool,
};
