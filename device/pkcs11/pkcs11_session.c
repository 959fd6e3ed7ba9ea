/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11_private.h"

#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "base/log.h"

#define SLOTS_MAX 64

/* For how long a token that was there a moment ago is waited for, and how often a module that does
 * not find it is told to look anew. */
#define RETURN_PAUSE_MS 100
#define RETURN_LIMIT_MS 4000
#define RESTART_EVERY 5

/* After an error that says nothing: the module may have met another process of its own in the
 * middle of a write, as SoftHSM does. */
#define UNCLEAR_PAUSE_MS 50
#define UNCLEAR_REPEATS 3

static void sleep_ms(long ms)
{
    const struct timespec pause = { ms / 1000, ms % 1000 * 1000000L };

    (void)nanosleep(&pause, NULL);
}

static void forget_session(struct schsm_pkcs11_token *token)
{
    token->session = token->rw = CK_INVALID_HANDLE;
    token->login = SCHSM_LOGIN_UNKNOWN;
    token->pin_proven = false;
    token->keys_count = 0;
}

void schsm_pkcs11_close(struct schsm_pkcs11_token *token)
{
    if (token->session != CK_INVALID_HANDLE && token->generation == token->module->generation &&
        schsm_pkcs11_usable()) {
        (void)SCHSM_PKCS11_CALL(token->module, close_session, (token->session));
    }
    forget_session(token);
}

int schsm_pkcs11_fail(struct schsm_pkcs11_token *token, ck_rv rv, struct schsm_error *err)
{
    token->rv = rv;
    return schsm_pkcs11_describe(rv, err);
}

int schsm_pkcs11_fail_to(struct schsm_pkcs11_token *token, ck_rv rv, const char *what,
                         struct schsm_error *err)
{
    schsm_pkcs11_fail(token, rv, err);
    return schsm_fail_context(err, "it cannot %s", what);
}

ck_rv schsm_pkcs11_written(struct schsm_pkcs11_token *token, ck_rv rv)
{
    token->changed = token->changed || rv == CKR_OK || schsm_pkcs11_is_unsure(rv);
    return rv;
}

int schsm_pkcs11_token_info(struct schsm_pkcs11_token *token, struct ck_token_info *info,
                            struct schsm_error *err)
{
    ck_rv rv;

    memset(info, 0, sizeof(*info));
    rv = SCHSM_PKCS11_CALL(token->module, get_token_info, (token->slot, info));
    return rv == CKR_OK ? 1 : schsm_pkcs11_fail(token, rv, err);
}

