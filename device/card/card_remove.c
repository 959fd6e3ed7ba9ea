/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting objects. */
#include "card_private.h"

#include <stdio.h>

static int remove_object(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct schsm_object *object = arg;
    unsigned int ref = (unsigned int)object->key_ref, id = SCHSM_FILE_ID(object->handle);

    switch (object->type) {
    case SCHSM_OBJECT_PRIVATE:
    case SCHSM_OBJECT_SECRET:
        /* The key first: what is left of a failure half-way is then no key without a name. */
        return schsm_card_delete_file(&session->card, SCHSM_FILE_KEY | ref, err) &&
               schsm_card_delete_optional(session, SCHSM_FILE_KEY_DESCRIPTION | ref, err) &&
               schsm_card_delete_optional(session, SCHSM_FILE_CERTIFICATE | ref, err);
    case SCHSM_OBJECT_PUBLIC:
        return schsm_card_delete_file(&session->card, SCHSM_FILE_CERTIFICATE | ref, err);
    case SCHSM_OBJECT_CERTIFICATE:
        if (object->key_ref >= 0) {
            return schsm_card_delete_file(&session->card, SCHSM_FILE_CERTIFICATE | ref, err);
        }
        return schsm_card_delete_file(&session->card, object->handle, err) &&
               schsm_card_delete_optional(session, SCHSM_FILE_CERTIFICATE_DESCRIPTION | id, err);
    case SCHSM_OBJECT_DATA:
        return schsm_card_delete_file(&session->card, object->handle, err) &&
               schsm_card_delete_optional(session, SCHSM_FILE_DATA_DESCRIPTION | id, err);
    }
    return schsm_fail(err, SCHSM_REASON_ARGUMENT, "there is no such type of object");
}

int schsm_card_device_remove(struct schsm_device *dev, const struct schsm_object *object,
                             const struct schsm_login *login, struct schsm_error *err)
{
    static const struct schsm_login no_login = { 0 };
    struct schsm_object copy = *object;
    struct schsm_job job = { .run = remove_object,
                             .arg = &copy,
                             .login = login != NULL ? login : &no_login,
                             .transaction = true };
    char name[64];

    if (object->key_ref == 0 || object->key_ref > 255 ||
        (object->key_ref < 0 && object->type != SCHSM_OBJECT_CERTIFICATE &&
         object->type != SCHSM_OBJECT_DATA)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%d is no key reference", object->key_ref);
    }
    if (object->key_ref > 0) {
        (void)snprintf(name, sizeof(name), "key reference %d", object->key_ref);
    } else {
        (void)snprintf(name, sizeof(name), "file %04X", object->handle & 0xFFFF);
    }
    job.object = object->label[0] != 0 ? object->label : name;
    return schsm_session_run(schsm_card_session(dev), &job, err);
}
