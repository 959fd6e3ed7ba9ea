/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing PINs, and setting one by the SO-PIN, as far as the module can. The security officer is
 * let in by PKCS#11 only where no session of the process with the token is read-only, so the
 * session that we have ends before.
 */
#include "pkcs11_private.h"

#include <string.h>

#include "base/log.h"
#include "pin/refusal.h"

/* A failure that another attempt must not follow: it would cost a try. */
static int end_token_job(struct schsm_pkcs11_token *token)
{
    token->refused = true;
    return 0;
}

struct pins {
    struct schsm_secret *old_pin;       /* of the user; NULL where the officer acts */
    const struct schsm_secret *officer; /* the SO-PIN */
    struct schsm_secret *new_pin;       /* of the user */
    const struct schsm_secret *new_officer;
    int min_tries;
};

static int check_new_pin(const struct schsm_pkcs11_token *token, const struct schsm_secret *pin,
                         const struct ck_token_info *info, struct schsm_error *err)
{
    size_t len = schsm_secret_len(pin);

    if (info->max_pin_len < info->min_pin_len || info->max_pin_len == 0 ||
        (len >= info->min_pin_len && len <= info->max_pin_len)) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                      "device %s takes PINs of %lu to %lu characters, and the new one has %zu: "
                      "nothing was changed",
                      token->name, info->min_pin_len, info->max_pin_len, len);
}

/* What is to be said where the token does not take a new PIN, whosever it is. */
static int fail_new_pin(struct schsm_pkcs11_token *token, ck_rv rv, const char *what,
                        struct schsm_error *err)
{
    if (rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID) {
        schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                   "device %s does not take a new %s of this length or these characters",
                   token->name, what);
        return end_token_job(token);
    }
    return schsm_pkcs11_fail_to(token, rv, "change this PIN", err);
}

/* --- the user PIN --------------------------------------------------------------------------- */

/* A PIN that has to be changed before it opens anything cannot be proven by a login. */
static int check_unproven_pin(struct schsm_pkcs11_token *token, const struct ck_token_info *info,
                              int min_tries, struct schsm_error *err)
{
    const struct schsm_pin_holder holder = schsm_pkcs11_pin_holder(token);

    if ((info->flags & CKF_USER_PIN_LOCKED) != 0) {
        return schsm_pin_conclude(&holder, SCHSM_ANSWER_BLOCKED, NULL, -1, err);
    }
    return schsm_check_tries(err, token->name, schsm_pkcs11_tries(info->flags), min_tries,
                             "the stored PIN was not tried", true) ||
           end_token_job(token);
}

/* No login has proven the old PIN where it has to be changed first, nor where the token says that
 * it needs none: what is known of it counts all the same. */
static int check_old_pin(struct schsm_pkcs11_token *token, const struct schsm_secret *pin,
                         struct schsm_error *err)
{
    const struct schsm_pin_holder holder = schsm_pkcs11_pin_holder(token);
    struct schsm_pin_outlook outlook = { .tries = SCHSM_TRIES_UNKNOWN };
    struct ck_token_info info;

    if (!schsm_pkcs11_token_info(token, &info, err)) {
        return 0;
    }
    outlook.tries = schsm_pkcs11_tries(info.flags);
    return schsm_pin_check(&holder, pin, &outlook, err);
}

static int set_user_pin(struct schsm_pkcs11_token *token, const struct pins *pins,
                        struct schsm_error *err)
{
    const struct schsm_pin_holder holder = schsm_pkcs11_pin_holder(token);
    struct ck_token_info info;
    ck_rv rv;

    if (!check_old_pin(token, pins->old_pin, err)) {
        return 0;
    }
    rv = SCHSM_PKCS11_WRITE(token, set_pin, schsm_secret_data(pins->old_pin),
                            schsm_secret_len(pins->old_pin), schsm_secret_data(pins->new_pin),
                            schsm_secret_len(pins->new_pin));
    switch (rv) {
    case CKR_OK:
        schsm_pin_changed(&holder, pins->new_pin);
        return 1;
    case CKR_PIN_INCORRECT:
        return schsm_pin_conclude(&holder, SCHSM_ANSWER_WRONG, pins->old_pin,
                                  schsm_pkcs11_token_info(token, &info, err)
                                      ? schsm_pkcs11_tries(info.flags)
                                      : SCHSM_TRIES_UNKNOWN,
                                  err);
    case CKR_PIN_LOCKED:
        return schsm_pin_conclude(&holder, SCHSM_ANSWER_BLOCKED, NULL, -1, err);
    default:
        break;
    }
    if (token->changed) {
        schsm_pin_changed(&holder, NULL);
    }
    return fail_new_pin(token, rv, "PIN", err);
}