/* Which slot the token is in now. 1: found, 0: it is not there, or nobody can tell. */
static int find_slot(struct schsm_pkcs11_token *token, struct schsm_error *err)
{
    struct schsm_pkcs11_slot slots[SLOTS_MAX];
    size_t count = SLOTS_MAX;

    if (!schsm_pkcs11_slots(token->module, slots, &count, err)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (slots[i].initialised && strcmp(slots[i].serial, token->serial) == 0 &&
            strcmp(slots[i].label, token->label) == 0) {
            token->slot = slots[i].id;
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_DEVICE_REMOVED,
                      "the PKCS#11 module does not find it any more: insert it again, or restore "
                      "the way to it");
}

static int open_session(struct schsm_pkcs11_token *token, bool write, ck_handle *session,
                        struct schsm_error *err)
{
    unsigned long flags = CKF_SERIAL_SESSION | (write ? CKF_RW_SESSION : 0ul);
    ck_rv rv =
        SCHSM_PKCS11_CALL(token->module, open_session, (token->slot, flags, NULL, NULL, session));

    if (rv != CKR_OK) {
        *session = CK_INVALID_HANDLE; /* whatever the module left there */
        return schsm_pkcs11_fail(token, rv, err);
    }
    return 1;
}

static int connect_once(struct schsm_pkcs11_token *token, struct schsm_error *err)
{
    if (!schsm_pkcs11_initialise(token->module, err)) {
        return 0;
    }
    if (token->generation != token->module->generation) {
        forget_session(token); /* in a child, or after the module was initialised anew */
        if (!find_slot(token, err)) {
            return 0;
        }
        token->generation = token->module->generation;
    }
    if (token->session != CK_INVALID_HANDLE) {
        return 1;
    }
    atomic_fetch_add(&token->connection, 1);
    if (!open_session(token, false, &token->session, err)) {
        token->generation = 0; /* it may be in another slot */
        return 0;
    }
    token->was_open = true;
    return 1;
}

/*
 * patient: the token was there a moment ago, so wait for it. A module that lost the way to its
 * token, to another machine for instance, finds it only after it was initialised anew; that ends
 * the sessions of its other tokens, which open new ones.
 */
static int connect_token(struct schsm_pkcs11_token *token, bool patient, struct schsm_error *err)
{
    for (int waited = 0;; waited++) {
        if (connect_once(token, err)) {
            return 1;
        }
        if (!patient || waited * RETURN_PAUSE_MS >= RETURN_LIMIT_MS) {
            return 0;
        }
        if (waited % RESTART_EVERY == 0 &&
            (waited > 0 || err->reason == SCHSM_REASON_DEVICE_REMOVED)) {
            schsm_log(SCHSM_LOG_INFO, "initialising PKCS#11 module %s anew: %s",
                      token->module->path, err->text);
            schsm_pkcs11_finalise(token->module, false);
        }
        sleep_ms(RETURN_PAUSE_MS);
    }
}

static void words(const struct schsm_pkcs11_token *token, const struct schsm_pkcs11_job *job,
                  struct schsm_error *err)
{
    if (token->changed && schsm_pkcs11_is_unsure(token->rv)) {
        schsm_fail_context(err, "it may have been done nevertheless, so look before you try again");
    }
    if (job->object != NULL) {
        schsm_fail_context(err, "device %s, %s", token->name, job->object);
    } else {
        schsm_fail_context(err, "device %s", token->name);
    }
}

static int attempt(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_job *job, bool again,
                   struct schsm_error *err)
{
    int ok = 0;

    token->refused = token->changed = false;
    token->rv = CKR_OK;
    if (connect_token(token, again, err) &&
        (!job->write || open_session(token, true, &token->rw, err)) &&
        (job->login == NULL || schsm_pkcs11_login(token, job->login, job->prove, err))) {
        ok = job->run(token, job->arg, err);
    }
    if (token->rw != CK_INVALID_HANDLE) {
        (void)SCHSM_PKCS11_CALL(token->module, close_session, (token->rw));
        token->rw = CK_INVALID_HANDLE;
    }
    if (!ok && !token->refused) {
        words(token, job, err);
    }
    return ok;
}

static bool is_alive(struct schsm_pkcs11_token *token)
{
    struct ck_session_info info;

    return token->session != CK_INVALID_HANDLE &&
           SCHSM_PKCS11(token, get_session_info, &info) == CKR_OK;
}

/* After a failed attempt: whether another one makes sense, from a state where it can succeed. A job
 * is repeated once, or a few times where the error is unclear; one that may have changed something
 * is not, but the state is mended for the next. */
static bool recover(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_job *job,
                    int repeated)
{
    enum schsm_pkcs11_remedy remedy = schsm_pkcs11_remedy(token->rv);

    if (token->refused || repeated >= (remedy == SCHSM_PKCS11_ASK ? UNCLEAR_REPEATS : 1)) {
        return false;
    }
    if (token->session == CK_INVALID_HANDLE) {
        return token->was_open && !token->changed; /* it was there before: wait for it */
    }
    if (remedy == SCHSM_PKCS11_ASK && !is_alive(token)) {
        remedy = SCHSM_PKCS11_SESSION;
    }
    switch (remedy) {
    case SCHSM_PKCS11_NONE:
        return false;
    case SCHSM_PKCS11_ASK:
        sleep_ms(UNCLEAR_PAUSE_MS);
        token->login = SCHSM_LOGIN_UNKNOWN;
        token->keys_count = 0;
        return !token->changed;
    case SCHSM_PKCS11_FIND:
        token->keys_count = 0;
        return !token->changed;
    case SCHSM_PKCS11_LOGIN:
        token->login = SCHSM_LOGIN_UNKNOWN;
        token->pin_proven = false;
        return job->login != NULL && !token->changed;
    case SCHSM_PKCS11_SESSION:
        break;
    }
    schsm_log(SCHSM_LOG_INFO, "the session with device %s broke (PKCS#11 0x%lx): opening another",
              token->name, token->rv);
    schsm_pkcs11_close(token);
    token->generation = 0;
    if (token->rv == CKR_CRYPTOKI_NOT_INITIALIZED) {
        schsm_pkcs11_finalise(token->module, true);
    }
    return !token->changed;
}

int schsm_pkcs11_run(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_job *job,
                     struct schsm_error *err)
{
    int ok;

    if (!schsm_pkcs11_lock(token->module, err)) {
        return 0;
    }
    token->unclear_login = false;
    ok = attempt(token, job, false, err);
    for (int repeated = 0; !ok && recover(token, job, repeated); repeated++) {
        ok = attempt(token, job, true, err);
    }
    if (token->typed != NULL) {
        schsm_pin_keep(&token->typed, NULL);
    }
    schsm_pkcs11_unlock(token->module);
    return ok;
}
