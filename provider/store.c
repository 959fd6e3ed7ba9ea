/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store loader of the sc-hsm: scheme, and of pkcs11: where the user wants that.
 *
 * A URI that names an object (by key-ref, id, label or handle) is looked up when it is opened, so
 * that a program learns at once what is wrong. It gives the object itself, as a search does. A URI
 * that names no object gives, like a directory, the names of what is there. Where a device may hide
 * the key that is named until somebody is logged in, that waits for the load, which can ask for a
 * PIN; see also store_open_ex.
 *
 * A program that expects a type of object and gets several may want all of them (storeutl) or only
 * one (req -key), and does not say which. It gets their names, which the one lists and the other
 * passes over, and then the error that names the candidates: never silently the first. Several
 * certificates or public keys are given only to a URI that asks for all of that type, or a search.
 * A program that expects nothing in particular of a URI that names an object is treated alike, type
 * by type: what there is one of is given, of what there are several the names, and then the error.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include "keymgmt/defect.h"
#include "keymgmt/find.h"
#include "keymgmt/pkcs11_uri.h"
#include "keymgmt/reveal.h"
#include "keymgmt/unite.h"
#include "implementations.h"
#include "passphrase.h"
#include "pkey.h"
#include "store_attach.h"
#include "store_delete.h"
#include "store_emit.h"
#include "store_search.h"
#include "trace.h"

static OSSL_FUNC_store_open_fn store_open;
#ifdef OSSL_FUNC_STORE_OPEN_EX
static OSSL_FUNC_store_open_ex_fn store_open_ex;
#endif
static OSSL_FUNC_store_attach_fn store_attach;
static OSSL_FUNC_store_settable_ctx_params_fn store_settable_ctx_params;
static OSSL_FUNC_store_set_ctx_params_fn store_set_ctx_params;
static OSSL_FUNC_store_load_fn store_load;
static OSSL_FUNC_store_eof_fn store_eof;
static OSSL_FUNC_store_close_fn store_close;
static OSSL_FUNC_store_export_object_fn store_export_object;

#define DEVICES_MAX 64

/* Is there any device that the URI may mean? Asks none of them. */
static int device_present(struct schsm_open_store *store, struct schsm_error *err)
{
    struct schsm_device_selector selector = schsm_find_selector(store->context, &store->uri);
    struct schsm_device *devices[DEVICES_MAX];
    size_t count = DEVICES_MAX;

    return schsm_registry_devices(store->context->registry, &selector, devices, &count, err);
}

/* The keys that a store gives to be used. AES keys are only named before OpenSSL 4.0. */
#ifdef OSSL_STORE_INFO_SKEY
#define KEYS ((unsigned int)SCHSM_OBJECT_PRIVATE | (unsigned int)SCHSM_OBJECT_SECRET)
#else
#define KEYS ((unsigned int)SCHSM_OBJECT_PRIVATE)
#endif

static unsigned int wanted_keys(const struct schsm_uri *uri)
{
    return uri->types == 0 ? KEYS : uri->types & KEYS;
}

static int search(struct schsm_open_store *store, unsigned int types, struct schsm_error *err)
{
    store->searched = true;
    return schsm_find_quick(store->context, &store->uri, types, &store->found, err);
}

/* Nothing was found of what the URI names: is there a device that may hide it? */
static int may_hide(const struct schsm_open_store *store, struct schsm_error *err)
{
    struct schsm_hiding hiding = { .device = NULL };

    if (wanted_keys(&store->uri) != 0 &&
        !schsm_hiding_find(store->context, &store->uri, &hiding, err)) {
        return 0;
    }
    return hiding.device != NULL ||
           schsm_find_fail(&store->uri, &store->found, store->uri.types, err);
}

static struct schsm_open_store *new_store(struct schsm_provider *prov)
{
    struct schsm_open_store *store = OPENSSL_zalloc(sizeof(*store));

    if (store != NULL) {
        store->prov = prov;
        schsm_uri_init(&store->uri);
        store->context = schsm_provider_context(prov);
        if (store->context == NULL) {
            store_close(store);
            store = NULL;
        }
    }
    return store;
}

static void *store_open(void *provctx, const char *uri)
{
    struct schsm_open_store *store = NULL;
    struct schsm_error err = SCHSM_ERROR_INIT;
    int ok = 0;

    schsm_trace("store_open", NULL);
    if ((store = new_store(provctx)) == NULL) {
        return NULL;
    }
    ok = schsm_uri_parse_any(&store->uri, uri, &err);
    if (ok && !schsm_uri_names_object(&store->uri)) {
        ok = device_present(store, &err);
    } else if (ok) {
        ok = search(store, SCHSM_OBJECT_ANY, &err) &&
             (store->found.count > 0 || may_hide(store, &err));
    }
    if (!ok) {
        schsm_raise(store->prov, &err);
        store_close(store);
        store = NULL;
    }
    return store;
}

