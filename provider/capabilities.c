/* SPDX-License-Identifier: Apache-2.0 */
#include "capabilities.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

struct forward {
    OSSL_CALLBACK *cb;
    void *arg;
};

/* Whether the group's keys are of a type that we have key management for. */
static bool is_ours(const char *algorithm)
{
    static const char *const ours[] = { "EC", "X25519", "X448" };

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcmp(algorithm, ours[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int forward_group(const OSSL_PARAM params[], void *arg)
{
    const struct forward *forward = arg;
    const OSSL_PARAM *algorithm = OSSL_PARAM_locate_const(params, OSSL_CAPABILITY_TLS_GROUP_ALG);

    if (algorithm == NULL || algorithm->data == NULL || !is_ours(algorithm->data)) {
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
    return OSSL_PROVIDER_get_capabilities(prov->host, capability, forward_group, &forward);
}
