/* SPDX-License-Identifier: Apache-2.0 */
/* From a folder onto the device. */
#include "restoring.h"
#include "saving.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_label.h"
#include "hsm/hsm_wrap.h"

bool schsm_restore_is_copy(const struct schsm_restoring *restoring)
{
    return restoring->job->place.memory != NULL;
}

void schsm_restore_give_up(const struct schsm_restoring *restoring,
                           const struct schsm_backup_entry *entry,
                           const struct schsm_error *failure)
{
    restoring->restored->failed++;
    schsm_backup_tell(restoring->job, entry,
                      schsm_restore_is_copy(restoring) ? SCHSM_COPY_FAILED : SCHSM_RESTORE_FAILED,
                      failure->text);
}

static const char *done_word(const struct schsm_restoring *restoring)
{
    return schsm_restore_is_copy(restoring) ? "copied" : "restored";
}

/* --- before anything is written ------------------------------------------------------------ */

/* What is not in the backup, and what is damaged there, is not restored. */
static void check_files(struct schsm_restoring *restoring)
{
    for (size_t i = 0; i < restoring->manifest->count; i++) {
        const struct schsm_backup_entry *entry = &restoring->manifest->entries[i];
        struct schsm_error failure = SCHSM_ERROR_INIT;

        if (entry->file[0] == '\0') {
            restoring->fates[i].what = SCHSM_RESTORE_NEVER;
        } else if (!schsm_backup_check_place(&restoring->job->place, entry, &failure)) {
            restoring->fates[i].what = SCHSM_RESTORE_NEVER;
            schsm_restore_give_up(restoring, entry, &failure);
        }
    }
}

/* Each key's key encryption key must be there; the keys of a backup have few different ones. */
static int check_domains(struct schsm_restoring *restoring, struct schsm_error *err)
{
    const struct schsm_backup_entry *last = NULL;
    unsigned int domain = 0;

    for (size_t i = 0; i < restoring->manifest->count; i++) {
        const struct schsm_backup_entry *entry = &restoring->manifest->entries[i];
        struct schsm_error failure = SCHSM_ERROR_INIT;

        if (entry->kind != SCHSM_BACKUP_KEY || restoring->fates[i].what == SCHSM_RESTORE_NEVER ||
            (last != NULL && memcmp(last->kcv, entry->kcv, sizeof(entry->kcv)) == 0)) {
            continue;
        }
        if (!schsm_hsm_find_kek_by_login(restoring->job->device, entry->kcv, restoring->job->login,
                                         &domain, &failure)) {
            if (!schsm_restore_is_copy(restoring) || !schsm_backup_is_objects_own(&failure)) {
                schsm_fail_as(err, &failure);
                return schsm_fail_context(err, "nothing was written");
            }
            restoring->fates[i].what = SCHSM_RESTORE_NEVER;
            schsm_restore_give_up(restoring, entry, &failure);
            continue;
        }
        last = entry;
    }
    return 1;
}

/* --- writing --------------------------------------------------------------------------------- */

/* A place for the key: the reference that it had, unless that is taken by now, be it by a key that
 * was restored before. The id is free, or the comparison would have refused. */
static int place_key(const struct schsm_restoring *restoring,
                     const struct schsm_backup_entry *entry, const struct schsm_restore_fate *fate,
                     unsigned int *key_ref, struct schsm_error *err)
{
    struct schsm_hsm_place place = { .key_ref = entry->key_ref,
                                     .id = entry->id_len > 0 ? entry->id : NULL,
                                     .id_len = entry->id_len,
                                     .id_is_free = true };
    struct schsm_error taken = SCHSM_ERROR_INIT;
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len = 0;

    if (fate->unfinished != 0) {
        *key_ref = (unsigned int)fate->unfinished;
        return 1;
    }
    if (schsm_hsm_place_key(restoring->job->device, &place, key_ref, id, &id_len, &taken)) {
        return 1;
    }
    if (taken.reason != SCHSM_REASON_EXISTS) {
        return schsm_fail_as(err, &taken);
    }
    place.key_ref = -1;
    return schsm_hsm_place_key(restoring->job->device, &place, key_ref, id, &id_len, err);
}

