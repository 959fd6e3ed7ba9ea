/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES keys on a device as EVP_SKEYs. A program names one by its URI, which importing is: nothing
 * comes to the device by it. What it has then is that name and a way to log in.
 */
#include "skey.h"

#ifdef OSSL_OP_SKEYMGMT

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "implementations.h"
#include "keymgmt_gen.h"
#include "trace.h"

#define PARAM_URI "uri"
#define PARAM_BITS "bits" /* as 'openssl genpkey' has it for RSA keys */
#define DEFAULT_BITS 256

static OSSL_FUNC_skeymgmt_free_fn skeymgmt_free;
static OSSL_FUNC_skeymgmt_import_fn skeymgmt_import;
static OSSL_FUNC_skeymgmt_export_fn skeymgmt_export;
static OSSL_FUNC_skeymgmt_generate_fn skeymgmt_generate;
static OSSL_FUNC_skeymgmt_get_key_id_fn skeymgmt_get_key_id;
static OSSL_FUNC_skeymgmt_imp_settable_params_fn skeymgmt_imp_settable_params;
static OSSL_FUNC_skeymgmt_gen_settable_params_fn skeymgmt_gen_settable_params;

void schsm_trace_skey(const char *function, const struct schsm_skey *key)
{
    if (key == NULL) {
        schsm_trace(function, NULL);
    } else {
        schsm_trace_of(function, schsm_loaded_secret_name(key->secret));
    }
}

int schsm_skey_refuse_bytes(const struct schsm_provider *prov)
{
    return schsm_raise_reason(prov, SCHSM_REASON_UNSUPPORTED,
                              "an AES key on the device is named by the parameter '" PARAM_URI
                              "' of " SCHSM_SKEY_NAME " (EVP_SKEY_import), and not given as bytes; "
                              "'sc-hsm import' brings one to the device");
}

struct schsm_skey *schsm_skey_new(struct schsm_provider *prov, struct schsm_loaded_secret *secret,
                                  const struct schsm_error *err)
{
    struct schsm_skey *key = NULL;

    if (secret == NULL) {
        schsm_raise(prov, err);
    } else if ((key = OPENSSL_zalloc(sizeof(*key))) == NULL) {
        schsm_loaded_secret_free(secret);
    } else {
        key->prov = prov;
        key->secret = secret;
    }
    return key;
}

struct schsm_skey *schsm_skey_dup(const struct schsm_skey *key)
{
    return schsm_skey_new(key->prov, schsm_loaded_secret_ref(key->secret), NULL);
}

void schsm_skey_free(struct schsm_skey *key)
{
    if (key != NULL) {
        schsm_loaded_secret_free(key->secret);
        OPENSSL_free(key);
    }
}

struct schsm_secret_key schsm_skey_operand(const struct schsm_skey *key, struct schsm_login *login)
{
    return schsm_loaded_secret_key(key->secret, login);
}

void schsm_skey_offer(struct schsm_skey *key)
{
    schsm_guard_lock();
    key->next_offered = key->prov->offered;
    key->prov->offered = key;
    schsm_guard_unlock();
}

/* Takes the key out of the list; it need not be one, and is not looked into before it is found. */
static bool take_offered(struct schsm_provider *prov, const struct schsm_skey *key)
{
    struct schsm_skey **place = &prov->offered;
    bool found;

    schsm_guard_lock();
    while (*place != NULL && *place != key) {
        place = &(*place)->next_offered;
    }
    found = *place != NULL;
    if (found) {
        *place = (*place)->next_offered;
    }
    schsm_guard_unlock();
    return found;
}

void schsm_skey_withdraw(struct schsm_provider *prov, struct schsm_skey *key)
{
    if (take_offered(prov, key)) {
        schsm_skey_free(key);
    }
}

/* What a reference stands for, which becomes the caller's; NULL where it is none. */
static struct schsm_skey *take_referenced(struct schsm_provider *prov, const OSSL_PARAM *p)
{
    struct schsm_skey *key = NULL;
    const void *reference = NULL;
    size_t len = 0;

    if (!OSSL_PARAM_get_octet_string_ptr(p, &reference, &len) ||
        len != sizeof(struct schsm_skey *)) {
        return NULL;
    }
    memcpy(&key, reference, sizeof(struct schsm_skey *));
    return take_offered(prov, key) ? key : NULL;
}

static void skeymgmt_free(void *vkey)
{
    schsm_trace_skey("skeymgmt_free", vkey);
    schsm_skey_free(vkey);
}

