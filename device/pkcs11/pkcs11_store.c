/* SPDX-License-Identifier: Apache-2.0 */
/* Storing certificates and data objects: the new one is whole before the old one goes. */
#include "pkcs11_private.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#define ATTRIBUTES_MAX 12

struct storing {
    const struct schsm_store *spec;
    struct schsm_object *stored;
};

static unsigned char yes = CK_TRUE, no = CK_FALSE;

static struct ck_attribute attribute(unsigned long type, const void *value, size_t len)
{
    /* the standard's structure serves both directions, and so is not constant */
    return (struct ck_attribute){ type, (void *)value, len };
}

/* Of a certificate in DER, what a token wants to be told of it besides. */
struct parts {
    unsigned char *serial, *issuer, *subject; /* of libcrypto */
    int serial_len, issuer_len, subject_len;
};

static void clear_parts(struct parts *parts)
{
    OPENSSL_free(parts->serial);
    OPENSSL_free(parts->issuer);
    OPENSSL_free(parts->subject);
}

static bool take_certificate_parts(const uint8_t *der, size_t len, struct parts *parts)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new(); /* the default one is the program's */
    X509 *certificate = library != NULL ? X509_new_ex(library, NULL) : NULL;
    const unsigned char *at = der;

    memset(parts, 0, sizeof(*parts));
    (void)ERR_set_mark();
    if (certificate != NULL && len <= LONG_MAX && d2i_X509(&certificate, &at, (long)len) != NULL &&
        at == der + len) {
        parts->serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &parts->serial);
        parts->issuer_len = i2d_X509_NAME(X509_get_issuer_name(certificate), &parts->issuer);
        parts->subject_len = i2d_X509_NAME(X509_get_subject_name(certificate), &parts->subject);
    }
    X509_free(certificate);
    OSSL_LIB_CTX_free(library);
    (void)ERR_pop_to_mark(); /* our own error says it */
    return parts->serial_len > 0 && parts->issuer_len > 0 && parts->subject_len > 0;
}

static int create_on_token(struct schsm_pkcs11_token *token, const struct ck_attribute *attributes,
                           size_t count, struct schsm_error *err)
{
    ck_handle made = CK_INVALID_HANDLE;
    ck_rv rv = SCHSM_PKCS11_WRITE(token, create_object, attributes, count, &made);

    return rv == CKR_OK ? 1 : schsm_pkcs11_fail_to(token, rv, "store this object", err);
}

static int create_certificate(struct schsm_pkcs11_token *token, const struct schsm_store *spec,
                              const struct schsm_object *as, struct schsm_error *err)
{
    unsigned long class = CKO_CERTIFICATE, type = CKC_X_509;
    struct parts parts;
    int ok;

    if (!take_certificate_parts(spec->value, spec->value_len, &parts)) {
        clear_parts(&parts);
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "this is no X.509 certificate");
    }
    const struct ck_attribute attributes[] = {
        attribute(CKA_CLASS, &class, sizeof(class)),
        attribute(CKA_CERTIFICATE_TYPE, &type, sizeof(type)),
        attribute(CKA_TOKEN, &yes, 1),
        attribute(CKA_PRIVATE, &no, 1),
        attribute(CKA_LABEL, as->label, strlen(as->label)),
        attribute(CKA_ID, as->id, as->id_len),
        attribute(CKA_SERIAL_NUMBER, parts.serial, (size_t)parts.serial_len),
        attribute(CKA_ISSUER, parts.issuer, (size_t)parts.issuer_len),
        attribute(CKA_SUBJECT, parts.subject, (size_t)parts.subject_len),
        attribute(CKA_VALUE, spec->value, spec->value_len),
    };

    ok = create_on_token(token, attributes, sizeof(attributes) / sizeof(attributes[0]), err);
    clear_parts(&parts);
    return ok;
}

