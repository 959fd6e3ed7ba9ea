/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/log.h"

/* What is mended in one job: ways that broke before the job itself began, and logouts. The second
 * of these can only come from a reset that nobody told, or the card means it. */
#define BROKEN_BEFORE_MAX 3
#define LOGGED_OUT_MAX 2

static void forget_job(struct schsm_session *session)
{
    if (session->job.typed != NULL) {
        schsm_pin_keep(&session->job.typed, NULL);
    }
    session->job = (struct schsm_session_job){ .so_sent_at = -1 };
}

/* Takes the lock. In a child that inherited the session, leaves the parent's connection alone. */
static void enter_session(struct schsm_session *session)
{
    schsm_fork_lock(&session->fork);
    if (!session->fork.forked) {
        return;
    }
    schsm_session_abandon(session);
    forget_job(session);
    session->fork.forked = false;
    schsm_log(SCHSM_LOG_DEBUG, "forked: a new connection to reader %s will be opened",
              session->process.reader);
}

static void leave_session(struct schsm_session *session)
{
    schsm_session_end(session);
    forget_job(session);
    schsm_fork_unlock(&session->fork);
}

bool schsm_session_known_serial(struct schsm_session *session, char serial[SCHSM_SERIAL_MAX + 1])
{
    bool absent;

    schsm_guard_lock();
    memcpy(serial, session->process.serial, sizeof(session->process.serial));
    absent = session->process.serial_absent;
    schsm_guard_unlock();
    return serial[0] != 0 || absent;
}

bool schsm_session_exchanged(struct schsm_session *session)
{
    bool exchanged;

    schsm_guard_lock();
    exchanged = session->process.exchanged;
    schsm_guard_unlock();
    return exchanged;
}

void schsm_session_reader(struct schsm_session *session, char reader[SCHSM_READER_MAX + 1])
{
    schsm_guard_lock();
    memcpy(reader, session->process.reader, sizeof(session->process.reader));
    schsm_guard_unlock();
}

static bool card_job_logs_in(const struct schsm_job *job)
{
    return job->login != NULL && job->prospect == NULL;
}

static bool is_hurried(const struct schsm_job *job)
{
    return job->login != NULL && job->login->hurried;
}

/*
 * Before a repetition, where the first attempt may have used a key: whether another use may be
 * asked for. The device is asked only now whether there is a counter, which costs nothing where all
 * goes well. One that does not tell is taken for one that does not count.
 */
static int may_use_key_again(struct schsm_session *session, const struct schsm_job *job,
                             struct schsm_error *err)
{
    struct schsm_key_policy policy;

    if (!session->job.key_used || job->key_ref == 0) {
        return 1;
    }
    if (!schsm_card_key_policy(&session->card, job->key_ref, &policy, err)) {
        return 0;
    }
    session->card.status_word = 0;
    return !policy.known || !policy.limited ||
           schsm_fail(err, SCHSM_REASON_TRANSPORT,
                      "the device's answer was lost; the key has a use counter (%u left), of which "
                      "the device may have spent one use, so it was not asked twice: try again if "
                      "you wish",
                      policy.uses_left);
}

/* One attempt at the job. */
static int attempt_on_card(struct schsm_session *session, const struct schsm_job *job, bool again,
                           struct schsm_error *err)
{
    bool transaction = again || job->transaction || session->card.get_response ||
                       (card_job_logs_in(job) && session->connection.pin.login != SCHSM_LOGIN_IN) ||
                       job->prove;
    const struct schsm_pin_holder holder = schsm_session_pin_holder(session);
    int ok;

    if (job->login != NULL && session->connection.pin.login != SCHSM_LOGIN_IN) {
        atomic_fetch_add(&session->connections, 1); /* others were at the card since */
    }
    session->job.refused = false;
    session->job.ran = false;
    session->card.result = SCHSM_TRANSPORT_OK;
    session->card.status_word = 0;
    if (!schsm_session_connect(session, again && !is_hurried(job), err)) {
        return 0;
    }
    if (transaction && !schsm_session_begin(session, err)) {
        return 0;
    }
    ok = !again || may_use_key_again(session, job, err);
    ok = ok && (job->prospect != NULL ? schsm_pin_prepare(&holder, job->login, job->prospect, err)
                                      : !card_job_logs_in(job) ||
                                            schsm_pin_login(&holder, job->login, job->prove, err));
    session->job.ran = ok;
    ok = ok && (job->run == NULL || job->run(session, job->arg, err));
    if (!ok && !session->job.refused && session->card.result == SCHSM_TRANSPORT_OK) {
        const char *name = schsm_session_name(session);

        if (job->object != NULL) {
            schsm_fail_context(err, "device %s, %s", name, job->object);
        } else {
            schsm_fail_context(err, "device %s", name);
        }
    }
    return ok;
}

/*
 * Whether a way that broke may be mended: once where the job itself was under way, or a PIN, so
 * that nothing that takes the device down with it does so again and again; where it had not begun,
 * more often, because one disturbance may follow another.
 */
