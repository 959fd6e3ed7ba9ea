/* SPDX-License-Identifier: Apache-2.0 */
/* What of a backup is on the device already. */
#include "restoring.h"

#include <string.h>

#include <openssl/crypto.h>

#include "hsm/hsm_wrap.h"

static bool same_id(const struct schsm_backup_entry *entry, const struct schsm_object *object)
{
    return entry->id_len == object->id_len && entry->id_len > 0 &&
           memcmp(entry->id, object->id, entry->id_len) == 0;
}

static bool is_key(const struct schsm_object *object)
{
    return object->type == SCHSM_OBJECT_PRIVATE || object->type == SCHSM_OBJECT_SECRET;
}

static int fail_taken(const struct schsm_restoring *restoring,
                      const struct schsm_backup_entry *entry, const struct schsm_object *object,
                      struct schsm_error *err)
{
    char name[SCHSM_LABEL_MAX + 64];

    if (schsm_restore_is_copy(restoring)) {
        return schsm_fail(err, SCHSM_REASON_EXISTS,
                          "its id is taken by another object%s%s%s on device %s: delete that first",
                          object->label[0] != '\0' ? ", '" : "", object->label,
                          object->label[0] != '\0' ? "'," : "", restoring->serial);
    }
    schsm_backup_entry_name(entry, name, sizeof(name));
    return schsm_fail(err, SCHSM_REASON_EXISTS,
                      "nothing was written: the id of the backup's %s is taken by another "
                      "object%s%s%s on the device: delete that, or restore onto an empty device",
                      name, object->label[0] != '\0' ? ", '" : "", object->label,
                      object->label[0] != '\0' ? "'," : "");
}

/* --- keys ------------------------------------------------------------------------------------ */

/*
 * A key without a public part on either side, as all secret keys are: by id, label and type where
 * it has an id on the device; else by its place, on the device of the backup itself.
 */
static bool may_be_key(const struct schsm_restoring *restoring,
                       const struct schsm_backup_entry *entry, const struct schsm_object *object)
{
    if (object->id_len == 0) {
        return object->key_ref == entry->key_ref && restoring->serial[0] != '\0' &&
               strcmp(restoring->serial, restoring->manifest->serial) == 0;
    }
    return same_id(entry, object) && object->key_type == entry->key_type &&
           schsm_manifest_writes(object->label, entry->label);
}

/* Whether the key on the device is that of the file. strict: it has to be in its place, by id or,
 * where it has none, by key reference. */
static bool is_saved_key(const struct schsm_restoring *restoring,
                         const struct schsm_backup_entry *entry,
                         const struct schsm_key_container *container,
                         const struct schsm_object *object, bool strict)
{
    struct schsm_view spki = { object->value, object->value_len };

    if (container->certificate.len == 0 || object->type == SCHSM_OBJECT_SECRET) {
        return spki.len == 0 && may_be_key(restoring, entry, object);
    }
    return (!strict || same_id(entry, object) || object->key_ref == entry->key_ref) &&
           schsm_backup_is_key_of(restoring->job->libctx, container->certificate, spki);
}

/* The certificate that the list has of a key; len 0: none. */
static struct schsm_view certificate_of(const struct schsm_restoring *restoring, int key_ref)
{
    for (size_t i = 0; i < restoring->there.count; i++) {
        const struct schsm_object *object = &restoring->there.objects[i];

        if (object->type == SCHSM_OBJECT_CERTIFICATE && object->key_ref == key_ref) {
            return (struct schsm_view){ object->value, object->value_len };
        }
    }
    return (struct schsm_view){ NULL, 0 };
}

/* How a key of the backup is looked for. One in its own place comes first: there may be a copy of
 * it in another one. */
enum look { IN_ITS_PLACE, UNFINISHED, ANYWHERE };

/* A key that the device described itself, and somebody else did not: an interrupted restore leaves
 * it so. Where the backup says the same of it, it is in its place. */
static bool may_be_unfinished(const struct schsm_restoring *restoring,
                              const struct schsm_backup_entry *entry,
                              const struct schsm_object *object)
{
    return restoring->describes_keys && schsm_hsm_has_own_description(object) &&
           !same_id(entry, object);
}

static int is_unfinished(const struct schsm_restoring *restoring,
                         const struct schsm_backup_key_file *file,
                         const struct schsm_object *object, bool *unfinished,
                         struct schsm_error *err)
{
    const struct schsm_key_container *container = &file->wrapped.container;
    const struct schsm_hsm_unwrap spec = { .key_ref = (unsigned int)object->key_ref,
                                           .blob = container->blob,
                                           .description = file->description,
                                           .certificate = container->certificate };

