/* SPDX-License-Identifier: Apache-2.0 */
/* Listing and finding objects, with as few card commands as the question allows. */
#include "card_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "format/public_key.h"
#include "format/spki.h"
#include "base/tlv.h"

#define KEY_OBJECTS                                                                                \
    ((unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_PUBLIC |                      \
     (unsigned int)SCHSM_OBJECT_CERTIFICATE | (unsigned int)SCHSM_OBJECT_SECRET)

/* One search; a job that is repeated starts with `before` objects again. */
struct search {
    const struct schsm_object_filter *filter;
    struct schsm_object_list *list;
    size_t before;
    struct schsm_card_files files;
};

static bool wants(const struct search *search, unsigned int types)
{
    return (search->filter->types & types) != 0;
}

static bool fits_filter(const struct schsm_object_filter *filter, const uint8_t *id, size_t id_len,
                        const char *label)
{
    if (filter->id != NULL &&
        (id_len != filter->id_len || id_len == 0 || memcmp(id, filter->id, id_len) != 0)) {
        return false;
    }
    return filter->label == NULL || strcmp(filter->label, label) == 0;
}

/* Appends a copy of *object, whose value it takes over; on failure the value is freed. */
static int append_found(struct search *search, struct schsm_object *object, struct schsm_error *err)
{
    struct schsm_object_list *list = search->list;
    struct schsm_object *objects;

    objects = OPENSSL_realloc(list->objects, (list->count + 1) * sizeof(*objects));
    if (objects == NULL) {
        OPENSSL_free(object->value);
        object->value = NULL;
        return schsm_fail_memory(err);
    }
    list->objects = objects;
    objects[list->count++] = *object;
    object->value = NULL;
    object->value_len = 0;
    return 1;
}

static int copy_file_value(struct schsm_object *object, const uint8_t *value, size_t len,
                           struct schsm_error *err)
{
    object->value = OPENSSL_memdup(value, len);
    object->value_len = len;
    return object->value != NULL ? 1 : schsm_fail_memory(err);
}

/* Appends the private, public and certificate objects of one key. *file: content of CE<ref>, NULL
 * where it was not read or is absent; ce_read: it was looked for. */
static int append_key(struct search *search, const struct schsm_object *key, bool ce_read,
                      const uint8_t *file, size_t len, struct schsm_error *err)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    unsigned int ref = (unsigned int)key->key_ref;
    struct schsm_object object = *key;
    struct schsm_tlv first;
    uint8_t *spki = NULL;
    size_t spki_len = 0;
    int ok = 0;

    if (file != NULL && schsm_public_key_from_ce(file, len, &spki, &spki_len, &ignored)) {
        schsm_spki_describe(spki, spki_len, &object.key_type, &object.bits);
    }
    if (wants(search, SCHSM_OBJECT_PRIVATE)) {
        object.type = SCHSM_OBJECT_PRIVATE;
        object.handle = SCHSM_FILE_KEY | ref;
        if ((spki != NULL && !copy_file_value(&object, spki, spki_len, err)) ||
            !append_found(search, &object, err)) {
            goto done;
        }
    }
    object.handle = SCHSM_FILE_CERTIFICATE | ref;
    if (wants(search, SCHSM_OBJECT_PUBLIC) && ce_read && spki != NULL) {
        object.type = SCHSM_OBJECT_PUBLIC;
        if (!copy_file_value(&object, spki, spki_len, err) || !append_found(search, &object, err)) {
            goto done;
        }
    }
    if (wants(search, SCHSM_OBJECT_CERTIFICATE) && file != NULL &&
        schsm_tlv_first(file, len, &first) && first.tag == 0x30) {
        object.type = SCHSM_OBJECT_CERTIFICATE;
        if (!copy_file_value(&object, first.whole.data, first.whole.len, err) ||
            !append_found(search, &object, err)) {
            goto done;
        }
    }
    ok = 1;

done:
    OPENSSL_free(spki);
    return ok;
}

static void describe_object(struct schsm_object *object, const struct schsm_pkcs15_key *description)
{
    object->described = true;
    memcpy(object->id, description->id, description->id_len);
    object->id_len = description->id_len;
    memcpy(object->label, description->label, sizeof(object->label));
    object->key_type = description->type;
    object->bits = description->bits;
}

static int append_secret(struct search *search, struct schsm_object *key, struct schsm_error *err)
{
    key->type = SCHSM_OBJECT_SECRET;
    key->handle = SCHSM_FILE_KEY | (unsigned int)key->key_ref;
    return !wants(search, SCHSM_OBJECT_SECRET) || append_found(search, key, err);
}

/* Of a key without certificate and description only the list tells whether it is there. */
static int ask_list(struct schsm_session *session, struct search *search, int key_ref, bool *there,
                    struct schsm_error *err)
{
    if (!schsm_card_list_files(session, &search->files, err)) {
        return 0;
    }
    *there = schsm_card_is_listed(&search->files, SCHSM_FILE_KEY | (unsigned int)key_ref);
    return 1;
}

