/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backup of a whole device in a folder: a manifest (manifest.h), each key as a container under
 * the device's key encryption key (key_container.h, what sc-hsm-tool reads as well), certificates
 * in DER, data objects as they are. Every file is written whole or not at all, and the manifest
 * after each, so that whatever stops a backup, the same call goes on with it.
 */
#ifndef SCHSM_BACKUP_BACKUP_H
#define SCHSM_BACKUP_BACKUP_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "model/device.h"
#include "base/secret.h"
#include "backup_folder.h"

/* What becomes of an object, told as it happens. tell may be NULL. */
struct schsm_backup_log {
    void (*tell)(void *arg, const struct schsm_backup_entry *entry, const char *what);
    void *arg;
};

/*
 * Backs the device up into the folder, which is made where there is none. A folder with an
 * incomplete backup of the same device is completed; one with a complete backup is EXISTS, one of
 * another device WRONG_KEY. Private data is left out unless with_private_data: it would lie there
 * readable. What cannot be backed up is in the manifest with the reason; the call succeeds. The
 * manifest is the caller's to clear.
 */
int schsm_backup(struct schsm_device *device, const struct schsm_login *login, const char *folder,
                 bool with_private_data, const struct schsm_backup_log *log,
                 struct schsm_manifest *manifest, struct schsm_error *err);

/* What an entry's key is, opened with the key encryption key: one of the two is set. */
struct schsm_backup_key {
    EVP_PKEY *pair;              /* RSA, EC */
    struct schsm_secret *secret; /* AES */
};

void schsm_backup_key_clear(struct schsm_backup_key *key);

/*
 * Opens a key of the backup without a device: the container is authentic, the key is arithmetically
 * sound, and its public part is that of the certificate or request beside it. Fails with WRONG_KEY
 * for another key encryption key, naming both check values.
 */
int schsm_backup_open_key(OSSL_LIB_CTX *libctx, const char *folder,
                          const struct schsm_backup_entry *entry, const struct schsm_secret *dkek,
                          struct schsm_backup_key *key, struct schsm_error *err);

/* What restoring did. */
struct schsm_restored {
    size_t written; /* objects that were not on the device */
    size_t present; /* that were there already */
};

/*
 * Restores a checked backup. Before anything is written it refuses a device without the key
 * encryption key of the backup (WRONG_KEY, with its check value), and one where an id is taken by
 * another object (EXISTS). What is there already stays, so that the same call goes on after an
 * interruption. A key whose key reference is taken by another key gets a free one.
 */
int schsm_restore(struct schsm_device *device, const struct schsm_login *login, const char *folder,
                  const struct schsm_manifest *manifest, const struct schsm_backup_log *log,
                  struct schsm_restored *restored, struct schsm_error *err);

#endif
