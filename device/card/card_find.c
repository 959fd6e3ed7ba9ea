/* SPDX-License-Identifier: Apache-2.0 */
/* Listing and finding objects, with as few card commands as the question allows. */
#include "card_search.h"

#include <string.h>

#include <openssl/crypto.h>

#include "format/cvc_tags.h"
#include "format/key_algorithm.h"
#include "format/public_key.h"
#include "format/spki.h"
#include "base/tlv.h"

#define X509_TAG 0x30

#define KEY_OBJECTS                                                                                \
    ((unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_PUBLIC |                      \
     (unsigned int)SCHSM_OBJECT_CERTIFICATE | (unsigned int)SCHSM_OBJECT_SECRET)

bool schsm_card_search_fits(const struct schsm_card_search *search,
                            const struct schsm_object *object)
{
    const struct schsm_object_filter *filter = search->filter;

    if (filter->id != NULL && (object->id_len != filter->id_len || object->id_len == 0 ||
                               memcmp(object->id, filter->id, object->id_len) != 0)) {
        return false;
    }
    return filter->label == NULL || strcmp(filter->label, object->label) == 0;
}

int schsm_card_search_append(struct schsm_card_search *search, struct schsm_object *object,
                             struct schsm_error *err)
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

int schsm_card_search_read(struct schsm_session *session, unsigned int file,
                           enum schsm_file_form form, uint8_t **content, size_t *len,
                           enum schsm_defect *defect, struct schsm_error *err)
{
    if (!schsm_card_read_if_possible(session, file, form, content, len, err)) {
        return 0;
    }
    if (*content == NULL && !schsm_card_was_absent(session)) {
        *defect = SCHSM_DEFECT_UNREADABLE;
    }
    return 1;
}

static int copy_file_value(struct schsm_object *object, const uint8_t *value, size_t len,
                           struct schsm_error *err)
{
    object->value = OPENSSL_memdup(value, len);
    object->value_len = len;
    return object->value != NULL ? 1 : schsm_fail_memory(err);
}

/*
 * What the key's file CE tells of it. *spki stays NULL where that is no public key that we know: of
 * a kind that we do not know, which is no defect, or nonsense.
 */
static void read_public_part(struct schsm_object *key, const uint8_t *file, size_t len,
                             uint8_t **spki, size_t *spki_len)
{
    struct schsm_error why = SCHSM_ERROR_INIT;

    if (schsm_public_key_from_ce(file, len, spki, spki_len, &why)) {
        schsm_spki_describe(*spki, *spki_len, &key->key_type, &key->bits);
    } else if (why.reason != SCHSM_REASON_UNSUPPORTED && key->defect == SCHSM_DEFECT_NONE) {
        key->defect = SCHSM_DEFECT_CONTENT;
    }
    if (schsm_key_algorithm_unknown(file, len, key->oid, sizeof(key->oid))) {
        key->key_type = SCHSM_KEY_NONE;
        key->bits = 0;
    }
}

/* Appends the private, public and certificate objects of one key. *file: content of CE<ref>, NULL
 * where it was not read or is absent. */
static int append_key(struct schsm_card_search *search, const struct schsm_object *key,
                      const uint8_t *file, size_t len, struct schsm_error *err)
{
    unsigned int ref = (unsigned int)key->key_ref;
    struct schsm_object object = *key;
    struct schsm_tlv first;
    uint8_t *spki = NULL;
    size_t spki_len = 0;
    int ok = 0;

    if (file != NULL) {
        read_public_part(&object, file, len, &spki, &spki_len);
    }
    if (schsm_card_search_wants(search, SCHSM_OBJECT_PRIVATE)) {
        object.type = SCHSM_OBJECT_PRIVATE;
        object.handle = SCHSM_FILE_KEY | ref;
        if ((spki != NULL && !copy_file_value(&object, spki, spki_len, err)) ||
            !schsm_card_search_append(search, &object, err)) {
            goto done;
        }
    }
    object.handle = SCHSM_FILE_CERTIFICATE | ref;
    object.defect = SCHSM_DEFECT_NONE; /* it is told once, of the private key */
    if (schsm_card_search_wants(search, SCHSM_OBJECT_PUBLIC) && spki != NULL) {
        object.type = SCHSM_OBJECT_PUBLIC;
        if (!copy_file_value(&object, spki, spki_len, err) ||
            !schsm_card_search_append(search, &object, err)) {
            goto done;
        }
    }
    if (schsm_card_search_wants(search, SCHSM_OBJECT_CERTIFICATE) && file != NULL &&
        schsm_tlv_first(file, len, &first) && first.tag == X509_TAG) {
        object.type = SCHSM_OBJECT_CERTIFICATE;
        if (!copy_file_value(&object, first.whole.data, first.whole.len, err) ||
            !schsm_card_search_append(search, &object, err)) {
            goto done;
        }
    }
    ok = 1;

done:
    OPENSSL_free(spki);
    return ok;
}

int schsm_card_search_describe(struct schsm_session *session, unsigned int ref,
                               struct schsm_object *object, struct schsm_error *err)
{
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    struct schsm_pkcs15_key description = { 0 };
    uint8_t *content = NULL;
    size_t len = 0;

    if (!schsm_card_search_read(session, SCHSM_FILE_KEY_DESCRIPTION | ref, SCHSM_FORM_TLV, &content,
                                &len, &object->defect, err)) {
        return 0;
    }
    if (content != NULL && !schsm_pkcs15_decode_key(content, len, &description, &malformed)) {
        object->defect = SCHSM_DEFECT_DESCRIPTION;
    }
    OPENSSL_free(content);
    object->described = true;
    memcpy(object->id, description.id, description.id_len);
    object->id_len = description.id_len;
    memcpy(object->label, description.label, sizeof(object->label));
    object->key_type = description.type;
    object->bits = description.bits;
    return 1;
}

static int append_secret(struct schsm_card_search *search, struct schsm_object *key,
                         struct schsm_error *err)
{
    key->type = SCHSM_OBJECT_SECRET;
    key->handle = SCHSM_FILE_KEY | (unsigned int)key->key_ref;
    return !schsm_card_search_wants(search, SCHSM_OBJECT_SECRET) ||
           schsm_card_search_append(search, key, err);
}

/* A key reference is asked for alone, and what the key is called does not matter. */
static bool is_quick(const struct schsm_object_filter *filter)
{
    return filter->key_ref >= 0 && !filter->describe && filter->id == NULL && filter->label == NULL;
}

/* One key of the list. Of one whose file CE tells no public part, its description may say that it
 * is an AES key, which has none. */
static int find_key(struct schsm_session *session, struct schsm_card_search *search,
                    unsigned int ref, struct schsm_error *err)
{
    bool quick = is_quick(search->filter);
    bool by_ref = search->filter->key_ref >= 0;
    struct schsm_object key = { .key_ref = (int)ref, .described = !quick };
    uint8_t *file = NULL;
    size_t len = 0;
    int ok = 0;

    if (!quick && schsm_card_may_exist(&search->files, SCHSM_FILE_KEY_DESCRIPTION | ref) &&
        !schsm_card_search_describe(session, ref, &key, err)) {
        return 0;
    }
    if (!schsm_card_search_fits(search, &key)) {
        return 1;
    }
    if (key.key_type == SCHSM_KEY_AES) {
        return append_secret(search, &key, err);
    }
    if ((by_ref || schsm_card_search_wants(search, (unsigned int)SCHSM_OBJECT_PUBLIC |
                                                       (unsigned int)SCHSM_OBJECT_CERTIFICATE)) &&
        schsm_card_may_exist(&search->files, SCHSM_FILE_CERTIFICATE | ref) &&
        !schsm_card_search_read(session, SCHSM_FILE_CERTIFICATE | ref, SCHSM_FORM_TLV, &file, &len,
                                &key.defect, err)) {
        return 0;
    }
    if (quick && file == NULL &&
        schsm_card_may_exist(&search->files, SCHSM_FILE_KEY_DESCRIPTION | ref) &&
        !schsm_card_search_describe(session, ref, &key, err)) {
        goto done;
    }
    ok = key.key_type == SCHSM_KEY_AES ? append_secret(search, &key, err)
                                       : append_key(search, &key, file, len, err);

done:
    OPENSSL_free(file);
    return ok;
}

/* What a file CA holds: a certificate, what an interrupted write left of one, or something else,
 * which is somebody's. */
enum ca_content { CA_CERTIFICATE, CA_PART, CA_OTHER };

static enum ca_content classify_ca_content(const uint8_t *file, size_t len, struct schsm_tlv *first)
{
    if (file == NULL || len == 0) {
        return CA_PART;
    }
    if (!schsm_tlv_first(file, len, first)) {
        return file[0] == X509_TAG ? CA_PART : CA_OTHER;
    }
    return first->tag == X509_TAG || first->tag == SCHSM_CVC_CERTIFICATE ||
                   first->tag == SCHSM_CVC_REQUEST
               ? CA_CERTIFICATE
               : CA_OTHER;
}

/* A certificate without a key: description C8<id>, content CA<id>. */
static int find_certificate(struct schsm_session *session, struct schsm_card_search *search,
                            unsigned int id, struct schsm_error *err)
{
    unsigned int description_file = SCHSM_FILE_CERTIFICATE_DESCRIPTION | id;
    bool described = schsm_card_is_listed(&search->files, description_file);
    struct schsm_pkcs15_certificate description = { 0 };
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    /* every certificate without a key is some authority's, or of no use here */
    struct schsm_object object = {
        .type = SCHSM_OBJECT_CERTIFICATE, .key_ref = -1, .described = true, .authority = true
    };
    enum ca_content content;
    struct schsm_tlv first;
    uint8_t *file = NULL;
    bool copy = false;
    size_t len = 0;
    int ok = 1;

    if (described) {
        if (!schsm_card_search_read(session, description_file, SCHSM_FORM_TLV, &file, &len,
                                    &object.defect, err)) {
            return 0;
        }
        if (file != NULL && !schsm_pkcs15_decode_certificate(file, len, &description, &malformed)) {
            object.defect = SCHSM_DEFECT_DESCRIPTION;
        }
        OPENSSL_free(file);
        file = NULL;
    }
    memcpy(object.id, description.id, description.id_len);
    object.id_len = description.id_len;
    memcpy(object.label, description.label, sizeof(object.label));
    if (!schsm_card_search_fits(search, &object)) {
        return 1;
    }
    if (!schsm_card_search_certificate_file(session, search, id, description.file_id,
                                            &object.handle, err)) {
        return 0;
    }
    if (object.handle == 0) {
        return schsm_card_append_orphan(search, &object, description_file, SCHSM_DEFECT_NO_CONTENT,
                                        err);
    }
    if (!schsm_card_search_read(session, object.handle, SCHSM_FORM_TLV, &file, &len, &object.defect,
                                err)) {
        return 0;
    }
    content = classify_ca_content(file, len, &first);
    if (content == CA_PART || (content == CA_OTHER && described)) {
        ok = schsm_card_append_orphan(search, &object, object.handle,
                                      object.defect == SCHSM_DEFECT_UNREADABLE ? object.defect
                                      : described ? SCHSM_DEFECT_CONTENT
                                                  : SCHSM_DEFECT_NONE,
                                      err);
    } else if (content == CA_CERTIFICATE && !described &&
               !schsm_card_search_is_copy(session, search, &first.whole, &copy, err)) {
        ok = 0;
    } else if (copy) {
        ok = schsm_card_append_orphan(search, &object, object.handle, SCHSM_DEFECT_COPY, err);
    } else if (content == CA_CERTIFICATE && first.tag == X509_TAG &&
               schsm_card_search_wants(search, SCHSM_OBJECT_CERTIFICATE)) {
        ok = copy_file_value(&object, first.whole.data, first.whole.len, err) &&
             schsm_card_search_append(search, &object, err);
    }
    OPENSSL_free(file);
    return ok;
}

/* A data object: description C9<id>, content CD<id> or CF<id>. */
static int find_data(struct schsm_session *session, struct schsm_card_search *search,
                     unsigned int id, struct schsm_error *err)
{
    unsigned int description_file = SCHSM_FILE_DATA_DESCRIPTION | id;
    struct schsm_object object = { .type = SCHSM_OBJECT_DATA, .key_ref = -1, .described = true };
    struct schsm_pkcs15_data description = { 0 };
    struct schsm_error malformed = SCHSM_ERROR_INIT;
    uint8_t *file = NULL;
    size_t len = 0;

    if (schsm_card_is_listed(&search->files, description_file)) {
        if (!schsm_card_search_read(session, description_file, SCHSM_FORM_TLV, &file, &len,
                                    &object.defect, err)) {
            return 0;
        }
        if (file != NULL && !schsm_pkcs15_decode_data(file, len, &description, &malformed)) {
            object.defect = SCHSM_DEFECT_DESCRIPTION;
        }
        OPENSSL_free(file);
    }
    memcpy(object.label, description.label, sizeof(object.label));
    memcpy(object.application, description.application, sizeof(object.application));
    object.private_data = description.private_data;
    if (!schsm_card_search_fits(search, &object)) {
        return 1;
    }
    if (!schsm_card_search_data_file(session, search, id, description.file_id, &object.handle,
                                     err)) {
        return 0;
    }
    if (object.handle == 0) {
        return schsm_card_append_orphan(search, &object, description_file, SCHSM_DEFECT_NO_CONTENT,
                                        err);
    }
    object.private_data =
        object.private_data || SCHSM_FILE_TYPE(object.handle) == SCHSM_FILE_PRIVATE_DATA;
    return !schsm_card_search_wants(search, SCHSM_OBJECT_DATA) ||
           schsm_card_search_append(search, &object, err);
}

/* Whether this listed file is where an object without a key is met: at its description, or at its
 * content where no description is listed. */
static bool is_head(const struct schsm_card_search *search, unsigned int file,
                    enum schsm_file description, enum schsm_file content,
                    enum schsm_file other_content)
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

/* Of what is left of one key two files may be listed: it is met at the first. */
static bool is_key_orphan_head(const struct schsm_card_search *search, unsigned int file)
{
    unsigned int ref = SCHSM_FILE_ID(file);

    return ref != 0 && !schsm_card_has_key(&search->files, ref) &&
           is_head(search, file, SCHSM_FILE_KEY_DESCRIPTION, SCHSM_FILE_CERTIFICATE,
                   SCHSM_FILE_CERTIFICATE);
}

static int find_listed(struct schsm_session *session, struct schsm_card_search *search,
                       struct schsm_error *err)
{
    const unsigned int orphan = SCHSM_OBJECT_ORPHAN;

    for (size_t i = 0; i < search->files.count; i++) {
        unsigned int file = search->files.ids[i], id = SCHSM_FILE_ID(file);
        int ok = 1;

        if (SCHSM_FILE_TYPE(file) == SCHSM_FILE_KEY && id != 0 &&
            schsm_card_search_wants(search, KEY_OBJECTS)) {
            ok = find_key(session, search, id, err);
        } else if (schsm_card_search_wants(search, orphan) && is_key_orphan_head(search, file)) {
            ok = schsm_card_find_key_orphans(session, search, id, err);
        } else if (schsm_card_search_wants(search, orphan | SCHSM_OBJECT_CERTIFICATE) &&
                   is_head(search, file, SCHSM_FILE_CERTIFICATE_DESCRIPTION,
                           SCHSM_FILE_CA_CERTIFICATE, SCHSM_FILE_CA_CERTIFICATE)) {
            ok = find_certificate(session, search, id, err);
        } else if (schsm_card_search_wants(search, orphan | SCHSM_OBJECT_DATA) &&
                   search->filter->id == NULL &&
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

/* By key reference. The list tells whether there is such a key: nothing else does. */
static int find_key_ref(struct schsm_session *session, struct schsm_card_search *search,
                        struct schsm_error *err)
{
    unsigned int ref = (unsigned int)search->filter->key_ref;

    if (schsm_card_has_key(&search->files, ref)) {
        return !schsm_card_search_wants(search, KEY_OBJECTS) || find_key(session, search, ref, err);
    }
    return !schsm_card_search_wants(search, SCHSM_OBJECT_ORPHAN) ||
           schsm_card_find_key_orphans(session, search, ref, err);
}

/* What the list leaves out, where it is worth a search. */
static int add_unlisted(struct schsm_session *session, struct schsm_card_search *search,
                        struct schsm_error *err)
{
    if (search->filter->handle != 0) {
        return schsm_card_add_if_there(session, &search->files, search->filter->handle, err);
    }
    if (schsm_card_search_wants(search, SCHSM_SEARCH_THOROUGHLY)) {
        return schsm_card_add_unlisted(session, &search->files, err);
    }
    /* what nobody described fits no name */
    return search->filter->key_ref >= 0 || search->filter->id != NULL ||
           search->filter->label != NULL ||
           ((!schsm_card_search_wants(search, SCHSM_OBJECT_CERTIFICATE) ||
             schsm_card_add_undescribed(session, &search->files, SCHSM_FILE_CERTIFICATE_DESCRIPTION,
                                        err)) &&
            (!schsm_card_search_wants(search, SCHSM_OBJECT_DATA) ||
             schsm_card_add_undescribed(session, &search->files, SCHSM_FILE_DATA_DESCRIPTION,
                                        err)));
}

static int search_card(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct schsm_card_search *search = arg;

    while (search->list->count > search->before) {
        schsm_object_clear(&search->list->objects[--search->list->count]);
    }
    if (!schsm_card_list_files(session, &search->files, err)) {
        return 0;
    }
    if (search->filter->files_max > 0 && search->files.count > search->filter->files_max) {
        return 1;
    }
    if (!add_unlisted(session, search, err)) {
        return 0;
    }
    return search->filter->key_ref < 0 ? find_listed(session, search, err)
                                       : find_key_ref(session, search, err);
}

int schsm_card_device_find(struct schsm_device *dev, const struct schsm_object_filter *filter,
                           struct schsm_object_list *list, struct schsm_error *err)
{
    struct schsm_job job = { .run = search_card, .transaction = true };
    struct schsm_card_search search = { .filter = filter, .list = list, .before = list->count };
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
