/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Login to a token, with the PIN policy of session_login.c. What a card answers to a question the
 * token tells by its flags: not how many tries are left, but that they are few, one or none.
 */
#include "pkcs11_private.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pin/refusal.h"

#define UNBLOCK "its SO-PIN and the tool that belongs to the token"
#define INITIALISE "the tool that belongs to it"

static int refuse(struct schsm_pkcs11_token *token)
{
    token->refused = true;
    return 0;
}

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

static int refuse_change(struct schsm_pkcs11_token *token, struct schsm_error *err)
{
    schsm_fail(
        err, SCHSM_REASON_PIN_MUST_CHANGE,
        "the PIN of device %s has to be changed before it can be used: the tool that belongs "
        "to the token does that",
        token->name);
    return refuse(token);
}

/* The token's state; refuses where no PIN can help. */
static int query(struct schsm_pkcs11_token *token, struct ck_token_info *info,
                 struct schsm_error *err)
{
    if (!schsm_pkcs11_token_info(token, info, err)) {
        return 0;
    }
    if ((info->flags & CKF_USER_PIN_LOCKED) != 0) {
        schsm_refuse_blocked(err, token->name, UNBLOCK);
        return refuse(token);
    }
    if ((info->flags & CKF_LOGIN_REQUIRED) != 0 && (info->flags & CKF_USER_PIN_INITIALIZED) == 0) {
        schsm_refuse_uninitialised(err, token->name, INITIALISE);
        return refuse(token);
    }
    return (info->flags & CKF_USER_PIN_TO_BE_CHANGED) == 0 ? 1 : refuse_change(token, err);
}

/* Whether the user is logged in, by us or another part of this process. */
static int learn_login(struct schsm_pkcs11_token *token, struct schsm_error *err)
{
    struct ck_session_info info;
    ck_rv rv;

    if (token->login != SCHSM_LOGIN_UNKNOWN) {
        return 1;
    }
    rv = SCHSM_PKCS11(token, get_session_info, &info);
    if (rv != CKR_OK) {
        return schsm_pkcs11_fail(token, rv, err);
    }
    token->login = info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS
                       ? SCHSM_LOGIN_IN
                       : SCHSM_LOGIN_OUT;
    return 1;
}

static int check_tries(struct schsm_pkcs11_token *token, const struct schsm_login *login,
                       unsigned long flags, const char *left_undone, struct schsm_error *err)
{
    return schsm_check_tries(err, token->name, schsm_pkcs11_tries(flags), login->min_pin_tries,
                             left_undone, login->by_option)
               ? 1
               : refuse(token);
}

static int read_source(struct schsm_pkcs11_token *token, const struct schsm_login *login, int tries,
                       struct schsm_secret **pin, struct schsm_error *err)
{
    const struct schsm_pin_prompt prompt = { .device = token->name,
                                             .object = login->object,
                                             .tries_left = tries,
                                             .by_option = login->by_option };
    bool stored = schsm_pin_source_is_stored(login->source);

    if (!stored && token->typed != NULL) {
        *pin = schsm_secret_ref(token->typed);
        return 1;
    }
    if (!schsm_pin_source_read(login->source, &prompt, pin, err)) {
        return refuse(token);
    }
    if (!stored) {
        schsm_pin_keep(&token->typed, *pin);
    }
    return 1;
}

/* Refuses a PIN that cannot be right, before it costs a try. */
static int check_pin(struct schsm_pkcs11_token *token, const struct schsm_secret *pin,
                     const struct ck_token_info *info, struct schsm_error *err)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    int tries = -1;

    if (info->max_pin_len > 0 && info->max_pin_len >= info->min_pin_len &&
        !schsm_check_pin_length(err, token->name, schsm_secret_len(pin), info->min_pin_len,
                                info->max_pin_len)) {
        return refuse(token);
    }
    if (!schsm_pin_memory_in_use()) {
        return 1;
    }
    if (!schsm_pin_fingerprint(token->name, pin, fingerprint, err)) {
        return 0;
    }
    if (!schsm_pin_memory_knows(fingerprint, &tries)) {
        return 1;
    }
    schsm_refuse_known_wrong(err, token->name, tries);
    return refuse(token);
}

/* The token refused the PIN: remember that, and say what is left. pin: NULL for one that was typed
 * at the token. */
