/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sc-hsm cert import: certificates onto the device, each to its key, the others beside them. All is
 * looked at before the first one is stored.
 */
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "keymgmt/certificate.h"
#include "tool/ask.h"
#include "tool/certificate_file.h"
#include "tool/object.h"
#include "tool/output.h"
#include "tool/target.h"
#include "tool/text.h"

struct item {
    X509 *certificate; /* the chain's */
    uint8_t *der;
    size_t der_len;
    bool has_key;
    struct schsm_object key; /* its key, without a value, if has_key */
    bool present;            /* the device has it already */
    char label[SCHSM_LABEL_MAX + 1];
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
};

struct import {
    struct schsm_tool *tool;
    const char *path;
    struct schsm_chain chain;
    struct item items[SCHSM_CHAIN_MAX];
    struct schsm_device *device;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match key;         /* --key; device NULL: not given */
    struct schsm_object_list there; /* the device's certificates */
    struct schsm_login login;
    bool login_known;
    bool replacing; /* another certificate than one in the file, by the user's word */
};

static int prepare_login(struct import *import, struct schsm_error *err)
{
    if (!import->login_known) {
        import->login_known =
            schsm_tool_login(import->tool, import->device, "new certificate", &import->login, err);
    }
    return import->login_known;
}

/* The device, and the key where the user named one. */
static int find_target(struct import *import, struct schsm_error *err)
{
    const char *name = schsm_tool_setting(import->tool, "key");

    if (name == NULL) {
        return schsm_tool_device(import->tool, &import->device, import->serial, err);
    }
    if (schsm_tool_flag(import->tool, "ca")) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--ca is for a certificate without a key, --key for one with a key: give "
                          "one of them");
    }
    if (!schsm_tool_object(import->tool, name, SCHSM_OBJECT_PRIVATE, &import->key, import->serial,
                           err)) {
        return 0;
    }
    import->device = import->key.device;
    return 1;
}

static int fail_no_key(const struct import *import, const struct item *item, size_t unknown,
                       struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                      "%s: the certificate '%s' belongs to no key on %s%s; --ca stores it as a "
                      "certificate without a key",
                      import->path, item->label, import->serial,
                      unknown > 0 ? " whose public part the device knows: name its key with --key"
                                  : "");
}

/* Which certificate goes to which key. */
static int assign_keys(struct import *import, struct schsm_error *err)
{
    struct schsm_context *context = &import->tool->context;
    bool any = false;
    size_t unknown = 0;

    for (size_t i = 0; i < import->chain.count; i++) {
        struct item *item = &import->items[i];

        if (i == 0 && import->key.device != NULL) {
            if (!prepare_login(import, err) ||
                !schsm_certificate_check_key(context, &import->key, item->certificate,
                                             &import->login, err)) {
                return schsm_fail_context(err, "%s", import->path);
            }
            item->key = import->key.object;
            item->key.value = NULL;
            item->key.value_len = 0;
            item->has_key = true;
        } else if (!schsm_certificate_find_key(context, import->device, item->certificate,
                                               &item->key, &item->has_key, &unknown, err)) {
            return schsm_fail_context(err, "%s", import->path);
        }
        any = any || item->has_key;
    }
    return any || schsm_tool_flag(import->tool, "ca")
               ? 1
               : fail_no_key(import, &import->items[0], unknown, err);
}

static bool is_content(const struct schsm_object *object, const struct item *item)
{
    return object->value != NULL && object->value_len == item->der_len &&
           memcmp(object->value, item->der, item->der_len) == 0;
}

/* Which key, as briefly as can be. */
static void key_name(const struct schsm_object *key, char *text, size_t size)
{
    if (key->key_ref >= 0) {
        BIO_snprintf(text, size, "key-ref %d", key->key_ref);
    } else {
        schsm_object_name(key, text, size);
    }
}

/* Two for one key in a file, or one where another certificate is. */
static int check_place(struct import *import, const struct item *item, struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX];

    for (const struct item *other = import->items; other < item; other++) {
        if (other->has_key && schsm_object_same_key(&other->key, &item->key)) {
            return schsm_fail(
                err, SCHSM_REASON_BAD_INPUT,
                "%s holds two certificates of the same key, '%s' and '%s': the device "
                "has room for one",
                import->path, other->label, item->label);
        }
    }
    key_name(&item->key, name, sizeof(name));
    for (size_t i = 0; i < import->there.count; i++) {
        const struct schsm_object *object = &import->there.objects[i];

        if (!schsm_object_same_key(object, &item->key) || is_content(object, item)) {
            continue;
        }
        if (!schsm_tool_flag(import->tool, "replace")) {
            return schsm_fail(err, SCHSM_REASON_EXISTS,
                              "%s on %s has a certificate already; --replace puts this one in its "
                              "place",
                              name, import->serial);
        }
        import->replacing = true;
    }
    return 1;
}

