/* SPDX-License-Identifier: Apache-2.0 */
/* What the PIN policy asks of a SmartCard-HSM: status words as answers, and what a lost answer was.
 */
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* 6984 means a transport PIN, but on applets before 2.0 a device that was never initialised; the
 * SO-PIN's state tells them apart (5.1). */
static enum schsm_pin_answer tell_transport_pin(struct schsm_session *session,
                                                struct schsm_error *err)
{
    struct schsm_pin_status so;

    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_SO, &so, err)) {
        return SCHSM_ANSWER_FAILED;
    }
    return so.state == SCHSM_PIN_ABSENT ? SCHSM_ANSWER_UNINITIALISED : SCHSM_ANSWER_MUST_CHANGE;
}

static enum schsm_pin_answer card_pin_state(void *device, struct schsm_pin_outlook *outlook,
                                            struct schsm_error *err)
{
    struct schsm_session *session = device;
    struct schsm_pin_status status;

    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &status, err)) {
        return SCHSM_ANSWER_FAILED;
    }
    /* "Not found" may be the answer of another applet; nobody is logged in to be logged out. */
    if (status.state == SCHSM_PIN_ABSENT && !session->connection.selected &&
        (!schsm_session_select(session, err) ||
         !schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &status, err))) {
        return SCHSM_ANSWER_FAILED;
    }
    outlook->tries = status.tries_left;
    outlook->min_len = SCHSM_USER_PIN_MIN;
    outlook->max_len = SCHSM_USER_PIN_MAX;
    outlook->logged_in = status.state == SCHSM_PIN_VERIFIED;
    switch (status.state) {
    case SCHSM_PIN_VERIFIED:
    case SCHSM_PIN_NOT_VERIFIED:
        return SCHSM_ANSWER_GOOD;
    case SCHSM_PIN_BLOCKED:
        return SCHSM_ANSWER_BLOCKED;
    case SCHSM_PIN_TRANSPORT:
        return tell_transport_pin(session, err);
    case SCHSM_PIN_ABSENT:
        return SCHSM_ANSWER_UNINITIALISED;
    case SCHSM_PIN_PUBLIC_KEY:
        break;
    }
    schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
               "device %s is opened by public-key authentication, not by a PIN: let its custodians "
               "open it with 'sc-hsm pka authenticate', and run this command behind that",
               schsm_session_name(session));
    return SCHSM_ANSWER_REFUSED;
}

/* What the last VERIFY or CHANGE REFERENCE DATA came to; *tries is what there was before, -1 where
 * that is not known, and becomes what is left of a wrong PIN. Without a status word the way to the
 * card broke. */
static enum schsm_pin_answer last_answer(struct schsm_session *session, int *tries,
                                         struct schsm_error *err)
{
    unsigned int status_word = session->card.status_word;

    if (session->card.result != SCHSM_TRANSPORT_OK || status_word == SCHSM_SW_OK) {
        return SCHSM_ANSWER_FAILED;
    }
    if (schsm_status_word_tries(status_word) >= 0) {
        *tries = schsm_status_word_tries(status_word);
        err->status_word = status_word;
        return SCHSM_ANSWER_WRONG;
    }
    switch (status_word) {
    case SCHSM_SW_BLOCKED:
        if (*tries < 0) {
            return SCHSM_ANSWER_BLOCKED;
        }
        /* It had tries: genuine cards answer the last wrong one so, others by 63C0 (19.6). */
        *tries = 0;
        err->status_word = status_word;
        return SCHSM_ANSWER_WRONG;
    case SCHSM_SW_REFERENCE_DATA:
        return tell_transport_pin(session, err);
    case SCHSM_SW_WRONG_LENGTH:
    case SCHSM_SW_WRONG_DATA:
        schsm_fail(err, SCHSM_REASON_PIN_LENGTH, "device %s does not take a PIN of this length",
                   schsm_session_name(session));
        return SCHSM_ANSWER_REFUSED;
    default:
        break;
    }
    /* Cancelled at the PIN pad, for instance. Another applet's answer is for the recovery. */
    return err->reason == SCHSM_REASON_CANCELLED || err->reason == SCHSM_REASON_PIN_LENGTH
               ? SCHSM_ANSWER_REFUSED
               : SCHSM_ANSWER_FAILED;
}

