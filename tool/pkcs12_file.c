/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs12_file.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>

#include "format/same_key.h"

#define KEYS_MAX 64
#define DEPTH_MAX 4 /* of bags within bags */

struct named_key {
    EVP_PKEY *key; /* NULL: of a type that libcrypto does not know */
    char *name;    /* NULL: has none */
};

/* What is gathered from a file. */
struct gathered {
    OSSL_LIB_CTX *libctx;
    const char *password; /* NULL: none */
    int password_len;
    struct named_key keys[KEYS_MAX];
    size_t count;
    STACK_OF(X509) * certificates;
    bool locked; /* something did not open with this password */
};

static void gathered_clear(struct gathered *gathered)
{
    while (gathered->count > 0) {
        struct named_key *key = &gathered->keys[--gathered->count];

        EVP_PKEY_free(key->key);
        OPENSSL_free(key->name);
    }
    sk_X509_pop_free(gathered->certificates, X509_free);
    gathered->certificates = NULL;
}

PKCS12 *schsm_pkcs12_parse(OSSL_LIB_CTX *libctx, const uint8_t *content, size_t len)
{
    BIO *in = BIO_new_mem_buf(content, (int)len);
    PKCS12 *pkcs12 = PKCS12_init_ex(NID_pkcs7_data, libctx, NULL);

    if (in == NULL || pkcs12 == NULL || d2i_PKCS12_bio(in, &pkcs12) == NULL) {
        PKCS12_free(pkcs12); /* NULL after a failure to read */
        pkcs12 = NULL;
    }
    BIO_free(in);
    return pkcs12;
}

static int add_key(struct gathered *gathered, const PKCS12_SAFEBAG *bag,
                   const PKCS8_PRIV_KEY_INFO *info, struct schsm_error *err)
{
    struct named_key *key = &gathered->keys[gathered->count];

    if (gathered->count == KEYS_MAX) {
        return schsm_fail(err, SCHSM_REASON_FILE, "there are more than %d private keys in it",
                          KEYS_MAX);
    }
    key->key = EVP_PKCS82PKEY_ex(info, gathered->libctx, NULL);
    key->name = PKCS12_get_friendlyname((PKCS12_SAFEBAG *)bag);
    gathered->count++;
    return 1;
}

static int add_bag_certificate(struct gathered *gathered, const PKCS12_SAFEBAG *bag,
                               struct schsm_error *err)
{
    X509 *certificate = PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate
                            ? PKCS12_SAFEBAG_get1_cert(bag)
                            : NULL;

    if (certificate != NULL && sk_X509_push(gathered->certificates, certificate) <= 0) {
        X509_free(certificate);
        return schsm_fail_memory(err);
    }
    return 1;
}

static int gather_bags(struct gathered *gathered, const STACK_OF(PKCS12_SAFEBAG) * bags,
                       unsigned int depth, struct schsm_error *err);

static int gather_bag(struct gathered *gathered, const PKCS12_SAFEBAG *bag, unsigned int depth,
                      struct schsm_error *err)
{
    PKCS8_PRIV_KEY_INFO *opened;
    int ok = 1;

    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
        return add_key(gathered, bag, PKCS12_SAFEBAG_get0_p8inf(bag), err);
    case NID_pkcs8ShroudedKeyBag:
        opened = PKCS12_decrypt_skey_ex(bag, gathered->password, gathered->password_len,
                                        gathered->libctx, NULL);
        gathered->locked = gathered->locked || opened == NULL;
        ok = opened == NULL || add_key(gathered, bag, opened, err);
        PKCS8_PRIV_KEY_INFO_free(opened);
        return ok;
    case NID_certBag:
        return add_bag_certificate(gathered, bag, err);
    case NID_safeContentsBag:
        return depth == 0 || gather_bags(gathered, PKCS12_SAFEBAG_get0_safes(bag), depth - 1, err);
    default:
        return 1;
    }
}

static int gather_bags(struct gathered *gathered, const STACK_OF(PKCS12_SAFEBAG) * bags,
                       unsigned int depth, struct schsm_error *err)
{
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        if (!gather_bag(gathered, sk_PKCS12_SAFEBAG_value(bags, i), depth, err)) {
            return 0;
        }
    }
    return 1;
}

/* All keys and certificates that open with a password; NULL: none. */
static int gather(struct gathered *gathered, const PKCS12 *pkcs12,
                  const struct schsm_secret *password, struct schsm_error *err)
{
    STACK_OF(PKCS7) *safes = NULL;
    int ok = 1;

    gathered_clear(gathered);
    gathered->locked = false;
    gathered->password = password != NULL ? (const char *)schsm_secret_data(password) : NULL;
    gathered->password_len = password != NULL ? (int)schsm_secret_len(password) : 0;
    gathered->certificates = sk_X509_new_null();
    safes = PKCS12_unpack_authsafes(pkcs12);
    if (gathered->certificates == NULL) {
        ok = schsm_fail_memory(err);
    }
    for (int i = 0; ok && i < sk_PKCS7_num(safes); i++) {
        PKCS7 *safe = sk_PKCS7_value(safes, i);
        STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

        if (PKCS7_type_is_data(safe)) {
            bags = PKCS12_unpack_p7data(safe);
        } else if (PKCS7_type_is_encrypted(safe)) {
            bags = PKCS12_unpack_p7encdata(safe, gathered->password, gathered->password_len);
            gathered->locked = gathered->locked || bags == NULL;
        }
        ok = gather_bags(gathered, bags, DEPTH_MAX, err);
        sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    }
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return ok;
}

