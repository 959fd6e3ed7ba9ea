/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting objects: a job that can be repeated from its beginning. What tells an object's name goes
 * last, so that whatever an interruption leaves is found under that name and deleted by the same
 * command; a file that is gone already is as good.
 */
#include "card_private.h"

#include <stdio.h>

struct removal {
    struct schsm_object object;
    bool begun; /* by an earlier attempt, too: something may be gone */
};

/* The object's files, in the order in which they go: the key first, so that what is left is no key
 * without a name. Returns their number, 0 for what is no object that can be deleted. */
static size_t files_of(const struct schsm_object *object, unsigned int files[3])
{
    unsigned int ref = (unsigned int)object->key_ref, id = SCHSM_FILE_ID(object->handle);

    switch (object->type) {
    case SCHSM_OBJECT_PRIVATE:
    case SCHSM_OBJECT_SECRET:
        files[0] = SCHSM_FILE_KEY | ref;
        files[1] = SCHSM_FILE_CERTIFICATE | ref;
        files[2] = SCHSM_FILE_KEY_DESCRIPTION | ref;
        return 3;
    case SCHSM_OBJECT_PUBLIC:
        files[0] = SCHSM_FILE_CERTIFICATE | ref;
        return 1;
    case SCHSM_OBJECT_CERTIFICATE:
        files[0] = object->key_ref >= 0 ? SCHSM_FILE_CERTIFICATE | ref : object->handle;
        files[1] = SCHSM_FILE_CERTIFICATE_DESCRIPTION | id;
        return object->key_ref >= 0 ? 1 : 2;
    case SCHSM_OBJECT_DATA:
        files[0] = object->handle;
        files[1] = SCHSM_FILE_DATA_DESCRIPTION | id;
        return 2;
    case SCHSM_OBJECT_ORPHAN:
        files[0] = object->handle;
        return 1;
    }
    return 0;
}

static int remove_object(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct removal *removal = arg;
    unsigned int files[3];
    size_t count = files_of(&removal->object, files), deleted = 0;
    bool repeated = removal->begun;

    removal->begun = true;
    for (size_t i = 0; i < count; i++) {
        if (schsm_card_delete_file(&session->card, files[i], err)) {
            deleted++;
        } else if (!schsm_card_was_absent(session)) {
            removal->begun = repeated || deleted > 0 || session->card.result != SCHSM_TRANSPORT_OK;
            return 0;
        }
    }
    removal->begun = repeated || deleted > 0;
    return removal->begun
               ? 1
               : schsm_fail_status_word(err, SCHSM_INS_DELETE_FILE, SCHSM_SW_FILE_NOT_FOUND);
}

int schsm_card_device_remove(struct schsm_device *dev, const struct schsm_object *object,
                             const struct schsm_login *login, struct schsm_error *err)
{
    struct removal removal = { *object, false };
    struct schsm_job job = {
        .run = remove_object, .arg = &removal, .login = login, .transaction = true
    };
    char name[64];

    if (object->key_ref == 0 || object->key_ref > 255 ||
        (object->key_ref < 0 && object->type != SCHSM_OBJECT_CERTIFICATE &&
         object->type != SCHSM_OBJECT_DATA && object->type != SCHSM_OBJECT_ORPHAN)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%d is no key reference", object->key_ref);
    }
    if (object->key_ref > 0) {
        (void)snprintf(name, sizeof(name), "key reference %d", object->key_ref);
    } else {
        (void)snprintf(name, sizeof(name), "file %04X", object->handle & 0xFFFF);
    }
    job.object = object->label[0] != 0 ? object->label : name;
    if (schsm_session_run(schsm_card_session(dev), &job, err)) {
        return 1;
    }
    return removal.begun ? schsm_fail_context(err, "half deleted: the same again deletes the rest")
                         : 0;
}
