/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key management of Ed25519, Ed448, X25519 and X448 keys: OpenSSL's names, and SC-HSM-ED25519 and
 * the like, which generate on the device. They differ in nothing but the name.
 */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "implementations.h"
#include "keymgmt.h"
#include "keymgmt_gen.h"
#include "trace.h"

static OSSL_FUNC_keymgmt_import_types_fn ecx_types;
static OSSL_FUNC_keymgmt_query_operation_name_fn edwards_operation_name;
static OSSL_FUNC_keymgmt_query_operation_name_fn montgomery_operation_name;

/* What import takes and export gives (provider-keymgmt(7), EVP_PKEY-X25519(7)). */
static const OSSL_PARAM *ecx_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    schsm_trace_of("keymgmt_import_types or keymgmt_export_types", "ECX");
    (void)selection; /* what is not selected is just not there */
    return types;
}

static const char *edwards_operation_name(int operation_id)
{
    schsm_trace_of("keymgmt_query_operation_name", "EdDSA");
    return operation_id == OSSL_OP_SIGNATURE ? "SC-HSM-EDDSA" : NULL;
}

/* NULL: the key's own name, under which the default provider has what we do not. */
static const char *montgomery_operation_name(int operation_id)
{
    schsm_trace_of("keymgmt_query_operation_name", "XDH");
    switch (operation_id) {
    case OSSL_OP_KEYEXCH:
        return "SC-HSM-XDH";
#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
    case OSSL_OP_KEM:
        return "SC-HSM-DHKEM";
#endif
    default:
        return NULL;
    }
}

/* clang-format off */
#define TABLE(table, symbol, gen_init, operation_name)                                             \
    const OSSL_DISPATCH table[] = {                                                                \
        { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))symbol##_new },                                   \
        { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))schsm_keymgmt_free },                            \
        { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))schsm_keymgmt_load },                            \
        { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))schsm_keymgmt_has },                              \
        { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))schsm_keymgmt_match },                          \
        { OSSL_FUNC_KEYMGMT_VALIDATE, (void (*)(void))schsm_keymgmt_validate },                    \
        { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))schsm_keymgmt_import },                        \
        { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))ecx_types },                             \
        { OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))schsm_keymgmt_export },                        \
        { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))ecx_types },                             \
        { OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))schsm_keymgmt_dup },                              \
        { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))schsm_keymgmt_get_params },                \
        { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))symbol##_gettable_params },           \
        { OSSL_FUNC_KEYMGMT_SET_PARAMS, (void (*)(void))schsm_keymgmt_set_params },                \
        { OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, (void (*)(void))symbol##_settable_params },           \
        { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))operation_name },                \
        { OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))gen_init },                                  \
        { OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, (void (*)(void))schsm_gen_set_template },            \
        { OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))schsm_gen_set_params },                \
        { OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))symbol##_gen_settable },          \
        { OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))schsm_gen },                                      \
        { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))schsm_gen_cleanup },                      \
        { 0, NULL }                                                                                \
    };

/* which: the slot that keeps the list of generation parameters. */
#define KEY_TYPE(symbol, name, which, operation_name)                                              \
    static OSSL_FUNC_keymgmt_new_fn symbol##_new;                                                  \
    static OSSL_FUNC_keymgmt_gen_init_fn symbol##_gen_init;                                        \
    static OSSL_FUNC_keymgmt_gen_init_fn device_##symbol##_gen_init;                               \
    static OSSL_FUNC_keymgmt_gettable_params_fn symbol##_gettable_params;                          \
    static OSSL_FUNC_keymgmt_settable_params_fn symbol##_settable_params;                          \
    static OSSL_FUNC_keymgmt_gen_settable_params_fn symbol##_gen_settable;                         \
                                                                                                   \
    static void *symbol##_new(void *provctx)                                                       \
    {                                                                                              \
        schsm_trace_of("keymgmt_new", name);                                                       \
        return schsm_pkey_new(provctx, name);                                                      \
    }                                                                                              \
                                                                                                   \
    static void *symbol##_gen_init(void *provctx, int selection, const OSSL_PARAM params[])        \
    {                                                                                              \
        schsm_trace_of("keymgmt_gen_init", name);                                                  \
        return schsm_gen_init(provctx, name, false, selection, params);                            \
    }                                                                                              \
                                                                                                   \
    static void *device_##symbol##_gen_init(void *provctx, int selection,                          \
                                            const OSSL_PARAM params[])                             \
    {                                                                                              \
        schsm_trace_of("keymgmt_gen_init", "SC-HSM-" name);                                        \
        return schsm_gen_init(provctx, name, true, selection, params);                             \
    }                                                                                              \
                                                                                                   \
    static const OSSL_PARAM *symbol##_gettable_params(void *provctx)                               \
    {                                                                                              \
        schsm_trace_of("keymgmt_gettable_params", name);                                           \
        return schsm_keymgmt_host_table(provctx, name, EVP_KEYMGMT_gettable_params);               \
    }                                                                                              \
                                                                                                   \
    static const OSSL_PARAM *symbol##_settable_params(void *provctx)                               \
    {                                                                                              \
        schsm_trace_of("keymgmt_settable_params", name);                                           \
        return schsm_keymgmt_host_table(provctx, name, EVP_KEYMGMT_settable_params);               \
    }                                                                                              \
                                                                                                   \
    static const OSSL_PARAM *symbol##_gen_settable(void *genctx, void *provctx)                    \
    {                                                                                              \
        schsm_trace_of("keymgmt_gen_settable_params", name);                                       \
        (void)genctx;                                                                              \
        return schsm_gen_settable_ecx(provctx, name, which);                                       \
    }                                                                                              \
                                                                                                   \
    TABLE(schsm_keymgmt_##symbol, symbol, symbol##_gen_init, operation_name)                       \
    TABLE(schsm_keymgmt_device_##symbol, symbol, device_##symbol##_gen_init, operation_name)

KEY_TYPE(ed25519, "ED25519", SCHSM_SETTABLE_ED25519, edwards_operation_name)
KEY_TYPE(ed448, "ED448", SCHSM_SETTABLE_ED448, edwards_operation_name)
KEY_TYPE(x25519, "X25519", SCHSM_SETTABLE_X25519, montgomery_operation_name)
KEY_TYPE(x448, "X448", SCHSM_SETTABLE_X448, montgomery_operation_name)
/* clang-format on */