/* A key's certificate takes the place of the one before. */
static int store_key_certificate_object(struct schsm_pkcs11_token *token,
                                        const struct storing *storing, struct schsm_error *err)
{
    const struct schsm_store *spec = storing->spec;
    struct schsm_pkcs11_objects before = { NULL, 0 };
    ck_rv rv = CKR_OK;
    int ok;

    if (spec->key->id_len == 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the key has no id, by which its certificate could be told");
    }
    ok =
        schsm_pkcs11_list(token, CKO_CERTIFICATE, spec->key->id, spec->key->id_len, &before, err) &&
        create_certificate(token, spec, spec->key, err);
    for (size_t i = 0; ok && i < before.count && rv == CKR_OK; i++) {
        rv = SCHSM_PKCS11_WRITE(token, destroy_object, before.at[i].handle);
    }
    schsm_pkcs11_objects_clear(&before);
    if (rv != CKR_OK) {
        schsm_pkcs11_fail_to(token, rv, "delete the key's old certificate", err);
        return schsm_fail_context(err, "the new certificate is stored beside the old one");
    }
    return ok;
}

/* A certificate with the id of a key would be taken for that key's; with another's, for that. */
static int store_alone(struct schsm_pkcs11_token *token, const struct storing *storing,
                       struct schsm_error *err)
{
    const struct schsm_store *spec = storing->spec;
    struct schsm_pkcs11_keys keys = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
    struct schsm_object as = { .id_len = spec->id_len };
    int ok = schsm_pkcs11_list_keys(token, spec->id, spec->id_len, &keys, err);

    if (ok && keys.private.count + keys.public.count + keys.certificates.count > 0) {
        ok = schsm_fail(err, SCHSM_REASON_EXISTS, "a %s on the token has this id: choose another",
                        keys.private.count + keys.public.count > 0 ? "key" : "certificate");
    }
    schsm_pkcs11_keys_clear(&keys);
    if (!ok) {
        return 0;
    }
    memcpy(as.id, spec->id, spec->id_len);
    (void)snprintf(as.label, sizeof(as.label), "%s", spec->label != NULL ? spec->label : "");
    return create_certificate(token, spec, &as, err);
}

static int create_data(struct schsm_pkcs11_token *token, const struct schsm_store *spec,
                       struct schsm_error *err)
{
    const char *label = spec->label != NULL ? spec->label : "";
    const char *application = spec->application != NULL ? spec->application : "";
    unsigned long class = CKO_DATA;
    const struct ck_attribute attributes[] = {
        attribute(CKA_CLASS, &class, sizeof(class)),
        attribute(CKA_TOKEN, &yes, 1),
        attribute(CKA_PRIVATE, spec->private_data ? &yes : &no, 1),
        attribute(CKA_LABEL, label, strlen(label)),
        attribute(CKA_APPLICATION, application, strlen(application)),
        attribute(CKA_VALUE, spec->value, spec->value_len),
    };

    return create_on_token(token, attributes, sizeof(attributes) / sizeof(attributes[0]), err);
}

/* What is to be replaced is found first: beside the new one it could not be told. */
static int store_data(struct schsm_pkcs11_token *token, const struct schsm_store *spec,
                      struct schsm_error *err)
{
    struct schsm_pkcs11_objects objects = { NULL, 0 };
    const struct schsm_pkcs11_object *old = NULL;
    bool several = false;
    ck_rv rv = CKR_OK;
    int ok = 1;

    if (spec->replaces != NULL) {
        ok = schsm_pkcs11_list(token, CKO_DATA, NULL, 0, &objects, err);
        old = ok ? schsm_pkcs11_pick(&objects, spec->replaces, &several) : NULL;
        if (ok && old == NULL) {
            ok = schsm_fail(err, several ? SCHSM_REASON_AMBIGUOUS : SCHSM_REASON_NOT_FOUND,
                            several ? "the token has several data objects of this name"
                                    : "the token has no data object of this name any more");
        }
    }
    ok = ok && create_data(token, spec, err);
    if (ok && old != NULL) {
        rv = SCHSM_PKCS11_WRITE(token, destroy_object, old->handle);
    }
    schsm_pkcs11_objects_clear(&objects);
    if (rv != CKR_OK) {
        schsm_pkcs11_fail_to(token, rv, "delete the old object", err);
        return schsm_fail_context(err, "the new object is stored, but the old one is still there");
    }
    return ok;
}