static enum schsm_pin_answer verify_on_pad(struct schsm_session *session, int *tries,
                                           struct schsm_error *err)
{
    if (session->card.policy != NULL && session->card.policy->mode == SCHSM_CHANNEL_REQUIRE) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "a PIN that is typed at the PIN pad of reader %s cannot go through a secure "
                   "channel, and secure-channel=require insists on one",
                   session->process.reader);
        return SCHSM_ANSWER_REFUSED;
    }
    schsm_log(SCHSM_LOG_INFO, "waiting for the PIN at the PIN pad of reader %s",
              session->process.reader);
    return schsm_card_verify_pin_on_pad(&session->card, err) ? SCHSM_ANSWER_GOOD
                                                             : last_answer(session, tries, err);
}

/*
 * Whether the card refused a PIN for having none: one that said it is open was opened by public-key
 * authentication then (16.4), and stays open.
 */
static bool has_no_pin(const struct schsm_session *session)
{
    unsigned int status_word = session->card.status_word;

    if (session->connection.pin.login != SCHSM_LOGIN_IN ||
        session->card.result != SCHSM_TRANSPORT_OK ||
        (status_word != SCHSM_SW_REFERENCE_NOT_FOUND && status_word != SCHSM_SW_CONDITIONS &&
         status_word != SCHSM_SW_SECURITY_STATUS)) {
        return false;
    }
    schsm_log(SCHSM_LOG_INFO, "device %s was opened by public keys, and takes no PIN",
              schsm_session_name(session));
    return true;
}

static void set_lost_pin(struct schsm_session *session, const struct schsm_lost_pin *lost)
{
    schsm_guard_lock();
    session->process.lost_pin = *lost;
    schsm_guard_unlock();
}

/* After the way to the card broke, or it answered nonsense. A card that has never told its tries
 * tells nothing after; what was surely not sent changes nothing. */
static void note_lost_pin(struct schsm_session *session, const struct schsm_secret *pin, int tries)
{
    struct schsm_lost_pin lost = { .tries_before = tries > 0 ? tries : session->card.user_tries };
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    if (session->card.result == SCHSM_TRANSPORT_RESET ||
        session->card.result == SCHSM_TRANSPORT_GONE ||
        session->card.result == SCHSM_TRANSPORT_BUSY) {
        return;
    }
    lost.known = schsm_pin_fingerprint("", pin, lost.fingerprint, &ignored) != 0;
    set_lost_pin(session, &lost);
}

/* Whether the answer to this PIN was lost, and there is a try less since: then it was a refusal,
 * whichever command sent it. */
static bool was_refused_unheard(const struct schsm_session *session, const struct schsm_secret *pin,
                                int tries)
{
    const struct schsm_lost_pin *lost = &session->process.lost_pin;
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    return tries >= 0 && tries < lost->tries_before &&
           (!lost->known || !schsm_pin_fingerprint("", pin, fingerprint, &ignored) ||
            memcmp(fingerprint, lost->fingerprint, sizeof(fingerprint)) == 0);
}

static enum schsm_pin_answer card_verify_pin(void *device, const struct schsm_secret *pin,
                                             int *tries, struct schsm_error *err)
{
    static const struct schsm_lost_pin none;
    struct schsm_session *session = device;
    enum schsm_pin_answer answer;
    int tries_before = *tries;

    if (pin == NULL) {
        return verify_on_pad(session, tries, err);
    }
    if (was_refused_unheard(session, pin, *tries)) {
        err->status_word = session->card.status_word;
        set_lost_pin(session, &none); /* from here on it is remembered as refused */
        return SCHSM_ANSWER_WRONG;
    }
    if (schsm_card_verify_pin(&session->card, schsm_secret_data(pin), schsm_secret_len(pin), err)) {
        answer = SCHSM_ANSWER_GOOD;
    } else {
        answer = has_no_pin(session) ? SCHSM_ANSWER_OPEN : last_answer(session, tries, err);
    }
    /* An answer that says nothing of the PIN is none. */
    if (answer == SCHSM_ANSWER_FAILED) {
        note_lost_pin(session, pin, tries_before);
    } else if (session->process.lost_pin.tries_before > 0) {
        set_lost_pin(session, &none);
    }
    return answer;
}