static void *store_attach(void *provctx, OSSL_CORE_BIO *in)
{
    struct schsm_open_store *store = NULL;

    schsm_trace("store_attach", NULL);
    if ((store = new_store(provctx)) != NULL) {
        store->attached = true;
        if (!schsm_store_read_reference(provctx, in, &store->reference)) {
            store_close(store);
            store = NULL;
        }
    }
    return store;
}

static const OSSL_PARAM *store_settable_ctx_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, NULL),
        OSSL_PARAM_octet_string(OSSL_STORE_PARAM_SUBJECT, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_STORE_PARAM_ISSUER, NULL, 0),
        OSSL_PARAM_BN(OSSL_STORE_PARAM_SERIAL, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_ALIAS, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_STORE_PARAM_FINGERPRINT, NULL, 0),
        OSSL_PARAM_END,
    };

    schsm_trace("store_settable_ctx_params", NULL);
    (void)provctx;
    return settable;
}

static int store_set_ctx_params(void *loaderctx, const OSSL_PARAM params[])
{
    struct schsm_open_store *store = loaderctx;
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);

    schsm_trace("store_set_ctx_params", NULL);
    return (p == NULL || OSSL_PARAM_get_int(p, &store->expect)) &&
           schsm_store_search_set(store->prov, &store->search, params);
}

/* The object types that an expectation asks for; 0: none that we have. */
static unsigned int expected_types(int expect)
{
    switch (expect) {
    case 0:
    case OSSL_STORE_INFO_NAME:
        return SCHSM_OBJECT_ANY;
    case OSSL_STORE_INFO_PKEY:
        return SCHSM_OBJECT_PRIVATE;
    case OSSL_STORE_INFO_PUBKEY:
        return SCHSM_OBJECT_PUBLIC;
    case OSSL_STORE_INFO_CERT:
        return SCHSM_OBJECT_CERTIFICATE;
#ifdef OSSL_STORE_INFO_SKEY
    case OSSL_STORE_INFO_SKEY:
        return SCHSM_OBJECT_SECRET;
#endif
    default:
        return 0;
    }
}

static int is_wanted(void *arg, struct schsm_match *match, struct schsm_error *err)
{
    const unsigned int *types = arg;

    (void)err;
    return (match->object.type & *types) != 0;
}

/* Several are there of what is expected: is the program to have them all? */
static bool all_may_be_given(const struct schsm_open_store *store)
{
    return !schsm_store_expects_key(store) &&
           (schsm_store_search_active(&store->search) ||
            (store->uri.types != 0 && !schsm_uri_names_object(&store->uri)));
}

/* Finding nothing is an error where something was named, or where a key is needed. */
static bool nothing_is_failure(const struct schsm_open_store *store)
{
    return !schsm_store_search_active(&store->search) &&
           (schsm_store_expects_key(store) || schsm_uri_names_object(&store->uri));
}

/* The types of objects, other than data, of which there are several. */
static unsigned int types_with_several(const struct schsm_match_list *found)
{
    const unsigned int chosen = KEYS | SCHSM_OBJECT_PUBLIC | SCHSM_OBJECT_CERTIFICATE;
    unsigned int seen = 0, several = 0;

    for (size_t i = 0; i < found->count; i++) {
        several |= seen & found->matches[i].object.type & chosen;
        seen |= found->matches[i].object.type;
    }
    return several;
}

/* For a program that lists: what a key reference names comes with id and label. */
static int describe_found(struct schsm_open_store *store, struct schsm_error *err)
{
    schsm_match_list_clear(&store->found);
    return schsm_find(store->context, &store->uri, SCHSM_OBJECT_ANY, &store->found, err);
}

static bool has_found(const struct schsm_open_store *store, unsigned int types)
{
    for (size_t i = 0; i < store->found.count; i++) {
        if ((store->found.matches[i].object.type & types) != 0) {
            return true;
        }
    }
    return false;
}

/* The keys that a load is for. */
static unsigned int sought_keys(const struct schsm_open_store *store)
{
    unsigned int usual = store->uri.types == 0 ? (unsigned int)SCHSM_OBJECT_PRIVATE : KEYS;
    unsigned int sought = store->expect == 0 ? usual : expected_types(store->expect);

    return schsm_store_is_load(store) ? sought & wanted_keys(&store->uri) : 0;
}

/*
 * A key is wanted, and there is none to be seen: logs in where a device hides its keys, and
 * looks again. Whoever expects nothing in particular is given what is to be seen where there is no
 * PIN: it may be all there is, a certificate of an authority for one.
 */