/* Whether nothing is left to do: a copy without a name is what an interrupted import left. */
static bool is_there(const struct import *import, const struct item *item)
{
    bool there = false;

    for (size_t i = 0; i < import->there.count; i++) {
        const struct schsm_object *object = &import->there.objects[i];

        if (!is_content(object, item)) {
            continue;
        }
        if (object->key_ref < 0 && object->id_len == 0 && object->label[0] == '\0') {
            return false;
        }
        there = there ||
                (item->has_key ? schsm_object_same_key(object, &item->key) : object->authority);
    }
    return there;
}

/* What the user calls the one certificate without a key. */
static int name_items(struct import *import, struct schsm_error *err)
{
    struct item *alone = NULL;
    const char *label = NULL;
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len = 0, count = 0;

    if (!schsm_tool_new_name(import->tool, id, &id_len, &label, err)) {
        return 0;
    }
    for (size_t i = 0; i < import->chain.count; i++) {
        if (!import->items[i].has_key) {
            alone = &import->items[i];
            count++;
        }
    }
    if (id_len == 0 && label == NULL) {
        return 1;
    }
    if (count != 1) {
        return schsm_fail(
            err, SCHSM_REASON_ARGUMENT,
            "--id and --label name one certificate without a key, and %s holds %zu; a "
            "key's certificate has its key's id and label",
            import->path, count);
    }
    if (label != NULL) {
        BIO_snprintf(alone->label, sizeof(alone->label), "%s", label);
    }
    if (id_len > 0) {
        memcpy(alone->id, id, id_len);
        alone->id_len = id_len;
    }
    return 1;
}

static int plan(struct import *import, struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types = SCHSM_OBJECT_CERTIFICATE, .key_ref = -1 };

    for (size_t i = 0; i < import->chain.count; i++) {
        struct item *item = &import->items[i];
        unsigned char *der = NULL;
        int len;

        item->certificate = import->chain.certificates[i];
        len = i2d_X509(item->certificate, &der);
        if (len <= 0 || !schsm_certificate_id(item->certificate, item->id, &item->id_len, err)) {
            return schsm_fail_memory(err);
        }
        item->der = der;
        item->der_len = (size_t)len;
        schsm_certificate_label(item->certificate, item->label);
    }
    if (!find_target(import, err) || !assign_keys(import, err) || !name_items(import, err) ||
        !schsm_device_find(import->device, &filter, &import->there, err)) {
        return 0;
    }
    for (size_t i = 0; i < import->chain.count; i++) {
        struct item *item = &import->items[i];

        item->present = is_there(import, item);
        if (!item->present && item->has_key && !check_place(import, item, err)) {
            return 0;
        }
    }
    return 1;
}

static int confirm(const struct import *import, struct schsm_error *err)
{
    char text[SCHSM_SERIAL_MAX + 256];

    if (!import->replacing) {
        return 1;
    }
    (void)snprintf(text, sizeof(text),
                   "This deletes the certificates that the keys on the device %s have now, where "
                   "the file holds others for them.",
                   import->serial);
    return schsm_tool_confirm(import->tool, import->serial, text, err);
}

static int store(struct import *import, struct item *item, struct schsm_match *match,
                 struct schsm_error *err)
{
    const struct schsm_store spec = { .type = SCHSM_OBJECT_CERTIFICATE,
                                      .key = item->has_key ? &item->key : NULL,
                                      .id = item->has_key ? NULL : item->id,
                                      .id_len = item->has_key ? 0 : item->id_len,
                                      .label = item->has_key ? NULL : item->label,
                                      .value = item->der,
                                      .value_len = item->der_len };

    if (item->present) {
        match->object = (struct schsm_object){ .type = SCHSM_OBJECT_CERTIFICATE, .key_ref = -1 };
        return 1;
    }
    return prepare_login(import, err) &&
           schsm_device_store(import->device, &spec, &import->login, &match->object, err);
}

