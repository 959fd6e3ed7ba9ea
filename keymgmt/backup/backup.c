/* SPDX-License-Identifier: Apache-2.0 */
/* From the device into a folder. */
#include "backup.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "hsm/hsm_wrap.h"
#include "format/ecx.h"
#include "format/pkcs15.h"
#include "format/wrapped_key.h"
#include "keymgmt/key_container.h"

#define SAVED                                                                                      \
    (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_SECRET | SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_DATA)

struct backup {
    struct schsm_device *device;
    const struct schsm_login *login;
    const char *folder;
    bool with_private_data;
    const struct schsm_backup_log *log;
    struct schsm_manifest *manifest; /* as it grows */
    struct schsm_manifest before;    /* of a backup that was interrupted */
};

static void tell_saved(const struct backup *backup, const struct schsm_backup_entry *entry,
                       const char *what)
{
    if (backup->log != NULL && backup->log->tell != NULL) {
        backup->log->tell(backup->log->arg, entry, what);
    }
}

/* What the manifest says of an object, all but its file. */
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
        (void)snprintf(entry->file, sizeof(entry->file), "certificate-%02x.der",
                       object->handle & 0xFF);
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

static void leave_out(struct schsm_backup_entry *entry, const char *reason)
{
    entry->file[0] = '\0';
    (void)OPENSSL_strlcpy(entry->reason, reason, sizeof(entry->reason));
}

/* What an earlier run has already in the folder under this name, undamaged; false: nothing. */
static bool find_before(const struct backup *backup, const char *file,
                        struct schsm_backup_entry *found, uint8_t **content, size_t *len)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    for (size_t i = 0; i < backup->before.count; i++) {
        if (strcmp(backup->before.entries[i].file, file) == 0) {
            *found = backup->before.entries[i];
            return schsm_backup_folder_read(backup->folder, found, content, len, &ignored) != 0;
        }
    }
    return false;
}

/* Whether a container of an earlier run holds the key that is on the device now: what lies beside
 * a key pair, its request or certificate, is made anew with each key. */
static bool container_holds(const uint8_t *content, size_t len, const struct schsm_hsm_wrapped *now)
{
    struct schsm_key_container container;
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    return schsm_key_container_parse(content, len, &container, &ignored) &&
           container.certificate.len > 0 && container.certificate.len <= now->certificate_len &&
           memcmp(container.certificate.data, now->certificate, container.certificate.len) == 0 &&
           container.description.len <= now->description_len &&
           memcmp(container.description.data, now->description, container.description.len) == 0;
}

/* A description for a key that has none. */
static int make_description(const struct schsm_backup_entry *entry, uint8_t *out, size_t *len,
                            struct schsm_error *err)
{
    struct schsm_pkcs15_key description = { .type = entry->key_type,
                                            .id_len = entry->id_len,
                                            .bits = entry->bits };

    memcpy(description.id, entry->id, entry->id_len);
    return schsm_pkcs15_encode_key(&description, out, len, err);
}

static int write_container(struct backup *backup, const struct schsm_hsm_wrapped *wrapped,
                           struct schsm_backup_entry *entry, struct schsm_error *err)
{
    struct schsm_key_container container = {
        .blob = { wrapped->blob, wrapped->blob_len },
        .description = { wrapped->description, wrapped->description_len },
        .certificate = { wrapped->certificate, wrapped->certificate_len },
    };
    struct schsm_wrapped_key header;
    uint8_t description[SCHSM_PKCS15_MAX];
    size_t description_len = sizeof(description);
    uint8_t *file = NULL;
    size_t len = 0;
    int ok = schsm_wrapped_key_parse(wrapped->blob, wrapped->blob_len, &header, err);

    if (ok) {
        memcpy(entry->kcv, header.kcv, sizeof(entry->kcv));
        entry->key_type = header.type;
    }
    if (ok && wrapped->description_len == 0) {
        ok = make_description(entry, description, &description_len, err);
        container.description = (struct schsm_view){ description, description_len };
    }
    ok = ok && schsm_key_container_build(&container, &file, &len, err) &&
         schsm_backup_folder_write(backup->folder, entry, file, len, err);
    OPENSSL_free(file);
    return ok;
}

/* Refusals of the device that concern this key alone; everything else ends the backup. */
static bool key_stays(const struct schsm_error *err)
{
    return err->reason == SCHSM_REASON_NOT_PERMITTED || err->reason == SCHSM_REASON_UNSUPPORTED;
}

static int save_key(struct backup *backup, struct schsm_backup_entry *entry,
                    struct schsm_error *err)
{
    struct schsm_hsm_wrapped wrapped = { 0 };
    struct schsm_error refusal = SCHSM_ERROR_INIT;
    struct schsm_backup_entry before;
    uint8_t *content = NULL;
    size_t len = 0;
    int ok = 1;

