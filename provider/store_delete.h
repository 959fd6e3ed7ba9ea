/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCHSM_PROVIDER_STORE_DELETE_H
#define SCHSM_PROVIDER_STORE_DELETE_H

#include <openssl/core_dispatch.h>

#ifdef OSSL_FUNC_STORE_DELETE
OSSL_FUNC_store_delete_fn schsm_store_delete;
#endif

#endif
