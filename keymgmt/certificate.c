/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "check/check.h"
#include "format/curve.h"
#include "format/same_key.h"

#define CHALLENGE_LEN 32

static EVP_PKEY *public_key(X509 *certificate, struct schsm_error *err)
{
    EVP_PKEY *key;

    ERR_set_mark();
    key = X509_get0_pubkey(certificate);
    ERR_pop_to_mark();
    if (key == NULL) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "the certificate's public key is of a type that is unknown here");
    }
    return key;
}

/* Whether the device tells the public part of a private key, with it or beside it. */
static bool tells_public_part(const struct schsm_object_list *list, const struct schsm_object *key)
{
    bool told = key->value != NULL;

    for (size_t i = 0; i < list->count && !told; i++) {
        const struct schsm_object *object = &list->objects[i];

        told = object->type == SCHSM_OBJECT_PUBLIC && object->value != NULL &&
               schsm_object_same_key(object, key);
    }
    return told;
}

int schsm_certificate_find_key(struct schsm_context *context, struct schsm_device *device,
                               X509 *certificate, struct schsm_object *key, bool *found,
                               size_t *unknown, struct schsm_error *err)
{
    const struct schsm_object_filter filter = { .types = (unsigned int)SCHSM_OBJECT_PRIVATE |
                                                         (unsigned int)SCHSM_OBJECT_PUBLIC,
                                                .key_ref = -1 };
    struct schsm_object_list list = { NULL, 0 };
    const EVP_PKEY *wanted = public_key(certificate, err);

    *found = false;
    *unknown = 0;
    if (wanted == NULL || !schsm_device_find(device, &filter, &list, err)) {
        return 0;
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct schsm_object *object = &list.objects[i];

        if (object->type == SCHSM_OBJECT_PRIVATE && !tells_public_part(&list, object)) {
            (*unknown)++;
        }
        if (!*found && object->value != NULL &&
            schsm_public_key_is(context->libctx, object->value, object->value_len, wanted)) {
            *key = *object;
            key->type = SCHSM_OBJECT_PRIVATE;
            key->value = NULL;
            key->value_len = 0;
            *found = true;
        }
    }
    schsm_object_list_clear(&list);
    return 1;
}

/* What the key is to sign: for RSA a block with PKCS#1 padding (RFC 8017, 9.2), for EC a hash. */
static int make_challenge(OSSL_LIB_CTX *libctx, const EVP_PKEY *key, bool rsa, uint8_t *block,
                          size_t *len, struct schsm_error *err)
{
    uint8_t challenge[CHALLENGE_LEN];
    int modulus = EVP_PKEY_get_size(key);

    if (RAND_bytes_ex(libctx, challenge, sizeof(challenge), 0) != 1) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto has no random bytes");
    }
    if (!rsa) {
        memcpy(block, challenge, sizeof(challenge));
        *len = 20; /* what the order of every curve has room for */
        return 1;
    }
    if (modulus < 64 || modulus > SCHSM_MODULUS_MAX) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "RSA keys of %d bits are not used here",
                          8 * modulus);
    }
    *len = (size_t)modulus;
    memset(block, 0xFF, *len);
    block[0] = 0x00;
    block[1] = 0x01;
    block[*len - CHALLENGE_LEN - 1] = 0x00;
    memcpy(block + *len - CHALLENGE_LEN, challenge, CHALLENGE_LEN);
    return 1;
}

static int fail_other_public_key(const struct schsm_match *match, struct schsm_error *err)
{
    char name[SCHSM_OBJECT_NAME_MAX];

    schsm_object_name(&match->object, name, sizeof(name));
    return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                      "the certificate is not one of %s: its public key is another", name);
}

static int prove_by_signature(struct schsm_context *context, struct schsm_match *match,
                              EVP_PKEY *key, const struct schsm_login *login,
                              struct schsm_error *err)
{
    bool rsa = EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
    enum schsm_operation operation = rsa ? SCHSM_OP_RSA_SIGN : SCHSM_OP_ECDSA_SIGN;
    uint8_t block[SCHSM_MODULUS_MAX], signature[SCHSM_MODULUS_MAX + SCHSM_ECDSA_DER_MAX];
    size_t len = 0, signature_len = sizeof(signature);

    if (match->object.key_type != SCHSM_KEY_NONE &&
        match->object.key_type != (rsa ? SCHSM_KEY_RSA : SCHSM_KEY_EC)) {
        return fail_other_public_key(match, err);
    }
    if (!make_challenge(context->libctx, key, rsa, block, &len, err)) {
        return 0;
    }
    if (!schsm_device_operate(match->device, operation, &match->object, login, block, len,
                              signature, &signature_len, err)) {
        return schsm_fail_context(err, "the device does not tell the key's public part, and a "
                                       "signature that would prove it was not made");
    }
    return schsm_signature_fits(context->libctx, key, operation, block, len, signature,
                                signature_len)
               ? 1
               : fail_other_public_key(match, err);
}

int schsm_certificate_check_key(struct schsm_context *context, struct schsm_match *match,
                                X509 *certificate, const struct schsm_login *login,
                                struct schsm_error *err)
{
    EVP_PKEY *key = public_key(certificate, err);
    struct schsm_error found = SCHSM_ERROR_INIT;

    if (key == NULL) {
        return 0;
    }
    if (schsm_device_read(match->device, &match->object, NULL, &found)) {
        return schsm_public_key_is(context->libctx, match->object.value, match->object.value_len,
                                   key)
                   ? 1
                   : fail_other_public_key(match, err);
    }
    if (found.reason == SCHSM_REASON_NO_PUBLIC_KEY || found.reason == SCHSM_REASON_DEVICE_DATA) {
        return prove_by_signature(context, match, key, login, err);
    }
    *err = found;
    return 0;
}

void schsm_certificate_label(X509 *certificate, char label[SCHSM_LABEL_MAX + 1])
{
    static const int names[] = { NID_commonName, NID_organizationName };
    const X509_NAME *subject = X509_get_subject_name(certificate);

    (void)OPENSSL_strlcpy(label, "certificate", SCHSM_LABEL_MAX + 1);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int at = X509_NAME_get_index_by_NID(subject, names[i], -1);
        unsigned char *utf8 = NULL;
        int len = at < 0 ? -1
                         : ASN1_STRING_to_UTF8(
                               &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));

        if (len > 0 && len <= SCHSM_LABEL_MAX && memchr(utf8, 0, (size_t)len) == NULL) {
            memcpy(label, utf8, (size_t)len);
            label[len] = '\0';
            i = sizeof(names) / sizeof(names[0]);
        }
        OPENSSL_free(utf8);
    }
}

int schsm_certificate_id(X509 *certificate, uint8_t id[SCHSM_ID_MAX], size_t *len,
                         struct schsm_error *err)
{
    unsigned int digest_len = 0;
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (X509_digest(certificate, EVP_sha1(), digest, &digest_len) != 1) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot hash the certificate");
    }
    memcpy(id, digest, digest_len);
    *len = digest_len;
    return 1;
}
