/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module that passes all on to SoftHSM, and counts wrong PINs as a card does: three
 * tries, told by the flags of the token, then the PIN is locked until the SO sets another. What it
 * saw stands in the file SC_HSM_LOGINS, a line for each time: ok, wrong or reset.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "real_module.h"

#define TRIES 3

static struct ck_function_list list;
static const struct ck_function_list *real;

static void saw(const char *what)
{
    FILE *file = fopen(getenv("SC_HSM_LOGINS"), "a");

    if (file != NULL) {
        (void)fprintf(file, "%s\n", what);
        (void)fclose(file);
    }
}

static int tries_left(void)
{
    FILE *file = fopen(getenv("SC_HSM_LOGINS"), "r");
    char line[16];
    int tries = TRIES;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        tries = strcmp(line, "wrong\n") == 0 ? tries - 1 : TRIES;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return tries;
}

static ck_rv get_token_info(ck_handle slot, struct ck_token_info *info)
{
    ck_rv rv = real->get_token_info(slot, info);
    int tries = tries_left();

    if (rv == CKR_OK) {
        info->flags &= ~(CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
        info->flags |= tries < TRIES ? CKF_USER_PIN_COUNT_LOW : 0;
        info->flags |= tries == 1 ? CKF_USER_PIN_FINAL_TRY : 0;
        info->flags |= tries == 0 ? CKF_USER_PIN_LOCKED : 0;
    }
    return rv;
}

static ck_rv login(ck_handle session, unsigned long user, const unsigned char *pin,
                   unsigned long pin_len)
{
    ck_rv rv;

    if (user != CKU_USER && user != CKU_CONTEXT_SPECIFIC) {
        return real->login(session, user, pin, pin_len);
    }
    if (tries_left() == 0) {
        return CKR_PIN_LOCKED;
    }
    rv = real->login(session, user, pin, pin_len);
    if (rv == CKR_OK || rv == CKR_PIN_INCORRECT) {
        saw(rv == CKR_OK ? "ok" : "wrong");
    }
    return rv;
}

static ck_rv init_pin(ck_handle session, const unsigned char *pin, unsigned long pin_len)
{
    ck_rv rv = real->init_pin(session, pin, pin_len);

    if (rv == CKR_OK) {
        saw("reset");
    }
    return rv;
}

ck_get_function_list C_GetFunctionList;

__attribute__((visibility("default"))) ck_rv C_GetFunctionList(struct ck_function_list **functions)
{
    real = real_module();
    if (real == NULL || getenv("SC_HSM_LOGINS") == NULL) {
        return CKR_GENERAL_ERROR;
    }
    list = *real;
    list.get_token_info = get_token_info;
    list.login = login;
    list.init_pin = init_pin;
    *functions = &list;
    return CKR_OK;
}
