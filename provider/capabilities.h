/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCHSM_PROVIDER_CAPABILITIES_H
#define SCHSM_PROVIDER_CAPABILITIES_H

#include <openssl/core.h>

#include "provider.h"

/*
 * Our part of OSSL_PROVIDER_get_capabilities. libssl 3.0 drops a TLS group whose keymgmt comes
 * from another provider than the one that offers the group; loaded first, our EC keymgmt would so
 * cost an application all its EC groups. There, and only there, we offer the default provider's EC
 * groups again.
 */
int schsm_capabilities(struct schsm_provider *prov, const char *capability, OSSL_CALLBACK *cb,
                       void *arg);

#endif