static int restore_key(const struct schsm_restoring *restoring,
                       const struct schsm_backup_entry *entry,
                       const struct schsm_restore_fate *fate, struct schsm_error *err)
{
    const struct schsm_backup_job *job = restoring->job;
    struct schsm_backup_key_file file;
    unsigned int key_ref = 0;
    char what[48];
    int ok = schsm_backup_key_file_read(&job->place, entry, &file, err) &&
             place_key(restoring, entry, fate, &key_ref, err);

    if (ok) {
        const struct schsm_hsm_unwrap spec = { .key_ref = key_ref,
                                               .blob = file.wrapped.container.blob,
                                               .description = file.description,
                                               .certificate = file.wrapped.container.certificate,
                                               .unfinished = fate->unfinished != 0 };

        ok = schsm_hsm_unwrap_key(job->device, &spec, job->login, err);
    }
    if (ok) {
        (void)snprintf(what, sizeof(what),
                       (int)key_ref != entry->key_ref ? "%s as key reference %u" : "%s",
                       done_word(restoring), key_ref);
        schsm_backup_tell(job, entry, what, NULL);
    }
    schsm_backup_key_file_clear(&file);
    return ok;
}

/* The id that the certificate had, or its fingerprint where nobody had described it. */
static int certificate_id(OSSL_LIB_CTX *libctx, const struct schsm_backup_entry *entry,
                          const uint8_t *der, size_t len, uint8_t id[SCHSM_ID_MAX], size_t *id_len,
                          struct schsm_error *err)
{
    if (entry->id_len > 0) {
        memcpy(id, entry->id, entry->id_len);
        *id_len = entry->id_len;
        return 1;
    }
    return EVP_Q_digest(libctx, "SHA1", NULL, der, len, id, id_len) == 1 ||
           schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot do SHA-1");
}

/* beside: the key that a certificate belongs to; NULL: none. */
static int restore_content(const struct schsm_restoring *restoring,
                           const struct schsm_backup_entry *entry,
                           const struct schsm_object *beside, struct schsm_error *err)
{
    const struct schsm_backup_job *job = restoring->job;
    struct schsm_object stored = { 0 };
    uint8_t id[SCHSM_ID_MAX], *content = NULL;
    size_t len = 0;
    int ok = schsm_backup_place_read(&job->place, entry, &content, &len, err);

    if (ok) {
        struct schsm_store spec = { .type = entry->kind == SCHSM_BACKUP_CERTIFICATE
                                                ? SCHSM_OBJECT_CERTIFICATE
                                                : SCHSM_OBJECT_DATA,
                                    .key = beside,
                                    .label = beside == NULL ? entry->label : NULL,
                                    .application = entry->application,
                                    .private_data = entry->private_data,
                                    .value = content,
                                    .value_len = len };

        if (entry->kind == SCHSM_BACKUP_CERTIFICATE && beside == NULL) {
            spec.id = id;
            ok = certificate_id(job->libctx, entry, content, len, id, &spec.id_len, err);
        }
        ok = ok && schsm_device_store(job->device, &spec, job->login, &stored, err);
    }
    if (ok) {
        schsm_backup_tell(job, entry, done_word(restoring), NULL);
    }
    schsm_object_clear(&stored);
    OPENSSL_clear_free(content, len);
    return ok;
}

