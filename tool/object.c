/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "keymgmt/algorithm.h"
#include "keymgmt/defect.h"
#include "keymgmt/remove.h"
#include "keymgmt/reveal.h"
#include "ask.h"
#include "certificate_view.h"
#include "output.h"
#include "target.h"
#include "tell.h"
#include "text.h"

#define DEVICES_MAX 64

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
    { SCHSM_OBJECT_ORPHAN, "orphan", "orphan" },
};

static const struct type *type_of(const struct schsm_object *object)
{
    size_t i = 0;

    while (i + 1 < sizeof(types) / sizeof(types[0]) && types[i].type != object->type) {
        i++;
    }
    return &types[i];
}

int schsm_tool_uri(struct schsm_tool *tool, const char *text, struct schsm_uri *uri,
                   struct schsm_error *err)
{
    static const char scheme[] = SCHSM_URI_SCHEME ":";
    struct schsm_config *config = &tool->context.config;
    size_t size = strlen(text) + sizeof(scheme);
    char *whole = NULL;
    int ok = 0;

    schsm_uri_init(uri);
    if (strncmp(text, scheme, sizeof(scheme) - 1) == 0) {
        ok = schsm_uri_parse(uri, text, err);
    } else {
        whole = OPENSSL_malloc(size);
        if (whole == NULL) {
            return schsm_fail_memory(err);
        }
        BIO_snprintf(whole, size, "%s%s", scheme, text);
        ok = schsm_uri_parse(uri, whole, err);
        OPENSSL_clear_free(whole, size); /* a PIN may stand in it */
    }
    if (ok && uri->pin_source != NULL) {
        schsm_pin_source_free(config->pin_source);
        config->pin_source = schsm_pin_source_ref(uri->pin_source);
        OPENSSL_free(tool->origins.pin); /* it is no configured one any more */
        tool->origins.pin = NULL;
    }
    return ok;
}

int schsm_tool_reveal(struct schsm_tool *tool, const struct schsm_uri *uri, bool *revealed,
                      struct schsm_error *err)
{
    const struct schsm_device_selector selector = schsm_find_selector(&tool->context, uri);
    const struct schsm_pin_source *source = tool->context.config.pin_source;
    struct schsm_device *devices[DEVICES_MAX];
    size_t count = DEVICES_MAX;

    *revealed = false;
    if (!schsm_registry_devices(tool->context.registry, &selector, devices, &count, err)) {
        return 0;
    }
    if (count > 1 && source != NULL && schsm_pin_source_is_stored(source)) {
        return 1; /* it is the PIN of one of them, and a wrong one would count a try */
    }
    for (size_t i = 0; i < count; i++) {
        struct schsm_login login;
        bool hides = false;

        if (!schsm_device_hides_objects(devices[i], &hides, err)) {
            return 0;
        }
        if (!hides) {
            continue;
        }
        if (!schsm_tool_login(tool, devices[i], NULL, &login, err) ||
            !schsm_device_login(devices[i], &login, err)) {
            return 0;
        }
        *revealed = true;
    }
    return 1;
}

/* Objects of these types may hide until a login. */
static bool may_hide(const struct schsm_uri *uri, unsigned int wanted)
{
    return ((uri->types != 0 ? wanted & uri->types : wanted) &
            (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_DATA | SCHSM_OBJECT_SECRET)) != 0;
}

static int find_revealed(struct schsm_tool *tool, const struct schsm_uri *uri, unsigned int wanted,
                         struct schsm_match_list *list, struct schsm_error *err)
{
    struct schsm_hiding hiding = { .device = NULL };
    bool revealed = false;

    if (!schsm_find(&tool->context, uri, wanted, list, err)) {
        return 0;
    }
    if (list->count > 0 || !may_hide(uri, wanted)) {
        return 1;
    }
    if (!schsm_tool_reveal(tool, uri, &revealed, err)) {
        return 0;
    }
    if (revealed) {
        return schsm_find(&tool->context, uri, wanted, list, err);
    }
    return schsm_hiding_find(&tool->context, uri, &hiding, err) &&
           (hiding.device == NULL || schsm_hiding_fail(uri, wanted, &hiding, err));
}

int schsm_tool_object(struct schsm_tool *tool, const char *text, unsigned int wanted,
                      struct schsm_match *match, char serial[SCHSM_SERIAL_MAX + 1],
                      struct schsm_error *err)
{
    struct schsm_match_list list = { NULL, 0 };
    struct schsm_uri uri;
    int ok = 0;

