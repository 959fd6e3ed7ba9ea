/* SPDX-License-Identifier: Apache-2.0 */
/* OSSL_STORE_delete, since OpenSSL 3.2. */
#include "store_delete.h"

#ifdef OSSL_FUNC_STORE_DELETE

#include "keymgmt/pkcs11_uri.h"
#include "keymgmt/remove.h"
#include "passphrase.h"
#include "provider.h"
#include "trace.h"

int schsm_store_delete(void *provctx, const char *text, const OSSL_PARAM params[],
                       OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_arg)
{
    struct schsm_provider *prov = provctx;
    struct schsm_context *context = schsm_provider_context(prov);
    struct schsm_core_passphrase core = { .cb = pw_cb, .arg = pw_arg };
    struct schsm_passphrase passphrase = { .ask = schsm_ask_passphrase, .arg = &core };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_uri uri;
    int ok = 0;

    schsm_trace("store_delete", NULL);
    (void)params;
    if (context == NULL) {
        return 0;
    }
    ok = schsm_uri_parse_any(&uri, text, &err) && schsm_remove(context, &uri, &passphrase, &err);
    schsm_uri_clear(&uri);
    return ok ? 1 : schsm_raise(prov, &err);
}

#endif
