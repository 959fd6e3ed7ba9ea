/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key generation. A key is made on the device only when the user said so, by an algorithm name of
 * ours or by a card parameter; else it is an ordinary software key, made by the default provider.
 */
#ifndef SCHSM_PROVIDER_KEYMGMT_GEN_H
#define SCHSM_PROVIDER_KEYMGMT_GEN_H

#include <stdbool.h>

#include <openssl/core_dispatch.h>

#include "pkey.h"

/* type: "RSA" or "EC"; on_device: by name already. For a table's own gen_init. */
void *schsm_gen_init(struct schsm_provider *prov, const char *type, bool on_device, int selection,
                     const OSSL_PARAM params[]);

OSSL_FUNC_keymgmt_gen_fn schsm_gen;
OSSL_FUNC_keymgmt_gen_cleanup_fn schsm_gen_cleanup;
OSSL_FUNC_keymgmt_gen_set_params_fn schsm_gen_set_params;
OSSL_FUNC_keymgmt_gen_set_template_fn schsm_gen_set_template;
OSSL_FUNC_keymgmt_gen_settable_params_fn schsm_gen_settable_rsa;
OSSL_FUNC_keymgmt_gen_settable_params_fn schsm_gen_settable_ec;

#endif
