/* SPDX-License-Identifier: Apache-2.0 */
#include "import_key.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "hsm/hsm_key_domain.h"
#include "hsm/hsm_wrap.h"
#include "format/pkcs15.h"
#include "format/same_key.h"
#include "format/wrapped_key.h"
#include "certificate.h"
#include "key_request.h"
#include "secret_key.h"
#include "unfinished.h"

/* What is put together for the device. */
struct parts {
    EVP_PKEY *key; /* as the device will have it: plain RSA, or EC; NULL: AES */
    uint8_t blob[SCHSM_WRAPPED_MAX];
    size_t blob_len;
    uint8_t description[SCHSM_PKCS15_MAX];
    size_t description_len;
    uint8_t *certificate; /* X.509 or request */
    size_t certificate_len;
    bool unfinished; /* the device has the key, not described yet */
};

int schsm_import_check_dkek(OSSL_LIB_CTX *libctx, struct schsm_device *device,
                            const struct schsm_secret *dkek, struct schsm_error *err)
{
    uint8_t kcv[SCHSM_KCV_LEN];
    unsigned int domain;

    return schsm_dkek_kcv(libctx, dkek, kcv, err) && schsm_hsm_find_kek(device, kcv, &domain, err);
}

/* Wraps the key and opens it again, so that what the device gets is known to be right. */
static int wrap(OSSL_LIB_CTX *libctx, struct schsm_device *device,
                const struct schsm_import *import, struct parts *parts,
                struct schsm_wrapped_key *wrapped, struct schsm_error *err)
{
    struct schsm_wrapping wrapping = { .dkek = import->dkek,
                                       .algorithms = import->algorithms,
                                       .algorithms_len = import->algorithms_len };
    struct schsm_hsm_unwrap_traits traits;

    if (!schsm_hsm_unwrap_traits(device, &traits, err)) {
        return 0;
    }
    wrapping.plain_rsa =
        traits.crt_bits_max != 0 && EVP_PKEY_get_bits(import->key) > (int)traits.crt_bits_max;
    parts->blob_len = sizeof(parts->blob);
    if (!(import->key != NULL
              ? schsm_wrapped_key_from_private(libctx, import->key, &wrapping, parts->blob,
                                               &parts->blob_len, err)
              : schsm_wrapped_key_from_secret(libctx, import->secret, &wrapping, parts->blob,
                                              &parts->blob_len, err)) ||
        !schsm_wrapped_key_parse(parts->blob, parts->blob_len, wrapped, err)) {
        return 0;
    }
    if (import->key == NULL) {
        return schsm_wrapped_key_verify(libctx, wrapped, import->dkek, err);
    }
    parts->key = schsm_wrapped_key_private(libctx, wrapped, import->dkek, err);
    return parts->key != NULL;
}

/* The certificate of the key, which must be its own, or a request. */
static int certify(OSSL_LIB_CTX *libctx, const struct schsm_import *import, const char *serial,
                   struct parts *parts, struct schsm_error *err)
{
    EVP_PKEY *certified;
    int len;

    if (import->key == NULL) {
        return 1;
    }
    if (import->certificate == NULL) {
        return schsm_key_request(libctx, parts->key, serial, &parts->certificate,
                                 &parts->certificate_len, err);
    }
    certified = X509_get0_pubkey(import->certificate);
    if (certified == NULL || !schsm_same_public_key(certified, import->key)) {
        ERR_clear_error();
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "the certificate is of another key than the one to be imported");
    }
    len = i2d_X509(import->certificate, &parts->certificate);
    if (len <= 0) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not encode the certificate");
    }
    parts->certificate_len = (size_t)len;
    return 1;
}

static int describe_import(const struct schsm_import *import, struct schsm_object *made,
                           struct parts *parts, struct schsm_error *err)
{
    struct schsm_pkcs15_key key = { .type = made->key_type, .bits = made->bits };

    (void)snprintf(made->label, sizeof(made->label), "%s",
                   import->label != NULL ? import->label : "");
    memcpy(key.label, made->label, sizeof(key.label));
    memcpy(key.id, made->id, made->id_len);
    key.id_len = made->id_len;
    parts->description_len = sizeof(parts->description);
    return schsm_pkcs15_encode_key(&key, parts->description, &parts->description_len, err);
}

static int public_part(const struct parts *parts, struct schsm_object *made,
                       struct schsm_error *err)
{
    uint8_t *spki = NULL;
    int len;

    if (parts->key == NULL) {
        return 1;
    }
    len = i2d_PUBKEY(parts->key, &spki);
    if (len <= 0) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not encode the public key");
    }
    made->value = spki;
    made->value_len = (size_t)len;
    return 1;
}

/* --- the chain ----------------------------------------------------------------------------- */