static int fail_wrong(struct schsm_pkcs11_token *token, struct schsm_secret *pin,
                      struct schsm_error *err)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct ck_token_info info;
    int tries = SCHSM_TRIES_UNKNOWN;

    token->login = SCHSM_LOGIN_OUT;
    token->pin_proven = false;
    if (schsm_pkcs11_token_info(token, &info, &ignored)) {
        tries = schsm_pkcs11_tries(info.flags);
    }
    if (pin != NULL) {
        schsm_pin_keep(&token->kept_pin, NULL);
        if (schsm_pin_fingerprint(token->name, pin, fingerprint, &ignored)) {
            schsm_pin_memory_add(fingerprint, tries >= 0 ? tries : -1);
        }
    }
    schsm_refuse_wrong(err, token->name, tries, UNBLOCK);
    return refuse(token);
}

/*
 * Some modules have but a general error for a wrong PIN: then each repetition costs a try. There is
 * one, and only where the token does not tell that a try was spent since the last right PIN.
 */
static int fail_unclear(struct schsm_pkcs11_token *token, struct schsm_error *err)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct ck_token_info info;
    ck_rv rv = token->rv;
    bool spent = schsm_pkcs11_token_info(token, &info, &ignored) &&
                 schsm_pkcs11_tries(info.flags) != SCHSM_TRIES_UNKNOWN;

    token->rv = rv;
    token->login = SCHSM_LOGIN_UNKNOWN;
    if (!spent && !token->unclear_login) {
        token->unclear_login = true;
        return 0;
    }
    schsm_fail_context(err, "device %s, at the login, which may have cost a PIN try", token->name);
    return refuse(token);
}

static int fail_login(struct schsm_pkcs11_token *token, struct schsm_secret *pin, ck_rv rv,
                      struct schsm_error *err)
{
    switch (rv) {
    case CKR_PIN_INCORRECT:
        return fail_wrong(token, pin, err);
    case CKR_PIN_LOCKED:
        schsm_refuse_blocked(err, token->name, UNBLOCK);
        return refuse(token);
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_INVALID:
        schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                   "device %s does not take a PIN of this length or these characters", token->name);
        return refuse(token);
    case CKR_PIN_EXPIRED:
        return refuse_change(token, err);
    case CKR_USER_PIN_NOT_INITIALIZED:
        schsm_refuse_uninitialised(err, token->name, INITIALISE);
        return refuse(token);
    case CKR_FUNCTION_CANCELED:
        schsm_fail(err, SCHSM_REASON_CANCELLED, "the PIN was not typed at device %s", token->name);
        return refuse(token);
    default:
        break;
    }
    schsm_pkcs11_fail(token, rv, err);
    return schsm_pkcs11_is_unsure(rv) ? fail_unclear(token, err) : 0;
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
static int verify(struct schsm_pkcs11_token *token, const struct schsm_login *login,
                  struct schsm_secret *pin, struct schsm_error *err)
{
    ck_rv rv = call_login(token, CKU_USER, pin);

    if (rv == CKR_USER_ALREADY_LOGGED_IN) {
        rv = SCHSM_PKCS11_CALL(token->module, logout, (token->session));
        if (rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN) {
            rv = call_login(token, CKU_USER, pin);
        }
        token->keys_count = 0;
    }
    if (rv != CKR_OK) {
        return fail_login(token, pin, rv, err);
    }
    token->login = SCHSM_LOGIN_IN;
    atomic_fetch_add(&token->connection, 1);
    token->pin_proven =
        pin != NULL && schsm_pin_fingerprint(token->name, pin, token->pin_fingerprint, err) != 0;
    if (pin != NULL && login->keep_pin) {
        schsm_pin_keep(&token->kept_pin, pin);
    }
    schsm_log(SCHSM_LOG_DEBUG, "logged in to device %s", token->name);
    return 1;
}

/* Whether this is the PIN that we proved in this session. */
static bool is_proven(const struct schsm_pkcs11_token *token, const struct schsm_secret *pin)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    return token->login == SCHSM_LOGIN_IN && token->pin_proven &&
           schsm_pin_fingerprint(token->name, pin, fingerprint, &ignored) &&
           memcmp(fingerprint, token->pin_fingerprint, sizeof(fingerprint)) == 0;
}

