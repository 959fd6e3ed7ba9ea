/* SPDX-License-Identifier: Apache-2.0 */
/* From a folder onto the device. */
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_label.h"
#include "hsm/hsm_wrap.h"
#include "format/wrapped_key.h"
#include "backup.h"
#include "keymgmt/certificate.h"
#include "keymgmt/key_container.h"

#define EVERYTHING                                                                                 \
    (SCHSM_OBJECT_PRIVATE | SCHSM_OBJECT_SECRET | SCHSM_OBJECT_CERTIFICATE | SCHSM_OBJECT_DATA)

struct restoring {
    struct schsm_device *device;
    const struct schsm_login *login;
    const char *folder;
    const struct schsm_manifest *manifest;
    const struct schsm_backup_log *log;
    struct schsm_restored *restored;
    struct schsm_object_list there; /* what the device had at the beginning */
    bool *present;                  /* for each entry: the device has it */
};

static void tell_restored(const struct restoring *restoring, const struct schsm_backup_entry *entry,
                          const char *what)
{
    if (restoring->log != NULL && restoring->log->tell != NULL) {
        restoring->log->tell(restoring->log->arg, entry, what);
    }
}

/* --- before anything is written ------------------------------------------------------------ */

/* Each key's key encryption key must be there; the keys of a backup have few different ones. */
static int check_domains(const struct restoring *restoring, struct schsm_error *err)
{
    const struct schsm_manifest *manifest = restoring->manifest;
    const struct schsm_backup_entry *last = NULL;
    unsigned int domain = 0;

    for (size_t i = 0; i < manifest->count; i++) {
        const struct schsm_backup_entry *entry = &manifest->entries[i];

        if (entry->kind != SCHSM_BACKUP_KEY || entry->file[0] == '\0' ||
            (last != NULL && memcmp(last->kcv, entry->kcv, sizeof(entry->kcv)) == 0)) {
            continue;
        }
        if (!schsm_hsm_find_kek_by_login(restoring->device, entry->kcv, restoring->login, &domain,
                                         err)) {
            return schsm_fail_context(err, "nothing was written");
        }
        last = entry;
    }
    return 1;
}

static bool same_id(const struct schsm_backup_entry *entry, const struct schsm_object *object)
{
    return entry->id_len == object->id_len && entry->id_len > 0 &&
           memcmp(entry->id, object->id, entry->id_len) == 0;
}

static bool is_private_or_secret(const struct schsm_object *object)
{
    return object->type == SCHSM_OBJECT_PRIVATE || object->type == SCHSM_OBJECT_SECRET;
}

/* Whether the key on the device is the one in the container. Secret keys cannot be compared: there
 * id and label, which are checked before, have to do. */
static int holds_saved_key(const struct restoring *restoring,
                           const struct schsm_backup_entry *entry,
                           const struct schsm_object *object, bool *same, struct schsm_error *err)
{
    struct schsm_hsm_wrapped now = { 0 };
    struct schsm_key_container container;
    uint8_t *content = NULL;
    size_t len = 0;
    int ok = schsm_backup_folder_read(restoring->folder, entry, &content, &len, err) &&
             schsm_key_container_parse(content, len, &container, err) &&
             schsm_hsm_read_companions(restoring->device, object->key_ref, &now, err);

    if (ok) {
        *same = container.certificate.len == now.certificate_len &&
                (now.certificate_len == 0 ||
                 memcmp(container.certificate.data, now.certificate, now.certificate_len) == 0);
    }
    schsm_hsm_wrapped_clear(&now);
    OPENSSL_free(content);
    return ok;
}

static int fail_taken(const struct schsm_backup_entry *entry, const struct schsm_object *object,
                      struct schsm_error *err)
{
    char name[SCHSM_LABEL_MAX + 64];

    schsm_backup_entry_name(entry, name, sizeof(name));
    return schsm_fail(err, SCHSM_REASON_EXISTS,
                      "nothing was written: the id of the backup's %s is taken by another "
                      "object%s%s%s on the device: delete that, or restore onto an empty device",
                      name, object->label[0] != '\0' ? ", '" : "", object->label,
                      object->label[0] != '\0' ? "'," : "");
}

