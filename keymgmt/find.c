/* SPDX-License-Identifier: Apache-2.0 */
#include "find.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "defect.h"
#include "unite.h"
#include "format/ecx.h"

#define DEVICES_MAX 64
#define CANDIDATES_SHOWN 4

void schsm_match_clear(struct schsm_match *match)
{
    schsm_object_clear(&match->object);
    match->device = NULL;
}

void schsm_match_list_clear(struct schsm_match_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        schsm_match_clear(&list->matches[i]);
    }
    OPENSSL_free(list->matches);
    list->matches = NULL;
    list->count = 0;
}

struct schsm_device_selector schsm_find_selector(const struct schsm_context *context,
                                                 const struct schsm_uri *uri)
{
    struct schsm_device_selector selector = {
        .serial = uri->serial,
        .reader = uri->reader,
        .token = uri->token,
        .shown = uri->shown,
    };

    /* A URI that names one device is not narrowed by a configuration that names another. */
    if (selector.serial == NULL && selector.reader == NULL && selector.token == NULL &&
        selector.shown == NULL) {
        selector.serial = context->config.serial;
        selector.reader = context->config.reader;
        selector.token = context->config.token;
    }
    return selector;
}

/* Moves the objects into matches; the object list is empty afterwards. */
static int append_match(struct schsm_match_list *list, struct schsm_device *device,
                        struct schsm_object_list *objects, struct schsm_error *err)
{
    size_t total = list->count + objects->count;

    if (objects->count > 0) {
        struct schsm_match *grown =
            OPENSSL_realloc(list->matches, total * sizeof(list->matches[0]));

        if (grown == NULL) {
            schsm_object_list_clear(objects);
            return schsm_fail_memory(err);
        }
        list->matches = grown;
        for (size_t i = 0; i < objects->count; i++) {
            list->matches[list->count + i].device = device;
            list->matches[list->count + i].object = objects->objects[i];
            list->matches[list->count + i].shares_name = false;
            list->matches[list->count + i].shares_serial = false;
            list->matches[list->count + i].unfinished = false;
        }
        list->count = total;
        objects->count = 0; /* what they own has moved */
    }
    schsm_object_list_clear(objects);
    return 1;
}

/* Would id and label of `a` fit `b` too? */
static bool fits_object(const struct schsm_object *a, const struct schsm_object *b)
{
    return a->type == b->type &&
           (a->id_len == 0 || (a->id_len == b->id_len && memcmp(a->id, b->id, a->id_len) == 0)) &&
           (a->label[0] == '\0' || strcmp(a->label, b->label) == 0);
}

/* Would the URI of `named`, without a handle, fit `other` too? A key reference is one key's. */
static bool fits_other(const struct schsm_match *named, const struct schsm_match *other)
{
    return named->object.key_ref < 0 && named->device == other->device &&
           fits_object(&named->object, &other->object);
}

/* Would it fit one on another device, because that has the same serial number, as Pico HSMs have
 * (protocol section 19.5)? */
static bool fits_elsewhere(const struct schsm_match *named, const struct schsm_match *other)
{
    char here[SCHSM_SERIAL_MAX + 1], there[SCHSM_SERIAL_MAX + 1];

    return named->device != other->device && named->object.key_ref == other->object.key_ref &&
           fits_object(&named->object, &other->object) &&
           schsm_device_serial(named->device, here, NULL) &&
           schsm_device_serial(other->device, there, NULL) && strcmp(here, there) == 0;
}

/* An object with neither key reference nor id nor label shares its name with everything, and what
 * is left of an object is named by its handle alone. */
static void mark_shared_names(struct schsm_match_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct schsm_match *match = &list->matches[i];

        match->shares_name = match->object.type == SCHSM_OBJECT_ORPHAN ||
                             (match->object.key_ref < 0 && match->object.id_len == 0 &&
                              match->object.label[0] == '\0');
        for (size_t k = 0; k < list->count && !match->shares_name; k++) {
            match->shares_name = k != i && fits_other(match, &list->matches[k]);
        }
    }
}

