/* SPDX-License-Identifier: Apache-2.0 */
#include "store_emit.h"

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include "passphrase.h"
#include "skey.h"

int schsm_store_emit_key(struct schsm_pkey *key, OSSL_CALLBACK *cb, void *arg)
{
    int object_type = OSSL_OBJECT_PKEY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, (char *)key->type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, (void *)&key,
                                          sizeof(struct schsm_pkey *)),
        OSSL_PARAM_construct_end(),
    };
    int ok = cb(params, arg);

    schsm_pkey_free(key);
    return ok;
}

bool schsm_store_expects_key(const struct schsm_open_store *store)
{
#ifdef OSSL_STORE_INFO_SKEY
    if (store->expect == OSSL_STORE_INFO_SKEY) {
        return true;
    }
#endif
    return store->expect == OSSL_STORE_INFO_PKEY;
}

bool schsm_store_is_load(const struct schsm_open_store *store)
{
    return schsm_store_expects_key(store) ||
           (store->expect == 0 && schsm_uri_names_object(&store->uri));
}

static int emit_private(struct schsm_open_store *store, struct schsm_match *match,
                        OSSL_CALLBACK *cb, void *arg, OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_arg)
{
    struct schsm_core_passphrase core = { .cb = pw_cb, .arg = pw_arg };
    struct schsm_passphrase passphrase = { .ask = schsm_ask_passphrase, .arg = &core };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_key *device = schsm_key_from_match(store->context, match, &store->uri, &err);
    struct schsm_pkey *key = NULL;

    if (device == NULL ||
        (schsm_store_is_load(store) && !schsm_key_login_at_load(device, &passphrase, &err))) {
        schsm_key_free(device);
        return schsm_raise(store->prov, &err);
    }
    key = schsm_pkey_from_device(store->prov, device);
    return key != NULL && schsm_store_emit_key(key, cb, arg);
}

static int emit_public(struct schsm_open_store *store, struct schsm_match *match, OSSL_CALLBACK *cb,
                       void *arg)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_key *device = schsm_key_from_match(store->context, match, &store->uri, &err);
    struct schsm_pkey *key = NULL;

    if (device == NULL) {
        return schsm_raise(store->prov, &err);
    }
    key = schsm_pkey_from_device(store->prov, device);
    if (key == NULL) {
        return 0;
    }
    schsm_key_free(key->device); /* what is left is a public key */
    key->device = NULL;
    return schsm_store_emit_key(key, cb, arg);
}

#ifdef OSSL_OBJECT_SKEY
static int emit_secret(struct schsm_open_store *store, struct schsm_match *match, OSSL_CALLBACK *cb,
                       void *arg, OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_arg)
{
    struct schsm_core_passphrase core = { .cb = pw_cb, .arg = pw_arg };
    const struct schsm_passphrase passphrase = { .ask = schsm_ask_passphrase, .arg = &core };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_loaded_secret *secret =
        schsm_loaded_secret_from_match(store->context, match, &store->uri, &err);
    struct schsm_skey *key = NULL;
    int object_type = OSSL_OBJECT_SKEY, ok = 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, (char *)SCHSM_SKEY_NAME, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, (void *)&key,
                                          sizeof(struct schsm_skey *)),
        OSSL_PARAM_construct_end(),
    };

    if (secret != NULL && schsm_store_is_load(store) &&
        !schsm_loaded_secret_login_at_load(secret, &passphrase, &err)) {
        schsm_loaded_secret_free(secret);
        secret = NULL;
    }
    if ((key = schsm_skey_new(store->prov, secret, &err)) != NULL) {
        schsm_skey_offer(key);
        ok = cb(params, arg);
        schsm_skey_withdraw(store->prov, key);
    }
    return ok;
}
#endif

static int emit_certificate(struct schsm_open_store *store, struct schsm_match *match,
                            OSSL_CALLBACK *cb, void *arg)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    int object_type = OSSL_OBJECT_CERT;

    if (!schsm_device_read(match->device, &match->object, NULL, &err)) {
        return schsm_raise(store->prov, &err);
    }
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, match->object.value,
                                          match->object.value_len),
        OSSL_PARAM_construct_end(),
    };

    return cb(params, arg);
}

static int emit_name(struct schsm_open_store *store, const struct schsm_match *match,
                     OSSL_CALLBACK *cb, void *arg)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    int object_type = OSSL_OBJECT_NAME;
    char *uri = schsm_match_uri(match, true, &err);
    char description[64];
    int ok = 0;

    if (uri == NULL) {
        return schsm_raise(store->prov, &err);
    }
    schsm_object_describe(&match->object, description, sizeof(description));
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA, uri, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DESC, description, 0),
        OSSL_PARAM_construct_end(),
    };

    /* libcrypto (3.5) tries the name as octets first, and leaves that error beside the success. */
    ERR_set_mark();
    ok = cb(params, arg);
    if (ok) {
        ERR_pop_to_mark();
    } else {
        ERR_clear_last_mark();
    }
    OPENSSL_free(uri);
    return ok;
}

int schsm_store_emit(struct schsm_open_store *store, struct schsm_match *match, OSSL_CALLBACK *cb,
                     void *arg, OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_arg)
{
    if (store->names || (match->object.type & store->several) != 0) {
        return emit_name(store, match, cb, arg);
    }
    switch (match->object.type) {
    case SCHSM_OBJECT_PRIVATE:
        return emit_private(store, match, cb, arg, pw_cb, pw_arg);
    case SCHSM_OBJECT_PUBLIC:
        return emit_public(store, match, cb, arg);
    case SCHSM_OBJECT_CERTIFICATE:
        return emit_certificate(store, match, cb, arg);
#ifdef OSSL_OBJECT_SKEY
    case SCHSM_OBJECT_SECRET:
        return emit_secret(store, match, cb, arg, pw_cb, pw_arg);
#else
    case SCHSM_OBJECT_SECRET:
#endif
    case SCHSM_OBJECT_DATA:
    case SCHSM_OBJECT_ORPHAN:
        break;
    }
    return emit_name(store, match, cb, arg); /* named, not dumped */
}
