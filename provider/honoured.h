/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of an operation on the device. The default provider's context that keeps and checks
 * them (signature.h) knows more than a device can do, and passes over what it does not know. A key
 * that is used otherwise than was asked for is worse than an error: so what the device does is
 * listed, and the rest refused.
 */
#ifndef SCHSM_PROVIDER_HONOURED_H
#define SCHSM_PROVIDER_HONOURED_H

#include <openssl/core.h>

#include "provider.h"

/*
 * 1 where each of params (may be NULL) is in the table of what the device honours, or announces
 * something and asks for nothing; else 0 with an error raised that names the first one that does.
 */
int schsm_honoured(const struct schsm_provider *prov, const OSSL_PARAM params[],
                   const OSSL_PARAM table[]);

/* The same question for one name, without an error. */
bool schsm_is_honoured(const char *name, const OSSL_PARAM table[]);

/* The sentence about one that is not; returns 0. */
int schsm_refuse_parameter(const struct schsm_provider *prov, const char *name);

#endif