/* By key reference: its file CE; the description only where the filter or the lack of a CE asks
 * for it. */
static int find_key_ref(struct schsm_session *session, struct search *search,
                        struct schsm_error *err)
{
    const struct schsm_object_filter *filter = search->filter;
    struct schsm_object key = { .key_ref = filter->key_ref };
    struct schsm_pkcs15_key description;
    uint8_t *file = NULL;
    bool there = true;
    size_t len = 0;
    int ok = 0;

    if (!schsm_card_read_optional(session, SCHSM_FILE_CERTIFICATE | (unsigned int)key.key_ref,
                                  SCHSM_FORM_TLV, &file, &len, err) ||
        (file == NULL && !schsm_session_confirm_applet(session, err))) {
        goto done;
    }
    if (file == NULL || filter->id != NULL || filter->label != NULL) {
        if (!schsm_card_read_description(session, key.key_ref, &description, &there, err)) {
            goto done;
        }
        describe_object(&key, &description);
    }
    if (file == NULL && !there && !ask_list(session, search, key.key_ref, &there, err)) {
        goto done;
    }
    if ((file == NULL && !there) || !fits_filter(filter, key.id, key.id_len, key.label)) {
        ok = 1;
    } else if (key.key_type == SCHSM_KEY_AES) {
        ok = append_secret(search, &key, err);
    } else {
        ok = append_key(search, &key, true, file, len, err);
    }

done:
    OPENSSL_free(file);
    return ok;
}

/* One key of the list. */
static int find_key(struct schsm_session *session, struct search *search, unsigned int ref,
                    struct schsm_error *err)
{
    struct schsm_object key = { .key_ref = (int)ref };
    struct schsm_pkcs15_key description;
    uint8_t *file = NULL;
    bool exists = false, ce_read;
    size_t len = 0;
    int ok;

    if (schsm_card_may_exist(&search->files, SCHSM_FILE_KEY_DESCRIPTION | ref)) {
        if (!schsm_card_read_description(session, key.key_ref, &description, &exists, err)) {
            return 0;
        }
        describe_object(&key, &description);
    }
    key.described = true;
    if (!fits_filter(search->filter, key.id, key.id_len, key.label)) {
        return 1;
    }
    if (key.key_type == SCHSM_KEY_AES) {
        return append_secret(search, &key, err);
    }
    ce_read =
        wants(search, (unsigned int)SCHSM_OBJECT_PUBLIC | (unsigned int)SCHSM_OBJECT_CERTIFICATE) &&
        schsm_card_may_exist(&search->files, SCHSM_FILE_CERTIFICATE | ref);
    if (ce_read && !schsm_card_read_optional(session, SCHSM_FILE_CERTIFICATE | ref, SCHSM_FORM_TLV,
                                             &file, &len, err)) {
        return 0;
    }
    ok = append_key(search, &key, ce_read, file, len, err);
    OPENSSL_free(file);
    return ok;
}

/* A certificate without a key: description C8<id>, content CA<id>. */
static int find_certificate(struct schsm_session *session, struct search *search, unsigned int id,
                            struct schsm_error *err)
{
    struct schsm_pkcs15_certificate description = { 0 };
    struct schsm_object object = { .key_ref = -1, .described = true };
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    struct schsm_tlv first;
    uint8_t *file = NULL;
    size_t len = 0;
    int ok = 1;

    if (schsm_card_is_listed(&search->files, SCHSM_FILE_CERTIFICATE_DESCRIPTION | id)) {
        if (!schsm_card_read_optional(session, SCHSM_FILE_CERTIFICATE_DESCRIPTION | id,
                                      SCHSM_FORM_TLV, &file, &len, err)) {
            return 0;
        }
        if (file != NULL) {
            (void)schsm_pkcs15_decode_certificate(file, len, &description, &malformed);
        }
        OPENSSL_free(file);
        file = NULL;
    }
    object.type = SCHSM_OBJECT_CERTIFICATE;
    object.handle = description.file_id != 0 ? description.file_id : SCHSM_FILE_CA_CERTIFICATE | id;
    /* every certificate without a key is some authority's, or of no use here */
    object.authority = true;
    memcpy(object.id, description.id, description.id_len);
    object.id_len = description.id_len;
    memcpy(object.label, description.label, sizeof(object.label));
    if (!fits_filter(search->filter, object.id, object.id_len, object.label)) {
        return 1;
    }
    if (!schsm_card_read_optional(session, object.handle, SCHSM_FORM_TLV, &file, &len, err)) {
        return 0;
    }
    if (file != NULL && schsm_tlv_first(file, len, &first) && first.tag == 0x30) {
        ok = copy_file_value(&object, first.whole.data, first.whole.len, err) &&
             append_found(search, &object, err);
    }
    OPENSSL_free(file);
    return ok;
}

