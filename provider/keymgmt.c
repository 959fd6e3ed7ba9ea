/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key management for all key types. On the host every key is an EVP_PKEY of our own library
 * context, so the default provider answers for its parameters, comparisons and checks; what is
 * added here is the private part on the device, which can be used but never leaves.
 */
#include "keymgmt.h"
#include "trace.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

void schsm_keymgmt_discard_made(struct schsm_provider *prov, struct schsm_key *device)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    if (!schsm_key_remove(device, &err)) {
        int place = schsm_key_place(device);
        char where[40] = "";

        if (place >= 0) {
            (void)snprintf(where, sizeof(where), " as key reference %d", place);
        }
        schsm_raise_reason(prov, err.reason, "the key that was made stays on the device%s: %s",
                           where, err.text);
    }
    schsm_key_free(device);
}

/*
 * libcrypto asks for a new key's size and strength as soon as it has made a place for it. Where
 * memory runs out before that, its caller gets no key, and it frees ours without a word.
 */
void schsm_keymgmt_free(void *keydata)
{
    struct schsm_pkey *key = keydata;

    schsm_trace("keymgmt_free", keydata);
    if (key != NULL && atomic_load(&key->unclaimed)) {
        schsm_keymgmt_discard_made(key->prov, key->device);
        key->device = NULL;
    }
    schsm_pkey_free(key);
}

/* Whoever asks something of a key has got it. */
static struct schsm_pkey *claimed(const void *keydata)
{
    struct schsm_pkey *key = (struct schsm_pkey *)keydata;

    if (key != NULL) {
        atomic_store_explicit(&key->unclaimed, false, memory_order_relaxed);
    }
    return key;
}

/* Takes ownership of the reference that a decoder or store handed to libcrypto. */
void *schsm_keymgmt_load(const void *reference, size_t reference_sz)
{
    struct schsm_pkey *key = NULL;

    if (reference_sz == sizeof(struct schsm_pkey *)) {
        struct schsm_pkey **owner = (struct schsm_pkey **)reference;

        key = *owner;
        *owner = NULL;
    }
    schsm_trace("keymgmt_load", key);
    return key;
}

int schsm_keymgmt_has(const void *keydata, int selection)
{
    const struct schsm_pkey *key = claimed(keydata);

    schsm_trace("keymgmt_has", keydata);
    if (key == NULL || key->pkey == NULL) {
        return 0;
    }
    return ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 || key->device != NULL ||
            key->has_private) &&
           ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0 || key->has_public);
}

/* More than parameters. What of a private part alone can be compared is a matter of the version. */
static bool has_part(const struct schsm_pkey *key)
{
    return key->has_public || key->has_private;
}

/* Never touches the device: the public part decides, as a private key has but one. */
int schsm_keymgmt_match(const void *keydata1, const void *keydata2, int selection)
{
    const struct schsm_pkey *key1 = claimed(keydata1);
    const struct schsm_pkey *key2 = claimed(keydata2);

    schsm_trace("keymgmt_match", keydata1);
    if (key1->pkey == NULL || key2->pkey == NULL) {
        return 0;
    }
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0) {
        return has_part(key1) && has_part(key2) && EVP_PKEY_eq(key1->pkey, key2->pkey) == 1;
    }
    if ((selection & OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) != 0) {
        return EVP_PKEY_parameters_eq(key1->pkey, key2->pkey) == 1;
    }
    return 1;
}

