/* SPDX-License-Identifier: Apache-2.0 */
#include "capabilities.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

struct forward {
    OSSL_CALLBACK *cb;
    void *arg;
};

static int forward_ec_group(const OSSL_PARAM params[], void *arg)
{
    const struct forward *forward = arg;
    const OSSL_PARAM *algorithm = OSSL_PARAM_locate_const(params, OSSL_CAPABILITY_TLS_GROUP_ALG);

    if (algorithm == NULL || algorithm->data == NULL || strcmp(algorithm->data, "EC") != 0) {
        return 1;
    }
    return forward->cb(params, forward->arg);
}

int schsm_capabilities(struct schsm_provider *prov, const char *capability, OSSL_CALLBACK *cb,
                       void *arg)
{
    struct forward forward = { .cb = cb, .arg = arg };

    if (OPENSSL_strcasecmp(capability, "TLS-GROUP") != 0 || OPENSSL_version_major() != 3 ||
        OPENSSL_version_minor() != 0) {
        return 1; /* nothing to add; 0 would end libssl's walk over the providers */
    }
    return OSSL_PROVIDER_get_capabilities(prov->host, capability, forward_ec_group, &forward);
}
