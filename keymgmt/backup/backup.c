/* SPDX-License-Identifier: Apache-2.0 */
/* From the device into a folder. */
#include "backup_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "hsm/hsm_wrap.h"
#include "format/ecx.h"

#define SAVED                                                                                      \
    (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_SECRET | SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_DATA)

struct backup {
    const struct schsm_backup_job *job;
    const struct schsm_backup_wishes *wishes;
    struct schsm_manifest *manifest; /* as it grows */
    struct schsm_manifest before;    /* of a backup that was interrupted */
    bool goes_on;                    /* there was one */
    size_t *failed;
};

static bool is_held(const struct schsm_backup_entry *entry)
{
    return entry->file[0] != '\0';
}

/* What the manifest says of an object, all but its file's digest. */
static void describe_entry(const struct schsm_object *object, struct schsm_backup_entry *entry)
{
    memset(entry, 0, sizeof(*entry));
    entry->key_ref = -1;
    entry->id_len = object->id_len;
    memcpy(entry->id, object->id, object->id_len);
    (void)snprintf(entry->label, sizeof(entry->label), "%s", object->label);
    switch (object->type) {
    case SCHSM_OBJECT_CERTIFICATE:
        entry->kind = SCHSM_BACKUP_CERTIFICATE;
        entry->authority = object->authority;
        entry->key_ref = object->key_ref;
        if (object->key_ref >= 0) {
            (void)snprintf(entry->file, sizeof(entry->file), "certificate-key-%03d.der",
                           object->key_ref);
        } else {
            (void)snprintf(entry->file, sizeof(entry->file), "certificate-%02x.der",
                           object->handle & 0xFF);
        }
        break;
    case SCHSM_OBJECT_DATA:
        entry->kind = SCHSM_BACKUP_DATA;
        entry->private_data = object->private_data;
        (void)snprintf(entry->application, sizeof(entry->application), "%s", object->application);
        (void)snprintf(entry->file, sizeof(entry->file), "data-%04x.bin", object->handle & 0xFFFF);
        break;
    default:
        entry->kind = SCHSM_BACKUP_KEY;
        entry->key_ref = object->key_ref;
        if (entry->id_len == 0) { /* nobody described it; on another device somebody has to */
            entry->id[0] = (uint8_t)object->key_ref;
            entry->id_len = 1;
        }
        entry->key_type = object->key_type;
        entry->bits = object->bits;
        (void)snprintf(entry->file, sizeof(entry->file), "key-%03d.bin", object->key_ref);
        break;
    }
}

static void leave_out(const struct backup *backup, struct schsm_backup_entry *entry,
                      const char *reason)
{
    entry->file[0] = '\0';
    (void)OPENSSL_strlcpy(entry->reason, reason, sizeof(entry->reason));
    schsm_backup_tell(backup->job, entry, "NOT SAVED", entry->reason);
}

/* After a failure: leaves the object out where the failure is its own, else the backup ends. */
static int leave_out_failed(const struct backup *backup, struct schsm_backup_entry *entry,
                            const struct schsm_error *failure, struct schsm_error *err)
{
    if (!schsm_backup_is_objects_own(failure)) {
        return schsm_fail_as(err, failure);
    }
    (*backup->failed)++;
    entry->failed = true;
    leave_out(backup, entry, failure->text);
    return 1;
}

/* --- keys ------------------------------------------------------------------------------------ */

/* What an earlier run has already in the folder under this name, undamaged; false: nothing. */
static bool find_before(const struct backup *backup, const char *name,
                        struct schsm_backup_entry *found, struct schsm_backup_key_file *file)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    for (size_t i = 0; i < backup->before.count; i++) {
        if (strcmp(backup->before.entries[i].file, name) == 0) {
            *found = backup->before.entries[i];
            return schsm_backup_key_file_read(backup->job->folder, found, file, &ignored) != 0;
        }
    }
    return false;
}

/* Builds the file of a key and fills in the entry what the key itself tells. */
static int build_file(const struct schsm_hsm_wrapped *wrapped, struct schsm_backup_entry *entry,
                      uint8_t **file, size_t *len, struct schsm_error *err)
{
    const struct schsm_key_container parts = {
        .blob = { wrapped->blob, wrapped->blob_len },
        .description = { wrapped->description, wrapped->description_len },
        .certificate = { wrapped->certificate, wrapped->certificate_len },
    };
    struct schsm_pkcs15_key named = { .id_len = entry->id_len, .bits = entry->bits };
    struct schsm_wrapped_key header;

    memcpy(named.id, entry->id, entry->id_len);
    (void)OPENSSL_strlcpy(named.label, entry->label, sizeof(named.label));
    if (!schsm_wrapped_file_build(&parts, &named, file, len, err) ||
        !schsm_wrapped_key_parse(parts.blob.data, parts.blob.len, &header, err)) {
        return 0;
    }
    memcpy(entry->kcv, header.kcv, sizeof(entry->kcv));
    entry->key_type = header.type;
    entry->bits = entry->bits != 0 ? entry->bits : schsm_wrapped_key_bits(&header);
    return 1;
}