static int write_entry(struct schsm_restoring *restoring, size_t at, struct schsm_error *err)
{
    const struct schsm_backup_entry *entry = &restoring->manifest->entries[at];
    const struct schsm_restore_fate *fate = &restoring->fates[at];
    const struct schsm_object *beside =
        fate->beside >= 0 ? &restoring->there.objects[fate->beside] : NULL;
    struct schsm_error failure = SCHSM_ERROR_INIT;

    if (entry->kind == SCHSM_BACKUP_CERTIFICATE && entry->key_ref >= 0 && beside == NULL) {
        restoring->restored->left_out++;
        schsm_backup_tell(restoring->job, entry, "left out", "its key is not on the device");
        return 1;
    }
    if (entry->kind == SCHSM_BACKUP_KEY ? restore_key(restoring, entry, fate, &failure)
                                        : restore_content(restoring, entry, beside, &failure)) {
        restoring->restored->written++;
        return 1;
    }
    if (schsm_backup_is_objects_own(&failure)) {
        schsm_restore_give_up(restoring, entry, &failure);
        return 1;
    }
    schsm_fail_as(err, &failure);
    return schsm_fail_context(
        err, "%zu %s %s; run the same again to go on", restoring->restored->written,
        restoring->restored->written == 1 ? "object is" : "objects are", done_word(restoring));
}

static int write_entries(struct schsm_restoring *restoring, struct schsm_error *err)
{
    for (size_t i = 0; i < restoring->manifest->count; i++) {
        const struct schsm_restore_fate *fate = &restoring->fates[i];

        if (fate->what == SCHSM_RESTORE_LEAVE) {
            restoring->restored->present++;
            schsm_backup_tell(restoring->job, &restoring->manifest->entries[i], fate->there, NULL);
        } else if (fate->what == SCHSM_RESTORE_WRITE && !write_entry(restoring, i, err)) {
            return 0;
        }
    }
    return 1;
}

/* The device's label, where it has none. */
static int restore_label(const struct schsm_restoring *restoring, struct schsm_error *err)
{
    const struct schsm_backup_job *job = restoring->job;
    struct schsm_device_info info;

    return schsm_restore_is_copy(restoring) || /* a label is the one device's */
           (schsm_device_info(job->device, &info, err) &&
            (info.label[0] != '\0' || restoring->manifest->label[0] == '\0' ||
             schsm_hsm_set_label(job->device, restoring->manifest->label, job->login, err)));
}

int schsm_restore(const struct schsm_backup_job *job, const struct schsm_manifest *manifest,
                  struct schsm_restored *restored, struct schsm_error *err)
{
    const struct schsm_object_filter everything = { .types = SCHSM_BACKUP_TYPES, .key_ref = -1 };
    struct schsm_restoring restoring = { .job = job, .manifest = manifest, .restored = restored };
    struct schsm_hsm_unwrap_traits traits;
    int ok = 0;

    memset(restored, 0, sizeof(*restored));
    restoring.fates = OPENSSL_zalloc((manifest->count + 1) * sizeof(restoring.fates[0]));
    if (restoring.fates == NULL) {
        return schsm_fail_memory(err);
    }
    for (size_t i = 0; i < manifest->count; i++) {
        restoring.fates[i].beside = -1;
    }
    if (!schsm_hsm_wraps_keys(job->device, err) ||
        !schsm_hsm_unwrap_traits(job->device, &traits, err)) {
        goto done;
    }
    restoring.describes_keys = traits.describes_keys;
    check_files(&restoring);
    if (!check_domains(&restoring, err) || !schsm_device_login(job->device, job->login, err) ||
        !schsm_device_serial(job->device, restoring.serial, err) ||
        !schsm_device_find(job->device, &everything, &restoring.there, err)) {
        goto done;
    }
    restoring.used = OPENSSL_zalloc((restoring.there.count + 1) * sizeof(restoring.used[0]));
    if (restoring.used == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    ok = schsm_restore_compare(&restoring, err) && write_entries(&restoring, err) &&
         restore_label(&restoring, err);

done:
    schsm_object_list_clear(&restoring.there);
    OPENSSL_free(restoring.used);
    OPENSSL_free(restoring.fates);
    return ok;
}
