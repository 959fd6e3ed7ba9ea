/* SPDX-License-Identifier: Apache-2.0 */
#include "passphrase.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

int schsm_ask_passphrase(void *arg, char *pass, size_t size, size_t *len, const char *info)
{
    const struct schsm_core_passphrase *core = arg;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PASSPHRASE_PARAM_INFO, (char *)info, 0),
        OSSL_PARAM_construct_end(),
    };

    *len = 0;
    return core->cb != NULL && core->cb(pass, size, len, params, core->arg) && *len <= size;
}
