/* SPDX-License-Identifier: Apache-2.0 */
/* One object of a backup: its file, and whether a device has it. */
#include "backup_internal.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "format/public_key.h"
#include "format/same_key.h"

bool schsm_backup_is_objects_own(const struct schsm_error *err)
{
    switch (err->reason) {
    case SCHSM_REASON_NOT_FOUND:
    case SCHSM_REASON_EXISTS:
    case SCHSM_REASON_WRONG_KEY:
    case SCHSM_REASON_NO_PUBLIC_KEY:
    case SCHSM_REASON_NOT_PERMITTED:
    case SCHSM_REASON_USE_COUNTER:
    case SCHSM_REASON_UNSUPPORTED:
    case SCHSM_REASON_BAD_INPUT:
    case SCHSM_REASON_DEVICE_DATA:
    case SCHSM_REASON_DEVICE:
    case SCHSM_REASON_ARGUMENT:
    case SCHSM_REASON_CRYPTO:
    case SCHSM_REASON_FILE:
        return true;
    default: /* no device, no PIN, no room, no memory */
        return false;
    }
}

void schsm_backup_tell(const struct schsm_backup_job *job, const struct schsm_backup_entry *entry,
                       const char *what, const char *reason)
{
    if (job->log.tell != NULL) {
        job->log.tell(job->log.arg, entry, what, reason);
    }
}

/* --- files ----------------------------------------------------------------------------------- */

static int compare_with_manifest(const struct schsm_backup_entry *entry,
                                 const struct schsm_wrapped_file *wrapped, struct schsm_error *err)
{
    if (entry->key_type != SCHSM_KEY_NONE && wrapped->key.type != entry->key_type) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "the file holds a key of another type than the manifest says");
    }
    if (memcmp(wrapped->key.kcv, entry->kcv, sizeof(entry->kcv)) != 0) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "the file holds a key that is encrypted under another key encryption key "
                          "than the manifest says");
    }
    return 1;
}

int schsm_backup_key_file_read(const struct schsm_backup_place *place,
                               const struct schsm_backup_entry *entry,
                               struct schsm_backup_key_file *file, struct schsm_error *err)
{
    struct schsm_pkcs15_key named = { .bits = entry->bits, .id_len = entry->id_len };
    size_t len = 0;

    memset(file, 0, sizeof(*file));
    if (!schsm_backup_place_read(place, entry, &file->content, &len, err)) {
        return 0;
    }
    memcpy(named.id, entry->id, entry->id_len);
    if (named.id_len == 0) {
        named.id[0] = (uint8_t)entry->key_ref;
        named.id_len = 1;
    }
    (void)OPENSSL_strlcpy(named.label, entry->label, sizeof(named.label));
    return (schsm_wrapped_file_read(file->content, len, &file->wrapped, err) &&
            compare_with_manifest(entry, &file->wrapped, err) &&
            schsm_wrapped_file_describe(&file->wrapped, &named, file->buffer, &file->description,
                                        err)) ||
           schsm_backup_place_context(place, entry, err);
}

void schsm_backup_key_file_clear(struct schsm_backup_key_file *file)
{
    OPENSSL_free(file->content);
    memset(file, 0, sizeof(*file));
}

int schsm_backup_check_place(const struct schsm_backup_place *place,
                             const struct schsm_backup_entry *entry, struct schsm_error *err)
{
    struct schsm_backup_key_file file;
    uint8_t *content = NULL;
    size_t len = 0;
    int ok;

    if (entry->kind == SCHSM_BACKUP_KEY) {
        ok = schsm_backup_key_file_read(place, entry, &file, err);
        schsm_backup_key_file_clear(&file);
        return ok;
    }
    ok = schsm_backup_place_read(place, entry, &content, &len, err);
    if (ok && len == 0) {
        schsm_fail(err, SCHSM_REASON_FILE, "it is empty");
        ok = schsm_backup_place_context(place, entry, err);
    }
    OPENSSL_clear_free(content, len); /* private data, perhaps */
    return ok;
}

int schsm_backup_check_entry(const char *folder, const struct schsm_backup_entry *entry,
                             struct schsm_error *err)
{
    const struct schsm_backup_place place = { folder, NULL };

    return schsm_backup_check_place(&place, entry, err);
}

/* --- the same key ---------------------------------------------------------------------------- */

bool schsm_backup_is_key_of(OSSL_LIB_CTX *libctx, struct schsm_view ce, struct schsm_view spki)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    const uint8_t *at = spki.data;
    uint8_t *public_key = NULL;
    EVP_PKEY *key = NULL;
    size_t len = 0;
    bool same = false;

    if (ce.len == 0 || spki.len == 0 ||
        !schsm_public_key_from_ce(ce.data, ce.len, &public_key, &len, &ignored)) {
        return false;
    }
    (void)ERR_set_mark();
    key = d2i_PUBKEY_ex(NULL, &at, (long)spki.len, libctx, NULL);
    same = key != NULL && schsm_public_key_is(libctx, public_key, len, key);
    (void)ERR_pop_to_mark();
    EVP_PKEY_free(key);
    OPENSSL_free(public_key);
    return same;
}

bool schsm_backup_same_key(OSSL_LIB_CTX *libctx, struct schsm_view a, struct schsm_view b)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    uint8_t *public_key = NULL;
    size_t len = 0;
    bool same = a.len > 0 && schsm_public_key_from_ce(a.data, a.len, &public_key, &len, &ignored) &&
                schsm_backup_is_key_of(libctx, b, (struct schsm_view){ public_key, len });

    OPENSSL_free(public_key);
    return same;
}

static X509 *read_x509(OSSL_LIB_CTX *libctx, struct schsm_view content)
{
    X509 *certificate = X509_new_ex(libctx, NULL);
    const uint8_t *at = content.data;

    if (certificate != NULL && content.len > 0 &&
        d2i_X509(&certificate, &at, (long)content.len) != NULL) {
        return certificate;
    }
    X509_free(certificate);
    return NULL;
}

const char *schsm_backup_there_already(OSSL_LIB_CTX *libctx, struct schsm_view saved,
                                       struct schsm_view now)
{
    X509 *old, *present;
    const char *text = "there already";
    int age;

    (void)ERR_set_mark();
    old = read_x509(libctx, saved);
    present = read_x509(libctx, now);
    if (present == NULL) {
        text = old != NULL ? "there already, without its certificate" : text;
    } else if (old == NULL) {
        text = "there already, with a newer certificate";
    } else if (X509_cmp(old, present) != 0) {
        age = ASN1_TIME_compare(X509_get0_notBefore(present), X509_get0_notBefore(old));
        text = age > 0   ? "there already, with a newer certificate"
               : age < 0 ? "there already, with an older certificate"
                         : "there already, with another certificate";
    }
    X509_free(present);
    X509_free(old);
    (void)ERR_pop_to_mark();
    return text;
}
