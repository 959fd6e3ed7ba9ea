/* SPDX-License-Identifier: Apache-2.0 */
#include "pkey.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "rsa_padding.h"

struct schsm_pkey *schsm_pkey_new(struct schsm_provider *prov, const char *type)
{
    struct schsm_pkey *key = OPENSSL_zalloc(sizeof(*key));

    if (key != NULL) {
        atomic_init(&key->references, 1);
        atomic_init(&key->refused, 0);
        atomic_init(&key->unclaimed, false);
        key->prov = prov;
        key->type = type;
    }
    return key;
}

struct schsm_pkey *schsm_pkey_ref(struct schsm_pkey *key)
{
    atomic_fetch_add(&key->references, 1);
    atomic_store(&key->unclaimed, false);
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

/* Our name for the key's type; NULL where we have none. */
static const char *key_type(const EVP_PKEY *key)
{
    static const char *const types[] = { "RSA",   "RSA-PSS", "EC",  "ED25519",
                                         "ED448", "X25519",  "X448" };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (EVP_PKEY_is_a(key, types[i])) {
            return types[i];
        }
    }
    return NULL;
}

struct schsm_pkey *schsm_pkey_around(struct schsm_provider *prov, struct schsm_key *device)
{
    EVP_PKEY *public_key = schsm_key_public(device);
    const char *type = key_type(public_key);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_pkey *key = NULL;

    if (type == NULL) {
        schsm_raise_reason(
            prov, SCHSM_REASON_UNSUPPORTED,
            "the key on the device is of a kind that OpenSSL cannot use here: neither "
            "RSA, EC, Ed25519, Ed448, X25519 nor X448");
        return NULL;
    }
    /* A server's workers fork later: they must all answer a bad ciphertext the same. */
    if (strcmp(type, "RSA") == 0 && !schsm_rsa_rejection_prepare(prov->libctx, &err)) {
        schsm_raise(prov, &err);
        return NULL;
    }
    /* A copy, as its forms (set_params) are this key's own. */
    if ((key = schsm_pkey_new(prov, type)) == NULL ||
        (key->pkey = EVP_PKEY_dup(public_key)) == NULL) {
        schsm_raise_reason(prov, SCHSM_REASON_OUT_OF_MEMORY, "out of memory");
        schsm_pkey_free(key);
        return NULL;
    }
    key->has_public = true;
    key->device = device;
    return key;
}

struct schsm_pkey *schsm_pkey_from_device(struct schsm_provider *prov, struct schsm_key *device)
{
    struct schsm_pkey *key = schsm_pkey_around(prov, device);

    if (key == NULL) {
        schsm_key_free(device);
    }
    return key;
}

EVP_PKEY_CTX *schsm_pkey_ctx(const struct schsm_pkey *key)
{
    return EVP_PKEY_CTX_new_from_pkey(key->prov->libctx, key->pkey, NULL);
}

void schsm_attempts_add(struct schsm_attempts *attempts, enum schsm_operation operation,
                        const unsigned char *in, size_t in_len)
{
    struct schsm_attempt *attempt = &attempts->list[attempts->count++];

    attempt->operation = operation;
    attempt->in = in;
    attempt->in_len = in_len;
}

/* The device's own sentence, and which entries in the key's list would have helped. */
static int raise_refusal(const struct schsm_pkey *key, const struct schsm_attempts *attempts,
                         const struct schsm_error *err)
{
    char ids[8 * SCHSM_ATTEMPTS_MAX] = "";
    size_t len = 0;

    for (size_t i = 0; i < attempts->count && len < sizeof(ids); i++) {
        const char *separator = i == 0 ? "" : i + 1 == attempts->count ? " or " : ", ";

        len += (size_t)BIO_snprintf(
            ids + len, sizeof(ids) - len, "%s%02X", separator,
            (unsigned int)schsm_operation_traits(attempts->list[i].operation)->algorithm);
    }
    return schsm_raise_reason(
        key->prov, err->reason, "%s; the key's algorithm list would have to hold %s%s%s", err->text,
        ids, attempts->hint != NULL ? ", " : "", attempts->hint != NULL ? attempts->hint : "");
}

static unsigned int bit(const struct schsm_attempt *attempt)
{
    return 1u << (unsigned int)attempt->operation;
}

int schsm_pkey_attempt(struct schsm_pkey *key, const struct schsm_attempts *attempts,
                       unsigned char *out, size_t *out_len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    unsigned int refused = atomic_load(&key->refused);
    unsigned int possible = 0;
    size_t room = *out_len;

    for (size_t i = 0; i < attempts->count; i++) {
        possible |= bit(&attempts->list[i]);
    }
    if ((possible & ~refused) == 0) { /* ask again: another key may be there by now */
        refused = 0;
    }
    for (size_t i = 0; i < attempts->count; i++) {
        const struct schsm_attempt *attempt = &attempts->list[i];

        if ((refused & bit(attempt)) != 0) {
            continue;
        }
        *out_len = room;
        if (schsm_key_operate(key->device, attempt->operation, attempt->in, attempt->in_len, out,
                              out_len, &err)) {
            return 1;
        }
        if (err.reason != SCHSM_REASON_NOT_PERMITTED) {
            return schsm_raise(key->prov, &err);
        }
        atomic_fetch_or(&key->refused, bit(attempt));
    }
    return raise_refusal(key, attempts, &err);
}

int schsm_pkey_operate(struct schsm_pkey *key, enum schsm_operation operation,
                       const unsigned char *in, size_t in_len, unsigned char *out, size_t *out_len)
{
    struct schsm_attempts attempts = { .count = 0, .hint = NULL };

    schsm_attempts_add(&attempts, operation, in, in_len);
    return schsm_pkey_attempt(key, &attempts, out, out_len);
}