static int say(const struct import *import, const struct item *item, struct schsm_error *err)
{
    char *label = schsm_text_printable(item->label);
    char name[SCHSM_OBJECT_NAME_MAX];

    if (label == NULL) {
        return schsm_fail_memory(err);
    }
    printf("%s the certificate '%s'", item->present ? "Already there:" : "Stored", label);
    if (item->has_key) {
        key_name(&item->key, name, sizeof(name));
        printf(" of %s", name);
    } else {
        printf(" without a key");
    }
    printf(" on %s\n", import->serial);
    OPENSSL_free(label);
    return 1;
}

static json_t *item_json(const struct item *item)
{
    char id[2 * SCHSM_ID_MAX + 1];

    schsm_hex(item->id, item->has_key ? 0 : item->id_len, id);
    return json_pack("{s:s, s:o, s:o, s:o}", "action", item->present ? "present" : "stored",
                     "key_ref", schsm_json_count(item->has_key ? item->key.key_ref : -1), "id",
                     schsm_json_text(id), "subject", schsm_json_text(item->label));
}

static int store_all(struct import *import, struct schsm_error *err)
{
    json_t *array = json_array();
    int ok = 1;

    for (size_t i = 0; i < import->chain.count && ok; i++) {
        struct item *item = &import->items[i];
        struct schsm_match match = { .device = import->device };

        ok = store(import, item, &match, err);
        if (!ok) {
            schsm_fail_context(err, "%s, certificate %zu of %zu ('%s')", import->path, i + 1,
                               import->chain.count, item->label);
        } else if (import->tool->json) {
            ok = schsm_json_append(array, item_json(item), err);
        } else {
            ok = say(import, item, err);
        }
        schsm_match_clear(&match);
    }
    if (ok && import->tool->json) {
        ok = schsm_json_print(
            json_pack("{s:s, s:O}", "serial", import->serial, "certificates", array), err);
    }
    json_decref(array);
    return ok;
}

static int run(struct schsm_tool *tool, struct schsm_error *err)
{
    struct import *import = OPENSSL_zalloc(sizeof(*import));
    int ok = 0;

    if (import == NULL) {
        return schsm_fail_memory(err);
    }
    import->tool = tool;
    import->path = tool->arguments[0];
    ok = schsm_chain_read(tool, import->path, &import->chain, err) && plan(import, err) &&
         confirm(import, err) && store_all(import, err);
    for (size_t i = 0; i < import->chain.count; i++) {
        OPENSSL_free(import->items[i].der);
    }
    schsm_object_list_clear(&import->there);
    schsm_match_clear(&import->key);
    schsm_chain_clear(&import->chain);
    OPENSSL_free(import);
    return ok;
}

static const struct schsm_option options[] = {
    { "key", 'k', false, "URI", "the key of the first certificate; default: the one that fits",
      NULL },
    { "ca", '\0', false, NULL, "store it although it fits no key: an authority's, for example",
      NULL },
    { "id", 'i', false, "HEX", "object id of the one certificate without a key", NULL },
    { "label", 'l', false, "TEXT", "its label; default: the common name in it", NULL },
    { "replace", '\0', false, NULL, "take the place of the certificate that the key has", NULL },
    SCHSM_OPTION_YES,
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_cert_import = {
    .name = "cert import",
    .synopsis = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Store certificates beside their keys",
    .help =
        "Stores the certificates of FILE, PEM or DER, on the device. Each is compared with the "
        "keys: one that fits a key becomes that key's certificate and has its id and label from "
        "then on; the others of a chain are stored beside, without a key. If none fits, nothing is "
        "stored, but for --ca. What the device has already is left alone, so that the same file "
        "can be imported again.\n"
        "A key's certificate takes the place of the request that the device made with the key, and "
        "by which 'attest' shows that the key was made there: attest first, if you need that. The "
        "place of an older certificate is taken only with --replace, once you have typed the "
        "device's serial number, or at once with --yes. At every moment the old or the new one is "
        "whole; after an interruption run the command again.\n"
        "Where the device does not know the public part of a key, name the key with --key; it then "
        "makes a signature to show that the certificate is its own.\n"
        " sc-hsm cert import web-with-chain.pem\n"
        " sc-hsm cert import --ca root.pem --label root\n",
    .options = options,
    .run = run,
};
