/* SPDX-License-Identifier: Apache-2.0 */
#include "certified_key.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "format/curve.h"
#include "format/ecdsa.h"
#include "hsm/hsm_attestation.h"
#include "file.h"

#define HASH_LEN 32

void schsm_certified_key_clear(struct schsm_certified_key *key)
{
    OPENSSL_free(key->request);
    OPENSSL_free(key->device_id);
    memset(key, 0, sizeof(*key));
}

int schsm_certified_key_load(struct schsm_device *device, int key_ref,
                             struct schsm_certified_key *key, struct schsm_error *err)
{
    memset(key, 0, sizeof(*key));
    key->device = device;
    key->key_ref = key_ref;
    if (!schsm_hsm_request(device, key_ref, &key->request, &key->request_len, err) ||
        !schsm_hsm_certificates(device, &key->device_id, &key->device_id_len, err) ||
        !schsm_container_parse(key->device_id, key->device_id_len, &key->parts, err) ||
        !schsm_cvc_parse_request(key->request, key->request_len, &key->parts.request, err) ||
        !schsm_cvc_holder(&key->parts.request.cvc, key->name, sizeof(key->name), err)) {
        return 0;
    }
    key->parts.kind = SCHSM_CONTAINER_PUBLIC_KEY;
    if (!schsm_container_verify(&key->parts, err)) {
        return schsm_fail_context(err, "key reference %d", key_ref);
    }
    return 1;
}

int schsm_certified_key_export(const struct schsm_certified_key *key, uint8_t **file, size_t *len,
                               struct schsm_error *err)
{
    *len = SCHSM_CONTAINER_MAX;
    *file = OPENSSL_malloc(*len);
    if (*file == NULL) {
        return schsm_fail_memory(err);
    }
    if (schsm_container_build_public_key(key->request, key->request_len, key->device_id,
                                         key->device_id_len, *file, len, err)) {
        return 1;
    }
    OPENSSL_free(*file);
    *file = NULL;
    return 0;
}

/* Hashed here, which every key can; a key that is allowed no more hashes for itself. */
static int sign_der(OSSL_LIB_CTX *libctx, const struct schsm_certified_key *key,
                    const struct schsm_login *login, const uint8_t *message, size_t message_len,
                    uint8_t *der, size_t *der_len, struct schsm_error *err)
{
    const struct schsm_object object = { .type = SCHSM_OBJECT_PRIVATE, .key_ref = key->key_ref };
    struct schsm_error found = SCHSM_ERROR_INIT;
    uint8_t hash[HASH_LEN];
    size_t hash_len = 0, room = *der_len;

    if (EVP_Q_digest(libctx, "SHA256", NULL, message, message_len, hash, &hash_len) != 1) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not compute SHA-256");
    }
    if (schsm_device_operate(key->device, SCHSM_OP_ECDSA_SIGN, &object, login, hash, hash_len, der,
                             der_len, &found)) {
        return 1;
    }
    if (found.reason != SCHSM_REASON_NOT_PERMITTED) {
        *err = found;
        return 0;
    }
    *der_len = room;
    return schsm_device_operate(key->device, SCHSM_OP_ECDSA_SIGN_SHA256, &object, login, message,
                                message_len, der, der_len, err);
}

int schsm_certified_key_sign(OSSL_LIB_CTX *libctx, const struct schsm_certified_key *key,
                             const struct schsm_login *login, const uint8_t *message,
                             size_t message_len, uint8_t *signature, size_t *signature_len,
                             struct schsm_error *err)
{
    const struct schsm_cvc_key *public_key = &key->parts.request.cvc.key;
    const struct schsm_curve *curve = NULL;
    struct schsm_error why = SCHSM_ERROR_INIT;
    uint8_t der[SCHSM_ECDSA_DER_MAX];
    size_t der_len = sizeof(der);

    if (public_key->type != SCHSM_KEY_EC) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "key %s is an RSA key: only EC keys vouch before other devices",
                          key->name);
    }
    if (!schsm_cvc_curve(public_key, NULL, &curve, err) ||
        !sign_der(libctx, key, login, message, message_len, der, &der_len, err) ||
        !schsm_ecdsa_raw(der, der_len, curve->field_len, signature, signature_len, err)) {
        return 0;
    }
    if (!schsm_cvc_verify(public_key, NULL, message, message_len, signature, *signature_len,
                          &why)) {
        return schsm_fail(err, why.reason,
                          "what key reference %d signed does not verify with the public key of its "
                          "request: the request is another key's",
                          key->key_ref);
    }
    return 1;
}

int schsm_certified_file_read(const char *path, enum schsm_container_kind kind, const char *needed,
                              uint8_t **file, struct schsm_container *parts,
                              struct schsm_error *err)
{
    size_t len = 0;

    if (!schsm_file_read(path, SCHSM_CONTAINER_MAX, file, &len, err)) {
        return 0;
    }
    if (!schsm_container_parse(*file, len, parts, err)) {
        return schsm_fail_context(err, "%s", path);
    }
    if (parts->kind != kind) {
        return schsm_fail(err, SCHSM_REASON_BAD_INPUT, "%s is %s, but %s", path,
                          schsm_container_text(parts->kind), needed);
    }
    return kind == SCHSM_CONTAINER_DEVICE_ID || schsm_container_verify(parts, err) ||
           schsm_fail_context(err, "%s", path);
}