    memset(match, 0, sizeof(*match));
    if (!schsm_tool_uri(tool, text, &uri, err) || !find_revealed(tool, &uri, wanted, &list, err)) {
        goto done;
    }
    if (uri.serial == NULL && tool->context.config.serial != NULL) { /* for the sentence */
        uri.serial = OPENSSL_strdup(tool->context.config.serial);
    }
    ok = schsm_match_list_take(&list, &uri, wanted, match, err) &&
         schsm_tool_serial(match->device, serial, err);

done:
    schsm_match_list_clear(&list);
    schsm_uri_clear(&uri);
    return ok;
}

/* What is not to be seen may be there for who is logged in. */
static int find_removable(struct schsm_tool *tool, const struct schsm_uri *uri, unsigned int wanted,
                          struct schsm_match *match, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    bool revealed = false;
    int ok = schsm_remove_find(&tool->context, uri, wanted, match, &found);

    if (!ok && found.reason == SCHSM_REASON_NOT_FOUND) {
        if (!schsm_tool_reveal(tool, uri, &revealed, err)) {
            return 0;
        }
        ok = revealed && schsm_remove_find(&tool->context, uri, wanted, match, &found);
    }
    return ok || schsm_fail_as(err, &found);
}

int schsm_tool_removable(struct schsm_tool *tool, const char *text, unsigned int wanted,
                         struct schsm_match *match, char serial[SCHSM_SERIAL_MAX + 1],
                         struct schsm_error *err)
{
    struct schsm_uri uri;
    int ok;

    memset(match, 0, sizeof(*match));
    ok = schsm_tool_uri(tool, text, &uri, err);
    if (ok && uri.serial == NULL && tool->context.config.serial != NULL) { /* for the sentence */
        uri.serial = OPENSSL_strdup(tool->context.config.serial);
    }
    ok = ok && find_removable(tool, &uri, wanted, match, err) &&
         schsm_tool_serial(match->device, serial, err);
    schsm_uri_clear(&uri);
    return ok;
}

const char *schsm_object_type_text(const struct schsm_object *object)
{
    return object->type == SCHSM_OBJECT_ORPHAN ? schsm_orphan_text(object) : type_of(object)->text;
}

bool schsm_object_is_key(const struct schsm_object *object)
{
    return (object->type & (SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_DATA | SCHSM_OBJECT_ORPHAN)) ==
           0;
}

const char *schsm_object_algorithm(const struct schsm_object *object)
{
    static const char *const key_types[] = {
        [SCHSM_KEY_NONE] = "",         [SCHSM_KEY_RSA] = "RSA",         [SCHSM_KEY_EC] = "EC",
        [SCHSM_KEY_AES] = "AES",       [SCHSM_KEY_ED25519] = "ED25519", [SCHSM_KEY_ED448] = "ED448",
        [SCHSM_KEY_X25519] = "X25519", [SCHSM_KEY_X448] = "X448",
    };

    return key_types[object->key_type];
}

int schsm_object_bytes(const struct schsm_object *object)
{
    return object->value != NULL && !schsm_object_is_key(object) ? (int)object->value_len : -1;
}

/* The names of the algorithms that the key may be used with; null: all, or not told. */
static json_t *algorithms_json(const struct schsm_key_policy *policy)
{
    json_t *array = NULL;

    if (policy == NULL || policy->algorithms_len == 0) {
        return json_null();
    }
    array = json_array();
    for (size_t i = 0; i < policy->algorithms_len; i++) {
        char name[SCHSM_ALGORITHM_NAME_MAX];

        schsm_algorithm_name(policy->algorithms[i], name);
        schsm_json_append(&array, json_string(name));
    }
    return array;
}

/* What an orphan is; null of everything else, which its type tells. */
static json_t *orphan_json(const struct schsm_object *object)
{
    return object->type == SCHSM_OBJECT_ORPHAN ? json_string(schsm_orphan_text(object))
                                               : json_null();
}

/* Adds what a certificate says; nulls of everything else. */
static bool add_certificate(const struct schsm_tool *tool, const struct schsm_object *object,
                            json_t *json)
{
    struct schsm_certificate_view view = { .subject = NULL };
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    bool ok = (object->type != SCHSM_OBJECT_CERTIFICATE ||
               schsm_certificate_view_read(tool->context.libctx, object->value, object->value_len,
                                           &view, &ignored)) &&
              schsm_certificate_json(json, &view);

    schsm_certificate_view_clear(&view);
    return ok;
}

