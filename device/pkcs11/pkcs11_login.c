/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the PIN policy asks of a token: return values and flags as answers. The flags do not tell
 * how many tries are left, but that they are few, one or none.
 */
#include "pkcs11_private.h"

#include <stdio.h>

#include "base/log.h"
#include "pin/refusal.h"

int schsm_pkcs11_tries(unsigned long flags)
{
    if ((flags & CKF_USER_PIN_LOCKED) != 0) {
        return 0;
    }
    if ((flags & CKF_USER_PIN_FINAL_TRY) != 0) {
        return 1;
    }
    return (flags & CKF_USER_PIN_COUNT_LOW) != 0 ? SCHSM_TRIES_FEW : SCHSM_TRIES_UNKNOWN;
}

/* Whether the user is logged in, by us or another part of this process. */
static int learn_login(struct schsm_pkcs11_token *token, bool *in, struct schsm_error *err)
{
    struct ck_session_info info;
    ck_rv rv;

    *in = token->pin.login == SCHSM_LOGIN_IN;
    if (token->pin.login != SCHSM_LOGIN_UNKNOWN) {
        return 1;
    }
    rv = SCHSM_PKCS11(token, get_session_info, &info);
    if (rv != CKR_OK) {
        return schsm_pkcs11_fail(token, rv, err);
    }
    *in = info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
    return 1;
}

static enum schsm_pin_answer token_pin_state(void *device, struct schsm_pin_outlook *outlook,
                                             struct schsm_error *err)
{
    struct schsm_pkcs11_token *token = device;
    struct ck_token_info info;

    if (!learn_login(token, &outlook->logged_in, err) ||
        !schsm_pkcs11_token_info(token, &info, err)) {
        return SCHSM_ANSWER_FAILED;
    }
    token->has_pad = (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    outlook->tries = schsm_pkcs11_tries(info.flags);
    if (info.max_pin_len >= info.min_pin_len) {
        outlook->min_len = info.min_pin_len;
        outlook->max_len = info.max_pin_len;
    }
    if ((info.flags & CKF_USER_PIN_LOCKED) != 0) {
        return SCHSM_ANSWER_BLOCKED;
    }
    if ((info.flags & CKF_LOGIN_REQUIRED) != 0 && (info.flags & CKF_USER_PIN_INITIALIZED) == 0) {
        return SCHSM_ANSWER_UNINITIALISED;
    }
    if ((info.flags & CKF_USER_PIN_TO_BE_CHANGED) != 0) {
        return SCHSM_ANSWER_MUST_CHANGE;
    }
    return (info.flags & CKF_LOGIN_REQUIRED) != 0 ? SCHSM_ANSWER_GOOD : SCHSM_ANSWER_OPEN;
}

static int tries_now(struct schsm_pkcs11_token *token)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct ck_token_info info;

    return schsm_pkcs11_token_info(token, &info, &ignored) ? schsm_pkcs11_tries(info.flags)
                                                           : SCHSM_TRIES_UNKNOWN;
}

/*
 * Some modules have but a general error for a wrong PIN: then each repetition costs a try. There is
 * one, and only where the token does not tell that a try was spent since the last right PIN.
 */
static enum schsm_pin_answer answer_unclear(struct schsm_pkcs11_token *token,
                                            struct schsm_error *err)
{
    ck_rv rv = token->rv;
    bool spent = tries_now(token) != SCHSM_TRIES_UNKNOWN;

    token->rv = rv;
    token->pin.login = SCHSM_LOGIN_UNKNOWN;
    if (!spent && !token->unclear_login) {
        token->unclear_login = true;
        return SCHSM_ANSWER_FAILED;
    }
    schsm_fail_context(err, "device %s, at the login, which may have cost a PIN try", token->name);
    return SCHSM_ANSWER_REFUSED;
}

/* What C_Login returned, as an answer. */
static enum schsm_pin_answer answer_of(struct schsm_pkcs11_token *token, ck_rv rv, int *tries,
                                       struct schsm_error *err)
{
    switch (rv) {
    case CKR_OK:
        return SCHSM_ANSWER_GOOD;
    case CKR_PIN_INCORRECT:
        *tries = tries_now(token);
        return SCHSM_ANSWER_WRONG;
    case CKR_PIN_LOCKED:
        return SCHSM_ANSWER_BLOCKED;
    case CKR_PIN_EXPIRED:
        return SCHSM_ANSWER_MUST_CHANGE;
    case CKR_USER_PIN_NOT_INITIALIZED:
        return SCHSM_ANSWER_UNINITIALISED;
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_INVALID:
        schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                   "device %s does not take a PIN of this length or these characters", token->name);
        return SCHSM_ANSWER_REFUSED;
    case CKR_FUNCTION_CANCELED:
        schsm_fail(err, SCHSM_REASON_CANCELLED, "the PIN was not typed at device %s", token->name);
        return SCHSM_ANSWER_REFUSED;
    default:
        break;
    }
    schsm_pkcs11_fail(token, rv, err);
    return schsm_pkcs11_is_unsure(rv) ? answer_unclear(token, err) : SCHSM_ANSWER_FAILED;
}