/* Whether the PIN is to be typed at the token; fails where the source wants that in vain. */
static int choose_pad(struct schsm_pkcs11_token *token, const struct schsm_login *login,
                      unsigned long flags, bool *pad, struct schsm_error *err)
{
    bool has_one = (flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    bool wanted = login->source != NULL && schsm_pin_source_is_pinpad(login->source);

    if (wanted && !has_one) {
        char where[sizeof(token->name) + sizeof("device ")];

        (void)snprintf(where, sizeof(where), "device %s", token->name);
        schsm_refuse_pad(err, where, login->by_option);
        return refuse(token);
    }
    *pad = wanted || (login->source == NULL && login->pin_pad && has_one);
    return 1;
}

/* The PIN: what the caller has, the kept one, or that of the source. *pin stays NULL where it is
 * typed at the token. */
static int choose_pin(struct schsm_pkcs11_token *token, const struct schsm_login *login, bool prove,
                      const struct ck_token_info *info, struct schsm_secret **pin,
                      struct schsm_error *err)
{
    bool stored = login->source != NULL && schsm_pin_source_is_stored(login->source);
    int tries = schsm_pkcs11_tries(info->flags);
    bool pad = false;

    if (!choose_pad(token, login, info->flags, &pad, err)) {
        return 0;
    }
    if (!prove && *pin == NULL && token->kept_pin != NULL) {
        *pin = schsm_secret_ref(token->kept_pin);
    }
    if (*pin == NULL && pad) {
        return 1;
    }
    if (*pin == NULL && login->source == NULL) {
        schsm_refuse_missing(err, token->name, login->object, login->by_option);
        return refuse(token);
    }
    if (token->unclear_login && tries != SCHSM_TRIES_UNKNOWN) {
        schsm_fail(err, SCHSM_REASON_PIN_TRIES_LOW,
                   "the login to device %s failed, and the token tells that a PIN try was spent: "
                   "the PIN was not tried again",
                   token->name);
        return refuse(token);
    }
    if ((stored || *pin != NULL) &&
        !check_tries(token, login, info->flags,
                     stored ? "the stored PIN was not tried" : "the kept PIN was not tried again",
                     err)) {
        return 0;
    }
    return (*pin != NULL || read_source(token, login, tries >= 0 ? tries : -1, pin, err)) &&
           check_pin(token, *pin, info, err);
}

int schsm_pkcs11_login(struct schsm_pkcs11_token *token, const struct schsm_login *login,
                       bool prove, struct schsm_error *err)
{
    struct schsm_secret *pin = NULL;
    struct ck_token_info info;
    int ok = 0;

    /* Only a stored PIN is there to be proven; a person is not asked without need. */
    prove = prove && login->source != NULL && schsm_pin_source_is_stored(login->source);
    if (!learn_login(token, err)) {
        return 0;
    }
    if (token->login == SCHSM_LOGIN_IN && !prove) {
        return 1;
    }
    if (token->login == SCHSM_LOGIN_IN && token->pin_proven) {
        if (!read_source(token, login, -1, &pin, err)) {
            return 0;
        }
        if (is_proven(token, pin)) {
            if (login->keep_pin) {
                schsm_pin_keep(&token->kept_pin, pin);
            }
            ok = 1;
            goto done;
        }
    }
    if (!query(token, &info, err)) {
        goto done;
    }
    if ((info.flags & CKF_LOGIN_REQUIRED) == 0) {
        ok = 1;
        goto done;
    }
    ok = choose_pin(token, login, prove, &info, &pin, err) && verify(token, login, pin, err);

done:
    schsm_secret_free(pin);
    return ok;
}

int schsm_pkcs11_login_context(struct schsm_pkcs11_token *token, const struct schsm_login *login,
                               struct schsm_error *err)
{
    struct schsm_secret *pin = NULL;
    struct ck_token_info info;
    ck_rv rv;
    int ok = 0;

    if (!query(token, &info, err) || !choose_pin(token, login, false, &info, &pin, err)) {
        goto done;
    }
    rv = call_login(token, CKU_CONTEXT_SPECIFIC, pin);
    ok = rv == CKR_OK || fail_login(token, pin, rv, err);

done:
    schsm_secret_free(pin);
    if (!ok) {
        schsm_pkcs11_close(token); /* the operation that was begun ends with its session */
    }
    return ok;
}

int schsm_pkcs11_prepare_login(struct schsm_pkcs11_token *token, const struct schsm_login *login,
                               struct schsm_pin_prospect *state, struct schsm_error *err)
{
    struct ck_token_info info;
    int tries;

    memset(state, 0, sizeof(*state));
    state->kind = "token";
    (void)snprintf(state->device, sizeof(state->device), "%.*s", SCHSM_READER_MAX, token->name);
    state->tries_left = -1;
    if (!learn_login(token, err)) {
        return 0;
    }
    state->proven = token->login == SCHSM_LOGIN_IN && token->pin_proven;
    if (state->proven) {
        return 1;
    }
    if (!query(token, &info, err) ||
        !check_tries(token, login, info.flags, "the application was not asked for the PIN", err)) {
        return 0;
    }
    tries = schsm_pkcs11_tries(info.flags);
    state->proven = (info.flags & CKF_LOGIN_REQUIRED) == 0;
    state->tries_left = tries >= 0 ? tries : -1;
    state->pin_pad = (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    return 1;
}
