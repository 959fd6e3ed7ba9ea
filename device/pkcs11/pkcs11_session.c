/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs on a token: login, recovery and repetition. */
#include "pkcs11_private.h"

#include <time.h>

#include "base/log.h"

/* After an error that says nothing: the module may have met another process of its own in the
 * middle of a write, as SoftHSM does. */
#define UNCLEAR_PAUSE_MS 50
#define UNCLEAR_REPEATS 3

static void name_token_and_job(const struct schsm_pkcs11_token *token,
                               const struct schsm_pkcs11_job *job, struct schsm_error *err)
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

static bool token_job_logs_in(const struct schsm_pkcs11_job *job)
{
    return job->login != NULL && job->prospect == NULL;
}

static int attempt_on_token(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_job *job,
                            bool again, struct schsm_error *err)
{
    const struct schsm_pin_holder holder = schsm_pkcs11_pin_holder(token);
    int ok;

    token->refused = token->changed = false;
    token->rv = CKR_OK;
    ok = schsm_pkcs11_connect(token, again && !(job->login != NULL && job->login->hurried), err);
    if (ok && token->pin.login != SCHSM_LOGIN_IN) {
        atomic_fetch_add(&token->connections, 1);
    }
    ok = ok && (!job->write || schsm_pkcs11_open(token, true, &token->rw, err));
    ok = ok && (job->prospect != NULL ? schsm_pin_prepare(&holder, job->login, job->prospect, err)
                                      : !token_job_logs_in(job) ||
                                            schsm_pin_login(&holder, job->login, job->prove, err));
    ok = ok && (job->run == NULL || job->run(token, job->arg, err));
    if (token->rw != CK_INVALID_HANDLE) {
        (void)SCHSM_PKCS11_CALL(token->module, close_session, (token->rw));
        token->rw = CK_INVALID_HANDLE;
    }
    if (!ok && !token->refused) {
        name_token_and_job(token, job, err);
    }
    return ok;
}

static bool has_live_session(struct schsm_pkcs11_token *token)
{
    struct ck_session_info info;

    return token->session != CK_INVALID_HANDLE &&
           SCHSM_PKCS11(token, get_session_info, &info) == CKR_OK;
}

/* After a failed attempt: whether another one makes sense, from a state where it can succeed. A job
 * is repeated once, or a few times where the error is unclear; one that may have changed something
 * is not, but the state is mended for the next. */
static bool recover_token(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_job *job,
                          int repeated)
{
    const struct timespec pause = { 0, UNCLEAR_PAUSE_MS * 1000000L };
    enum schsm_pkcs11_remedy remedy = schsm_pkcs11_remedy(token->rv);

    if (token->refused || repeated >= (remedy == SCHSM_PKCS11_ASK ? UNCLEAR_REPEATS : 1)) {
        return false;
    }
    if (token->session == CK_INVALID_HANDLE) {
        return token->was_open && !token->changed; /* it was there before: wait for it */
    }
    if (remedy == SCHSM_PKCS11_ASK && !has_live_session(token)) {
        remedy = SCHSM_PKCS11_SESSION;
    }
    switch (remedy) {
    case SCHSM_PKCS11_NONE:
        return false;
    case SCHSM_PKCS11_ASK:
        (void)nanosleep(&pause, NULL);
        token->pin.login = SCHSM_LOGIN_UNKNOWN; /* but what was proven may still be */
        token->keys_count = 0;
        return !token->changed;
    case SCHSM_PKCS11_FIND:
        token->keys_count = 0;
        return !token->changed;
    case SCHSM_PKCS11_LOGIN:
        token->pin = (struct schsm_pin_connection){ 0 };
        return token_job_logs_in(job) && !token->changed;
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
    struct schsm_error found = SCHSM_ERROR_INIT;
    int ok;

    if (!schsm_pkcs11_lock(token->module, err)) {
        return 0;
    }
    token->unclear_login = false;
    ok = attempt_on_token(token, job, false, &found);
    for (int repeated = 0; !ok && recover_token(token, job, repeated); repeated++) {
        ok = attempt_on_token(token, job, true, &found);
    }
    if (token->typed != NULL) {
        schsm_pin_keep(&token->typed, NULL);
    }
    schsm_pkcs11_unlock(token->module);
    return ok ? 1 : schsm_fail_as(err, &found);
}
