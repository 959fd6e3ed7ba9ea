/* SPDX-License-Identifier: Apache-2.0 */
#include "module.h"

#include <stdlib.h>
#include <string.h>

OSSL_LIB_CTX *libctx;
OSSL_PROVIDER *first, *second, *module;

static int load(void **state, const char *one, const char *two)
{
    (void)state;
    libctx = OSSL_LIB_CTX_new();
    first = OSSL_PROVIDER_load(libctx, one);
    second = OSSL_PROVIDER_load(libctx, two);
    assert_non_null(first);
    assert_non_null(second);
    module = strcmp(one, "sc-hsm") == 0 ? first : second;
    assert_no_errors();
    return 0;
}

int default_first(void **state)
{
    return load(state, "default", "sc-hsm");
}

int ours_first(void **state)
{
    return load(state, "sc-hsm", "default");
}

int unload(void **state)
{
    (void)state;
    OSSL_PROVIDER_unload(second);
    OSSL_PROVIDER_unload(first);
    OSSL_LIB_CTX_free(libctx);
    return 0;
}

/* Whatever the machine has: no device, no configuration. */
void without_device(void)
{
    (void)setenv("PCSCLITE_CSOCK_NAME", "/nonexistent/pcscd.comm", 1);
}
