/* SPDX-License-Identifier: Apache-2.0 */
/* Key management of EC keys: OpenSSL's "EC", and "SC-HSM-EC", which generates on the device. */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "implementations.h"
#include "keymgmt.h"
#include "keymgmt_gen.h"
#include "trace.h"

static OSSL_FUNC_keymgmt_new_fn ec_new;
static OSSL_FUNC_keymgmt_gen_init_fn ec_gen_init;
static OSSL_FUNC_keymgmt_gen_init_fn device_ec_gen_init;
static OSSL_FUNC_keymgmt_gettable_params_fn ec_gettable_params;
static OSSL_FUNC_keymgmt_settable_params_fn ec_settable_params;
static OSSL_FUNC_keymgmt_import_types_fn ec_types;
static OSSL_FUNC_keymgmt_query_operation_name_fn ec_query_operation_name;

static void *ec_new(void *provctx)
{
    schsm_trace_of("keymgmt_new", "EC");
    return schsm_pkey_new(provctx, "EC");
}

static void *ec_gen_init(void *provctx, int selection, const OSSL_PARAM params[])
{
    schsm_trace_of("keymgmt_gen_init", "EC");
    return schsm_gen_init(provctx, "EC", false, selection, params);
}

static void *device_ec_gen_init(void *provctx, int selection, const OSSL_PARAM params[])
{
    schsm_trace_of("keymgmt_gen_init", "SC-HSM-EC");
    return schsm_gen_init(provctx, "EC", true, selection, params);
}

static const OSSL_PARAM *ec_gettable_params(void *provctx)
{
    schsm_trace_of("keymgmt_gettable_params", "EC");
    return schsm_keymgmt_host_table(provctx, "EC", EVP_KEYMGMT_gettable_params);
}

static const OSSL_PARAM *ec_settable_params(void *provctx)
{
    schsm_trace_of("keymgmt_settable_params", "EC");
    return schsm_keymgmt_host_table(provctx, "EC", EVP_KEYMGMT_settable_params);
}

/* What import takes and export gives (provider-keymgmt(7), EVP_PKEY-EC(7)). */
static const OSSL_PARAM *ec_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_FIELD_TYPE, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_P, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_A, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_B, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_EC_GENERATOR, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_ORDER, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_COFACTOR, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_EC_SEED, NULL, 0),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_USE_COFACTOR_ECDH, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, NULL),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_PRIV_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    schsm_trace_of("keymgmt_import_types or keymgmt_export_types", "EC");
    (void)selection; /* what is not selected is just not there */
    return types;
}

/* NULL: the key's own name, under which the default provider has what we do not. */
static const char *ec_query_operation_name(int operation_id)
{
    schsm_trace_of("keymgmt_query_operation_name", "EC");
    switch (operation_id) {
    case OSSL_OP_SIGNATURE:
        return "SC-HSM-ECDSA";
    case OSSL_OP_KEYEXCH:
        return "SC-HSM-ECDH";
#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
    case OSSL_OP_KEM:
        return "SC-HSM-DHKEM";
#endif
    default:
        return NULL;
    }
}

/* clang-format off */
const OSSL_DISPATCH schsm_keymgmt_ec[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))ec_new },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))schsm_keymgmt_free },
    { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))schsm_keymgmt_load },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))schsm_keymgmt_has },
    { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))schsm_keymgmt_match },
    { OSSL_FUNC_KEYMGMT_VALIDATE, (void (*)(void))schsm_keymgmt_validate },
    { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))schsm_keymgmt_import },
    { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))ec_types },
    { OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))schsm_keymgmt_export },
    { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))ec_types },
    { OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))schsm_keymgmt_dup },
    { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))schsm_keymgmt_get_params },
    { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))ec_gettable_params },
    { OSSL_FUNC_KEYMGMT_SET_PARAMS, (void (*)(void))schsm_keymgmt_set_params },
    { OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, (void (*)(void))ec_settable_params },
    { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))ec_query_operation_name },
    { OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))ec_gen_init },
    { OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, (void (*)(void))schsm_gen_set_template },
    { OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))schsm_gen_set_params },
    { OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))schsm_gen_settable_ec },
    { OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))schsm_gen },
    { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))schsm_gen_cleanup },
    { 0, NULL }
};

const OSSL_DISPATCH schsm_keymgmt_device_ec[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))ec_new },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))schsm_keymgmt_free },
    { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))schsm_keymgmt_load },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))schsm_keymgmt_has },
    { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))schsm_keymgmt_match },
    { OSSL_FUNC_KEYMGMT_VALIDATE, (void (*)(void))schsm_keymgmt_validate },
    { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))schsm_keymgmt_import },
    { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))ec_types },
    { OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))schsm_keymgmt_export },
    { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))ec_types },
    { OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))schsm_keymgmt_dup },
    { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))schsm_keymgmt_get_params },
    { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))ec_gettable_params },
    { OSSL_FUNC_KEYMGMT_SET_PARAMS, (void (*)(void))schsm_keymgmt_set_params },
    { OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, (void (*)(void))ec_settable_params },
    { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))ec_query_operation_name },
    { OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))device_ec_gen_init },
    { OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, (void (*)(void))schsm_gen_set_template },
    { OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))schsm_gen_set_params },
    { OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))schsm_gen_settable_ec },
    { OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))schsm_gen },
    { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))schsm_gen_cleanup },
    { 0, NULL }
};
/* clang-format on */
