/* SPDX-License-Identifier: Apache-2.0 */
/* Key management that is the same for all key types: functions of the dispatch tables. */
#ifndef SCHSM_PROVIDER_KEYMGMT_H
#define SCHSM_PROVIDER_KEYMGMT_H

#include <openssl/core_dispatch.h>

#include "pkey.h"

OSSL_FUNC_keymgmt_free_fn schsm_keymgmt_free;
OSSL_FUNC_keymgmt_load_fn schsm_keymgmt_load;
OSSL_FUNC_keymgmt_has_fn schsm_keymgmt_has;
OSSL_FUNC_keymgmt_match_fn schsm_keymgmt_match;
OSSL_FUNC_keymgmt_validate_fn schsm_keymgmt_validate;
OSSL_FUNC_keymgmt_import_fn schsm_keymgmt_import;
OSSL_FUNC_keymgmt_export_fn schsm_keymgmt_export;
OSSL_FUNC_keymgmt_dup_fn schsm_keymgmt_dup;
OSSL_FUNC_keymgmt_get_params_fn schsm_keymgmt_get_params;
OSSL_FUNC_keymgmt_set_params_fn schsm_keymgmt_set_params;

/*
 * A key that was made on the device and cannot be handed out: nobody would ever know of it, so it
 * must not stay there. Where it does, an error is raised that names it. Frees device.
 */
void schsm_keymgmt_discard_made(struct schsm_provider *prov, struct schsm_key *device);

/*
 * A table of the default provider's for a key type, which is ours as well, because on the host
 * every key is one of the default provider's. Static data of that provider; NULL on failure.
 */
const OSSL_PARAM *schsm_keymgmt_host_table(const struct schsm_provider *prov, const char *type,
                                           const OSSL_PARAM *(*table)(const EVP_KEYMGMT *));

#endif
