/* SPDX-License-Identifier: Apache-2.0 */
/* Changing and unblocking the PINs (protocol section 5). */
#include "card_private.h"

/* A failure that another attempt must not follow: it would cost a try. */
static int refuse_attempt(struct schsm_session *session)
{
    session->job.refused = true;
    return 0;
}

static int check_user_pin_len(const struct schsm_session *session, const struct schsm_secret *pin,
                              struct schsm_error *err)
{
    size_t len = schsm_secret_len(pin);

    if (len >= SCHSM_USER_PIN_MIN && len <= SCHSM_USER_PIN_MAX) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                      "device %s takes PINs of %d to %d characters, and the new one has %zu: "
                      "nothing was changed",
                      schsm_session_name(session), SCHSM_USER_PIN_MIN, SCHSM_USER_PIN_MAX, len);
}

/* --- the user PIN ----------------------------------------------------------------------------- */

struct change {
    struct schsm_secret *old_pin, *new_pin;
    bool transport;
};

static int look_at_pin(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct change *change = arg;
    struct schsm_pin_status user, so;

    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &user, err)) {
        return 0;
    }
    if (!check_user_pin_len(session, change->new_pin, err)) {
        return refuse_attempt(session);
    }
    change->transport = user.state == SCHSM_PIN_TRANSPORT;
    if (!change->transport) {
        return 1;
    }
    /* 5.1: applets before 2.0 answer so where they were never initialised */
    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_SO, &so, err)) {
        return 0;
    }
    return so.state != SCHSM_PIN_ABSENT || schsm_session_refuse_uninitialised(session, err);
}

/* After the way to the card broke nobody knows which of two values counts, and to send the old one
 * again could cost a try. */
static int fail_between(struct schsm_session *session, const char *what, struct schsm_error *err)
{
    schsm_fail_context(err,
                       "device %s, while its %s was being changed (the old one or the new one "
                       "may count now)",
                       schsm_session_name(session), what);
    return refuse_attempt(session);
}

/* Of a job that has logged in with the old PIN, unless that is a transport PIN. */
static int change_pin(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct change *change = arg;

    if (schsm_card_change_reference_data(
            &session->card, SCHSM_PIN_USER, schsm_secret_data(change->old_pin),
            schsm_secret_len(change->old_pin), schsm_secret_data(change->new_pin),
            schsm_secret_len(change->new_pin), err)) {
        schsm_session_pin_changed(session, change->new_pin);
        return 1;
    }
    if (session->card.result != SCHSM_TRANSPORT_OK) {
        schsm_session_pin_changed(session, NULL);
        return fail_between(session, "PIN", err);
    }
    switch (session->card.status_word) {
    case SCHSM_SW_WRONG_DATA:
    case SCHSM_SW_WRONG_LENGTH:
        /* The card parts old and new by the length of the right old one. */
        schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                   "device %s cannot part these two PINs, so the old one is hardly right; no try "
                   "was spent",
                   schsm_session_name(session));
        return refuse_attempt(session);
    case SCHSM_SW_SECURITY_STATUS: /* another program logged us out; the job logs in again */
        return 0;
    default:
        (void)schsm_session_fail_pin(session, change->old_pin, err);
        return refuse_attempt(session);
    }
}

int schsm_card_device_change_pin(struct schsm_device *dev, struct schsm_secret *old_pin,
                                 struct schsm_secret *new_pin, int min_tries,
                                 struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session(dev);
    struct change change = { .old_pin = old_pin, .new_pin = new_pin };
    struct schsm_login login = { .min_pin_tries = min_tries, .by_option = true };
    struct schsm_job job = { .run = look_at_pin, .arg = &change };
    int ok = 0;

    login.source = schsm_pin_source_from_secret(old_pin, err);
    if (login.source == NULL || !schsm_session_run(session, &job, err)) {
        goto done;
    }
    /*
     * The card gets old and new without a mark between them. A wrong old PIN that is a prefix of
     * the right one would be taken, and the new PIN lose its beginning: so the old one is proven
     * first, where the card lets us.
     */
    job = (struct schsm_job){ .run = change_pin,
                              .arg = &change,
                              .login = change.transport ? NULL : &login,
                              .prove = !change.transport,
                              .transaction = true };
    ok = schsm_session_run(session, &job, err);

done:
    schsm_pin_source_free(login.source);
    return ok;
}

/* --- the SO-PIN ------------------------------------------------------------------------------- */

int schsm_card_check_so_pin_len(const struct schsm_secret *so_pin, struct schsm_error *err)
{
    return schsm_secret_len(so_pin) == SCHSM_SO_PIN_LEN ||
           schsm_fail(err, SCHSM_REASON_PIN_LENGTH, "an SO-PIN has %d bytes", SCHSM_SO_PIN_LEN);
}

static int refuse_so_blocked(struct schsm_session *session, struct schsm_error *err)
{
    schsm_fail(
        err, SCHSM_REASON_PIN_BLOCKED,
        "the SO-PIN of device %s is blocked: the device can never be initialised nor its PIN "
        "be unblocked again",
        schsm_session_name(session));
    err->tries_left = 0;
    return refuse_attempt(session);
}

static int refuse_so_wrong(struct schsm_session *session, int tries, struct schsm_error *err)
{
    unsigned int status_word = session->card.status_word;
    const char *name = schsm_session_name(session);

    if (tries == 0) {
        schsm_fail(err, SCHSM_REASON_PIN_INCORRECT,
                   "the SO-PIN is wrong, and the SO-PIN of device %s is now blocked: the device "
                   "can never be initialised nor its PIN be unblocked again",
                   name);
    } else {
        schsm_fail(err, SCHSM_REASON_PIN_INCORRECT,
                   "the SO-PIN is wrong for device %s; %d %s left, and after the last one the "
                   "device can never be initialised again",
                   name, tries, tries == 1 ? "try is" : "tries are");
    }
    err->status_word = status_word;
    err->tries_left = tries;
    return refuse_attempt(session);
}

