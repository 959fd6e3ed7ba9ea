/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting objects. */
#include "pkcs11_private.h"

#include <string.h>

static int destroy(struct schsm_pkcs11_token *token, ck_handle handle, struct schsm_error *err)
{
    ck_rv rv = SCHSM_PKCS11_WRITE(token, destroy_object, handle);

    token->keys_count = 0;
    return rv == CKR_OK ? 1 : schsm_pkcs11_fail_to(token, rv, "delete this object", err);
}

static int fail_nothing_to_remove(bool several, struct schsm_error *err)
{
    return several ? schsm_fail(err, SCHSM_REASON_AMBIGUOUS,
                                "the token has several objects of this name, and nothing tells "
                                "them apart")
                   : schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                                "the token has no such object, or does not let this user see it");
}

/* All that has the id of the key that is gone. Some modules delete that along with the key. */
static int destroy_companions(struct schsm_pkcs11_token *token,
                              const struct schsm_pkcs11_objects *objects,
                              const struct schsm_object *key, struct schsm_error *err)
{
    for (size_t i = 0; i < objects->count; i++) {
        if (schsm_pkcs11_same_id(&objects->at[i].object, key) &&
            !destroy(token, objects->at[i].handle, err) && token->rv != CKR_OBJECT_HANDLE_INVALID) {
            return 0;
        }
    }
    return 1;
}

static int remove_key_object(struct schsm_pkcs11_token *token, const struct schsm_object *wanted,
                             struct schsm_error *err)
{
    struct schsm_pkcs11_keys keys = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
    const struct schsm_pkcs11_objects *list = wanted->type == SCHSM_OBJECT_PRIVATE ? &keys.private
                                              : wanted->type == SCHSM_OBJECT_PUBLIC
                                                  ? &keys.public
                                                  : &keys.certificates;
    const struct schsm_pkcs11_object *found;
    bool several = false, twin = false;
    int ok = 0;

    if (!schsm_pkcs11_list_keys(token, wanted->id_len > 0 ? wanted->id : NULL, wanted->id_len,
                                &keys, err)) {
        goto done;
    }
    found = schsm_pkcs11_pick(list, wanted, &several);
    if (found == NULL) {
        fail_nothing_to_remove(several, err);
        goto done;
    }
    for (size_t i = 0; i < keys.private.count; i++) {
        twin = twin || (&keys.private.at[i] != found &&
                        schsm_pkcs11_same_id(&keys.private.at[i].object, &found->object));
    }
    ok = destroy(token, found->handle, err);
    if (ok && wanted->type == SCHSM_OBJECT_PRIVATE && !twin) {
        /* The key first: what is left of a failure half-way is then no key without a name. */
        ok = destroy_companions(token, &keys.certificates, &found->object, err) &&
             destroy_companions(token, &keys.public, &found->object, err);
    }

done:
    schsm_pkcs11_keys_clear(&keys);
    return ok;
}

static int remove_other(struct schsm_pkcs11_token *token, const struct schsm_object *wanted,
                        struct schsm_error *err)
{
    struct schsm_pkcs11_objects objects = { NULL, 0 };
    const struct schsm_pkcs11_object *found = NULL;
    bool several = false;
    int ok = schsm_pkcs11_list(token, wanted->type == SCHSM_OBJECT_DATA ? CKO_DATA : CKO_SECRET_KEY,
                               NULL, 0, &objects, err);

    if (ok) {
        found = schsm_pkcs11_pick(&objects, wanted, &several);
        ok = found != NULL ? destroy(token, found->handle, err)
                           : fail_nothing_to_remove(several, err);
    }
    schsm_pkcs11_objects_clear(&objects);
    return ok;
}

static int run_remove(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    const struct schsm_object *const *wanted = arg;

    switch ((*wanted)->type) {
    case SCHSM_OBJECT_PRIVATE:
    case SCHSM_OBJECT_PUBLIC:
    case SCHSM_OBJECT_CERTIFICATE:
        return remove_key_object(token, *wanted, err);
    case SCHSM_OBJECT_DATA:
    case SCHSM_OBJECT_SECRET:
    case SCHSM_OBJECT_ORPHAN: /* a token has none */
        break;
    }
    return remove_other(token, *wanted, err);
}

int schsm_pkcs11_device_remove(struct schsm_device *dev, const struct schsm_object *object,
                               const struct schsm_login *login, struct schsm_error *err)
{
    const struct schsm_pkcs11_job job = { .run = run_remove,
                                          .arg = &object,
                                          .login = login,
                                          .write = true,
                                          .object = object->label[0] != 0 ? object->label : NULL };

    return schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err);
}
