/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backup of a whole device in a folder: a manifest (manifest.h), each key as a container under
 * the device's key encryption key (key_container.h, what sc-hsm-tool reads as well), certificates
 * in DER, data objects as they are. Every file is written whole or not at all, and the manifest
 * after each, so that whatever stops a backup, the same call goes on with it.
 *
 * One object that cannot be saved or restored stops no other: it is told, and counted.
 */
#ifndef SCHSM_BACKUP_BACKUP_H
#define SCHSM_BACKUP_BACKUP_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "model/device.h"
#include "base/secret.h"
#include "backup_folder.h"
#include "backup_place.h"

/* What becomes of an object, told as it happens: "saved". reason: why it was left out or failed,
 * NULL where it was not. tell may be NULL. */
struct schsm_backup_log {
    void (*tell)(void *arg, const struct schsm_backup_entry *entry, const char *what,
                 const char *reason);
    void *arg;
};

/* `what` of an object that failed to be restored, or copied. */
#define SCHSM_RESTORE_FAILED "NOT RESTORED"
#define SCHSM_COPY_FAILED "NOT COPIED"

/* A device, and the place of its backup. */
struct schsm_backup_job {
    OSSL_LIB_CTX *libctx; /* where host cryptography is done */
    struct schsm_device *device;
    const struct schsm_login *login;
    struct schsm_backup_place place;
    struct schsm_backup_log log;
};

struct schsm_backup_wishes {
    bool private_data; /* save it too: it lies in the folder readable */
    bool counted_keys; /* save keys with a use counter too, which takes one use of each */
};

/*
 * Backs the device up into the folder, which is made where there is none. A folder with an
 * incomplete backup of the same device is completed; one with a complete backup is EXISTS, one of
 * another device WRONG_KEY, one with a file of somebody else's that has a name of the backup's
 * EXISTS. What is not to leave the device is in the manifest with the reason. What could not be
 * saved is so as well, and counted in *failed; the backup is then not complete. The call succeeds
 * all the same. The manifest is the caller's to clear.
 */
int schsm_backup(const struct schsm_backup_job *job, const struct schsm_backup_wishes *wishes,
                 struct schsm_manifest *manifest, size_t *failed, struct schsm_error *err);

/*
 * Whether an entry's file can be restored, as far as that shows without a device and without
 * shares: it is the one that the manifest describes, and its key, if it holds one, is what the
 * manifest says. Fails with FILE or BAD_INPUT.
 */
int schsm_backup_check_entry(const char *folder, const struct schsm_backup_entry *entry,
                             struct schsm_error *err);

/* What an entry's key is, opened with the key encryption key: one of the two is set. */
struct schsm_backup_key {
    EVP_PKEY *pair;              /* RSA, EC */
    struct schsm_secret *secret; /* AES */
};

void schsm_backup_key_clear(struct schsm_backup_key *key);

/*
 * Opens a key of the backup without a device: what schsm_backup_check_entry asks, the container is
 * authentic, the key is arithmetically sound, and its public part is that of the certificate or
 * request beside it. Fails with WRONG_KEY for another key encryption key, naming both check values.
 */
int schsm_backup_open_key(OSSL_LIB_CTX *libctx, const char *folder,
                          const struct schsm_backup_entry *entry, const struct schsm_secret *dkek,
                          struct schsm_backup_key *key, struct schsm_error *err);

/* The same for a file that belongs to no backup: a container as wrap, sc-hsm-tool and the Key
 * Manager write it, or a bare blob. */
int schsm_backup_open_file(OSSL_LIB_CTX *libctx, const char *path, const struct schsm_secret *dkek,
                           struct schsm_backup_key *key, struct schsm_error *err);

/* What restoring did. */
struct schsm_restored {
    size_t written;  /* objects that were not on the device */
    size_t present;  /* that were there already */
    size_t left_out; /* certificates whose key is neither in the backup nor on the device */
    size_t failed;
};

/*
 * Restores what a manifest names. Before anything is written it refuses a device without the key
 * encryption keys of the backup (WRONG_KEY, with the check value), and one where an id is taken by
 * another object (EXISTS). What is there already stays, so that the same call goes on after an
 * interruption; key pairs are known by their public key, whatever certificate they have by now. A
 * key whose key reference is taken gets a free one. A file that is damaged, or an object that the
 * device does not take, is told and counted, and the call succeeds.
 */
int schsm_restore(const struct schsm_backup_job *job, const struct schsm_manifest *manifest,
                  struct schsm_restored *restored, struct schsm_error *err);

#endif
