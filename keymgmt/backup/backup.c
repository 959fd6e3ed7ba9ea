/* SPDX-License-Identifier: Apache-2.0 */
/* From the device into a folder. */
#include "saving.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "hsm/hsm_wrap.h"

/* Writes what is done by now, and what an earlier run did that this one has yet to come to: so a
 * second interruption loses nothing of the first. */
static int write_progress(const struct schsm_saving *saving, struct schsm_error *err)
{
    struct schsm_manifest progress = *saving->manifest;
    int ok = 1;

    progress.entries = NULL;
    progress.count = 0;
    for (size_t i = 0; ok && i < saving->manifest->count; i++) {
        ok = schsm_manifest_add(&progress, &saving->manifest->entries[i], err);
    }
    for (size_t i = 0; ok && i < saving->before.count; i++) {
        const struct schsm_backup_entry *entry = &saving->before.entries[i];

        if (schsm_backup_is_held(entry) &&
            !schsm_backup_names_file(saving->manifest, entry->file)) {
            ok = schsm_manifest_add(&progress, entry, err);
        }
    }
    ok = ok && schsm_backup_folder_write_manifest(saving->job->place.folder, &progress, err);
    schsm_manifest_clear(&progress);
    return ok;
}

/* The manifest is written after each object: what it names is whole. */
static int save(const struct schsm_saving *saving, struct schsm_object *object,
                struct schsm_error *err)
{
    struct schsm_backup_entry entry;

    if (schsm_backup_is_part(saving, object)) {
        return 1;
    }
    return schsm_backup_save(saving, object, &entry, err) &&
           schsm_manifest_add(saving->manifest, &entry, err) && write_progress(saving, err);
}

/* The folder of a first run has no file of somebody else's that the backup would overwrite. */
static int check_names(const struct schsm_saving *saving, const struct schsm_object_list *list,
                       struct schsm_error *err)
{
    const char *folder = saving->job->place.folder;
    struct schsm_backup_entry entry;

    for (size_t i = 0; i < list->count; i++) {
        if (list->objects[i].type == SCHSM_OBJECT_ORPHAN) {
            continue;
        }
        schsm_backup_describe(&list->objects[i], &entry);
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

static int begin(struct schsm_saving *saving, struct schsm_error *err)
{
    const char *folder = saving->job->place.folder;
    struct schsm_manifest *manifest = saving->manifest;
    struct schsm_device_info info;
    time_t now = time(NULL);
    struct tm utc;

    if (!schsm_device_info(saving->job->device, &info, err)) {
        return 0;
    }
    saving->goes_on = schsm_backup_folder_has(folder, SCHSM_MANIFEST_NAME);
    if (saving->goes_on) {
        if (!schsm_backup_folder_read_manifest(folder, &saving->before, err)) {
            return 0;
        }
        if (strcmp(saving->before.serial, info.serial) != 0) {
            return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                              "%s holds a backup of device %s, and this is %s: name another folder",
                              folder, serial_for_sentence(saving->before.serial),
                              serial_for_sentence(info.serial));
        }
        if (saving->before.complete) {
            return schsm_fail(err, SCHSM_REASON_EXISTS,
                              "%s holds the complete backup of %s: name another folder", folder,
                              saving->before.created);
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
    const struct schsm_object_filter everything = { .types =
                                                        SCHSM_BACKUP_TYPES | SCHSM_OBJECT_ORPHAN,
                                                    .key_ref = -1 };
    struct schsm_saving saving = {
        .job = job, .wishes = wishes, .manifest = manifest, .failed = failed
    };
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
    lock = schsm_backup_folder_lock(job->place.folder, err);
    if (lock < 0 || !begin(&saving, err) ||
        !schsm_device_find(job->device, &everything, &list, err) ||
        (!saving.goes_on && !check_names(&saving, &list, err))) {
        goto done;
    }
    /* from now on every file in the folder that has such a name is ours */
    ok = write_progress(&saving, err);
    for (size_t i = 0; ok && i < list.count; i++) {
        ok = save(&saving, &list.objects[i], err);
    }
    if (ok && *failed == 0) {
        for (size_t i = 0; i < manifest->count; i++) {
            manifest->complete = manifest->complete || schsm_backup_is_held(&manifest->entries[i]);
        }
    }
    ok = ok && schsm_backup_folder_write_manifest(job->place.folder, manifest, err);

done:
    schsm_object_list_clear(&list);
    schsm_manifest_clear(&saving.before);
    schsm_backup_folder_unlock(lock);
    return ok;
}