/* C_Login; pin: NULL where it is typed at the token. */
static ck_rv call_login(struct schsm_pkcs11_token *token, unsigned long user,
                        const struct schsm_secret *pin)
{
    if (pin == NULL) {
        schsm_log(SCHSM_LOG_INFO, "waiting for the PIN at device %s", token->name);
        return SCHSM_PKCS11(token, login, user, NULL, 0);
    }
    return SCHSM_PKCS11(token, login, user, schsm_secret_data(pin), schsm_secret_len(pin));
}

/*
 * Another part of this process may have logged in: PKCS#11 knows one login for a process and a
 * token. Then the PIN is proven by logging in anew.
 */
static enum schsm_pin_answer log_in(struct schsm_pkcs11_token *token, unsigned long user,
                                    const struct schsm_secret *pin, int *tries,
                                    struct schsm_error *err)
{
    ck_rv rv;

    if (pin != NULL && token->unclear_login && *tries != SCHSM_TRIES_UNKNOWN) {
        schsm_fail(err, SCHSM_REASON_PIN_TRIES_LOW,
                   "the login to device %s failed, and the token tells that a PIN try was spent: "
                   "the PIN was not tried again",
                   token->name);
        return SCHSM_ANSWER_REFUSED;
    }
    rv = call_login(token, user, pin);
    if (rv == CKR_USER_ALREADY_LOGGED_IN && user == CKU_USER) {
        rv = SCHSM_PKCS11_CALL(token->module, logout, (token->session));
        if (rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN) {
            rv = call_login(token, user, pin);
        }
        token->keys_count = 0;
    }
    return answer_of(token, rv, tries, err);
}

static enum schsm_pin_answer token_verify_pin(void *device, const struct schsm_secret *pin,
                                              int *tries, struct schsm_error *err)
{
    return log_in(device, CKU_USER, pin, tries, err);
}

/* For the operation that was just begun: who is logged in, and by which PIN, stays as it is. */
static enum schsm_pin_answer token_verify_pin_for_operation(void *device,
                                                            const struct schsm_secret *pin,
                                                            int *tries, struct schsm_error *err)
{
    enum schsm_pin_answer answer = log_in(device, CKU_CONTEXT_SPECIFIC, pin, tries, err);

    return answer == SCHSM_ANSWER_GOOD ? SCHSM_ANSWER_OPEN : answer;
}

static const char *token_name_for_pin(const void *device)
{
    return ((const struct schsm_pkcs11_token *)device)->name;
}

static const char *token_serial_for_pin(void *device, struct schsm_error *err)
{
    (void)err;
    return ((const struct schsm_pkcs11_token *)device)->serial;
}

static bool token_has_pad(void *device, char where[SCHSM_PIN_PLACE_MAX])
{
    const struct schsm_pkcs11_token *token = device;

    (void)snprintf(where, SCHSM_PIN_PLACE_MAX, "device %s", token->name);
    return token->has_pad;
}

static const struct schsm_pin_questions token_questions = {
    .kind = "token",
    .unblock = "its SO-PIN and 'sc-hsm pin unblock'",
    .initialise = "its SO-PIN and 'sc-hsm pin unblock', which sets its first PIN",
    .must_change =
        "has a PIN that has to be changed before it can be used: 'sc-hsm pin change' does that",
    .name = token_name_for_pin,
    .serial = token_serial_for_pin,
    .state = token_pin_state,
    .has_pad = token_has_pad,
    .verify = token_verify_pin,
};

struct schsm_pin_holder schsm_pkcs11_pin_holder(struct schsm_pkcs11_token *token)
{
    return (struct schsm_pin_holder){ .ask = &token_questions,
                                      .device = token,
                                      .connection = &token->pin,
                                      .kept = &token->kept_pin,
                                      .wrong = &token->wrong_pin,
                                      .typed = &token->typed,
                                      .refused = &token->refused };
}

int schsm_pkcs11_login_context(struct schsm_pkcs11_token *token, const struct schsm_login *login,
                               struct schsm_error *err)
{
    struct schsm_pin_questions questions = token_questions;
    struct schsm_pin_holder holder = schsm_pkcs11_pin_holder(token);

    questions.verify = token_verify_pin_for_operation;
    holder.ask = &questions;
    if (schsm_pin_give(&holder, login, err)) {
        return 1;
    }
    schsm_pkcs11_close(token); /* the operation that was begun ends with its session */
    return 0;
}
