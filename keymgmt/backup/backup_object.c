/* SPDX-License-Identifier: Apache-2.0 */
/* One object, from the device into the backup. */
#include "saving.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hsm/hsm_wrap.h"
#include "format/ecx.h"

bool schsm_backup_is_held(const struct schsm_backup_entry *entry)
{
    return entry->file[0] != '\0';
}

bool schsm_backup_names_file(const struct schsm_manifest *manifest, const char *file)
{
    for (size_t i = 0; i < manifest->count; i++) {
        if (strcmp(manifest->entries[i].file, file) == 0) {
            return true;
        }
    }
    return false;
}

void schsm_backup_describe(const struct schsm_object *object, struct schsm_backup_entry *entry)
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

static void leave_out(const struct schsm_saving *saving, struct schsm_backup_entry *entry,
                      const char *reason)
{
    entry->file[0] = '\0';
    (void)OPENSSL_strlcpy(entry->reason, reason, sizeof(entry->reason));
    schsm_backup_tell(saving->job, entry, "NOT SAVED", entry->reason);
}

/* After a failure: leaves the object out where the failure is its own, else the backup ends. */
static int leave_out_failed(const struct schsm_saving *saving, struct schsm_backup_entry *entry,
                            const struct schsm_error *failure, struct schsm_error *err)
{
    if (!schsm_backup_is_objects_own(failure)) {
        return schsm_fail_as(err, failure);
    }
    (*saving->failed)++;
    entry->failed = true;
    leave_out(saving, entry, failure->text);
    return 1;
}

/* --- keys ------------------------------------------------------------------------------------ */