/*
 * Goes on from the file of an earlier run. The key on the device is the same if its public key is:
 * then it need not be wrapped again, and only what stands beside it may be another by now. *done
 * stays false where the key has to be wrapped.
 */
static int take_over(const struct backup *backup, struct schsm_backup_entry *entry, bool *done,
                     struct schsm_error *err)
{
    const struct schsm_backup_job *job = backup->job;
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_hsm_wrapped now = { 0 };
    struct schsm_backup_key_file old = { 0 };
    struct schsm_backup_entry before;
    struct schsm_view blob, certificate;
    uint8_t *file = NULL, digest[SCHSM_BACKUP_DIGEST_LEN];
    size_t len = 0;
    int ok = 1;

    if (!find_before(backup, entry->file, &before, &old) ||
        !schsm_hsm_read_companions(job->device, entry->key_ref, &now, &ignored)) {
        goto done;
    }
    blob = old.wrapped.container.blob;
    certificate = old.wrapped.container.certificate;
    if (!schsm_backup_same_key(job->libctx, certificate,
                               (struct schsm_view){ now.certificate, now.certificate_len })) {
        goto done;
    }
    now.blob = OPENSSL_memdup(blob.data, blob.len);
    now.blob_len = blob.len;
    if (now.blob == NULL) {
        ok = schsm_fail_memory(err);
        goto done;
    }
    if (!build_file(&now, entry, &file, &len, &ignored)) {
        goto done;
    }
    memcpy(digest, before.digest, sizeof(digest));
    ok = schsm_backup_folder_write(job->folder, entry, file, len, err);
    if (ok) {
        schsm_backup_tell(job, entry,
                          memcmp(digest, entry->digest, sizeof(digest)) == 0
                              ? "there already"
                              : "there already; what stands beside it is saved anew",
                          NULL);
        *done = true;
    }

done:
    schsm_hsm_wrapped_clear(&now);
    schsm_backup_key_file_clear(&old);
    OPENSSL_free(file);
    return ok;
}

/* Refusals that are the key's nature: nothing went wrong. */
static bool key_stays(const struct schsm_error *err)
{
    return err->reason == SCHSM_REASON_NOT_PERMITTED || err->reason == SCHSM_REASON_UNSUPPORTED ||
           err->reason == SCHSM_REASON_USE_COUNTER;
}

/* Whether the key has a use counter, of which saving would take one; false where the device does
 * not tell. */
static int is_counted(const struct backup *backup, const struct schsm_object *object, bool *counted,
                      struct schsm_error *err)
{
    struct schsm_key_policy policy = { 0 };
    struct schsm_error failure = SCHSM_ERROR_INIT;

    *counted = false;
    if (!schsm_device_key_policy(backup->job->device, object, &policy, &failure)) {
        return schsm_backup_is_objects_own(&failure) || schsm_fail_as(err, &failure);
    }
    *counted = policy.known && policy.limited;
    return 1;
}

static int save_key(const struct backup *backup, const struct schsm_object *object,
                    struct schsm_backup_entry *entry, struct schsm_error *err)
{
    const struct schsm_backup_job *job = backup->job;
    struct schsm_hsm_wrapped wrapped = { 0 };
    struct schsm_error failure = SCHSM_ERROR_INIT;
    uint8_t *file = NULL;
    bool done = false, counted = false;
    size_t len = 0;
    int ok;

    if (schsm_ecx_by_type(entry->key_type) != NULL) {
        leave_out(backup, entry, SCHSM_ECX_STAYS);
        return 1;
    }
    if (!take_over(backup, entry, &done, err) ||
        (!done && !backup->wishes->counted_keys && !is_counted(backup, object, &counted, err))) {
        return 0;
    }
    if (done) {
        return 1;
    }
    if (counted) {
        leave_out(backup, entry,
                  "it has a use counter, and saving it takes one use: --counted-keys saves it");
        return 1;
    }
    if (!schsm_hsm_wrap_key(job->device, entry->key_ref, job->login, &wrapped, &failure)) {
        if (!key_stays(&failure)) {
            return leave_out_failed(backup, entry, &failure, err);
        }
        leave_out(backup, entry, failure.text);
        return 1;
    }
    if (!build_file(&wrapped, entry, &file, &len, &failure)) {
        ok = leave_out_failed(backup, entry, &failure, err);
    } else {
        ok = schsm_backup_folder_write(job->folder, entry, file, len, err);
        if (ok) {
            schsm_backup_tell(job, entry, "saved", NULL);
        }
    }
    schsm_hsm_wrapped_clear(&wrapped);
    OPENSSL_free(file);
    return ok;
}