static bool shares_serial(const struct schsm_match_list *list, const struct schsm_match *match)
{
    bool shared = false;

    for (size_t i = 0; i < list->count && !shared; i++) {
        shared = fits_elsewhere(match, &list->matches[i]);
    }
    return shared;
}

static void mark_shared_serials(struct schsm_match_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        list->matches[i].shares_serial = shares_serial(list, &list->matches[i]);
    }
}

int schsm_match_list_filter(struct schsm_match_list *list,
                            int (*fits)(void *arg, struct schsm_match *match,
                                        struct schsm_error *err),
                            void *arg, struct schsm_error *err)
{
    size_t kept = 0;
    int ok = 1;

    for (size_t i = 0; i < list->count; i++) {
        int fit = ok ? fits(arg, &list->matches[i], err) : 0;

        ok = ok && fit >= 0;
        if (fit > 0) {
            list->matches[kept++] = list->matches[i];
        } else {
            schsm_match_clear(&list->matches[i]);
        }
    }
    list->count = kept;
    return ok;
}

static int has_handle(void *arg, struct schsm_match *match, struct schsm_error *err)
{
    const unsigned int *handle = arg;

    (void)err;
    return match->object.handle == *handle ||
           (match->object.type == SCHSM_OBJECT_ORPHAN && match->object.whole == *handle);
}

static int find_on_devices(struct schsm_context *context, const struct schsm_uri *uri,
                           unsigned int types, bool describe, struct schsm_match_list *list,
                           struct schsm_error *err)
{
    struct schsm_device *devices[DEVICES_MAX];
    size_t device_count = DEVICES_MAX;
    struct schsm_device_selector selector = schsm_find_selector(context, uri);
    struct schsm_object_filter filter = {
        .types = uri->types != 0 ? types & uri->types : types,
        .key_ref = uri->key_ref,
        .id = uri->has_id ? uri->id : NULL,
        .id_len = uri->id_len,
        .label = uri->label,
        .describe = describe,
        .handle = uri->handle,
    };

    if (!schsm_registry_devices(context->registry, &selector, devices, &device_count, err)) {
        return 0;
    }
    if (filter.types == 0) {
        return 1; /* a `type` that is not among those asked for names nothing */
    }
    for (size_t i = 0; i < device_count; i++) {
        struct schsm_object_list objects = { NULL, 0 };

        if (!schsm_device_find(devices[i], &filter, &objects, err) ||
            !append_match(list, devices[i], &objects, err)) {
            schsm_object_list_clear(&objects);
            return 0;
        }
    }
    mark_shared_names(list);
    if (describe) {
        mark_shared_serials(list);
    }
    if (uri->handle != 0) {
        unsigned int handle = uri->handle;

        return schsm_match_list_filter(list, has_handle, &handle, err);
    }
    return 1;
}

int schsm_find(struct schsm_context *context, const struct schsm_uri *uri, unsigned int types,
               struct schsm_match_list *list, struct schsm_error *err)
{
    return find_on_devices(context, uri, types, true, list, err);
}

int schsm_find_quick(struct schsm_context *context, const struct schsm_uri *uri, unsigned int types,
                     struct schsm_match_list *list, struct schsm_error *err)
{
    return find_on_devices(context, uri, types, false, list, err);
}

static const char *type_text(unsigned int type)
{
    switch ((enum schsm_object_type)type) {
    case SCHSM_OBJECT_PRIVATE:
        return "private key";
    case SCHSM_OBJECT_PUBLIC:
        return "public key";
    case SCHSM_OBJECT_CERTIFICATE:
        return "certificate";
    case SCHSM_OBJECT_DATA:
        return "data object";
    case SCHSM_OBJECT_SECRET:
        return "secret key";
    case SCHSM_OBJECT_ORPHAN:
        return "leftover";
    }
    return "object";
}