static const char *card_name_for_pin(const void *device)
{
    return schsm_session_name(device);
}

static const char *card_identity_for_pin(void *device, struct schsm_error *err)
{
    struct schsm_session *session = device;

    if (!schsm_session_learn_serial(session, err)) {
        return NULL;
    }
    /* What others may be called as well is told apart by the certificate. */
    (void)snprintf(session->identity, sizeof(session->identity), "%s-%016" PRIX64,
                   session->process.serial[0] != 0 ? session->process.serial
                                                   : session->process.reader,
                   session->process.certificate);
    return session->process.serial[0] != 0 &&
                   !schsm_card_kind_of_serial(session->process.serial)->shares_names
               ? session->process.serial
               : session->identity;
}

static const char *card_serial_for_pin(void *device, struct schsm_error *err)
{
    struct schsm_session *session = device;

    return schsm_session_learn_serial(session, err) ? session->process.serial : NULL;
}

static bool card_has_pad(void *device, char where[SCHSM_PIN_PLACE_MAX])
{
    const struct schsm_session *session = device;

    (void)snprintf(where, SCHSM_PIN_PLACE_MAX, "reader %s", session->process.reader);
    return session->transport->has_pin_pad(session->card.handle);
}

static int card_share(void *device, bool shared, struct schsm_error *err)
{
    if (shared) {
        schsm_session_end(device);
    }
    return shared || schsm_session_begin(device, err);
}

static const struct schsm_pin_questions card_questions = {
    .kind = "SmartCard-HSM",
    .unblock = "the SO-PIN and 'sc-hsm pin unblock'",
    .initialise = "'sc-hsm init'",
    .must_change = "has a transport PIN, which has to be changed before the first use: 'sc-hsm pin "
                   "change' does that",
    .name = card_name_for_pin,
    .identity = card_identity_for_pin,
    .serial = card_serial_for_pin,
    .state = card_pin_state,
    .has_pad = card_has_pad,
    .share = card_share,
    .verify = card_verify_pin,
};

struct schsm_pin_holder schsm_session_pin_holder(struct schsm_session *session)
{
    return (struct schsm_pin_holder){ .ask = &card_questions,
                                      .device = session,
                                      .connection = &session->connection.pin,
                                      .kept = &session->process.kept_pin,
                                      .wrong = &session->process.wrong_pin,
                                      .typed = &session->job.typed,
                                      .refused = &session->job.refused };
}

int schsm_session_fail_pin(struct schsm_session *session, struct schsm_secret *pin,
                           struct schsm_error *err)
{
    const struct schsm_pin_holder holder = schsm_session_pin_holder(session);
    int tries = 1; /* its state was asked for: it was not blocked */
    enum schsm_pin_answer answer = last_answer(session, &tries, err);

    return schsm_pin_conclude(&holder, answer, pin, tries, err);
}

int schsm_session_refuse_uninitialised(struct schsm_session *session, struct schsm_error *err)
{
    const struct schsm_pin_holder holder = schsm_session_pin_holder(session);

    return schsm_pin_conclude(&holder, SCHSM_ANSWER_UNINITIALISED, NULL, -1, err);
}

void schsm_session_pin_changed(struct schsm_session *session, struct schsm_secret *pin)
{
    const struct schsm_pin_holder holder = schsm_session_pin_holder(session);

    schsm_pin_changed(&holder, pin);
}
