/* SPDX-License-Identifier: Apache-2.0 */
/* In place of pkcs11_*.c, where this was built without libp11: says so. */
#include "pkcs11_device.h"

struct schsm_pkcs11_tokens *schsm_pkcs11_tokens_new(const char *path, struct schsm_error *err)
{
    schsm_fail(err, SCHSM_REASON_CONFIG,
               "pkcs11-module = %s: this build has no PKCS#11; build it with libp11-dev and "
               "-DSC_HSM_PKCS11=ON",
               path);
    return NULL;
}

void schsm_pkcs11_tokens_free(struct schsm_pkcs11_tokens *tokens)
{
    (void)tokens;
}

int schsm_pkcs11_tokens_find(struct schsm_pkcs11_tokens *tokens,
                             const struct schsm_device_selector *selector,
                             struct schsm_device **devices, size_t *count,
                             void (*seen)(void *arg, const char *label, const char *serial),
                             void *arg, struct schsm_error *err)
{
    (void)tokens;
    (void)selector;
    (void)devices;
    (void)seen;
    (void)arg;
    *count = 0;
    return schsm_fail(err, SCHSM_REASON_CONFIG, "this build has no PKCS#11");
}

const char *schsm_pkcs11_tokens_module(const struct schsm_pkcs11_tokens *tokens)
{
    (void)tokens;
    return "";
}

bool schsm_pkcs11_inside(void)
{
    return false;
}