static int look_for_hidden(struct schsm_open_store *store,
                           const struct schsm_passphrase *passphrase, struct schsm_error *err)
{
    unsigned int sought = sought_keys(store);
    struct schsm_hiding hiding = { .device = NULL };
    bool revealed = false;

    if (sought == 0 || schsm_store_search_active(&store->search) || has_found(store, sought)) {
        return 1;
    }
    if (!schsm_hiding_find(store->context, &store->uri, &hiding, err) ||
        !schsm_reveal(store->context, &store->uri, &hiding, passphrase, &revealed, err)) {
        return 0;
    }
    if (revealed) {
        schsm_match_list_clear(&store->found);
        return search(store, expected_types(store->expect), err);
    }
    return hiding.device == NULL || (store->expect == 0 && store->found.count > 0) ||
           schsm_hiding_fail(&store->uri, store->expect == 0 ? store->uri.types : sought, &hiding,
                             err);
}

/* Makes the search, and decides what is given. */
static int prepare(struct schsm_open_store *store, const struct schsm_passphrase *passphrase,
                   struct schsm_error *err)
{
    const unsigned int orphan = SCHSM_OBJECT_ORPHAN;
    unsigned int types = expected_types(store->expect);
    bool directory =
        !schsm_uri_names_object(&store->uri) && !schsm_store_search_active(&store->search);
    const char *alias = store->search.alias;

    if (types == 0) {
        schsm_match_list_clear(&store->found); /* CRLs, parameters: there are none */
        return 1;
    }
    if (!store->searched) {
        if (alias != NULL && alias[0] != '\0' && store->uri.label == NULL &&
            (store->uri.label = OPENSSL_strdup(alias)) == NULL) {
            return schsm_fail_memory(err);
        }
        bool lists = types == SCHSM_OBJECT_ANY && directory;

        if (!search(store, lists ? types | orphan : types, err) ||
            (lists && !schsm_defects_split(&store->found, types, &store->defects, err))) {
            return 0;
        }
    } else if (types == SCHSM_OBJECT_ANY && store->uri.key_ref >= 0 &&
               !describe_found(store, err)) {
        return 0;
    }
    if (!look_for_hidden(store, passphrase, err) ||
        !schsm_match_list_filter(&store->found, is_wanted, &types, err) ||
        (schsm_store_search_active(&store->search) &&
         !schsm_store_search_filter(store->prov, &store->search, &store->found, err))) {
        return 0;
    }
    if (schsm_uri_names_object(&store->uri)) {
        schsm_match_list_unite(store->context, &store->found);
    }
    if (store->found.count == 0 && nothing_is_failure(store)) {
        return schsm_find_fail(&store->uri, &store->found, types, err);
    }
    store->names = store->expect == OSSL_STORE_INFO_NAME || (store->expect == 0 && directory);
    if (store->expect != 0 && !store->names && store->found.count > 1 && !all_may_be_given(store)) {
        store->names = true;
        store->refuse = true;
    }
    if (store->expect == 0 && !directory && !schsm_store_search_active(&store->search)) {
        store->several = types_with_several(&store->found);
        store->refuse = store->several != 0;
    }
    return 1;
}

#ifdef OSSL_FUNC_STORE_OPEN_EX
/*
 * OpenSSL 3.2 and later give the pass phrase callback here, too. What the program expects it tells
 * only afterwards, and lists, public keys and certificates are to cost nobody a PIN: so it is asked
 * for here where the URI itself says that it means a private key, and the device shows none before
 * somebody is logged in. Then a program learns at once what is wrong.
 */
static void *store_open_ex(void *provctx, const char *uri, const OSSL_PARAM params[],
                           OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_arg)
{
    struct schsm_core_passphrase core = { .cb = pw_cb, .arg = pw_arg };
    const struct schsm_passphrase passphrase = { .ask = schsm_ask_passphrase, .arg = &core };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_open_store *store = NULL;
    int ok = 1;

    schsm_trace("store_open_ex", NULL);
    if ((store = store_open(provctx, uri)) == NULL) {
        return NULL;
    }
    if (params != NULL && params->key != NULL) {
        ok = store_set_ctx_params(store, params);
    }
    if (ok && store->searched && store->found.count == 0 &&
        store->uri.types == SCHSM_OBJECT_PRIVATE && !look_for_hidden(store, &passphrase, &err)) {
        ok = schsm_raise(store->prov, &err);
    }
    if (!ok) {
        store_close(store);
        store = NULL;
    }
    return store;
}
#endif

/* What was attached is a private key, and no search finds it. */
static int load_attached(struct schsm_open_store *store, OSSL_CALLBACK *cb, void *arg,
                         OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_arg)
{
    struct schsm_pkey *key = NULL;

    store->ended = true;
    if ((store->expect != 0 && store->expect != OSSL_STORE_INFO_PKEY) ||
        schsm_store_search_active(&store->search)) {
        return 0;
    }
    key = schsm_store_attached_key(store->prov, &store->reference, pw_cb, pw_arg);
    return key != NULL && schsm_store_emit_key(key, cb, arg);
}