/* Says in words what was looked for: "key-ref 3", "id 10 and label 'web'". */
static void say_what_was_sought(const struct schsm_uri *uri, BIO *out)
{
    const char *joint = " with ";

    if (uri->key_ref >= 0) {
        BIO_printf(out, "%skey-ref %d", joint, uri->key_ref);
        joint = " and ";
    }
    if (uri->has_id) {
        BIO_printf(out, "%sid ", joint);
        for (size_t i = 0; i < uri->id_len; i++) {
            BIO_printf(out, "%02x", uri->id[i]);
        }
        joint = " and ";
    }
    if (uri->label != NULL) {
        BIO_printf(out, "%slabel '%s'", joint, uri->label);
        joint = " and ";
    }
    if (uri->handle != 0) {
        BIO_printf(out, "%shandle %04x", joint, uri->handle);
    }
}

char *schsm_find_sought(const struct schsm_uri *uri, unsigned int types)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *wanted = NULL, *text = NULL;
    long len = 0;

    if (out != NULL && BIO_printf(out, "%s", type_text(types)) > 0) {
        say_what_was_sought(uri, out);
        len = BIO_get_mem_data(out, &wanted);
        text = OPENSSL_strndup(wanted, (size_t)len);
    }
    BIO_free(out);
    return text;
}

static int fail_not_found(const struct schsm_uri *uri, unsigned int types, struct schsm_error *err)
{
    const char *device = uri->serial != NULL  ? uri->serial
                         : uri->token != NULL ? uri->token
                                              : uri->shown;
    char *sought = schsm_find_sought(uri, types);

    if (sought == NULL) {
        return schsm_fail_memory(err);
    }
    schsm_fail(err, SCHSM_REASON_NOT_FOUND,
               "there is no %s on %s%s; 'sc-hsm list' shows what is there", sought,
               device != NULL ? "device " : "the device", device != NULL ? device : "");
    OPENSSL_free(sought);
    return 0;
}

static int fail_ambiguous(const struct schsm_match_list *list, unsigned int types, size_t count,
                          struct schsm_error *err)
{
    bool with_type = types != SCHSM_OBJECT_PRIVATE; /* what a key's URI means by itself */
    BIO *out = BIO_new(BIO_s_mem());
    char *names = NULL;
    size_t shown = 0;
    long len = 0;

    if (out == NULL) {
        return schsm_fail_memory(err);
    }
    for (size_t i = 0; i < list->count && shown < CANDIDATES_SHOWN; i++) {
        if ((list->matches[i].object.type & types) != 0) {
            struct schsm_match named = list->matches[i]; /* shares what it points to */
            char *uri;

            named.shares_serial = shares_serial(list, &named);
            uri = schsm_match_uri(&named, with_type, NULL);
            BIO_printf(out, "%s%s", shown++ > 0 ? ", " : "", uri != NULL ? uri : "?");
            OPENSSL_free(uri);
        }
    }
    if (count > shown) {
        BIO_printf(out, " and %zu more", count - shown);
    }
    len = BIO_get_mem_data(out, &names);
    schsm_fail(err, SCHSM_REASON_AMBIGUOUS,
               "%zu %ss match where one is needed: %.*s; name one of them", count, type_text(types),
               (int)len, names);
    BIO_free(out);
    return 0;
}

int schsm_find_fail(const struct schsm_uri *uri, const struct schsm_match_list *list,
                    unsigned int types, struct schsm_error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        count += (list->matches[i].object.type & types) != 0;
    }
    return count == 0 ? fail_not_found(uri, types, err) : fail_ambiguous(list, types, count, err);
}

