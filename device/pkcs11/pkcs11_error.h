/* SPDX-License-Identifier: Apache-2.0 */
/* The return values of PKCS#11: their reasons and words, and what may mend them. */
#ifndef SCHSM_PKCS11_PKCS11_ERROR_H
#define SCHSM_PKCS11_PKCS11_ERROR_H

#include <stdbool.h>

#include "cryptoki.h"
#include "base/error.h"

/* What a failure asks for, before the same job is tried once more. */
enum schsm_pkcs11_remedy {
    SCHSM_PKCS11_NONE,   /* it is final */
    SCHSM_PKCS11_ASK,    /* an unclear error: the session may be dead, or the module busy */
    SCHSM_PKCS11_FIND,   /* the key's handle is void */
    SCHSM_PKCS11_LOGIN,  /* somebody logged out */
    SCHSM_PKCS11_SESSION /* a new session, and where that does not come, the token anew */
};

enum schsm_pkcs11_remedy schsm_pkcs11_remedy(ck_rv rv);

/* Whether the function may have done its work all the same: the token, its session or the way to it
 * went while it was at work (PKCS#11 2.40, 5.1.1 to 5.1.4), or the error says nothing. */
bool schsm_pkcs11_is_unsure(ck_rv rv);

/* Sets reason and sentence, without the token's name. Returns 0. */
int schsm_pkcs11_describe(ck_rv rv, struct schsm_error *err);

#endif
