/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/log.h"

/* What the connection told is void; in a child, or after it ended. */
static void forget_connection(struct schsm_session *session)
{
    bool long_works = session->card.long_works; /* the reader's, and it stays */
    const struct schsm_channel_policy *policy = session->card.policy; /* the user's, likewise */

    memset(&session->card, 0, sizeof(session->card));
    session->card.transport = session->transport;
    session->card.long_works = long_works;
    session->card.policy = policy;
    session->same_card = session->selected = session->in_transaction = false;
    session->login = SCHSM_LOGIN_UNKNOWN;
    session->pin_proven = false;
    session->operations = 0;
}

/* Takes the lock. In a child that inherited the session, leaves the parent's connection alone. */
static void enter(struct schsm_session *session)
{
    schsm_fork_lock(&session->fork);
    if (!session->fork.forked) {
        return;
    }
    if (session->card.handle != NULL) {
        session->transport->abandon(session->card.handle);
    }
    schsm_pin_keep(&session->typed, NULL);
    forget_connection(session);
    session->fork.forked = false;
    schsm_log(SCHSM_LOG_DEBUG, "forked: a new connection to reader %s will be opened",
              session->reader);
}

static void leave(struct schsm_session *session)
{
    schsm_session_end(session);
    if (session->typed != NULL) {
        schsm_pin_keep(&session->typed, NULL);
    }
    schsm_fork_unlock(&session->fork);
}

void schsm_session_disconnect(struct schsm_session *session)
{
    void *handle = session->card.handle;

    schsm_guard_lock();
    session->card.handle = NULL;
    schsm_guard_unlock();
    if (handle != NULL) {
        session->transport->close(handle);
    }
    forget_connection(session);
}

bool schsm_session_known_serial(struct schsm_session *session, char serial[SCHSM_SERIAL_MAX + 1])
{
    schsm_guard_lock();
    memcpy(serial, session->serial, sizeof(session->serial));
    schsm_guard_unlock();
    return serial[0] != 0;
}

bool schsm_session_exchanged(struct schsm_session *session)
{
    bool exchanged;

    schsm_guard_lock();
    exchanged = session->exchanged;
    schsm_guard_unlock();
    return exchanged;
}

void schsm_session_reader(struct schsm_session *session, char reader[SCHSM_READER_MAX + 1])
{
    schsm_guard_lock();
    memcpy(reader, session->reader, sizeof(session->reader));
    schsm_guard_unlock();
}

const char *schsm_session_name(const struct schsm_session *session)
{
    return session->serial[0] != 0 ? session->serial : session->reader;
}

int schsm_session_select(struct schsm_session *session, struct schsm_error *err)
{
    if (!schsm_card_select(&session->card, &session->fci, err)) {
        return 0;
    }
    session->fci_known = true;
    session->selected = true;
    session->login = SCHSM_LOGIN_OUT;
    session->pin_proven = false;
    return 1;
}

int schsm_session_confirm_applet(struct schsm_session *session, struct schsm_error *err)
{
    struct schsm_pin_status status;

    return schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &status, err);
}

/* One attempt at the job. */
static int attempt(struct schsm_session *session, const struct schsm_job *job, bool again,
                   struct schsm_error *err)
{
    bool transaction = again || job->transaction || session->card.get_response ||
                       (job->login != NULL && session->login != SCHSM_LOGIN_IN) || job->prove;
    int ok;

    session->refused = false;
    session->card.result = SCHSM_TRANSPORT_OK;
    session->card.status_word = 0;
    if (!schsm_session_connect(session, again, err)) {
        return 0;
    }
    if (transaction && !schsm_session_begin(session, err)) {
        return 0;
    }
    ok = (job->login == NULL || schsm_session_login(session, job->login, job->prove, err)) &&
         job->run(session, job->arg, err);
    if (!ok && !session->refused && session->card.result == SCHSM_TRANSPORT_OK) {
        const char *name = schsm_session_name(session);

        if (job->object != NULL) {
            schsm_fail_context(err, "device %s, %s", name, job->object);
        } else {
            schsm_fail_context(err, "device %s", name);
        }
    }
    return ok;
}

/* After a failed attempt: whether what is wrong was mended, so that another one makes sense. The
 * error of the attempt stays unless there is a better one. */
static bool recover(struct schsm_session *session, const struct schsm_job *job,
                    struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    unsigned int status_word = session->card.status_word;

    if (session->refused || session->card.handle == NULL) {
        return false;
    }
    switch (session->card.result) {
    case SCHSM_TRANSPORT_RESET:
        schsm_log(SCHSM_LOG_INFO, "device %s was reset: reconnecting", schsm_session_name(session));
        schsm_session_end(session);
        session->selected = session->pin_proven = false;
        session->login = SCHSM_LOGIN_UNKNOWN;
        if (session->transport->reconnect(session->card.handle, &session->atr, &found) !=
            SCHSM_TRANSPORT_OK) {
            schsm_session_disconnect(session);
        }
        return true;
    case SCHSM_TRANSPORT_REMOVED:
    case SCHSM_TRANSPORT_NO_SERVICE:
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
        return recover(session, job, err);
    case SCHSM_TRANSPORT_BUSY:
    case SCHSM_TRANSPORT_FAILED:
        return false;
    }
    if (status_word == 0 || status_word == SCHSM_SW_OK || status_word == SCHSM_SW_END_OF_FILE) {
        return false; /* the card did its part; what it sent was wrong */
    }
    if (status_word == SCHSM_SW_SECURITY_STATUS && job->login != NULL) {
        /* Another program selected the applet: that logs everybody out. */
        session->login = SCHSM_LOGIN_UNKNOWN;
        session->pin_proven = false;
        return true;
    }
    if (schsm_session_confirm_applet(session, &found)) {
        return false; /* our applet means what it said */
    }
    if (session->card.result != SCHSM_TRANSPORT_OK) {
        return recover(session, job, err); /* the way broke; cannot come here again */
    }
    schsm_log(SCHSM_LOG_INFO, "another applet is selected on device %s: selecting ours",
              schsm_session_name(session));
    return schsm_session_select(session, err);
}

int schsm_session_run(struct schsm_session *session, const struct schsm_job *job,
                      struct schsm_error *err)
{
    int ok;

    enter(session);
    session->sent_at = session->so_sent_at = -1;
    ok = attempt(session, job, false, err);
    if (!ok && recover(session, job, err)) {
        ok = attempt(session, job, true, err);
    }
    leave(session);
    return ok;
}

struct schsm_session *schsm_session_new(const struct schsm_transport *transport, void *arg,
                                        const char *reader, const struct schsm_atr *atr,
                                        struct schsm_error *err)
{
    struct schsm_session *session = OPENSSL_zalloc(sizeof(*session));

    if (session == NULL || !schsm_fork_join(&session->fork)) {
        OPENSSL_free(session);
        schsm_fail_memory(err);
        return NULL;
    }
    session->transport = transport;
    session->transport_arg = arg;
    (void)snprintf(session->reader, sizeof(session->reader), "%s", reader);
    (void)schsm_reader_serial(reader, session->serial, sizeof(session->serial));
    if (atr != NULL) {
        session->atr = *atr;
    }
    forget_connection(session);
    return session;
}

void schsm_session_free(struct schsm_session *session)
{
    if (session == NULL) {
        return;
    }
    enter(session); /* in a child this abandons the parent's connection */
    schsm_session_disconnect(session);
    leave(session);
    schsm_fork_leave(&session->fork);
    schsm_secret_free(session->kept_pin);
    OPENSSL_free(session);
}