    *unfinished = false;
    /* a public part that can be read tells enough */
    return (object->value != NULL &&
            !schsm_backup_is_key_of(restoring->job->libctx, container->certificate,
                                    (struct schsm_view){ object->value, object->value_len })) ||
           schsm_hsm_is_unfinished(restoring->job->device, &spec, unfinished, err);
}

/* Whether an object of the device is the entry's key, and what is to become of that then. */
static int compare_key(struct schsm_restoring *restoring, size_t at,
                       const struct schsm_backup_key_file *file, const struct schsm_object *object,
                       enum look look, bool *is_it, struct schsm_error *err)
{
    const struct schsm_backup_entry *entry = &restoring->manifest->entries[at];
    struct schsm_restore_fate *fate = &restoring->fates[at];

    *is_it = false;
    if (may_be_unfinished(restoring, entry, object) != (look == UNFINISHED)) {
        return 1;
    }
    if (look == UNFINISHED) {
        if (!is_unfinished(restoring, file, object, is_it, err)) {
            return 0;
        }
        fate->unfinished = *is_it ? object->key_ref : 0;
        return 1;
    }
    *is_it = is_saved_key(restoring, entry, &file->wrapped.container, object, look == IN_ITS_PLACE);
    if (*is_it && restoring->describes_keys && object->type == SCHSM_OBJECT_SECRET) {
        bool waits = false; /* the description, beside the key that has it by now */

        if (!is_unfinished(restoring, file, object, &waits, err)) {
            return 0;
        }
        fate->unfinished = waits ? object->key_ref : 0;
    }
    if (*is_it && fate->unfinished == 0) {
        fate->what = SCHSM_RESTORE_LEAVE;
        fate->there =
            schsm_backup_there_already(restoring->job->libctx, file->wrapped.container.certificate,
                                       certificate_of(restoring, object->key_ref));
    }
    return 1;
}

/* Looks for the key among those that are no other entry's. */
static int find_key(struct schsm_restoring *restoring, size_t at, enum look look,
                    struct schsm_error *err)
{
    const struct schsm_backup_entry *entry = &restoring->manifest->entries[at];
    const struct schsm_restore_fate *fate = &restoring->fates[at];
    struct schsm_backup_key_file file;
    bool found = false;
    int ok;

    if (entry->kind != SCHSM_BACKUP_KEY || fate->what != SCHSM_RESTORE_WRITE ||
        fate->unfinished != 0) {
        return 1;
    }
    ok = schsm_backup_key_file_read(&restoring->job->place, entry, &file, err);
    for (size_t i = 0; ok && !found && i < restoring->there.count; i++) {
        const struct schsm_object *object = &restoring->there.objects[i];

        if (!restoring->used[i] && is_key(object)) {
            ok = compare_key(restoring, at, &file, object, look, &found, err);
            restoring->used[i] = found;
        }
    }
    schsm_backup_key_file_clear(&file);
    return ok;
}

static int check_key_id(const struct schsm_restoring *restoring,
                        const struct schsm_backup_entry *entry, struct schsm_error *err)
{
    for (size_t i = 0; i < restoring->there.count; i++) {
        const struct schsm_object *object = &restoring->there.objects[i];

        if (is_key(object) && !restoring->used[i] && same_id(entry, object)) {
            return fail_taken(restoring, entry, object, err);
        }
    }
    return 1;
}

/* --- certificates and data ------------------------------------------------------------------- */

int schsm_restore_find_pair(const struct schsm_restoring *restoring, struct schsm_view certificate)
{
    for (size_t i = 0; i < restoring->there.count; i++) {
        const struct schsm_object *object = &restoring->there.objects[i];

        if (object->type == SCHSM_OBJECT_PRIVATE &&
            schsm_backup_is_key_of(restoring->job->libctx, certificate,
                                   (struct schsm_view){ object->value, object->value_len })) {
            return (int)i;
        }
    }
    return -1;
}

/* A certificate whose key is not in the backup: it goes to that key, where the device has it. */
static void compare_key_certificate(const struct schsm_restoring *restoring,
                                    struct schsm_view saved, struct schsm_restore_fate *fate)
{
    struct schsm_view now = { NULL, 0 };

    fate->beside = schsm_restore_find_pair(restoring, saved);
    if (fate->beside >= 0) {
        now = certificate_of(restoring, restoring->there.objects[fate->beside].key_ref);
    }
    if (now.len > 0) {
        fate->what = SCHSM_RESTORE_LEAVE;
        fate->there = schsm_backup_there_already(restoring->job->libctx, saved, now);
    }
}