/* --- certificates and data ------------------------------------------------------------------- */

static int save_content(const struct backup *backup, struct schsm_object *object,
                        struct schsm_backup_entry *entry, struct schsm_error *err)
{
    const struct schsm_backup_job *job = backup->job;
    struct schsm_error failure = SCHSM_ERROR_INIT;

    if (entry->private_data && !backup->wishes->private_data) {
        leave_out(backup, entry, "it is private data, and a backup would hold it readable");
        return 1;
    }
    if (object->value == NULL && !schsm_device_read(job->device, object, job->login, &failure)) {
        return leave_out_failed(backup, entry, &failure, err);
    }
    if (object->value_len == 0) {
        leave_out(backup, entry, "it is empty");
        return 1;
    }
    if (!schsm_backup_folder_write(job->folder, entry, object->value, object->value_len, err)) {
        return 0;
    }
    schsm_backup_tell(job, entry, "saved", NULL);
    return 1;
}

/* A key's certificate is in the key's file, where there is one. */
static bool is_saved_with_key(const struct backup *backup, const struct schsm_object *object)
{
    if (object->type != SCHSM_OBJECT_CERTIFICATE || object->key_ref < 0) {
        return false;
    }
    for (size_t i = 0; i < backup->manifest->count; i++) {
        const struct schsm_backup_entry *entry = &backup->manifest->entries[i];

        if (entry->kind == SCHSM_BACKUP_KEY && entry->key_ref == object->key_ref) {
            return is_held(entry);
        }
    }
    return false;
}