json_t *schsm_object_json(const struct schsm_tool *tool, const struct schsm_object *object,
                          const struct schsm_key_policy *policy, const char *uri)
{
    char id[2 * SCHSM_ID_MAX + 1];
    json_t *json = NULL;

    schsm_hex(object->id, object->id_len, id);
    json = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:s}", "type",
        type_of(object)->name, "key_ref", schsm_json_count(object->key_ref), "id",
        schsm_json_text(id), "label", schsm_json_text(object->label), "algorithm",
        schsm_json_text(schsm_object_algorithm(object)), "bits",
        schsm_json_count(object->bits != 0 ? (int)object->bits : -1), "bytes",
        schsm_json_count(schsm_object_bytes(object)), "authority", object->authority ? 1 : 0,
        "private", object->private_data ? 1 : 0, "permitted", algorithms_json(policy), "uses_left",
        policy != NULL && policy->limited ? json_integer(policy->uses_left) : json_null(),
        "key_domain", schsm_json_count(policy != NULL ? policy->key_domain : -1), "oid",
        schsm_json_text(object->oid), "orphan", orphan_json(object), "uri", uri);
    if (json != NULL && !add_certificate(tool, object, json)) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

int schsm_object_report(const struct schsm_tool *tool, const char *done,
                        const struct schsm_match *match, const char *file, struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX];
    char *uri = schsm_match_uri(match, true, err);
    json_t *json = NULL;
    int ok = 0;

    if (uri == NULL) {
        return 0;
    }
    if (tool->json) {
        json = schsm_object_json(tool, &match->object, NULL, uri);
        if (json != NULL && file != NULL &&
            json_object_set_new(json, "file", schsm_json_text(file)) != 0) {
            json_decref(json);
            json = NULL;
        }
        ok = schsm_json_print(json, err);
        goto done;
    }
    schsm_object_name(&match->object, name, sizeof(name));
    ok = schsm_say(err, "%s %s: %s", done, name, uri) &&
         (file == NULL || schsm_say(err, "%s stands for it.", file));

done:
    OPENSSL_free(uri);
    return ok;
}

void schsm_object_note_label(const struct schsm_tool *tool, struct schsm_device *device,
                             const char *serial, const struct schsm_object *made)
{
    size_t others = schsm_same_label(device, made);
    char *label = others > 0 ? schsm_text_printable(made->label) : NULL;

    if (label != NULL) {
        schsm_tell_note(tool, "%zu %s on device %s have the label '%s' now: name each by its id",
                        others + 1, schsm_object_is_key(made) ? "keys" : "certificates", serial,
                        label);
    }
    OPENSSL_free(label);
}

int schsm_object_delete(struct schsm_tool *tool, struct schsm_match *match, const char *serial,
                        const char *consequences, struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX], question[SCHSM_OBJECT_NAME_MAX + 512];
    struct schsm_login login;

    schsm_object_name(&match->object, name, sizeof(name));
    if (match->unfinished) {
        consequences = "";
    }
    BIO_snprintf(question, sizeof(question), "This deletes %s%s from the device %s%s%s.",
                 match->unfinished ? "what is left of " : "", name, serial,
                 consequences[0] != '\0' ? ". " : "", consequences);
    return schsm_tool_confirm(tool, serial, question, err) &&
           schsm_tool_login(tool, match->device, name, &login, err) &&
           schsm_device_remove(match->device, &match->object, &login, err) &&
           schsm_object_report(tool, "Deleted", match, NULL, err);
}

int schsm_tool_new_name(const struct schsm_tool *tool, uint8_t *id, size_t *len, const char **label,
                        struct schsm_error *err)
{
    const char *text = schsm_tool_setting(tool, "id");

    *len = 0;
    *label = schsm_tool_setting(tool, "label");
    if (*label != NULL && strlen(*label) > SCHSM_LABEL_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--label: longer than %d bytes",
                          SCHSM_LABEL_MAX);
    }
    if (text != NULL && !schsm_id_parse(text, id, len, err)) {
        err->reason = SCHSM_REASON_ARGUMENT; /* no URI is wrong here */
        return schsm_fail_context(err, "--id");
    }
    return 1;
}
