/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a backup, and of lone files, without a device. */
#include <openssl/crypto.h>

#include "backup_internal.h"
#include "format/public_key.h"
#include "format/same_key.h"
#include "keymgmt/file.h"

void schsm_backup_key_clear(struct schsm_backup_key *key)
{
    EVP_PKEY_free(key->pair);
    schsm_secret_free(key->secret);
    *key = (struct schsm_backup_key){ NULL, NULL };
}

/* Whether the certificate or request beside a key is the key's. */
static int compare_public(OSSL_LIB_CTX *libctx, EVP_PKEY *pair, struct schsm_view certificate,
                          struct schsm_error *err)
{
    uint8_t *spki = NULL;
    size_t len = 0;
    int ok = 1;

    if (!schsm_public_key_from_ce(certificate.data, certificate.len, &spki, &len, err)) {
        return 0;
    }
    if (!schsm_public_key_is(libctx, spki, len, pair)) {
        ok = schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                        "the certificate or request beside it is that of another key");
    }
    OPENSSL_free(spki);
    return ok;
}

static int open_wrapped(OSSL_LIB_CTX *libctx, const struct schsm_wrapped_file *file,
                        const struct schsm_secret *dkek, struct schsm_backup_key *key,
                        struct schsm_error *err)
{
    struct schsm_view certificate = file->container.certificate;

    if (!schsm_wrapped_key_verify(libctx, &file->key, dkek, err)) {
        return 0;
    }
    if (file->key.type == SCHSM_KEY_AES) {
        key->secret = schsm_wrapped_key_secret(libctx, &file->key, dkek, err);
        return key->secret != NULL;
    }
    key->pair = schsm_wrapped_key_private(libctx, &file->key, dkek, err);
    return key->pair != NULL &&
           (certificate.len == 0 || compare_public(libctx, key->pair, certificate, err));
}

int schsm_backup_open_key(OSSL_LIB_CTX *libctx, const char *folder,
                          const struct schsm_backup_entry *entry, const struct schsm_secret *dkek,
                          struct schsm_backup_key *key, struct schsm_error *err)
{
    const struct schsm_backup_place place = { folder, NULL };
    struct schsm_backup_key_file file;
    char name[SCHSM_LABEL_MAX + 64];
    int ok = schsm_backup_key_file_read(&place, entry, &file, err);

    *key = (struct schsm_backup_key){ NULL, NULL };
    if (ok && !open_wrapped(libctx, &file.wrapped, dkek, key, err)) {
        schsm_backup_entry_name(entry, name, sizeof(name));
        ok = schsm_fail_context(err, "%s in %s/%s", name, folder, entry->file);
        schsm_backup_key_clear(key);
    }
    schsm_backup_key_file_clear(&file);
    return ok;
}

int schsm_backup_open_file(OSSL_LIB_CTX *libctx, const char *path, const struct schsm_secret *dkek,
                           struct schsm_backup_key *key, struct schsm_error *err)
{
    struct schsm_wrapped_file file;
    uint8_t *content = NULL;
    size_t len = 0;
    int ok;

    *key = (struct schsm_backup_key){ NULL, NULL };
    if (!schsm_file_read(path, SCHSM_KEY_CONTAINER_MAX, &content, &len, err)) {
        return 0;
    }
    ok = schsm_wrapped_file_read(content, len, &file, err) &&
         open_wrapped(libctx, &file, dkek, key, err);
    if (!ok) {
        schsm_fail_context(err, "%s", path);
        schsm_backup_key_clear(key);
    }
    OPENSSL_free(content);
    return ok;
}