/* What an earlier run has already in the folder under this name, undamaged; false: nothing. */
static bool find_before(const struct schsm_saving *saving, const char *name,
                        struct schsm_backup_entry *found, struct schsm_backup_key_file *file)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    for (size_t i = 0; i < saving->before.count; i++) {
        if (strcmp(saving->before.entries[i].file, name) == 0) {
            *found = saving->before.entries[i];
            return schsm_backup_key_file_read(&saving->job->place, found, file, &ignored) != 0;
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
static int take_over(const struct schsm_saving *saving, struct schsm_backup_entry *entry,
                     bool *done, struct schsm_error *err)
{
    const struct schsm_backup_job *job = saving->job;
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_hsm_wrapped now = { 0 };
    struct schsm_backup_key_file old = { 0 };
    struct schsm_backup_entry before;
    struct schsm_view blob, certificate;
    uint8_t *file = NULL, digest[SCHSM_BACKUP_DIGEST_LEN];
    size_t len = 0;
    int ok = 1;

    if (!find_before(saving, entry->file, &before, &old) ||
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
    ok = schsm_backup_place_write(&job->place, entry, file, len, err);
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
static int is_counted(const struct schsm_saving *saving, const struct schsm_object *object,
                      bool *counted, struct schsm_error *err)
{
    struct schsm_key_policy policy = { 0 };
    struct schsm_error failure = SCHSM_ERROR_INIT;

    *counted = false;
    if (!schsm_device_key_policy(saving->job->device, object, &policy, &failure)) {
        return schsm_backup_is_objects_own(&failure) || schsm_fail_as(err, &failure);
    }
    *counted = policy.known && policy.limited;
    return 1;
}

static int save_key(const struct schsm_saving *saving, const struct schsm_object *object,
                    struct schsm_backup_entry *entry, struct schsm_error *err)
{
    const struct schsm_backup_job *job = saving->job;
    struct schsm_hsm_wrapped wrapped = { 0 };
    struct schsm_error failure = SCHSM_ERROR_INIT;
    uint8_t *file = NULL;
    bool done = false, counted = false;
    size_t len = 0;
    int ok;

    if (schsm_ecx_by_type(entry->key_type) != NULL) {
        leave_out(saving, entry, SCHSM_ECX_STAYS);
        return 1;
    }
    if (!take_over(saving, entry, &done, err) ||
        (!done && !saving->wishes->counted_keys && !is_counted(saving, object, &counted, err))) {
        return 0;
    }
    if (done) {
        return 1;
    }
    if (counted) {
        leave_out(saving, entry,
                  job->place.memory == NULL
                      ? "it has a use counter, and saving it takes one use: --counted-keys saves it"
                      : "it has a use counter, and copying it takes one use: --counted-keys copies "
                        "it");
        return 1;
    }
    if (!schsm_hsm_wrap_key(job->device, entry->key_ref, job->login, &wrapped, &failure)) {
        if (!key_stays(&failure)) {
            return leave_out_failed(saving, entry, &failure, err);
        }
        leave_out(saving, entry, failure.text);
        return 1;
    }
    if (!build_file(&wrapped, entry, &file, &len, &failure)) {
        ok = leave_out_failed(saving, entry, &failure, err);
    } else {
        ok = schsm_backup_place_write(&job->place, entry, file, len, err);
        if (ok) {
            schsm_backup_tell(job, entry, "saved", NULL);
        }
    }
    schsm_hsm_wrapped_clear(&wrapped);
    OPENSSL_free(file);
    return ok;
}

/* --- certificates and data ------------------------------------------------------------------- */

static int save_content(const struct schsm_saving *saving, struct schsm_object *object,
                        struct schsm_backup_entry *entry, struct schsm_error *err)
{
    const struct schsm_backup_job *job = saving->job;
    struct schsm_error failure = SCHSM_ERROR_INIT;

    if (entry->private_data && !saving->wishes->private_data) {
        leave_out(saving, entry, "it is private data, and a backup would hold it readable");
        return 1;
    }
    if (object->value == NULL && !schsm_device_read(job->device, object, job->login, &failure)) {
        return leave_out_failed(saving, entry, &failure, err);
    }
    if (object->value_len == 0) {
        leave_out(saving, entry, "it is empty");
        return 1;
    }
    if (!schsm_backup_place_write(&job->place, entry, object->value, object->value_len, err)) {
        return 0;
    }
    schsm_backup_tell(job, entry, "saved", NULL);
    return 1;
}

/* A key's certificate is in the key's file, where there is one. */
static bool is_saved_with_key(const struct schsm_saving *saving, const struct schsm_object *object)
{
    if (object->type != SCHSM_OBJECT_CERTIFICATE || object->key_ref < 0) {
        return false;
    }
    for (size_t i = 0; i < saving->manifest->count; i++) {
        const struct schsm_backup_entry *entry = &saving->manifest->entries[i];

        if (entry->kind == SCHSM_BACKUP_KEY && entry->key_ref == object->key_ref) {
            return schsm_backup_is_held(entry);
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

bool schsm_backup_is_part(const struct schsm_saving *saving, const struct schsm_object *object)
{
    return is_saved_with_key(saving, object) || is_rest(object);
}

/* --- the whole object ------------------------------------------------------------------------ */

/* Two descriptions on the device may tell one and the same file of it: each object has its own in
 * the folder. */
static void name_file(const struct schsm_saving *saving, struct schsm_backup_entry *entry)
{
    char name[sizeof(entry->file)];
    const char *ending = strrchr(entry->file, '.');

    if (ending == NULL || !schsm_backup_names_file(saving->manifest, entry->file)) {
        return;
    }
    for (unsigned int number = 2;; number++) {
        (void)snprintf(name, sizeof(name), "%.*s-%u%s", (int)(ending - entry->file), entry->file,
                       number, ending);
        if (!schsm_backup_names_file(saving->manifest, name) &&
            (schsm_backup_names_file(&saving->before, name) ||
             !schsm_backup_place_has(&saving->job->place, name))) {
            break;
        }
    }
    (void)OPENSSL_strlcpy(entry->file, name, sizeof(entry->file));
}

/* A description of data that is not there, or that is none: nothing can be saved of it, and whoever
 * believes that he has data there has to know. What is left of a deleted key is no loss. */
static int leave_out_lost_data(const struct schsm_saving *saving, const struct schsm_object *orphan,
                               struct schsm_backup_entry *entry, struct schsm_error *err)
{
    struct schsm_object data = *orphan;
    struct schsm_error failure = SCHSM_ERROR_INIT;

    data.type = SCHSM_OBJECT_DATA;
    schsm_backup_describe(&data, entry);
    schsm_fail(&failure, SCHSM_REASON_DEVICE_DATA,
               "there is nothing but a description of it; 'sc-hsm tidy' removes that");
    return leave_out_failed(saving, entry, &failure, err);
}

int schsm_backup_save(const struct schsm_saving *saving, struct schsm_object *object,
                      struct schsm_backup_entry *entry, struct schsm_error *err)
{
    if (object->type == SCHSM_OBJECT_ORPHAN) {
        return leave_out_lost_data(saving, object, entry, err);
    }
    schsm_backup_describe(object, entry);
    name_file(saving, entry);
    return entry->kind == SCHSM_BACKUP_KEY ? save_key(saving, object, entry, err)
                                           : save_content(saving, object, entry, err);
}