/* A data object: description C9<id>, content CD<id> or CF<id>. */
static int find_data(struct schsm_session *session, struct search *search, unsigned int id,
                     struct schsm_error *err)
{
    struct schsm_pkcs15_data description = { 0 };
    struct schsm_object object = { .key_ref = -1, .described = true };
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    uint8_t *file = NULL;
    size_t len = 0;

    if (schsm_card_is_listed(&search->files, SCHSM_FILE_DATA_DESCRIPTION | id)) {
        if (!schsm_card_read_optional(session, SCHSM_FILE_DATA_DESCRIPTION | id, SCHSM_FORM_TLV,
                                      &file, &len, err)) {
            return 0;
        }
        if (file != NULL) {
            (void)schsm_pkcs15_decode_data(file, len, &description, &malformed);
        }
        OPENSSL_free(file);
    }
    object.type = SCHSM_OBJECT_DATA;
    object.handle = description.file_id;
    if (object.handle == 0) {
        object.handle = (schsm_card_is_listed(&search->files, SCHSM_FILE_PRIVATE_DATA | id)
                             ? SCHSM_FILE_PRIVATE_DATA
                             : SCHSM_FILE_PUBLIC_DATA) |
                        id;
    }
    object.private_data =
        description.private_data || SCHSM_FILE_TYPE(object.handle) == SCHSM_FILE_PRIVATE_DATA;
    memcpy(object.label, description.label, sizeof(object.label));
    memcpy(object.application, description.application, sizeof(object.application));
    if (!fits_filter(search->filter, object.id, object.id_len, object.label)) {
        return 1;
    }
    return append_found(search, &object, err);
}

/* Whether this listed file is where an object without a key is met: at its description, or at its
 * content where no description is listed. */
static bool is_head(const struct search *search, unsigned int file, enum schsm_file description,
                    enum schsm_file content, enum schsm_file other_content)
{
    unsigned int id = SCHSM_FILE_ID(file);

    if (SCHSM_FILE_TYPE(file) == (unsigned int)description) {
        return true;
    }
    if (schsm_card_is_listed(&search->files, (unsigned int)description | id)) {
        return false;
    }
    if (SCHSM_FILE_TYPE(file) == (unsigned int)content) {
        return true;
    }
    return SCHSM_FILE_TYPE(file) == (unsigned int)other_content &&
           !schsm_card_is_listed(&search->files, (unsigned int)content | id);
}

static int find_listed(struct schsm_session *session, struct search *search,
                       struct schsm_error *err)
{
    if (!schsm_card_list_files(session, &search->files, err)) {
        return 0;
    }
    for (size_t i = 0; i < search->files.count; i++) {
        unsigned int file = search->files.ids[i], id = SCHSM_FILE_ID(file);
        int ok = 1;

        if (SCHSM_FILE_TYPE(file) == SCHSM_FILE_KEY && id != 0 && wants(search, KEY_OBJECTS)) {
            ok = find_key(session, search, id, err);
        } else if (wants(search, SCHSM_OBJECT_CERTIFICATE) &&
                   is_head(search, file, SCHSM_FILE_CERTIFICATE_DESCRIPTION,
                           SCHSM_FILE_CA_CERTIFICATE, SCHSM_FILE_CA_CERTIFICATE)) {
            ok = find_certificate(session, search, id, err);
        } else if (wants(search, SCHSM_OBJECT_DATA) && search->filter->id == NULL &&
                   is_head(search, file, SCHSM_FILE_DATA_DESCRIPTION, SCHSM_FILE_PRIVATE_DATA,
                           SCHSM_FILE_PUBLIC_DATA)) {
            ok = find_data(session, search, id, err);
        }
        if (!ok) {
            return 0;
        }
    }
    return 1;
}

static int search_card(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct search *search = arg;

    while (search->list->count > search->before) {
        schsm_object_clear(&search->list->objects[--search->list->count]);
    }
    if (search->filter->key_ref < 0) {
        return find_listed(session, search, err);
    }
    return !wants(search, KEY_OBJECTS) || find_key_ref(session, search, err);
}

int schsm_card_device_find(struct schsm_device *dev, const struct schsm_object_filter *filter,
                           struct schsm_object_list *list, struct schsm_error *err)
{
    struct schsm_job job = { .run = search_card, .transaction = filter->key_ref < 0 };
    struct search search = { .filter = filter, .list = list, .before = list->count };
    int ok;

    if (filter->types == 0 || filter->key_ref == 0 || filter->key_ref > 255) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a search needs types, and 1..255 for a key");
    }
    job.arg = &search;
    ok = schsm_session_run(schsm_card_session(dev), &job, err);
    if (!ok) {
        while (list->count > search.before) {
            schsm_object_clear(&list->objects[--list->count]);
        }
    }
    return ok;
}
