/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key management of RSA keys: OpenSSL's "RSA" and "RSA-PSS", and "SC-HSM-RSA" and "SC-HSM-RSA-PSS",
 * which generate on the device. They differ in generation and in what import and export speak of.
 */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "implementations.h"
#include "keymgmt.h"
#include "keymgmt_gen.h"
#include "trace.h"

static OSSL_FUNC_keymgmt_new_fn rsa_new;
static OSSL_FUNC_keymgmt_new_fn pss_new;
static OSSL_FUNC_keymgmt_gen_init_fn rsa_gen_init;
static OSSL_FUNC_keymgmt_gen_init_fn device_rsa_gen_init;
static OSSL_FUNC_keymgmt_gen_init_fn pss_gen_init;
static OSSL_FUNC_keymgmt_gen_init_fn device_pss_gen_init;
static OSSL_FUNC_keymgmt_gettable_params_fn rsa_gettable_params;
static OSSL_FUNC_keymgmt_gettable_params_fn pss_gettable_params;
static OSSL_FUNC_keymgmt_import_types_fn rsa_types;
static OSSL_FUNC_keymgmt_import_types_fn pss_types;
static OSSL_FUNC_keymgmt_query_operation_name_fn rsa_query_operation_name;

static void *rsa_new(void *provctx)
{
    schsm_trace_of("keymgmt_new", "RSA");
    return schsm_pkey_new(provctx, "RSA");
}

static void *pss_new(void *provctx)
{
    schsm_trace_of("keymgmt_new", "RSA-PSS");
    return schsm_pkey_new(provctx, "RSA-PSS");
}

static void *rsa_gen_init(void *provctx, int selection, const OSSL_PARAM params[])
{
    schsm_trace_of("keymgmt_gen_init", "RSA");
    return schsm_gen_init(provctx, "RSA", false, selection, params);
}

static void *device_rsa_gen_init(void *provctx, int selection, const OSSL_PARAM params[])
{
    schsm_trace_of("keymgmt_gen_init", "SC-HSM-RSA");
    return schsm_gen_init(provctx, "RSA", true, selection, params);
}

static void *pss_gen_init(void *provctx, int selection, const OSSL_PARAM params[])
{
    schsm_trace_of("keymgmt_gen_init", "RSA-PSS");
    return schsm_gen_init(provctx, "RSA-PSS", false, selection, params);
}

static void *device_pss_gen_init(void *provctx, int selection, const OSSL_PARAM params[])
{
    schsm_trace_of("keymgmt_gen_init", "SC-HSM-RSA-PSS");
    return schsm_gen_init(provctx, "RSA-PSS", true, selection, params);
}

static const OSSL_PARAM *rsa_gettable_params(void *provctx)
{
    schsm_trace_of("keymgmt_gettable_params", "RSA");
    return schsm_keymgmt_host_table(provctx, "RSA", EVP_KEYMGMT_gettable_params);
}

static const OSSL_PARAM *pss_gettable_params(void *provctx)
{
    schsm_trace_of("keymgmt_gettable_params", "RSA-PSS");
    return schsm_keymgmt_host_table(provctx, "RSA-PSS", EVP_KEYMGMT_gettable_params);
}

/* What import takes and export gives (provider-keymgmt(7), EVP_PKEY-RSA(7)). */
static const OSSL_PARAM *rsa_types(int selection)
{
    static const OSSL_PARAM public_part[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM pair[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_D, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR1, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR2, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT1, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT2, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, NULL, 0),
        OSSL_PARAM_END,
    };

    schsm_trace_of("keymgmt_import_types or keymgmt_export_types", "RSA");
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? pair : public_part;
}

/* The same with the restrictions, EVP_PKEY-RSA(7). */
static const OSSL_PARAM *pss_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_D, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR1, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR2, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT1, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT2, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST_PROPS, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_MASKGENFUNC, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, NULL),
        OSSL_PARAM_END,
    };

    schsm_trace_of("keymgmt_import_types or keymgmt_export_types", "RSA-PSS");
    (void)selection; /* what is not selected is just not there */
    return types;
}

