/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a backup without a device. */
#include <openssl/x509.h>

#include "format/public_key.h"
#include "format/wrapped_key.h"
#include "backup.h"
#include "keymgmt/certificate.h"
#include "keymgmt/key_container.h"

void schsm_backup_key_clear(struct schsm_backup_key *key)
{
    EVP_PKEY_free(key->pair);
    schsm_secret_free(key->secret);
    *key = (struct schsm_backup_key){ NULL, NULL };
}

/* Whether the certificate or request beside a key is the key's. */
static int compare_public(OSSL_LIB_CTX *libctx, EVP_PKEY *pair,
                          const struct schsm_view *certificate, struct schsm_error *err)
{
    uint8_t *spki = NULL;
    size_t len = 0;
    EVP_PKEY *public_key = NULL;
    const uint8_t *at;
    int ok = 0;

    if (!schsm_public_key_from_ce(certificate->data, certificate->len, &spki, &len, err)) {
        return 0;
    }
    at = spki;
    public_key = d2i_PUBKEY_ex(NULL, &at, (long)len, libctx, NULL);
    if (public_key == NULL) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot read the public key beside it");
    } else if (!schsm_same_public_key(pair, public_key)) {
        schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                   "the certificate or request beside it is that of another key");
    } else {
        ok = 1;
    }
    EVP_PKEY_free(public_key);
    OPENSSL_free(spki);
    return ok;
}

static int open_container(OSSL_LIB_CTX *libctx, const struct schsm_key_container *container,
                          const struct schsm_backup_entry *entry, const struct schsm_secret *dkek,
                          struct schsm_backup_key *key, struct schsm_error *err)
{
    struct schsm_wrapped_key wrapped;

    if (!schsm_wrapped_key_parse(container->blob.data, container->blob.len, &wrapped, err) ||
        !schsm_wrapped_key_verify(libctx, &wrapped, dkek, err)) {
        return 0;
    }
    if (wrapped.type != entry->key_type) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "the file holds a key of another type than the manifest says");
    }
    if (wrapped.type == SCHSM_KEY_AES) {
        key->secret = schsm_wrapped_key_secret(libctx, &wrapped, dkek, err);
        return key->secret != NULL;
    }
    key->pair = schsm_wrapped_key_private(libctx, &wrapped, dkek, err);
    return key->pair != NULL && (container->certificate.len == 0 ||
                                 compare_public(libctx, key->pair, &container->certificate, err));
}

int schsm_backup_open_key(OSSL_LIB_CTX *libctx, const char *folder,
                          const struct schsm_backup_entry *entry, const struct schsm_secret *dkek,
                          struct schsm_backup_key *key, struct schsm_error *err)
{
    struct schsm_key_container container;
    uint8_t *content = NULL;
    size_t len = 0;
    char name[SCHSM_LABEL_MAX + 64];
    int ok = 0;

    *key = (struct schsm_backup_key){ NULL, NULL };
    if (!schsm_backup_folder_read(folder, entry, &content, &len, err)) {
        return 0;
    }
    ok = schsm_key_container_parse(content, len, &container, err) &&
         open_container(libctx, &container, entry, dkek, key, err);
    if (!ok) {
        schsm_backup_entry_name(entry, name, sizeof(name));
        schsm_fail_context(err, "%s in %s/%s", name, folder, entry->file);
        schsm_backup_key_clear(key);
    }
    OPENSSL_free(content);
    return ok;
}