void schsm_object_describe(const struct schsm_object *object, char *text, size_t size)
{
    static const char *const key_types[] = {
        [SCHSM_KEY_NONE] = "",
        [SCHSM_KEY_RSA] = ", RSA",
        [SCHSM_KEY_EC] = ", EC",
        [SCHSM_KEY_AES] = ", AES",
        [SCHSM_KEY_ED25519] = ", ED25519",
        [SCHSM_KEY_ED448] = ", ED448",
        [SCHSM_KEY_X25519] = ", X25519",
        [SCHSM_KEY_X448] = ", X448",
    };
    char bits[16] = "";

    if (object->bits > 0 && schsm_ecx_by_type(object->key_type) == NULL) {
        BIO_snprintf(bits, sizeof(bits), " %u", object->bits);
    }
    if (object->oid[0] != '\0') {
        BIO_snprintf(text, size, "%s, unknown, oid %s", type_text(object->type), object->oid);
        return;
    }
    BIO_snprintf(text, size, "%s%s%s", type_text(object->type), key_types[object->key_type], bits);
}

static void name_by_id(const struct schsm_object *object, const char *what, char *text, size_t size)
{
    char id[2 * SCHSM_ID_MAX + 1] = "";

    for (size_t i = 0; i < object->id_len; i++) {
        BIO_snprintf(id + 2 * i, 3, "%02x", object->id[i]);
    }
    BIO_snprintf(text, size, "%s with id %s", what, id);
}

void schsm_object_name(const struct schsm_object *object, char *text, size_t size)
{
    bool is_key = object->type == SCHSM_OBJECT_PRIVATE || object->type == SCHSM_OBJECT_PUBLIC;
    const char *what = is_key ? "key" : type_text(object->type);

    if (object->type == SCHSM_OBJECT_ORPHAN) {
        BIO_snprintf(text, size, "%s %04x", schsm_orphan_text(object), object->handle);
    } else if (object->label[0] != '\0') {
        BIO_snprintf(text, size, "%s '%s'", what, object->label);
    } else if (object->key_ref >= 0) {
        BIO_snprintf(text, size, "key-ref %d", object->key_ref);
    } else if (object->id_len > 0) {
        name_by_id(object, what, text, size);
    } else {
        BIO_snprintf(text, size, "%s %04x", what, object->handle);
    }
}

int schsm_match_list_take(struct schsm_match_list *list, const struct schsm_uri *uri,
                          unsigned int types, struct schsm_match *match, struct schsm_error *err)
{
    if (list->count != 1) {
        return schsm_find_fail(uri, list, types, err);
    }
    *match = list->matches[0];
    list->count = 0; /* what it owns has moved */
    return 1;
}

int schsm_find_one(struct schsm_context *context, const struct schsm_uri *uri,
                   enum schsm_object_type type, struct schsm_match *match, struct schsm_error *err)
{
    struct schsm_match_list list = { NULL, 0 };
    int ok = schsm_find_quick(context, uri, type, &list, err);

    if (ok) {
        schsm_match_list_unite(context, &list);
        ok = schsm_match_list_take(&list, uri, type, match, err);
    }
    schsm_match_list_clear(&list);
    return ok;
}

char *schsm_match_uri(const struct schsm_match *match, bool with_type, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1], token[SCHSM_TOKEN_LABEL_MAX + 1];
    char place[SCHSM_DEVICE_NAME_MAX] = "";
    const struct schsm_uri_device named = { serial, token, place };
    struct schsm_object orphan = { .key_ref = -1, .handle = match->object.handle };
    bool is_orphan = match->object.type == SCHSM_OBJECT_ORPHAN;
    char *uri = NULL;

    if (!schsm_device_serial(match->device, serial, err)) {
        return NULL;
    }
    schsm_device_token(match->device, token);
    if (match->shares_serial && token[0] == '\0') {
        schsm_device_place(match->device, place);
    }
    uri = schsm_uri_of_object(&named, is_orphan ? &orphan : &match->object,
                              (with_type ? SCHSM_URI_TYPE : 0u) |
                                  (match->shares_name ? SCHSM_URI_HANDLE : 0u));
    if (uri == NULL) {
        schsm_fail_memory(err);
    }
    return uri;
}