static int compare_key(const struct restoring *restoring, const struct schsm_backup_entry *entry,
                       bool *present, struct schsm_error *err)
{
    for (size_t i = 0; i < restoring->there.count; i++) {
        const struct schsm_object *object = &restoring->there.objects[i];
        bool same = false;

        if (!is_private_or_secret(object) || !same_id(entry, object)) {
            continue;
        }
        if (object->key_type == entry->key_type &&
            schsm_manifest_writes(object->label, entry->label) &&
            !holds_saved_key(restoring, entry, object, &same, err)) {
            return 0;
        }
        if (!same) {
            return fail_taken(entry, object, err);
        }
        *present = true;
    }
    return 1;
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

/* Certificates and data are compared by their content. */
static int compare_content(const struct restoring *restoring,
                           const struct schsm_backup_entry *entry, bool *present,
                           struct schsm_error *err)
{
    uint8_t *content = NULL;
    size_t len = 0;
    int ok = schsm_backup_folder_read(restoring->folder, entry, &content, &len, err);

    for (size_t i = 0; ok && !*present && i < restoring->there.count; i++) {
        struct schsm_object *object = &restoring->there.objects[i];

        if (!may_be(entry, object)) {
            continue;
        }
        ok = schsm_device_read(restoring->device, object, restoring->login, err);
        *present = ok && object->value_len == len && memcmp(object->value, content, len) == 0;
        if (ok && !*present && entry->kind == SCHSM_BACKUP_CERTIFICATE && same_id(entry, object)) {
            ok = fail_taken(entry, object, err);
        }
    }
    OPENSSL_clear_free(content, len); /* private data, perhaps */
    return ok;
}

static int compare_with_device(struct restoring *restoring, struct schsm_error *err)
{
    int ok = 1;

    for (size_t i = 0; ok && i < restoring->manifest->count; i++) {
        const struct schsm_backup_entry *entry = &restoring->manifest->entries[i];

        if (entry->file[0] == '\0') {
            continue;
        }
        ok = entry->kind == SCHSM_BACKUP_KEY
                 ? compare_key(restoring, entry, &restoring->present[i], err)
                 : compare_content(restoring, entry, &restoring->present[i], err);
    }
    return ok;
}

/* --- writing --------------------------------------------------------------------------------- */

static bool key_ref_is_taken(const struct restoring *restoring, int key_ref)
{
    for (size_t i = 0; i < restoring->there.count; i++) {
        if (is_private_or_secret(&restoring->there.objects[i]) &&
            restoring->there.objects[i].key_ref == key_ref) {
            return true;
        }
    }
    return false;
}

static int unwrap(const struct restoring *restoring, const struct schsm_backup_entry *entry,
                  const struct schsm_key_container *container, unsigned int *key_ref,
                  struct schsm_error *err)
{
    /* The reference that the key had, unless another key has it now. */
    const struct schsm_hsm_place place = {
        .key_ref = key_ref_is_taken(restoring, entry->key_ref) ? -1 : entry->key_ref,
        .id = entry->id_len > 0 ? entry->id : NULL,
        .id_len = entry->id_len,
        .id_is_free = true, /* compare_with_device() saw to that */
    };
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len = 0;

    if (!schsm_hsm_place_key(restoring->device, &place, key_ref, id, &id_len, err)) {
        return 0;
    }
    const struct schsm_hsm_unwrap spec = { .key_ref = *key_ref,
                                           .blob = container->blob,
                                           .description = container->description,
                                           .certificate = container->certificate };

    return schsm_hsm_unwrap_key(restoring->device, &spec, restoring->login, err);
}

static int restore_key(const struct restoring *restoring, const struct schsm_backup_entry *entry,
                       struct schsm_error *err)
{
    struct schsm_key_container container;
    uint8_t *content = NULL;
    size_t len = 0;
    unsigned int key_ref = 0;
    char what[48] = "restored";
    int ok = schsm_backup_folder_read(restoring->folder, entry, &content, &len, err) &&
             schsm_key_container_parse(content, len, &container, err);

    if (ok && container.description.len == 0) {
        ok = schsm_fail(err, SCHSM_REASON_FILE, "%s/%s lacks the key's description",
                        restoring->folder, entry->file);
    }
    ok = ok && unwrap(restoring, entry, &container, &key_ref, err);
    if (ok) {
        if ((int)key_ref != entry->key_ref) {
            (void)snprintf(what, sizeof(what), "restored as key reference %u", key_ref);
        }
        tell_restored(restoring, entry, what);
    }
    OPENSSL_free(content);
    return ok;
}

/* The id that the certificate had, or one of its own where nobody had described it. */
static int certificate_id(const struct schsm_backup_entry *entry, const uint8_t *der, size_t len,
                          uint8_t id[SCHSM_ID_MAX], size_t *id_len, struct schsm_error *err)
{
    X509 *certificate;
    int ok;

    if (entry->id_len > 0) {
        memcpy(id, entry->id, entry->id_len);
        *id_len = entry->id_len;
        return 1;
    }
    certificate = d2i_X509(NULL, &der, (long)len);
    ERR_clear_error();
    ok = certificate != NULL
             ? schsm_certificate_id(certificate, id, id_len, err)
             : schsm_fail(err, SCHSM_REASON_FILE, "%s is no certificate", entry->file);
    X509_free(certificate);
    return ok;
}

static int restore_content(const struct restoring *restoring,
                           const struct schsm_backup_entry *entry, struct schsm_error *err)
{
    struct schsm_object stored = { 0 };
    uint8_t id[SCHSM_ID_MAX], *content = NULL;
    size_t len = 0;
    int ok = schsm_backup_folder_read(restoring->folder, entry, &content, &len, err);

    if (ok) {
        struct schsm_store spec = { .type = entry->kind == SCHSM_BACKUP_CERTIFICATE
                                                ? SCHSM_OBJECT_CERTIFICATE
                                                : SCHSM_OBJECT_DATA,
                                    .label = entry->label,
                                    .application = entry->application,
                                    .private_data = entry->private_data,
                                    .value = content,
                                    .value_len = len };

        if (entry->kind == SCHSM_BACKUP_CERTIFICATE) {
            spec.id = id;
            ok = certificate_id(entry, content, len, id, &spec.id_len, err);
        }
        ok = ok && schsm_device_store(restoring->device, &spec, restoring->login, &stored, err);
    }
    if (ok) {
        tell_restored(restoring, entry, "restored");
    }
    schsm_object_clear(&stored);
    OPENSSL_clear_free(content, len);
    return ok;
}

static int write_entries(struct restoring *restoring, struct schsm_error *err)
{
    for (size_t i = 0; i < restoring->manifest->count; i++) {
        const struct schsm_backup_entry *entry = &restoring->manifest->entries[i];

        if (entry->file[0] == '\0') {
            continue;
        }
        if (restoring->present[i]) {
            restoring->restored->present++;
            tell_restored(restoring, entry, "there already");
            continue;
        }
        if (!(entry->kind == SCHSM_BACKUP_KEY ? restore_key(restoring, entry, err)
                                              : restore_content(restoring, entry, err))) {
            return schsm_fail_context(err, "%zu objects are restored; run the same again to go on",
                                      restoring->restored->written);
        }
        restoring->restored->written++;
    }
    return 1;
}

int schsm_restore(struct schsm_device *device, const struct schsm_login *login, const char *folder,
                  const struct schsm_manifest *manifest, const struct schsm_backup_log *log,
                  struct schsm_restored *restored, struct schsm_error *err)
{
    const struct schsm_object_filter everything = { .types = EVERYTHING, .key_ref = -1 };
    struct restoring restoring = { .device = device,
                                   .login = login,
                                   .folder = folder,
                                   .manifest = manifest,
                                   .log = log,
                                   .restored = restored };
    struct schsm_device_info info;
    int ok = 0;

    memset(restored, 0, sizeof(*restored));
    if (!schsm_hsm_wraps_keys(device, err) || !check_domains(&restoring, err) ||
        !schsm_device_login(device, login, err) ||
        !schsm_device_find(device, &everything, &restoring.there, err)) {
        goto done;
    }
    restoring.present = OPENSSL_zalloc((manifest->count + 1) * sizeof(restoring.present[0]));
    if (restoring.present == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    ok = compare_with_device(&restoring, err) && write_entries(&restoring, err) &&
         schsm_device_info(device, &info, err) &&
         (info.label[0] != '\0' || manifest->label[0] == '\0' ||
          schsm_hsm_set_label(device, manifest->label, login, err));

done:
    schsm_object_list_clear(&restoring.there);
    OPENSSL_free(restoring.present);
    return ok;
}