/* Of a job that has logged in with the old PIN, unless that has to be changed first. */
static int change_proven_pin(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    return set_user_pin(token, arg, err);
}

static int change_unproven_pin(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    const struct pins *pins = arg;
    struct ck_token_info info;

    return schsm_pkcs11_token_info(token, &info, err) &&
           check_unproven_pin(token, &info, pins->min_tries, err) && set_user_pin(token, pins, err);
}

struct look {
    const struct pins *pins;
    bool must_change;
};

static int look_at_token_pin(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    struct look *look = arg;
    struct ck_token_info info;

    if (!schsm_pkcs11_token_info(token, &info, err)) {
        return 0;
    }
    look->must_change = (info.flags & CKF_USER_PIN_TO_BE_CHANGED) != 0;
    return check_new_pin(token, look->pins->new_pin, &info, err) || end_token_job(token);
}

int schsm_pkcs11_device_change_pin(struct schsm_device *dev, struct schsm_secret *old_pin,
                                   struct schsm_secret *new_pin, int min_tries,
                                   struct schsm_error *err)
{
    struct schsm_pkcs11_token *token = schsm_pkcs11_token(dev);
    struct pins pins = { .old_pin = old_pin, .new_pin = new_pin, .min_tries = min_tries };
    struct look look = { .pins = &pins };
    struct schsm_login login = { .min_pin_tries = min_tries, .by_option = true };
    struct schsm_pkcs11_job job = { .run = look_at_token_pin, .arg = &look };
    int ok = 0;

    login.source = schsm_pin_source_from_secret(old_pin, err);
    if (login.source == NULL || !schsm_pkcs11_run(token, &job, err)) {
        goto done;
    }
    job = (struct schsm_pkcs11_job){ .run =
                                         look.must_change ? change_unproven_pin : change_proven_pin,
                                     .arg = &pins,
                                     .login = look.must_change ? NULL : &login,
                                     .prove = !look.must_change,
                                     .write = true };
    ok = schsm_pkcs11_run(token, &job, err);

done:
    schsm_pin_source_free(login.source);
    return ok;
}

/* --- the SO-PIN ------------------------------------------------------------------------------ */

static int so_pin_tries(unsigned long flags)
{
    if ((flags & CKF_SO_PIN_LOCKED) != 0) {
        return 0;
    }
    if ((flags & CKF_SO_PIN_FINAL_TRY) != 0) {
        return 1;
    }
    return (flags & CKF_SO_PIN_COUNT_LOW) != 0 ? SCHSM_TRIES_FEW : SCHSM_TRIES_UNKNOWN;
}

static int refuse_so_pin_blocked(struct schsm_pkcs11_token *token, struct schsm_error *err)
{
    schsm_fail(err, SCHSM_REASON_PIN_BLOCKED,
               "the SO-PIN of device %s is blocked: its PIN can be unblocked no more", token->name);
    err->tries_left = 0;
    return end_token_job(token);
}

static int check_so_pin_tries(struct schsm_pkcs11_token *token, int tries, int min_tries,
                              struct schsm_error *err)
{
    if (tries == 0) {
        return refuse_so_pin_blocked(token, err);
    }
    if (tries != SCHSM_TRIES_UNKNOWN && (tries == SCHSM_TRIES_FEW ? 2 : tries) < min_tries) {
        schsm_fail(err, SCHSM_REASON_PIN_TRIES_LOW,
                   "%s left on device %s, so the stored SO-PIN was not tried: use --so-pin-source "
                   "prompt to type it",
                   tries == 1 ? "only 1 SO-PIN try is" : "fewer than 3 SO-PIN tries are",
                   token->name);
        return end_token_job(token);
    }
    return 1;
}

static int refuse_so_pin_wrong(struct schsm_pkcs11_token *token, struct schsm_error *err)
{
    struct ck_token_info info;
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    int tries = schsm_pkcs11_token_info(token, &info, &ignored) ? so_pin_tries(info.flags)
                                                                : SCHSM_TRIES_UNKNOWN;

    schsm_fail(err, SCHSM_REASON_PIN_INCORRECT, "the SO-PIN is wrong for device %s; %s",
               token->name,
               tries == 0                     ? "it is now blocked"
               : tries == 1                   ? "1 try is left"
               : tries == SCHSM_TRIES_UNKNOWN ? "the device does not tell how many tries are left"
                                              : "fewer than 3 tries are left");
    err->tries_left = tries >= 0 ? tries : -1;
    return end_token_job(token);
}