static void *skeymgmt_import(void *provctx, int selection, const OSSL_PARAM params[])
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, PARAM_URI);
    const OSSL_PARAM *reference = OSSL_PARAM_locate_const(params, OSSL_OBJECT_PARAM_REFERENCE);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_context *context = NULL;
    struct schsm_skey *key = NULL;
    const char *uri = NULL;

    (void)selection;
    schsm_trace_of("skeymgmt_import", SCHSM_SKEY_NAME);
    if (reference != NULL && (key = take_referenced(provctx, reference)) != NULL) {
        return key;
    }
    if (OSSL_PARAM_locate_const(params, OSSL_SKEY_PARAM_RAW_BYTES) != NULL || p == NULL ||
        !OSSL_PARAM_get_utf8_string_ptr(p, &uri) || uri == NULL) {
        (void)schsm_skey_refuse_bytes(provctx);
        return NULL;
    }
    if ((context = schsm_provider_context(provctx)) == NULL) {
        return NULL;
    }
    return schsm_skey_new(provctx, schsm_loaded_secret_find(context, uri, &err), &err);
}

static int skeymgmt_export(void *vkey, int selection, OSSL_CALLBACK *callback, void *arg)
{
    const struct schsm_skey *key = vkey;

    (void)selection;
    (void)callback;
    (void)arg;
    schsm_trace_skey("skeymgmt_export", key);
    return schsm_raise_reason(key->prov, SCHSM_REASON_UNSUPPORTED,
                              "%s stays on the device and cannot be exported",
                              schsm_loaded_secret_name(key->secret));
}

/* In bytes as OpenSSL has it, or in bits; which lengths there are the device says. */
static int set_length(struct schsm_generation *gen, const OSSL_PARAM *p)
{
    bool in_bytes = strcmp(p->key, OSSL_SKEY_PARAM_KEY_LENGTH) == 0;
    size_t number = 0;

    if (!OSSL_PARAM_get_size_t(p, &number) || number > 4096) {
        return schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT, "%s: no length of an AES key",
                                  p->key);
    }
    gen->bits = (unsigned int)(in_bytes ? 8 * number : number);
    return 1;
}

static int set_parameters(struct schsm_generation *gen, const OSSL_PARAM params[])
{
    for (const OSSL_PARAM *p = params; p != NULL && p->key != NULL; p++) {
        bool length =
            strcmp(p->key, OSSL_SKEY_PARAM_KEY_LENGTH) == 0 || strcmp(p->key, PARAM_BITS) == 0;
        int set = length ? set_length(gen, p) : schsm_gen_set_card_parameter(gen, p);

        if (set < 0) {
            set = schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                                     "%.40s: no parameter of an AES key on the device", p->key);
        }
        if (!set) {
            return 0;
        }
    }
    return 1;
}

static void *skeymgmt_generate(void *provctx, const OSSL_PARAM params[])
{
    struct schsm_generation gen = {
        .prov = provctx, .bits = DEFAULT_BITS, .key_ref = -1, .key_domain = -1
    };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_context *context = NULL;
    struct schsm_skey *key = NULL;

    schsm_trace_of("skeymgmt_generate", SCHSM_SKEY_NAME);
    schsm_uri_init(&gen.where);
    if (set_parameters(&gen, params) && (context = schsm_provider_context(provctx)) != NULL) {
        const struct schsm_generate spec = schsm_gen_spec(&gen, SCHSM_KEY_AES);

        key = schsm_skey_new(provctx,
                             schsm_loaded_secret_generate(context, &gen.where, &spec, &err), &err);
    }
    schsm_uri_clear(&gen.where);
    OPENSSL_free(gen.label);
    return key;
}

static const char *skeymgmt_get_key_id(void *vkey)
{
    const struct schsm_skey *key = vkey;

    schsm_trace_skey("skeymgmt_get_key_id", key);
    return schsm_loaded_secret_uri(key->secret);
}

static const OSSL_PARAM *skeymgmt_imp_settable_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(PARAM_URI, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provctx;
    schsm_trace_of("skeymgmt_imp_settable_params", SCHSM_SKEY_NAME);
    return settable;
}

static const OSSL_PARAM *skeymgmt_gen_settable_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_size_t(OSSL_SKEY_PARAM_KEY_LENGTH, NULL),
        OSSL_PARAM_size_t(PARAM_BITS, NULL),
        SCHSM_CARD_PARAMETERS,
        OSSL_PARAM_END,
    };

    (void)provctx;
    schsm_trace_of("skeymgmt_gen_settable_params", SCHSM_SKEY_NAME);
    return settable;
}

const OSSL_DISPATCH schsm_skeymgmt_aes[] = {
    { OSSL_FUNC_SKEYMGMT_FREE, (void (*)(void))skeymgmt_free },
    { OSSL_FUNC_SKEYMGMT_IMPORT, (void (*)(void))skeymgmt_import },
    { OSSL_FUNC_SKEYMGMT_EXPORT, (void (*)(void))skeymgmt_export },
    { OSSL_FUNC_SKEYMGMT_GENERATE, (void (*)(void))skeymgmt_generate },
    { OSSL_FUNC_SKEYMGMT_GET_KEY_ID, (void (*)(void))skeymgmt_get_key_id },
    { OSSL_FUNC_SKEYMGMT_IMP_SETTABLE_PARAMS, (void (*)(void))skeymgmt_imp_settable_params },
    { OSSL_FUNC_SKEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))skeymgmt_gen_settable_params },
    { 0, NULL },
};

#endif
