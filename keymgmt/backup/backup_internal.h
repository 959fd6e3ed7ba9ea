/* SPDX-License-Identifier: Apache-2.0 */
/* What backing up, restoring and checking share. */
#ifndef SCHSM_BACKUP_BACKUP_INTERNAL_H
#define SCHSM_BACKUP_BACKUP_INTERNAL_H

#include "backup.h"
#include "base/tlv.h"
#include "format/pkcs15.h"
#include "keymgmt/wrap_key.h"

/* Whether an entry can be restored from there, as schsm_backup_check_entry says of a folder. */
int schsm_backup_check_place(const struct schsm_backup_place *place,
                             const struct schsm_backup_entry *entry, struct schsm_error *err);

/* Whether a failure is one object's own, so that the others may do better. */
bool schsm_backup_is_objects_own(const struct schsm_error *err);

/* Tells the log, if there is one. */
void schsm_backup_tell(const struct schsm_backup_job *job, const struct schsm_backup_entry *entry,
                       const char *what, const char *reason);

/* The file of a key. Views point into it, or into its buffer: it is not to be copied. */
struct schsm_backup_key_file {
    uint8_t *content;
    struct schsm_wrapped_file wrapped;
    uint8_t buffer[SCHSM_PKCS15_MAX];
    struct schsm_view description; /* for the device: the file's, or one made of the manifest */
};

/* Reads it, and compares it with the manifest; to be cleared, also after failure. */
int schsm_backup_key_file_read(const struct schsm_backup_place *place,
                               const struct schsm_backup_entry *entry,
                               struct schsm_backup_key_file *file, struct schsm_error *err);
void schsm_backup_key_file_clear(struct schsm_backup_key_file *file);

/* Whether two contents of CExx (X.509 certificate, CV certificate, request) are of one key; false
 * where one of them is empty or cannot be read. */
bool schsm_backup_same_key(OSSL_LIB_CTX *libctx, struct schsm_view a, struct schsm_view b);

/* The same for a content and a SubjectPublicKeyInfo. */
bool schsm_backup_is_key_of(OSSL_LIB_CTX *libctx, struct schsm_view ce, struct schsm_view spki);

/* What is said of an object that is on the device already, where the backup has one certificate and
 * the device another: "there already, with a newer certificate". */
const char *schsm_backup_there_already(OSSL_LIB_CTX *libctx, struct schsm_view saved,
                                       struct schsm_view now);

#endif