/* The certificates of one import that are on the device by now. */
struct storing {
    struct schsm_device *device;
    const struct schsm_login *login;
    struct schsm_object_list present; /* before */
    struct schsm_object *stored;
    size_t count;
};

static bool is_present(const struct storing *storing, const uint8_t *der, size_t len)
{
    for (size_t i = 0; i < storing->present.count; i++) {
        const struct schsm_object *object = &storing->present.objects[i];

        if (object->value_len == len && memcmp(object->value, der, len) == 0) {
            return true;
        }
    }
    return false;
}

static int store_one(struct storing *storing, X509 *certificate, struct schsm_error *err)
{
    char label[SCHSM_LABEL_MAX + 1];
    uint8_t id[SCHSM_ID_MAX], *der = NULL;
    struct schsm_store store = { .type = SCHSM_OBJECT_CERTIFICATE, .id = id };
    int len = i2d_X509(certificate, &der), ok = 0;

    if (len <= 0) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not encode a certificate");
    }
    if (is_present(storing, der, (size_t)len)) {
        ok = 1;
        goto done;
    }
    schsm_certificate_label(certificate, label);
    store.label = label;
    store.value = der;
    store.value_len = (size_t)len;
    ok = schsm_certificate_id(certificate, id, &store.id_len, err) &&
         schsm_device_store(storing->device, &store, storing->login,
                            &storing->stored[storing->count], err);
    if (ok) {
        storing->count++;
    }

done:
    OPENSSL_free(der);
    return ok;
}

static int store_chain(struct storing *storing, const STACK_OF(X509) * chain,
                       struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types = SCHSM_OBJECT_CERTIFICATE, .key_ref = -1 };
    int count = sk_X509_num(chain); /* -1 for NULL */

    if (count <= 0) {
        return 1;
    }
    storing->stored = OPENSSL_zalloc((size_t)count * sizeof(*storing->stored));
    if (storing->stored == NULL) {
        return schsm_fail_memory(err);
    }
    if (!schsm_device_find(storing->device, &filter, &storing->present, err)) {
        return 0;
    }
    for (int i = 0; i < count; i++) {
        if (!store_one(storing, sk_X509_value(chain, i), err)) {
            return 0;
        }
    }
    return 1;
}

static void remove_stored(struct storing *storing)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    while (storing->count > 0) {
        (void)schsm_device_remove(storing->device, &storing->stored[--storing->count],
                                  storing->login, &ignored);
    }
}

/* --- the whole ----------------------------------------------------------------------------- */

/* Whether an AES key on the device is the one to be imported, by what it makes of a random block.
 * One that permits nothing of the kind cannot be compared, and one with a use counter is left
 * alone. */
static bool is_secret(OSSL_LIB_CTX *libctx, struct schsm_device *device,
                      const struct schsm_object *object, const struct schsm_secret *secret,
                      const struct schsm_login *login)
{
    const struct schsm_secret_key key = { device, object, login };
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_key_policy policy = { 0 };

    return (object->bits == 0 || object->bits == schsm_secret_len(secret) * 8) &&
           schsm_device_key_policy(device, object, &policy, &ignored) && !policy.limited &&
           schsm_secret_key_is(libctx, &key, secret, &ignored) == 1;
}

/* An import whose last answer was lost, or whose program was killed then, brought the key: made
 * again, it must not bring another copy. Who names an id wants one. */
static int check_new(OSSL_LIB_CTX *libctx, struct schsm_device *device,
                     const struct schsm_import *import, const EVP_PKEY *key,
                     const struct schsm_login *login, struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types = key != NULL ? SCHSM_OBJECT_PRIVATE
                                                                     : SCHSM_OBJECT_SECRET,
                                                .key_ref = -1 };
    struct schsm_object_list list = { NULL, 0 };
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    int ok = schsm_device_find(device, &filter, &list, err);

    for (size_t i = 0; ok && i < list.count; i++) {
        struct schsm_object *object = &list.objects[i];

        /* one without a public part cannot be compared */
        if (key != NULL ? schsm_device_read(device, object, NULL, &ignored) &&
                              schsm_public_key_is(libctx, object->value, object->value_len, key)
                        : is_secret(libctx, device, object, import->secret, login)) {
            ok = schsm_fail(err, SCHSM_REASON_EXISTS,
                            "the device has this key already, as key reference %d%s%s%s: a second "
                            "copy needs an id of its own",
                            object->key_ref, object->label[0] != '\0' ? ", '" : "", object->label,
                            object->label[0] != '\0' ? "'" : "");
        }
    }
    schsm_object_list_clear(&list);
    return ok;
}

