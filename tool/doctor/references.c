/* SPDX-License-Identifier: Apache-2.0 */
/* Key reference files: whether each is whole, and the key that it stands for is there. */
#include "tool/doctor.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "format/same_key.h"
#include "keymgmt/file.h"
#include "keymgmt/find.h"
#include "keymgmt/reference.h"

#define WHAT "reference"
#define FILE_MAX ((size_t)1024 * 1024) /* bytes; a server's certificates may be in it too */
#define CURE_WRITE                                                                                 \
    "write it again from the key, 'sc-hsm pubkey URI --reference --overwrite --out %s'; 'sc-hsm "  \
    "list' has the URI"

/* Compares the reference's public key with the device's, where both tell it. */
static void compare(struct schsm_doctor *doctor, const char *path,
                    const struct schsm_reference *reference, struct schsm_match *match)
{
    const unsigned char *der = reference->spki;
    struct schsm_error err = SCHSM_ERROR_INIT;
    EVP_PKEY *key = NULL;

    if (reference->spki == NULL || !schsm_device_read(match->device, &match->object, NULL, &err)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s: the key %s is there", path,
                          reference->uri);
        return;
    }
    key = d2i_PUBKEY_ex(NULL, &der, (long)reference->spki_len, doctor->tool->context.libctx, NULL);
    if (key != NULL && schsm_public_key_is(doctor->tool->context.libctx, match->object.value,
                                           match->object.value_len, key)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s: the key %s is there", path,
                          reference->uri);
    } else {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                          "%s: the device holds another key as %s than the file says", path,
                          reference->uri);
        schsm_doctor_cure(doctor, CURE_WRITE ", or insert the device that has it", path);
    }
    EVP_PKEY_free(key);
}

/* Looks for the key; where the device shows none before a login, it is supposed to be there. */
static void look_for_key(struct schsm_doctor *doctor, const char *path,
                         const struct schsm_reference *reference)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_match match = { 0 };
    struct schsm_uri uri;
    bool hides = false;

    if (!schsm_uri_parse(&uri, reference->uri, &err)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s: %s", path, err.text);
        schsm_doctor_cure(doctor, CURE_WRITE, path);
    } else if (schsm_find_one(&doctor->tool->context, &uri, SCHSM_OBJECT_PRIVATE, &match, &err)) {
        compare(doctor, path, reference, &match);
        schsm_match_clear(&match);
    } else {
        for (size_t i = 0; i < doctor->device_count; i++) {
            bool one = false;

            hides = (schsm_device_hides_objects(doctor->devices[i], &one, &err) && one) || hides;
        }
        if (hides && err.reason == SCHSM_REASON_NOT_FOUND) {
            schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT,
                              "%s: the device shows its keys after a login only", path);
        } else {
            schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s: %s", path, err.text);
            schsm_doctor_cure(doctor,
                              err.reason == SCHSM_REASON_NOT_FOUND
                                  ? CURE_WRITE "; where the key was deleted, restore it ('sc-hsm "
                                               "restore') or make another one"
                                  : "insert the device that %s stands for",
                              path);
        }
    }
    schsm_uri_clear(&uri);
}

/* The file's reference in DER, whether in PEM or by itself; NULL: there is none. *len is its
 * length; the caller's to free by OPENSSL_free. */
static unsigned char *find_reference(const uint8_t *content, size_t len, size_t *der_len)
{
    BIO *file = BIO_new_mem_buf(content, (int)len);
    unsigned char *der = NULL;
    char *name = NULL, *header = NULL;
    long pem_len = 0;

    while (file != NULL && PEM_read_bio(file, &name, &header, &der, &pem_len)) {
        bool ours = strcmp(name, SCHSM_REFERENCE_PEM_NAME) == 0;

        OPENSSL_free(name);
        OPENSSL_free(header);
        if (ours) {
            break;
        }
        OPENSSL_free(der);
        der = NULL;
    }
    BIO_free(file);
    if (der == NULL) {
        der = OPENSSL_memdup(content, len);
        pem_len = (long)len;
    }
    *der_len = (size_t)pem_len;
    return der;
}

/* Whether the file says that it is one, in what is left of it. */
static bool claims_reference(const uint8_t *content, size_t len)
{
    return memmem(content, len, SCHSM_REFERENCE_PEM_NAME, strlen(SCHSM_REFERENCE_PEM_NAME)) != NULL;
}

static void look_at_file(struct schsm_doctor *doctor, const char *path)
{
    struct schsm_reference reference = { 0 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t *content = NULL;
    unsigned char *der = NULL;
    size_t len = 0, der_len = 0;
    enum schsm_reference_kind kind = SCHSM_REFERENCE_NONE;

    if (!schsm_file_read(path, FILE_MAX, &content, &len, &err)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT, "%s", err.text);
        schsm_doctor_cure(doctor, "correct the name, or let this user read it");
        return;
    }
    der = find_reference(content, len, &der_len);
    if (der != NULL) {
        kind = schsm_reference_decode(der, der_len, &reference, &err);
    }
    if (kind == SCHSM_REFERENCE_OK) {
        look_for_key(doctor, path, &reference);
        schsm_reference_clear(&reference);
    } else if (kind == SCHSM_REFERENCE_MALFORMED || claims_reference(content, len)) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                          "%s: the key reference in it is damaged", path);
        schsm_doctor_cure(doctor, CURE_WRITE, path);
    } else {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT, "%s holds no key reference", path);
        schsm_doctor_cure(doctor, "name the file that the program reads its private key from");
    }
    OPENSSL_free(der);
    OPENSSL_clear_free(content, len);
}

void schsm_doctor_references(struct schsm_doctor *doctor)
{
    for (size_t i = 0; i < doctor->tool->argument_count; i++) {
        ERR_clear_error();
        look_at_file(doctor, doctor->tool->arguments[i]);
    }
    ERR_clear_error();
}
