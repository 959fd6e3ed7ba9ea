/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module that passes all on to SoftHSM, and where it is initialised, opens a session and
 * signs, first looks for a key of the program's OpenSSL, which is a key on its own token. It says
 * on standard error how that went.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/store.h>

#include "real_module.h"

static struct ck_function_list list;
static const struct ck_function_list *real;

static void look_at_ourselves(const char *where)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open("sc-hsm:id=10;type=private", NULL, NULL, NULL, NULL);

    (void)fprintf(stderr, "inside %s: %s\n", where, store != NULL ? "it came back" : "refused");
    ERR_print_errors_fp(stderr);
    OSSL_STORE_close(store);
}

static ck_rv initialize(const struct ck_initialize *arguments)
{
    look_at_ourselves("initialize");
    return real->initialize(arguments);
}

static ck_rv open_session(ck_handle slot, unsigned long flags, void *application, void *notify,
                          ck_handle *session)
{
    look_at_ourselves("open_session");
    return real->open_session(slot, flags, application, notify, session);
}

static ck_rv sign(ck_handle session, const unsigned char *in, unsigned long in_len,
                  unsigned char *out, unsigned long *out_len)
{
    look_at_ourselves("sign");
    return real->sign(session, in, in_len, out, out_len);
}

ck_get_function_list C_GetFunctionList;

__attribute__((visibility("default"))) ck_rv C_GetFunctionList(struct ck_function_list **functions)
{
    real = real_module();
    if (real == NULL) {
        return CKR_GENERAL_ERROR;
    }
    list = *real;
    list.initialize = initialize;
    list.open_session = open_session;
    list.sign = sign;
    *functions = &list;
    return CKR_OK;
}