    if (schsm_ecx_by_type(entry->key_type) != NULL) {
        leave_out(entry, SCHSM_ECX_STAYS);
        tell_saved(backup, entry, "NOT SAVED");
        return 1;
    }
    if (find_before(backup, entry->file, &before, &content, &len) &&
        schsm_hsm_read_companions(backup->device, entry->key_ref, &wrapped, &refusal) &&
        container_holds(content, len, &wrapped)) {
        *entry = before;
        tell_saved(backup, entry, "there already");
        goto done;
    }
    schsm_hsm_wrapped_clear(&wrapped);
    if (schsm_hsm_wrap_key(backup->device, entry->key_ref, backup->login, &wrapped, &refusal)) {
        ok = write_container(backup, &wrapped, entry, err);
        if (ok) {
            tell_saved(backup, entry, "saved");
        }
    } else if (key_stays(&refusal)) {
        leave_out(entry, refusal.text);
        tell_saved(backup, entry, "NOT SAVED");
    } else {
        *err = refusal;
        ok = 0;
    }

done:
    schsm_hsm_wrapped_clear(&wrapped);
    OPENSSL_free(content);
    return ok;
}

static int save_content(struct backup *backup, struct schsm_object *object,
                        struct schsm_backup_entry *entry, struct schsm_error *err)
{
    if (entry->private_data && !backup->with_private_data) {
        leave_out(entry, "it is private data, and a backup would hold it readable");
        tell_saved(backup, entry, "NOT SAVED");
        return 1;
    }
    if (!schsm_device_read(backup->device, object, backup->login, err)) {
        return 0;
    }
    if (object->value_len == 0) {
        leave_out(entry, "it is empty");
        tell_saved(backup, entry, "NOT SAVED");
        return 1;
    }
    if (!schsm_backup_folder_write(backup->folder, entry, object->value, object->value_len, err)) {
        return 0;
    }
    tell_saved(backup, entry, "saved");
    return 1;
}

/* The manifest is written after each object: what it names is whole. */
static int save(struct backup *backup, struct schsm_object *object, struct schsm_error *err)
{
    struct schsm_backup_entry entry;

    describe_entry(object, &entry);
    return (entry.kind == SCHSM_BACKUP_KEY ? save_key(backup, &entry, err)
                                           : save_content(backup, object, &entry, err)) &&
           schsm_manifest_add(backup->manifest, &entry, err) &&
           schsm_backup_folder_write_manifest(backup->folder, backup->manifest, err);
}

/* A key's certificate is in the key's container. */
static bool is_saved_with_key(const struct schsm_object *object)
{
    return object->type == SCHSM_OBJECT_CERTIFICATE && object->key_ref >= 0;
}

static int begin(struct backup *backup, struct schsm_error *err)
{
    struct schsm_manifest *manifest = backup->manifest;
    struct schsm_device_info info;
    time_t now = time(NULL);
    struct tm utc;

    if (!schsm_device_info(backup->device, &info, err)) {
        return 0;
    }
    if (schsm_backup_folder_has_manifest(backup->folder)) {
        if (!schsm_backup_folder_read_manifest(backup->folder, &backup->before, err)) {
            return 0;
        }
        if (strcmp(backup->before.serial, info.serial) != 0) {
            return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                              "%s holds a backup of device %s, and this is %s: name another folder",
                              backup->folder, backup->before.serial, info.serial);
        }
        if (backup->before.complete) {
            return schsm_fail(err, SCHSM_REASON_EXISTS,
                              "%s holds the complete backup of %s: name another folder",
                              backup->folder, backup->before.created);
        }
    }
    memset(manifest, 0, sizeof(*manifest));
    (void)snprintf(manifest->serial, sizeof(manifest->serial), "%s", info.serial);
    (void)snprintf(manifest->label, sizeof(manifest->label), "%s", info.label);
    if (gmtime_r(&now, &utc) != NULL) {
        (void)strftime(manifest->created, sizeof(manifest->created), "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    return 1;
}

int schsm_backup(struct schsm_device *device, const struct schsm_login *login, const char *folder,
                 bool with_private_data, const struct schsm_backup_log *log,
                 struct schsm_manifest *manifest, struct schsm_error *err)
{
    const struct schsm_object_filter everything = { .types = SAVED, .key_ref = -1 };
    struct backup backup = { .device = device,
                             .login = login,
                             .folder = folder,
                             .with_private_data = with_private_data,
                             .log = log,
                             .manifest = manifest };
    struct schsm_object_list list = { NULL, 0 };
    int lock = -1;
    int ok = 0;

    memset(manifest, 0, sizeof(*manifest));
    /* A wrong PIN leaves no folder behind. */
    if (!schsm_hsm_wraps_keys(device, err) || !schsm_device_login(device, login, err)) {
        return 0;
    }
    lock = schsm_backup_folder_lock(folder, err);
    if (lock < 0 || !begin(&backup, err) || !schsm_device_find(device, &everything, &list, err)) {
        goto done;
    }
    ok = 1;
    for (size_t i = 0; ok && i < list.count; i++) {
        if (!is_saved_with_key(&list.objects[i])) {
            ok = save(&backup, &list.objects[i], err);
        }
    }
    if (ok) {
        manifest->complete = true;
        ok = schsm_backup_folder_write_manifest(folder, manifest, err);
    }

done:
    schsm_object_list_clear(&list);
    schsm_manifest_clear(&backup.before);
    schsm_backup_folder_unlock(lock);
    return ok;
}