/* What C_Login said to the SO-PIN: whatever that was, it is not sent again. */
static int conclude_so_login(struct schsm_pkcs11_token *token, ck_rv rv, struct schsm_error *err)
{
    switch (rv) {
    case CKR_OK:
        return 1;
    case CKR_PIN_INCORRECT:
        return refuse_so_pin_wrong(token, err);
    case CKR_PIN_LOCKED:
        return refuse_so_pin_blocked(token, err);
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_INVALID:
        schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                   "device %s does not take an SO-PIN of this length or these characters",
                   token->name);
        return end_token_job(token);
    default:
        break;
    }
    schsm_pkcs11_fail(token, rv, err);
    schsm_fail_context(err, "device %s, at the login with the SO-PIN%s", token->name,
                       schsm_pkcs11_is_unsure(rv) ? ", which may have cost a try" : "");
    return end_token_job(token);
}

/* Sets the user's PIN or the officer's, in a session that the officer is logged in to. */
static ck_rv set_as_officer(struct schsm_pkcs11_token *token, const struct pins *pins)
{
    if (pins->new_pin != NULL) {
        return SCHSM_PKCS11_WRITE(token, init_pin, schsm_secret_data(pins->new_pin),
                                  schsm_secret_len(pins->new_pin));
    }
    return SCHSM_PKCS11_WRITE(token, set_pin, schsm_secret_data(pins->officer),
                              schsm_secret_len(pins->officer), schsm_secret_data(pins->new_officer),
                              schsm_secret_len(pins->new_officer));
}

static int act_as_officer(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    const struct schsm_pin_holder holder = schsm_pkcs11_pin_holder(token);
    const struct pins *pins = arg;
    struct ck_token_info info;
    ck_rv rv;
    int ok = 0;

    if (!schsm_pkcs11_token_info(token, &info, err) ||
        !check_so_pin_tries(token, so_pin_tries(info.flags), pins->min_tries, err)) {
        return 0;
    }
    if (pins->new_pin != NULL && !check_new_pin(token, pins->new_pin, &info, err)) {
        return end_token_job(token);
    }
    schsm_pkcs11_close(token);
    if (!schsm_pkcs11_open(token, true, &token->rw, err)) {
        return 0;
    }
    schsm_log(SCHSM_LOG_INFO, "logging in to device %s with the SO-PIN", token->name);
    rv = SCHSM_PKCS11_CALL(
        token->module, login,
        (token->rw, CKU_SO, schsm_secret_data(pins->officer), schsm_secret_len(pins->officer)));
    if (!conclude_so_login(token, rv, err)) {
        return 0;
    }
    rv = set_as_officer(token, pins);
    if (rv == CKR_OK) {
        if (pins->new_pin != NULL) {
            schsm_pin_changed(&holder, pins->new_pin);
        }
        ok = 1;
    } else if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED) {
        (void)conclude_so_login(token, rv, err); /* OpenSC proves it only here */
    } else {
        if (token->changed && pins->new_pin != NULL) {
            schsm_pin_changed(&holder, NULL);
        }
        fail_new_pin(token, rv, pins->new_pin != NULL ? "PIN" : "SO-PIN", err);
        if (!token->refused) {
            schsm_fail_context(err, "device %s", token->name);
            (void)end_token_job(token);
        }
    }
    (void)SCHSM_PKCS11_CALL(token->module, logout, (token->rw));
    return ok;
}

int schsm_pkcs11_device_change_so_pin(struct schsm_device *dev, const struct schsm_secret *old_pin,
                                      const struct schsm_secret *new_pin, int min_tries,
                                      struct schsm_error *err)
{
    struct pins pins = { .officer = old_pin, .new_officer = new_pin, .min_tries = min_tries };
    const struct schsm_pkcs11_job job = { .run = act_as_officer, .arg = &pins };

    return schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err);
}

int schsm_pkcs11_device_unblock_pin(struct schsm_device *dev, const struct schsm_secret *so_pin,
                                    struct schsm_secret *new_pin, int min_tries,
                                    struct schsm_error *err)
{
    struct schsm_pkcs11_token *token = schsm_pkcs11_token(dev);
    struct pins pins = { .officer = so_pin, .new_pin = new_pin, .min_tries = min_tries };
    const struct schsm_pkcs11_job job = { .run = act_as_officer, .arg = &pins };

    if (new_pin == NULL) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "device %s is a PKCS#11 token, whose SO-PIN sets a new PIN and cannot "
                          "keep the old one",
                          token->name);
    }
    return schsm_pkcs11_run(token, &job, err);
}