static bool may_mend_way(struct schsm_session *session)
{
    if (session->job.ran || session->process.lost_pin.tries_before > 0 ||
        session->job.so_sent_at >= 0) {
        return session->job.broken++ == 0;
    }
    return session->job.broken_before++ < BROKEN_BEFORE_MAX;
}

/* After a failed attempt: whether what is wrong was mended, so that another one makes sense. The
 * error of the attempt stays unless there is a better one. */
static bool recover_card(struct schsm_session *session, const struct schsm_job *job,
                         struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    unsigned int status_word = session->card.status_word;
    struct schsm_atr atr;

    if (session->job.refused || session->card.handle == NULL) {
        return false;
    }
    switch (session->card.result) {
    case SCHSM_TRANSPORT_RESET:
        if (!may_mend_way(session)) {
            return false;
        }
        schsm_log(SCHSM_LOG_INFO, "device %s was reset: reconnecting", schsm_session_name(session));
        schsm_session_end(session);
        session->connection.selected = false;
        session->connection.pin = (struct schsm_pin_connection){ 0 };
        if (session->transport->reconnect(session->card.handle, &atr, &found) !=
            SCHSM_TRANSPORT_OK) {
            schsm_session_disconnect(session);
        }
        return true;
    case SCHSM_TRANSPORT_GONE:
    case SCHSM_TRANSPORT_REMOVED:
    case SCHSM_TRANSPORT_NO_SERVICE:
        if (!may_mend_way(session)) {
            return false;
        }
        schsm_log(SCHSM_LOG_INFO, "the connection to device %s broke: %s",
                  schsm_session_name(session), err->text);
        schsm_session_disconnect(session);
        return true;
    case SCHSM_TRANSPORT_OK:
        break;
    case SCHSM_TRANSPORT_TOO_LONG:
        /* A card that dies under the first long command looks like a reader that cannot carry it:
         * a short one tells. */
        if (schsm_session_confirm_applet(session, &found) ||
            session->card.result == SCHSM_TRANSPORT_OK ||
            session->card.result == SCHSM_TRANSPORT_TOO_LONG) {
            return false;
        }
        return recover_card(session, job, err);
    case SCHSM_TRANSPORT_BUSY:
    case SCHSM_TRANSPORT_FAILED:
        return false;
    }
    if (status_word == 0 || status_word == SCHSM_SW_OK || status_word == SCHSM_SW_END_OF_FILE) {
        return false; /* the card did its part; what it sent was wrong */
    }
    if (status_word == SCHSM_SW_SECURITY_STATUS && card_job_logs_in(job)) {
        /* Another program selected the applet: that logs everybody out. */
        session->connection.pin = (struct schsm_pin_connection){ 0 };
        return session->job.logged_out++ < LOGGED_OUT_MAX;
    }
    if (session->job.selected++ > 0) {
        return false;
    }
    if (schsm_session_confirm_applet(session, &found)) {
        return false; /* our applet means what it said */
    }
    if (session->card.result != SCHSM_TRANSPORT_OK) {
        return recover_card(session, job, err); /* the way broke; cannot come here again */
    }
    schsm_log(SCHSM_LOG_INFO, "another applet is selected on device %s: selecting ours",
              schsm_session_name(session));
    return schsm_session_select(session, err);
}

/* What went wrong and was mended, or only showed that something is not there, is no error of the
 * caller's. */
int schsm_session_run(struct schsm_session *session, const struct schsm_job *job,
                      struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    int ok;

    enter_session(session);
    if (session->transport->hurry != NULL) {
        session->transport->hurry(is_hurried(job));
    }
    session->card.key_used = false;
    ok = attempt_on_card(session, job, false, &found);
    session->job.key_used = session->card.key_used; /* recovery may forget the connection */
    while (!ok && recover_card(session, job, &found)) {
        ok = attempt_on_card(session, job, true, &found);
        session->job.key_used = session->job.key_used || session->card.key_used;
    }
    leave_session(session);
    return ok ? 1 : schsm_fail_as(err, &found);
}

struct schsm_session *schsm_session_new(const struct schsm_transport *transport, void *arg,
                                        const char *reader, struct schsm_error *err)
{
    struct schsm_session *session = OPENSSL_zalloc(sizeof(*session));

    if (session == NULL || !schsm_fork_join(&session->fork)) {
        OPENSSL_free(session);
        schsm_fail_memory(err);
        return NULL;
    }
    session->transport = transport;
    session->transport_arg = arg;
    (void)snprintf(session->process.reader, sizeof(session->process.reader), "%s", reader);
    (void)schsm_reader_serial(reader, session->process.serial, sizeof(session->process.serial));
    session->card.transport = transport;
    forget_job(session);
    return session;
}

void schsm_session_free(struct schsm_session *session)
{
    if (session == NULL) {
        return;
    }
    enter_session(session); /* in a child this abandons the parent's connection */
    schsm_session_disconnect(session);
    leave_session(session);
    schsm_fork_leave(&session->fork);
    schsm_secret_free(session->process.kept_pin);
    schsm_secret_free(session->process.wrong_pin.pin);
    OPENSSL_free(session);
}