/* Of a key on the device there is but the public part to look at. */
int schsm_keymgmt_validate(const void *keydata, int selection, int checktype)
{
    const struct schsm_pkey *key = claimed(keydata);
    bool quick = checktype == OSSL_KEYMGMT_VALIDATE_QUICK_CHECK;
    bool public_part = (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0;
    bool private_part = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && key->device == NULL;
    EVP_PKEY_CTX *ctx = key->pkey != NULL ? schsm_pkey_ctx(key) : NULL;
    int ok = ctx != NULL;

    schsm_trace("keymgmt_validate", keydata);
    if (ok && (selection & OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) != 0) {
        ok = (quick ? EVP_PKEY_param_check_quick(ctx) : EVP_PKEY_param_check(ctx)) == 1;
    }
    if (ok && public_part && private_part) {
        ok = EVP_PKEY_pairwise_check(ctx) == 1;
    } else if (ok && public_part) {
        ok = (quick ? EVP_PKEY_public_check_quick(ctx) : EVP_PKEY_public_check(ctx)) == 1;
    } else if (ok && private_part) {
        ok = EVP_PKEY_private_check(ctx) == 1;
    }
    EVP_PKEY_CTX_free(ctx);
    if (ok && key->device != NULL && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 &&
        checktype != OSSL_KEYMGMT_VALIDATE_QUICK_CHECK) {
        struct schsm_error err = SCHSM_ERROR_INIT;

        ok = schsm_key_check(key->device, &err) || schsm_raise(key->prov, &err);
    }
    return ok;
}

static bool is_rsa(const struct schsm_pkey *key)
{
    return strncmp(key->type, "RSA", 3) == 0; /* RSA-PSS as well */
}

/* Of these the public part is computed where the private one comes alone. */
static bool brings_its_public_key(const struct schsm_pkey *key)
{
    return key->type[0] == 'X' || strncmp(key->type, "ED", 2) == 0;
}

/* The private number's parameter, which tells whether an import really brings one. */
static const char *private_name(const struct schsm_pkey *key)
{
    return is_rsa(key) ? OSSL_PKEY_PARAM_RSA_D : OSSL_PKEY_PARAM_PRIV_KEY;
}

static const char *public_name(const struct schsm_pkey *key)
{
    return is_rsa(key) ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_PUB_KEY;
}

static int from_params(struct schsm_pkey *key, int selection, const OSSL_PARAM params[])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(key->prov->libctx, key->type, NULL);
    EVP_PKEY *pkey = NULL;
    int ok = 0;

    /* EVP_PKEY_fromdata takes a plain pointer but writes nothing through it. */
    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) > 0 &&
        EVP_PKEY_fromdata(ctx, &pkey, selection, (OSSL_PARAM *)params) > 0) {
        EVP_PKEY_free(key->pkey);
        key->pkey = pkey;
        key->has_private = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 &&
                           OSSL_PARAM_locate_const(params, private_name(key)) != NULL;
        key->has_public = (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 &&
                          (OSSL_PARAM_locate_const(params, public_name(key)) != NULL ||
                           (key->has_private && brings_its_public_key(key)));
        ok = 1;
    }
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

int schsm_keymgmt_import(void *keydata, int selection, const OSSL_PARAM params[])
{
    struct schsm_pkey *key = claimed(keydata);

    schsm_trace("keymgmt_import", keydata);
    return key->device == NULL && from_params(key, selection, params);
}

int schsm_keymgmt_export(void *keydata, int selection, OSSL_CALLBACK *param_cb, void *cbarg)
{
    struct schsm_pkey *key = claimed(keydata);
    OSSL_PARAM *params = NULL;
    int ok = 0;

    schsm_trace("keymgmt_export", keydata);
    if (key->pkey == NULL) {
        return 0;
    }
    if (key->device != NULL && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
        return schsm_raise_reason(key->prov, SCHSM_REASON_UNSUPPORTED, SCHSM_STAYS_ON_DEVICE);
    }
    if (EVP_PKEY_todata(key->pkey, selection, &params) > 0) {
        ok = param_cb(params, cbarg);
    }
    OSSL_PARAM_free(params);
    return ok;
}

/*
 * The whole pair or the parameters alone, by the default provider's own copying, which takes what
 * its import refuses (SM2).
 */
static EVP_PKEY *copy_on_host(const struct schsm_pkey *key, bool pair)
{
    EVP_PKEY *copy = NULL;

    if (pair) {
        return EVP_PKEY_dup(key->pkey);
    }
    if ((copy = EVP_PKEY_new()) == NULL || EVP_PKEY_copy_parameters(copy, key->pkey) <= 0) {
        EVP_PKEY_free(copy);
        copy = NULL;
    }
    return copy;
}

void *schsm_keymgmt_dup(const void *keydata, int selection)
{
    const struct schsm_pkey *key = claimed(keydata);
    struct schsm_pkey *copy = schsm_pkey_new(key->prov, key->type);
    int wanted = selection & OSSL_KEYMGMT_SELECT_KEYPAIR;
    bool pair = wanted == OSSL_KEYMGMT_SELECT_KEYPAIR;
    OSSL_PARAM *params = NULL;
    int ok = copy != NULL;

    schsm_trace("keymgmt_dup", keydata);
    if (ok && key->pkey != NULL && (selection & OSSL_KEYMGMT_SELECT_ALL) != 0) {
        if (pair || wanted == 0) {
            copy->pkey = copy_on_host(key, pair);
            copy->has_private = pair && key->has_private;
            copy->has_public = pair && key->has_public;
            ok = copy->pkey != NULL;
        } else {
            /* A device key's pkey has no private part to select. */
            int half = key->has_private ? selection : selection & ~OSSL_KEYMGMT_SELECT_PRIVATE_KEY;

            ok = EVP_PKEY_todata(key->pkey, half, &params) > 0 && from_params(copy, half, params);
        }
    }
    if (ok && (wanted & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && key->device != NULL) {
        copy->device = schsm_key_ref(key->device);
    }
    OSSL_PARAM_free(params);
    if (!ok) {
        schsm_pkey_free(copy);
        copy = NULL;
    }
    return copy;
}

int schsm_keymgmt_get_params(void *keydata, OSSL_PARAM params[])
{
    const struct schsm_pkey *key = claimed(keydata);

    schsm_trace("keymgmt_get_params", keydata);
    return key->pkey != NULL && EVP_PKEY_get_params(key->pkey, params) > 0;
}

static bool brings_public_key(const OSSL_PARAM params[])
{
    return OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) != NULL ||
           OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY) != NULL;
}

int schsm_keymgmt_set_params(void *keydata, const OSSL_PARAM params[])
{
    struct schsm_pkey *key = claimed(keydata);

    schsm_trace("keymgmt_set_params", keydata);
    if (params == NULL || params[0].key == NULL) {
        return 1;
    }
    if (key->pkey == NULL) {
        return 0;
    }
    if (key->device != NULL && brings_public_key(params)) {
        return schsm_raise_reason(key->prov, SCHSM_REASON_UNSUPPORTED,
                                  "the public key of a key on a SmartCard-HSM cannot be replaced");
    }
    if (EVP_PKEY_set_params(key->pkey, (OSSL_PARAM *)params) <= 0) {
        return 0;
    }
    /* CMS sends the peer's point this way to a key that had parameters only. */
    if (OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) != NULL) {
        key->has_public = true;
    }
    return 1;
}

const OSSL_PARAM *schsm_keymgmt_host_table(const struct schsm_provider *prov, const char *type,
                                           const OSSL_PARAM *(*table)(const EVP_KEYMGMT *))
{
    EVP_KEYMGMT *host = EVP_KEYMGMT_fetch(prov->libctx, type, NULL);
    const OSSL_PARAM *found = host != NULL ? table(host) : NULL;

    EVP_KEYMGMT_free(host);
    return found;
}
