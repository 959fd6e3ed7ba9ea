/* SPDX-License-Identifier: Apache-2.0 */
#include "honoured.h"

#include <string.h>

#include <openssl/params.h>

bool schsm_is_honoured(const char *name, const OSSL_PARAM table[])
{
    return OSSL_PARAM_locate_const(table, name) != NULL;
}

/* What libcrypto and libssl tell without being asked, and what asks for nothing: libssl 4.0 names
 * the protocol version that a signature is for. */
static bool is_announcement(const char *name)
{
    return strcmp(name, "tls-version") == 0;
}

int schsm_refuse_parameter(const struct schsm_provider *prov, const char *name)
{
    return schsm_raise_reason(prov, SCHSM_REASON_UNSUPPORTED,
                              "the parameter '%s' is nothing that a key on the SmartCard-HSM can "
                              "be used or made with; leave it out",
                              name);
}

int schsm_honoured(const struct schsm_provider *prov, const OSSL_PARAM params[],
                   const OSSL_PARAM table[])
{
    for (const OSSL_PARAM *p = params; p != NULL && p->key != NULL; p++) {
        if (!is_announcement(p->key) && !schsm_is_honoured(p->key, table)) {
            return schsm_refuse_parameter(prov, p->key);
        }
    }
    return 1;
}