/* Whether the file's own check value says that this is the password; without one, nobody knows. */
static bool may_be_password(PKCS12 *pkcs12, const struct schsm_secret *password)
{
    const char *text = password != NULL ? (const char *)schsm_secret_data(password) : NULL;
    int len = password != NULL ? (int)schsm_secret_len(password) : 0;

    return !PKCS12_mac_present(pkcs12) || PKCS12_verify_mac(pkcs12, text, len) == 1 ||
           (password == NULL && PKCS12_verify_mac(pkcs12, "", 0) == 1);
}

/* A sentence that names the keys. */
static int fail_several(const struct gathered *gathered, const char *path, struct schsm_error *err)
{
    char names[400] = "";
    size_t len = 0;

    for (size_t i = 0; i < gathered->count && len + 80 < sizeof(names); i++) {
        const char *name = gathered->keys[i].name;
        int written = snprintf(names + len, sizeof(names) - len,
                               name != NULL ? "%s'%.60s'" : "%sone without a name",
                               i > 0 ? ", " : "", name != NULL ? name : "");

        len += written > 0 ? (size_t)written : 0;
    }
    return schsm_fail(err, SCHSM_REASON_AMBIGUOUS,
                      "%s holds %zu private keys (%s): say which is meant with --name", path,
                      gathered->count, names);
}

static int choose_key(const struct gathered *gathered, const char *path, const char *name,
                      size_t *chosen, struct schsm_error *err)
{
    size_t found = 0;

    for (size_t i = 0; i < gathered->count; i++) {
        const char *its = gathered->keys[i].name != NULL ? gathered->keys[i].name : "";

        if (name == NULL || strcmp(name, its) == 0) {
            *chosen = i;
            found++;
        }
    }
    if (found > 1 && name != NULL) {
        return schsm_fail(err, SCHSM_REASON_AMBIGUOUS,
                          "%s holds %zu private keys with the name '%.60s': put each into a file "
                          "of its own",
                          path, found, name);
    }
    if (found > 1) {
        return fail_several(gathered, path, err);
    }
    if (found == 0 && gathered->count > 0) {
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND,
                          "%s holds no private key with the name '%.60s'", path, name);
    }
    if (found > 0 && gathered->keys[*chosen].key == NULL) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the private key in %s is of a type that is unknown here", path);
    }
    return 1;
}

/* Whether a certificate is that of another key than the chosen one. */
static bool is_of_another(const struct gathered *gathered, size_t chosen, X509 *certificate)
{
    const EVP_PKEY *certified = X509_get0_pubkey(certificate);

    for (size_t i = 0; certified != NULL && i < gathered->count; i++) {
        if (i != chosen && gathered->keys[i].key != NULL &&
            schsm_same_public_key(certified, gathered->keys[i].key)) {
            return !schsm_same_public_key(certified, gathered->keys[chosen].key);
        }
    }
    return false;
}

static int take_chosen(struct gathered *gathered, size_t chosen,
                       struct schsm_private_key_file *file, struct schsm_error *err)
{
    for (int i = 0; i < sk_X509_num(gathered->certificates); i++) {
        X509 *certificate = sk_X509_value(gathered->certificates, i);

        if (is_of_another(gathered, chosen, certificate)) {
            continue;
        }
        if (X509_up_ref(certificate) != 1 || sk_X509_push(file->certificates, certificate) <= 0) {
            return schsm_fail_memory(err);
        }
    }
    file->key = gathered->keys[chosen].key;
    gathered->keys[chosen].key = NULL;
    return 1;
}

int schsm_pkcs12_read(OSSL_LIB_CTX *libctx, PKCS12 *pkcs12, const char *path, const char *name,
                      const struct schsm_key_password *password,
                      struct schsm_private_key_file *file, struct schsm_error *err)
{
    struct gathered *gathered = OPENSSL_zalloc(sizeof(*gathered));
    const struct schsm_secret *secret = NULL;
    size_t chosen = 0;
    int ok = 0;

    if (gathered == NULL) {
        return schsm_fail_memory(err);
    }
    gathered->libctx = libctx;
    ok = !may_be_password(pkcs12, NULL) || gather(gathered, pkcs12, NULL, err);
    if (ok && (gathered->count == 0 || gathered->locked)) {
        secret = password->ask(password->arg);
        ok = secret == NULL || !may_be_password(pkcs12, secret) ||
             gather(gathered, pkcs12, secret, err);
    }
    if (ok && gathered->locked && gathered->count > 0) { /* such as the certificates of the key */
        ok = schsm_fail(err, SCHSM_REASON_FILE,
                        "%s opens in part only: the rest is damaged, or needs OpenSSL's legacy "
                        "provider, which is not there",
                        path);
    }
    ok = ok && choose_key(gathered, path, name, &chosen, err) &&
         (gathered->count == 0 || take_chosen(gathered, chosen, file, err));
    gathered_clear(gathered);
    OPENSSL_free(gathered);
    return ok;
}