int schsm_card_check_so_pin(struct schsm_session *session, int min_tries, struct schsm_error *err)
{
    struct schsm_pin_status so;

    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_SO, &so, err)) {
        return 0;
    }
    if (so.state == SCHSM_PIN_BLOCKED) {
        return refuse_so_blocked(session, err);
    }
    /* It was sent, its answer was lost, and there is a try less: it was a refusal. */
    if (so.tries_left >= 0 && so.tries_left < session->job.so_sent_at) {
        return refuse_so_wrong(session, so.tries_left, err);
    }
    session->job.so_sent_at = so.tries_left;
    if (so.tries_left >= 0 && so.tries_left < min_tries) {
        schsm_fail(err, SCHSM_REASON_PIN_TRIES_LOW,
                   "only %d SO-PIN %s left on device %s, so the stored SO-PIN was not tried: use "
                   "--so-pin-source prompt to type it",
                   so.tries_left, so.tries_left == 1 ? "try is" : "tries are",
                   schsm_session_name(session));
        err->tries_left = so.tries_left;
        return refuse_attempt(session);
    }
    return 1;
}

int schsm_card_fail_so_pin(struct schsm_session *session, struct schsm_error *err)
{
    unsigned int status_word = session->card.status_word;
    int tries = schsm_status_word_tries(status_word);

    if (session->card.result == SCHSM_TRANSPORT_OK && status_word == SCHSM_SW_BLOCKED) {
        /* 19.6: the last wrong one is answered so as well */
        return session->job.so_sent_at > 0 ? refuse_so_wrong(session, 0, err)
                                           : refuse_so_blocked(session, err);
    }
    if (session->card.result != SCHSM_TRANSPORT_OK || tries < 0) {
        return 0;
    }
    return refuse_so_wrong(session, tries, err);
}

struct so_change {
    const struct schsm_secret *old_pin;
    const struct schsm_secret *new_pin;
    int min_tries;
};

/* Fails with NOT_INITIALISED where no SO-PIN was ever set. */
static int require_so_pin(struct schsm_session *session, struct schsm_error *err)
{
    struct schsm_pin_status so;

    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_SO, &so, err)) {
        return 0;
    }
    /* "Not found" may be another applet's answer; that of ours is believed. */
    if (so.state == SCHSM_PIN_ABSENT && !session->connection.selected &&
        (!schsm_session_select(session, err) ||
         !schsm_card_pin_status(&session->card, SCHSM_PIN_SO, &so, err))) {
        return 0;
    }
    return so.state != SCHSM_PIN_ABSENT || schsm_session_refuse_uninitialised(session, err);
}

static int change_so_pin(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct so_change *change = arg;

    if (!require_so_pin(session, err) ||
        !schsm_card_check_so_pin(session, change->min_tries, err)) {
        return 0;
    }
    if (schsm_card_change_reference_data(
            &session->card, SCHSM_PIN_SO, schsm_secret_data(change->old_pin), SCHSM_SO_PIN_LEN,
            schsm_secret_data(change->new_pin), SCHSM_SO_PIN_LEN, err)) {
        return 1;
    }
    if (session->card.result != SCHSM_TRANSPORT_OK) {
        return fail_between(session, "SO-PIN", err);
    }
    return schsm_card_fail_so_pin(session, err);
}

int schsm_card_device_change_so_pin(struct schsm_device *dev, const struct schsm_secret *old_pin,
                                    const struct schsm_secret *new_pin, int min_tries,
                                    struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session(dev);
    struct so_change change = { old_pin, new_pin, min_tries };
    const struct schsm_job job = { .run = change_so_pin, .arg = &change, .transaction = true };

    return schsm_card_check_so_pin_len(old_pin, err) && schsm_card_check_so_pin_len(new_pin, err) &&
           schsm_session_run(session, &job, err);
}

struct unblocking {
    const struct schsm_secret *so_pin;
    struct schsm_secret *new_pin;
    int min_tries;
};

static int unblock_pin(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct unblocking *unblocking = arg;
    const struct schsm_secret *new_pin = unblocking->new_pin;

    if (new_pin != NULL && !check_user_pin_len(session, new_pin, err)) {
        return refuse_attempt(session);
    }
    if (!require_so_pin(session, err) ||
        !schsm_card_check_so_pin(session, unblocking->min_tries, err)) {
        return 0;
    }
    if (schsm_card_reset_retry_counter(&session->card, schsm_secret_data(unblocking->so_pin),
                                       new_pin != NULL ? schsm_secret_data(new_pin) : NULL,
                                       new_pin != NULL ? schsm_secret_len(new_pin) : 0, err)) {
        if (new_pin != NULL) {
            schsm_session_pin_changed(session, unblocking->new_pin);
        } else {
            session->connection.pin = (struct schsm_pin_connection){ 0 };
        }
        return 1;
    }
    return schsm_card_fail_so_pin(session, err);
}

int schsm_card_device_unblock_pin(struct schsm_device *dev, const struct schsm_secret *so_pin,
                                  struct schsm_secret *new_pin, int min_tries,
                                  struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session(dev);
    struct unblocking unblocking = { so_pin, new_pin, min_tries };
    const struct schsm_job job = { .run = unblock_pin, .arg = &unblocking, .transaction = true };

    return schsm_card_check_so_pin_len(so_pin, err) && schsm_session_run(session, &job, err);
}
