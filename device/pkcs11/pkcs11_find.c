/* SPDX-License-Identifier: Apache-2.0 */
/* Listing, finding and reading what is on a token. */
#include "pkcs11_private.h"

#include <string.h>

#include <openssl/crypto.h>

#define KEY_TYPES                                                                                  \
    ((unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_PUBLIC |                      \
     (unsigned int)SCHSM_OBJECT_CERTIFICATE)

struct search {
    const struct schsm_object_filter *filter;
    struct schsm_object_list *list;
    size_t before; /* a job that is repeated starts with so many again */
};

static bool fits_object_filter(const struct schsm_object_filter *filter,
                               const struct schsm_object *object)
{
    if ((filter->types & (unsigned int)object->type) == 0) {
        return false;
    }
    if (filter->id != NULL && (object->id_len == 0 || object->id_len != filter->id_len ||
                               memcmp(object->id, filter->id, filter->id_len) != 0)) {
        return false;
    }
    return filter->label == NULL || strcmp(filter->label, object->label) == 0;
}

/* Moves those that fit into the list of the search. */
static int give(struct search *search, struct schsm_pkcs11_objects *objects,
                struct schsm_error *err)
{
    struct schsm_object_list *list = search->list;

    for (size_t i = 0; i < objects->count; i++) {
        struct schsm_object *object = &objects->at[i].object;
        struct schsm_object *grown;

        if (!fits_object_filter(search->filter, object)) {
            continue;
        }
        grown = OPENSSL_realloc(list->objects, (list->count + 1) * sizeof(*grown));
        if (grown == NULL) {
            return schsm_fail_memory(err);
        }
        list->objects = grown;
        grown[list->count++] = *object;
        object->value = NULL; /* it has moved */
        object->value_len = 0;
    }
    return 1;
}

static int find_keys(struct schsm_pkcs11_token *token, struct search *search,
                     struct schsm_error *err)
{
    struct schsm_pkcs11_keys keys = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
    int ok =
        schsm_pkcs11_list_keys(token, search->filter->id, search->filter->id_len, &keys, err) &&
        give(search, &keys.private, err) && give(search, &keys.public, err) &&
        give(search, &keys.certificates, err);

    schsm_pkcs11_keys_clear(&keys);
    return ok;
}

static int find_others(struct schsm_pkcs11_token *token, struct search *search, unsigned long class,
                       struct schsm_error *err)
{
    struct schsm_pkcs11_objects objects = { NULL, 0 };
    int ok = schsm_pkcs11_list(token, class, NULL, 0, &objects, err) && give(search, &objects, err);

    schsm_pkcs11_objects_clear(&objects);
    return ok;
}

static void drop_found(struct search *search)
{
    while (search->list->count > search->before) {
        schsm_object_clear(&search->list->objects[--search->list->count]);
    }
}

static int search_token(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    struct search *search = arg;
    unsigned int types = search->filter->types;

    drop_found(search);
    return ((types & KEY_TYPES) == 0 || find_keys(token, search, err)) &&
           ((types & SCHSM_OBJECT_DATA) == 0 || search->filter->id != NULL ||
            find_others(token, search, CKO_DATA, err)) &&
           ((types & SCHSM_OBJECT_SECRET) == 0 || find_others(token, search, CKO_SECRET_KEY, err));
}

int schsm_pkcs11_device_find(struct schsm_device *dev, const struct schsm_object_filter *filter,
                             struct schsm_object_list *list, struct schsm_error *err)
{
    struct search search = { filter, list, list->count };
    const struct schsm_pkcs11_job job = { .run = search_token, .arg = &search };
    int ok;

    if (filter->types == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a search needs types");
    }
    if (filter->key_ref >= 0) {
        return 1; /* tokens have no key references */
    }
    ok = schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err);
    if (!ok) {
        drop_found(&search);
    }
    return ok;
}

/* Whether an object without a value to be read is really empty. */
static int check_empty(struct schsm_pkcs11_token *token, ck_handle object, struct schsm_error *err)
{
    struct ck_attribute value = { CKA_VALUE, NULL, 0 };
    ck_rv rv = SCHSM_PKCS11(token, get_attribute_value, object, &value, 1);

    if (rv != CKR_OK) {
        return schsm_pkcs11_fail(token, rv, err);
    }
    if (value.len == CK_UNAVAILABLE_INFORMATION) {
        return schsm_pkcs11_fail(token, CKR_ATTRIBUTE_SENSITIVE, err);
    }
    return value.len == 0 ||
           schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                      "its %lu bytes are more than are read of one object", value.len);
}