static int store_load(void *loaderctx, OSSL_CALLBACK *object_cb, void *object_cbarg,
                      OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_cbarg)
{
    struct schsm_open_store *store = loaderctx;
    struct schsm_error err = SCHSM_ERROR_INIT;

    schsm_trace("store_load", NULL);
    if (store->ended) {
        return 0;
    }
    if (store->attached) {
        return load_attached(store, object_cb, object_cbarg, pw_cb, pw_cbarg);
    }
    if (!store->prepared) {
        struct schsm_core_passphrase core = { .cb = pw_cb, .arg = pw_cbarg };
        const struct schsm_passphrase passphrase = { .ask = schsm_ask_passphrase, .arg = &core };

        store->prepared = true;
        if (!prepare(store, &passphrase, &err)) {
            /* The end comes with the next call: libcrypto takes a failure at the end for none. */
            schsm_match_list_clear(&store->found);
            schsm_match_list_clear(&store->defects);
            store->refuse = false;
            return schsm_raise(store->prov, &err);
        }
    }
    if (store->next < store->found.count) {
        struct schsm_match *match = &store->found.matches[store->next++];

        store->ended = store->next == store->found.count && !store->refuse &&
                       store->told == store->defects.count;
        return schsm_store_emit(store, match, object_cb, object_cbarg, pw_cb, pw_cbarg);
    }
    /* At the end, since some programs stop at the first error. */
    if (store->told < store->defects.count) {
        char text[SCHSM_DEFECT_TEXT_MAX];

        schsm_defect_text(&store->defects.matches[store->told++], text);
        schsm_fail(&err, SCHSM_REASON_DEVICE_DATA, "%s", text);
        return schsm_raise(store->prov, &err);
    }
    store->ended = true;
    if (store->refuse) {
        unsigned int types = store->several != 0 ? store->several : expected_types(store->expect);

        if ((types & SCHSM_OBJECT_PRIVATE) != 0) {
            types = SCHSM_OBJECT_PRIVATE; /* the one that most are after */
        }
        if (schsm_match_list_filter(&store->found, is_wanted, &types, &err)) {
            schsm_find_fail(&store->uri, &store->found, types, &err);
        }
        return schsm_raise(store->prov, &err);
    }
    return 0;
}

static int store_eof(void *loaderctx)
{
    const struct schsm_open_store *store = loaderctx;

    schsm_trace("store_eof", NULL);
    return store->ended;
}

static int store_close(void *loaderctx)
{
    struct schsm_open_store *store = loaderctx;

    schsm_trace("store_close", NULL);
    schsm_match_list_clear(&store->found);
    schsm_match_list_clear(&store->defects);
    schsm_store_search_clear(&store->search);
    schsm_reference_clear(&store->reference);
    schsm_uri_clear(&store->uri);
    OPENSSL_free(store);
    return 1;
}

/* For a caller whose keymgmt is another provider's: the public part. */
static int store_export_object(void *loaderctx, const void *reference, size_t reference_sz,
                               OSSL_CALLBACK *cb_fn, void *cb_arg)
{
    struct schsm_pkey *const *key = reference;
    OSSL_PARAM *params = NULL;
    int ok = 0;

    schsm_trace("store_export_object", NULL);
    (void)loaderctx;
    if (reference_sz == sizeof(struct schsm_pkey *) && *key != NULL && (*key)->device == NULL &&
        EVP_PKEY_todata((*key)->pkey, EVP_PKEY_PUBLIC_KEY, &params) > 0) {
        ok = cb_fn(params, cb_arg);
    }
    OSSL_PARAM_free(params);
    return ok;
}

const OSSL_DISPATCH schsm_store[] = {
    { OSSL_FUNC_STORE_OPEN, (void (*)(void))store_open },
#ifdef OSSL_FUNC_STORE_OPEN_EX
    { OSSL_FUNC_STORE_OPEN_EX, (void (*)(void))store_open_ex },
#endif
    { OSSL_FUNC_STORE_ATTACH, (void (*)(void))store_attach },
    { OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, (void (*)(void))store_settable_ctx_params },
    { OSSL_FUNC_STORE_SET_CTX_PARAMS, (void (*)(void))store_set_ctx_params },
    { OSSL_FUNC_STORE_LOAD, (void (*)(void))store_load },
    { OSSL_FUNC_STORE_EOF, (void (*)(void))store_eof },
    { OSSL_FUNC_STORE_CLOSE, (void (*)(void))store_close },
    { OSSL_FUNC_STORE_EXPORT_OBJECT, (void (*)(void))store_export_object },
#ifdef OSSL_FUNC_STORE_DELETE
    { OSSL_FUNC_STORE_DELETE, (void (*)(void))schsm_store_delete },
#endif
    { 0, NULL }
};
