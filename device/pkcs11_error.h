/* SPDX-License-Identifier: Apache-2.0 */
/* The return values of PKCS#11: their reasons and words, and what may mend them. */
#ifndef SCHSM_DEVICE_PKCS11_ERROR_H
#define SCHSM_DEVICE_PKCS11_ERROR_H

#include "cryptoki.h"
#include "error.h"

/* What a failure asks for, before the same job is tried once more. */
enum schsm_pkcs11_remedy {
    SCHSM_PKCS11_NONE,   /* it is final */
    SCHSM_PKCS11_ASK,    /* an unclear error: the session may be dead, or the module busy */
    SCHSM_PKCS11_FIND,   /* the key's handle is void */
    SCHSM_PKCS11_LOGIN,  /* somebody logged out */
    SCHSM_PKCS11_SESSION /* a new session, and where that does not come, the token anew */
};

enum schsm_pkcs11_remedy schsm_pkcs11_remedy(ck_rv rv);

/* Sets reason and sentence, without the token's name. Returns 0. */
int schsm_pkcs11_describe(ck_rv rv, struct schsm_error *err);

#endif