static int store_on_token(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    const struct storing *storing = arg;

    if (storing->spec->type == SCHSM_OBJECT_DATA) {
        return store_data(token, storing->spec, err);
    }
    return storing->spec->key != NULL ? store_key_certificate_object(token, storing, err)
                                      : store_alone(token, storing, err);
}

static int check_content_for_token(const struct schsm_store *spec, struct schsm_error *err)
{
    if (spec->value == NULL || spec->value_len == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "there is nothing to store");
    }
    if ((spec->label != NULL && strlen(spec->label) > SCHSM_LABEL_MAX) ||
        (spec->application != NULL && strlen(spec->application) > SCHSM_LABEL_MAX)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a label has at most %d bytes",
                          SCHSM_LABEL_MAX);
    }
    if (spec->type == SCHSM_OBJECT_DATA) {
        return spec->id == NULL
                   ? 1
                   : schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                                "a PKCS#11 token gives data objects no ids: name them by label");
    }
    if (spec->type != SCHSM_OBJECT_CERTIFICATE) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "only X.509 certificates and data objects can be stored");
    }
    if (spec->key == NULL &&
        (spec->id == NULL || spec->id_len == 0 || spec->id_len > SCHSM_ID_MAX)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a certificate needs a key, or an id of 1 to %d bytes", SCHSM_ID_MAX);
    }
    return 1;
}

static void fill_stored_object(const struct schsm_store *spec, struct schsm_object *stored)
{
    const uint8_t *id = spec->key != NULL ? spec->key->id : spec->id;
    const char *label = spec->key != NULL ? spec->key->label : spec->label;

    stored->type = spec->type;
    stored->key_ref = -1;
    stored->described = true;
    stored->authority = spec->type == SCHSM_OBJECT_CERTIFICATE && spec->key == NULL;
    stored->private_data = spec->private_data;
    (void)snprintf(stored->label, sizeof(stored->label), "%s", label != NULL ? label : "");
    (void)snprintf(stored->application, sizeof(stored->application), "%s",
                   spec->application != NULL ? spec->application : "");
    if (spec->type == SCHSM_OBJECT_CERTIFICATE) {
        stored->id_len = spec->key != NULL ? spec->key->id_len : spec->id_len;
        memcpy(stored->id, id, stored->id_len);
        stored->value = OPENSSL_memdup(spec->value, spec->value_len);
        stored->value_len = stored->value != NULL ? spec->value_len : 0;
    }
    stored->handle = schsm_pkcs11_number(stored);
    OPENSSL_free(stored->value);
    stored->value = NULL;
    stored->value_len = 0;
}

int schsm_pkcs11_device_store(struct schsm_device *dev, const struct schsm_store *spec,
                              const struct schsm_login *login, struct schsm_object *stored,
                              struct schsm_error *err)
{
    struct storing storing = { spec, stored };
    const struct schsm_pkcs11_job job = {
        .run = store_on_token,
        .arg = &storing,
        .login = login,
        .write = true,
        .object = spec->label != NULL && spec->label[0] != 0 ? spec->label
                  : spec->type == SCHSM_OBJECT_DATA          ? "new data object"
                                                             : "new certificate",
    };

    if (!check_content_for_token(spec, err)) {
        return schsm_fail_context(err, "device %s", schsm_pkcs11_token(dev)->name);
    }
    if (!schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err)) {
        return 0;
    }
    fill_stored_object(spec, stored);
    return 1;
}