/* Whether the content of an object is worth a comparison with the entry's. A certificate without an
 * id is one whose description an interruption kept off the device: to be written again, with it. */
static bool may_be(const struct schsm_backup_entry *entry, const struct schsm_object *object)
{
    if (entry->kind == SCHSM_BACKUP_CERTIFICATE) {
        return object->type == SCHSM_OBJECT_CERTIFICATE && object->key_ref < 0 &&
               (object->id_len > 0 || entry->id_len == 0);
    }
    return object->type == SCHSM_OBJECT_DATA && object->private_data == entry->private_data &&
           schsm_manifest_writes(object->label, entry->label) &&
           schsm_manifest_writes(object->application, entry->application);
}

/* Reads an object of the device's, if that is possible; what cannot be read is nothing of ours. */
static int read_there(const struct schsm_restoring *restoring, struct schsm_object *object,
                      struct schsm_error *err)
{
    struct schsm_error failure = SCHSM_ERROR_INIT;

    return object->value != NULL ||
           schsm_device_read(restoring->job->device, object, restoring->job->login, &failure) ||
           schsm_backup_is_objects_own(&failure) || schsm_fail_as(err, &failure);
}

/* Compares a content with that of the device's objects. */
static int compare_with_objects(struct schsm_restoring *restoring,
                                const struct schsm_backup_entry *entry, struct schsm_view content,
                                struct schsm_restore_fate *fate, struct schsm_error *err)
{
    const struct schsm_object *taken = NULL;

    for (size_t i = 0; i < restoring->there.count && fate->what == SCHSM_RESTORE_WRITE; i++) {
        struct schsm_object *object = &restoring->there.objects[i];
        struct schsm_view now;

        if (!may_be(entry, object)) {
            continue;
        }
        if (!read_there(restoring, object, err)) {
            return 0;
        }
        now = (struct schsm_view){ object->value, object->value_len };
        if (now.len > 0 && schsm_view_equal(now, content)) {
            fate->what = SCHSM_RESTORE_LEAVE;
            fate->there = "there already";
        } else if (entry->kind == SCHSM_BACKUP_CERTIFICATE && same_id(entry, object)) {
            if (schsm_backup_same_key(restoring->job->libctx, content, now)) {
                fate->what = SCHSM_RESTORE_LEAVE;
                fate->there = schsm_backup_there_already(restoring->job->libctx, content, now);
            }
            taken = object;
        }
    }
    return fate->what != SCHSM_RESTORE_WRITE || taken == NULL ||
           fail_taken(restoring, entry, taken, err);
}

static int compare_content(struct schsm_restoring *restoring, size_t at, struct schsm_error *err)
{
    const struct schsm_backup_entry *entry = &restoring->manifest->entries[at];
    struct schsm_restore_fate *fate = &restoring->fates[at];
    uint8_t *content = NULL;
    size_t len = 0;
    int ok;

    if (entry->kind == SCHSM_BACKUP_KEY || fate->what != SCHSM_RESTORE_WRITE) {
        return 1;
    }
    ok = schsm_backup_place_read(&restoring->job->place, entry, &content, &len, err);
    if (ok && entry->kind == SCHSM_BACKUP_CERTIFICATE && entry->key_ref >= 0) {
        compare_key_certificate(restoring, (struct schsm_view){ content, len }, fate);
    } else if (ok) {
        ok = compare_with_objects(restoring, entry, (struct schsm_view){ content, len }, fate, err);
    }
    OPENSSL_clear_free(content, len); /* private data, perhaps */
    return ok;
}

int schsm_restore_compare(struct schsm_restoring *restoring, struct schsm_error *err)
{
    size_t count = restoring->manifest->count;

    for (enum look look = IN_ITS_PLACE; look <= ANYWHERE; look++) {
        for (size_t i = 0; i < count; i++) {
            if (!find_key(restoring, i, look, err)) {
                return 0;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct schsm_backup_entry *entry = &restoring->manifest->entries[i];
        struct schsm_error failure = SCHSM_ERROR_INIT;

        if (compare_content(restoring, i, &failure) &&
            (entry->kind != SCHSM_BACKUP_KEY || restoring->fates[i].what != SCHSM_RESTORE_WRITE ||
             check_key_id(restoring, entry, &failure))) {
            continue;
        }
        if (!schsm_restore_is_copy(restoring) || !schsm_backup_is_objects_own(&failure)) {
            return schsm_fail_as(err, &failure);
        }
        restoring->fates[i].what = SCHSM_RESTORE_NEVER;
        schsm_restore_give_up(restoring, entry, &failure);
    }
    return 1;
}