/* What we do not have ourselves is the default provider's, by the name that it uses. */
static const char *rsa_query_operation_name(int operation_id)
{
    schsm_trace_of("keymgmt_query_operation_name", "RSA");
    switch (operation_id) {
    case OSSL_OP_SIGNATURE:
    case OSSL_OP_ASYM_CIPHER:
    case OSSL_OP_KEM:
        return "SC-HSM-RSA";
    default:
        return "RSA";
    }
}

/* clang-format off */
const OSSL_DISPATCH schsm_keymgmt_rsa[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))rsa_new },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))schsm_keymgmt_free },
    { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))schsm_keymgmt_load },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))schsm_keymgmt_has },
    { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))schsm_keymgmt_match },
    { OSSL_FUNC_KEYMGMT_VALIDATE, (void (*)(void))schsm_keymgmt_validate },
    { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))schsm_keymgmt_import },
    { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))rsa_types },
    { OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))schsm_keymgmt_export },
    { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))rsa_types },
    { OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))schsm_keymgmt_dup },
    { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))schsm_keymgmt_get_params },
    { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))rsa_gettable_params },
    { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))rsa_query_operation_name },
    { OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))rsa_gen_init },
    { OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))schsm_gen_set_params },
    { OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))schsm_gen_settable_rsa },
    { OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))schsm_gen },
    { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))schsm_gen_cleanup },
    { 0, NULL }
};

const OSSL_DISPATCH schsm_keymgmt_device_rsa[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))rsa_new },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))schsm_keymgmt_free },
    { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))schsm_keymgmt_load },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))schsm_keymgmt_has },
    { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))schsm_keymgmt_match },
    { OSSL_FUNC_KEYMGMT_VALIDATE, (void (*)(void))schsm_keymgmt_validate },
    { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))schsm_keymgmt_import },
    { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))rsa_types },
    { OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))schsm_keymgmt_export },
    { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))rsa_types },
    { OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))schsm_keymgmt_dup },
    { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))schsm_keymgmt_get_params },
    { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))rsa_gettable_params },
    { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))rsa_query_operation_name },
    { OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))device_rsa_gen_init },
    { OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))schsm_gen_set_params },
    { OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))schsm_gen_settable_rsa },
    { OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))schsm_gen },
    { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))schsm_gen_cleanup },
    { 0, NULL }
};

const OSSL_DISPATCH schsm_keymgmt_rsa_pss[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))pss_new },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))schsm_keymgmt_free },
    { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))schsm_keymgmt_load },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))schsm_keymgmt_has },
    { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))schsm_keymgmt_match },
    { OSSL_FUNC_KEYMGMT_VALIDATE, (void (*)(void))schsm_keymgmt_validate },
    { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))schsm_keymgmt_import },
    { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))pss_types },
    { OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))schsm_keymgmt_export },
    { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))pss_types },
    { OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))schsm_keymgmt_dup },
    { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))schsm_keymgmt_get_params },
    { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))pss_gettable_params },
    { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))rsa_query_operation_name },
    { OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))pss_gen_init },
    { OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))schsm_gen_set_params },
    { OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))schsm_gen_settable_rsa_pss },
    { OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))schsm_gen },
    { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))schsm_gen_cleanup },
    { 0, NULL }
};

const OSSL_DISPATCH schsm_keymgmt_device_rsa_pss[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))pss_new },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))schsm_keymgmt_free },
    { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))schsm_keymgmt_load },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))schsm_keymgmt_has },
    { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))schsm_keymgmt_match },
    { OSSL_FUNC_KEYMGMT_VALIDATE, (void (*)(void))schsm_keymgmt_validate },
    { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))schsm_keymgmt_import },
    { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))pss_types },
    { OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))schsm_keymgmt_export },
    { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))pss_types },
    { OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))schsm_keymgmt_dup },
    { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))schsm_keymgmt_get_params },
    { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))pss_gettable_params },
    { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))rsa_query_operation_name },
    { OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))device_pss_gen_init },
    { OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))schsm_gen_set_params },
    { OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))schsm_gen_settable_rsa_pss },
    { OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))schsm_gen },
    { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))schsm_gen_cleanup },
    { 0, NULL }
};
/* clang-format on */