/* replace: the key under that reference is one of ours. */
static int choose_import_place(struct schsm_device *device, const struct schsm_import *import,
                               int wanted, bool replace, struct schsm_object *made,
                               struct schsm_error *err)
{
    const struct schsm_hsm_place place = {
        .key_ref = wanted, .id = import->id, .id_len = import->id_len, .replace = replace
    };
    unsigned int key_ref = 0;

    if (!schsm_hsm_place_key(device, &place, &key_ref, made->id, &made->id_len, err)) {
        return 0;
    }
    made->key_ref = (int)key_ref;
    return 1;
}

static struct schsm_hsm_unwrap unwrap_of(const struct parts *parts, int key_ref)
{
    return (struct schsm_hsm_unwrap){
        .key_ref = (unsigned int)key_ref,
        .blob = { parts->blob, parts->blob_len },
        .description = { parts->description, parts->description_len },
        .certificate = { parts->certificate, parts->certificate_len },
    };
}

/* Whether an earlier call, which was killed, brought the key and did not describe it: then parts
 * and *made are for the rest. */
static int find_unfinished(struct schsm_device *device, const struct schsm_import *import,
                           struct parts *parts, struct schsm_object *made, struct schsm_error *err)
{
    struct schsm_unfinished unfinished;

    if (!schsm_unfinished_find(device, import->key == NULL, import->key_ref, &unfinished, err)) {
        return 0;
    }
    for (size_t i = 0; i < unfinished.count && !parts->unfinished; i++) {
        int key_ref = (int)unfinished.refs[i];
        struct schsm_error taken = SCHSM_ERROR_INIT;
        struct schsm_hsm_unwrap unwrap;

        if (!choose_import_place(device, import, key_ref, true, made, &taken)) {
            if (taken.reason != SCHSM_REASON_EXISTS) {
                return schsm_fail_as(err, &taken);
            }
            continue; /* another key has the id */
        }
        if (!describe_import(import, made, parts, err)) {
            return 0;
        }
        unwrap = unwrap_of(parts, key_ref);
        if (!schsm_hsm_is_unfinished(device, &unwrap, &parts->unfinished, err)) {
            return 0;
        }
    }
    return 1;
}

static int prepare_import(OSSL_LIB_CTX *libctx, struct schsm_device *device,
                          const struct schsm_import *import, const struct schsm_login *login,
                          struct parts *parts, struct schsm_object *made, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_wrapped_key wrapped;
    unsigned int domain;

    if (import->label != NULL && strlen(import->label) > SCHSM_LABEL_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a label has at most %d bytes",
                          SCHSM_LABEL_MAX);
    }
    if (!wrap(libctx, device, import, parts, &wrapped, err) ||
        !schsm_hsm_find_kek_by_login(device, wrapped.kcv, login, &domain, err) ||
        !schsm_device_serial(device, serial, err) || !certify(libctx, import, serial, parts, err) ||
        !public_part(parts, made, err)) {
        return 0;
    }
    made->type = import->key != NULL ? SCHSM_OBJECT_PRIVATE : SCHSM_OBJECT_SECRET;
    made->described = true;
    made->key_type = wrapped.type;
    made->bits = import->key != NULL ? (unsigned int)EVP_PKEY_get_bits(parts->key)
                                     : (unsigned int)schsm_secret_len(import->secret) * 8;
    return find_unfinished(device, import, parts, made, err) &&
           (parts->unfinished ||
            (choose_import_place(device, import, import->key_ref, false, made, err) &&
             (import->id != NULL || check_new(libctx, device, import, parts->key, login, err)) &&
             describe_import(import, made, parts, err)));
}

int schsm_import_key(OSSL_LIB_CTX *libctx, struct schsm_device *device,
                     const struct schsm_import *import, const struct schsm_login *login,
                     struct schsm_object *made, size_t *stored, struct schsm_error *err)
{
    struct storing storing = { .device = device, .login = login };
    struct parts *parts = OPENSSL_zalloc(sizeof(*parts));
    int ok = 0;

    memset(made, 0, sizeof(*made));
    *stored = 0;
    if (parts == NULL) {
        return schsm_fail_memory(err);
    }
    if (!prepare_import(libctx, device, import, login, parts, made, err)) {
        goto done;
    }
    struct schsm_hsm_unwrap unwrap = unwrap_of(parts, made->key_ref);

    unwrap.unfinished = parts->unfinished;
    ok = store_chain(&storing, import->chain, err) &&
         schsm_hsm_unwrap_key(device, &unwrap, login, err);
    if (ok) {
        *stored = storing.count;
    } else {
        remove_stored(&storing);
    }

done:
    if (!ok) {
        schsm_object_clear(made);
    }
    schsm_object_list_clear(&storing.present);
    OPENSSL_free(storing.stored);
    OPENSSL_free(parts->certificate);
    EVP_PKEY_free(parts->key);
    OPENSSL_free(parts);
    return ok;
}
