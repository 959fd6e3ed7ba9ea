/* SPDX-License-Identifier: Apache-2.0 */
#include "pkey.h"

#include <openssl/crypto.h>

#include "rsa_padding.h"

struct schsm_pkey *schsm_pkey_new(struct schsm_provider *prov, const char *type)
{
    struct schsm_pkey *key = OPENSSL_zalloc(sizeof(*key));

    if (key != NULL) {
        atomic_init(&key->references, 1);
        key->prov = prov;
        key->type = type;
    }
    return key;
}

struct schsm_pkey *schsm_pkey_ref(struct schsm_pkey *key)
{
    atomic_fetch_add(&key->references, 1);
    return key;
}

void schsm_pkey_free(struct schsm_pkey *key)
{
    if (key == NULL || atomic_fetch_sub(&key->references, 1) > 1) {
        return;
    }
    EVP_PKEY_free(key->pkey);
    schsm_key_free(key->device);
    OPENSSL_free(key);
}

struct schsm_pkey *schsm_pkey_from_device(struct schsm_provider *prov, struct schsm_key *device)
{
    EVP_PKEY *public_key = schsm_key_public(device);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_pkey *key = NULL;

    /* A server's workers fork later: they must all answer a bad ciphertext the same. */
    if (EVP_PKEY_is_a(public_key, "RSA") && !schsm_rsa_rejection_prepare(prov->libctx, &err)) {
        schsm_raise(prov, &err);
    } else if (!EVP_PKEY_is_a(public_key, "RSA") && !EVP_PKEY_is_a(public_key, "EC")) {
        schsm_raise_reason(prov, SCHSM_REASON_UNSUPPORTED,
                           "the key on the device is neither an RSA nor an EC key");
    } else if ((key = schsm_pkey_new(prov, EVP_PKEY_is_a(public_key, "RSA") ? "RSA" : "EC")) ==
                   NULL ||
               (key->pkey = EVP_PKEY_dup(public_key)) == NULL) {
        schsm_raise_reason(prov, SCHSM_REASON_OUT_OF_MEMORY, "out of memory");
        schsm_pkey_free(key);
        key = NULL;
    } else {
        key->has_public = true;
        key->device = device;
        return key;
    }
    schsm_key_free(device);
    return key;
}

EVP_PKEY_CTX *schsm_pkey_ctx(const struct schsm_pkey *key)
{
    return EVP_PKEY_CTX_new_from_pkey(key->prov->libctx, key->pkey, NULL);
}

int schsm_pkey_operate(const struct schsm_pkey *key, enum schsm_operation operation,
                       const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    if (!schsm_key_operate(key->device, operation, in, in_len, out, out_len, &err)) {
        return schsm_raise(key->prov, &err);
    }
    return 1;
}