static int run_hides(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    bool *hides = arg;

    return schsm_pkcs11_are_hidden(token, hides, err);
}

int schsm_pkcs11_device_hides(struct schsm_device *dev, bool *hides, struct schsm_error *err)
{
    const struct schsm_pkcs11_job job = { .run = run_hides, .arg = hides };

    return schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err);
}

static int read_data(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    struct ck_attribute value = { CKA_VALUE, NULL, 0 };
    struct schsm_pkcs11_objects objects = { NULL, 0 };
    const struct schsm_pkcs11_object *found;
    struct schsm_object *object = arg;
    bool several = false;
    int ok = 0;

    if (!schsm_pkcs11_list(token, CKO_DATA, NULL, 0, &objects, err)) {
        goto done;
    }
    found = schsm_pkcs11_pick(&objects, object, &several);
    if (found == NULL) {
        schsm_fail(err, several ? SCHSM_REASON_AMBIGUOUS : SCHSM_REASON_NOT_FOUND,
                   several ? "the token has several data objects of this name"
                           : "the token has no data object of this name any more");
        goto done;
    }
    if (!schsm_pkcs11_read(token, found->handle, &value, 1, err) ||
        (value.value == NULL && !check_empty(token, found->handle, err))) {
        goto done;
    }
    /* an empty object has a value too */
    object->value = value.value != NULL ? value.value : OPENSSL_zalloc(1);
    object->value_len = value.len;
    ok = object->value != NULL || schsm_fail_memory(err);

done:
    schsm_pkcs11_objects_clear(&objects);
    return ok;
}

/* The public part of a key, from wherever the token tells it; unknown is success, without a value.
 */
static int read_public_part(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    struct schsm_pkcs11_keys keys = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
    const struct schsm_pkcs11_object *found = NULL;
    struct schsm_object *object = arg;
    bool several = false;
    int ok = schsm_pkcs11_list_keys(token, object->id_len > 0 ? object->id : NULL, object->id_len,
                                    &keys, err);

    if (ok) {
        found = schsm_pkcs11_pick_or_suppose(&keys.private, object, &several);
    }
    if (found != NULL && found->object.value != NULL) {
        object->value = OPENSSL_memdup(found->object.value, found->object.value_len);
        object->value_len = found->object.value_len;
        object->told_beside = found->object.told_beside;
        ok = object->value != NULL || schsm_fail_memory(err);
    }
    schsm_pkcs11_keys_clear(&keys);
    return ok;
}

static int read_key(struct schsm_pkcs11_token *token, struct schsm_object *object,
                    const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_pkcs11_job job = { .run = read_public_part, .arg = object };

    if (!schsm_pkcs11_run(token, &job, err)) {
        return 0;
    }
    if (object->value == NULL && login->source != NULL) { /* it may show itself then */
        job.login = login;
        job.object = object->label[0] != 0 ? object->label : NULL;
        if (!schsm_pkcs11_run(token, &job, err)) {
            return 0;
        }
    }
    return object->value != NULL
               ? 1
               : schsm_fail(
                     err, SCHSM_REASON_NO_PUBLIC_KEY,
                     "device %s, %s: the token holds neither a public key nor a certificate "
                     "with this key's id, so its public part is unknown: store its "
                     "certificate, or name a key reference file that contains the public key",
                     token->name, object->label[0] != 0 ? object->label : "key");
}

int schsm_pkcs11_device_read(struct schsm_device *dev, struct schsm_object *object,
                             const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_pkcs11_job job = { .run = read_data,
                                    .arg = object,
                                    .object = object->label[0] != 0 ? object->label : NULL };
    struct schsm_pkcs11_token *token = schsm_pkcs11_token(dev);

    switch (object->type) {
    case SCHSM_OBJECT_PRIVATE:
    case SCHSM_OBJECT_PUBLIC:
        return read_key(token, object, login, err);
    case SCHSM_OBJECT_CERTIFICATE: /* a search tells all there is of it */
    case SCHSM_OBJECT_ORPHAN:
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "there is nothing to be read");
    case SCHSM_OBJECT_SECRET:
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "a secret key cannot be read");
    case SCHSM_OBJECT_DATA:
        break;
    }
    if (object->private_data) {
        job.login = login;
    }
    return schsm_pkcs11_run(token, &job, err);
}