/* What is left of something that was deleted, and no loss. */
static bool is_rest(const struct schsm_object *object)
{
    return object->type == SCHSM_OBJECT_ORPHAN &&
           ((object->orphan_of & SCHSM_OBJECT_DATA) == 0 || object->defect == SCHSM_DEFECT_NONE);
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool names_file(const struct schsm_manifest *manifest, const char *file)
{
    for (size_t i = 0; i < manifest->count; i++) {
        if (strcmp(manifest->entries[i].file, file) == 0) {
            return true;
        }
    }
    return false;
}

/* Two descriptions on the device may tell one and the same file of it: each object has its own in
 * the folder. */
static void name_file(const struct backup *backup, struct schsm_backup_entry *entry)
{
    char name[sizeof(entry->file)];
    const char *ending = strrchr(entry->file, '.');

    if (ending == NULL || !names_file(backup->manifest, entry->file)) {
        return;
    }
    for (unsigned int number = 2;; number++) {
        (void)snprintf(name, sizeof(name), "%.*s-%u%s", (int)(ending - entry->file), entry->file,
                       number, ending);
        if (!names_file(backup->manifest, name) &&
            (names_file(&backup->before, name) ||
             !schsm_backup_folder_has(backup->job->folder, name))) {
            break;
        }
    }
    (void)OPENSSL_strlcpy(entry->file, name, sizeof(entry->file));
}

/* Writes what is done by now, and what an earlier run did that this one has yet to come to: so a
 * second interruption loses nothing of the first. */
static int write_progress(const struct backup *backup, struct schsm_error *err)
{
    struct schsm_manifest progress = *backup->manifest;
    int ok = 1;

    progress.entries = NULL;
    progress.count = 0;
    for (size_t i = 0; ok && i < backup->manifest->count; i++) {
        ok = schsm_manifest_add(&progress, &backup->manifest->entries[i], err);
    }
    for (size_t i = 0; ok && i < backup->before.count; i++) {
        const struct schsm_backup_entry *entry = &backup->before.entries[i];

        if (is_held(entry) && !names_file(backup->manifest, entry->file)) {
            ok = schsm_manifest_add(&progress, entry, err);
        }
    }
    ok = ok && schsm_backup_folder_write_manifest(backup->job->folder, &progress, err);
    schsm_manifest_clear(&progress);
    return ok;
}

/* A description of data that is not there, or that is none: nothing can be saved of it, and whoever
 * believes that he has data there has to know. What is left of a deleted key is no loss. */
static int leave_out_lost_data(const struct backup *backup, const struct schsm_object *orphan,
                               struct schsm_backup_entry *entry, struct schsm_error *err)
{
    struct schsm_object data = *orphan;
    struct schsm_error failure = SCHSM_ERROR_INIT;

    data.type = SCHSM_OBJECT_DATA;
    describe_entry(&data, entry);
    schsm_fail(&failure, SCHSM_REASON_DEVICE_DATA,
               "there is nothing but a description of it; 'sc-hsm tidy' removes that");
    return leave_out_failed(backup, entry, &failure, err);
}

static int save_object(const struct backup *backup, struct schsm_object *object,
                       struct schsm_backup_entry *entry, struct schsm_error *err)
{
    if (object->type == SCHSM_OBJECT_ORPHAN) {
        return leave_out_lost_data(backup, object, entry, err);
    }
    describe_entry(object, entry);
    name_file(backup, entry);
    return entry->kind == SCHSM_BACKUP_KEY ? save_key(backup, object, entry, err)
                                           : save_content(backup, object, entry, err);
}

/* The manifest is written after each object: what it names is whole. */
static int save(const struct backup *backup, struct schsm_object *object, struct schsm_error *err)
{
    struct schsm_backup_entry entry;

    if (is_saved_with_key(backup, object) || is_rest(object)) {
        return 1;
    }
    return save_object(backup, object, &entry, err) &&
           schsm_manifest_add(backup->manifest, &entry, err) && write_progress(backup, err);
}

/* The folder of a first run has no file of somebody else's that the backup would overwrite. */
static int check_names(const struct backup *backup, const struct schsm_object_list *list,
                       struct schsm_error *err)
{
    const char *folder = backup->job->folder;
    struct schsm_backup_entry entry;

    for (size_t i = 0; i < list->count; i++) {
        if (list->objects[i].type == SCHSM_OBJECT_ORPHAN) {
            continue;
        }
        describe_entry(&list->objects[i], &entry);
        if (schsm_backup_folder_has(folder, entry.file)) {
            return schsm_fail(err, SCHSM_REASON_EXISTS,
                              "%s/%s is there, and there is no %s of a backup that it would belong "
                              "to: name another folder",
                              folder, entry.file, SCHSM_MANIFEST_NAME);
        }
    }
    return 1;
}

static const char *serial_for_sentence(const char *serial)
{
    return serial[0] != '\0' ? serial : "without serial number";
}

static int begin(struct backup *backup, struct schsm_error *err)
{
    const char *folder = backup->job->folder;
    struct schsm_manifest *manifest = backup->manifest;
    struct schsm_device_info info;
    time_t now = time(NULL);
    struct tm utc;

    if (!schsm_device_info(backup->job->device, &info, err)) {
        return 0;
    }
    backup->goes_on = schsm_backup_folder_has(folder, SCHSM_MANIFEST_NAME);
    if (backup->goes_on) {
        if (!schsm_backup_folder_read_manifest(folder, &backup->before, err)) {
            return 0;
        }
        if (strcmp(backup->before.serial, info.serial) != 0) {
            return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                              "%s holds a backup of device %s, and this is %s: name another folder",
                              folder, serial_for_sentence(backup->before.serial),
                              serial_for_sentence(info.serial));
        }
        if (backup->before.complete) {
            return schsm_fail(err, SCHSM_REASON_EXISTS,
                              "%s holds the complete backup of %s: name another folder", folder,
                              backup->before.created);
        }
    }
    (void)snprintf(manifest->serial, sizeof(manifest->serial), "%s", info.serial);
    (void)snprintf(manifest->label, sizeof(manifest->label), "%s", info.label);
    if (gmtime_r(&now, &utc) != NULL) {
        (void)strftime(manifest->created, sizeof(manifest->created), "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    return 1;
}

int schsm_backup(const struct schsm_backup_job *job, const struct schsm_backup_wishes *wishes,
                 struct schsm_manifest *manifest, size_t *failed, struct schsm_error *err)
{
    const struct schsm_object_filter everything = { .types = SAVED | SCHSM_OBJECT_ORPHAN,
                                                    .key_ref = -1 };
    struct backup backup = { .job = job, .wishes = wishes, .manifest = manifest, .failed = failed };
    struct schsm_object_list list = { NULL, 0 };
    int lock = -1;
    int ok = 0;

    memset(manifest, 0, sizeof(*manifest));
    *failed = 0;
    /* A wrong PIN leaves no folder behind. */
    if (!schsm_hsm_wraps_keys(job->device, err) ||
        !schsm_device_login(job->device, job->login, err)) {
        return 0;
    }
    lock = schsm_backup_folder_lock(job->folder, err);
    if (lock < 0 || !begin(&backup, err) ||
        !schsm_device_find(job->device, &everything, &list, err) ||
        (!backup.goes_on && !check_names(&backup, &list, err))) {
        goto done;
    }
    /* from now on every file in the folder that has such a name is ours */
    ok = write_progress(&backup, err);
    for (size_t i = 0; ok && i < list.count; i++) {
        ok = save(&backup, &list.objects[i], err);
    }
    if (ok && *failed == 0) {
        for (size_t i = 0; i < manifest->count; i++) {
            manifest->complete = manifest->complete || is_held(&manifest->entries[i]);
        }
    }
    ok = ok && schsm_backup_folder_write_manifest(job->folder, manifest, err);

done:
    schsm_object_list_clear(&list);
    schsm_manifest_clear(&backup.before);
    schsm_backup_folder_unlock(lock);
    return ok;
}
