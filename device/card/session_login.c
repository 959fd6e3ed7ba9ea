/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Login and the PIN policy: which PIN is sent to the card, and when none is. Tries are precious:
 * the status is asked before, a stored PIN stays away from the last tries, and a PIN that this card
 * refused once is not sent again.
 */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pin/refusal.h"

/* 5.1 */
#define PIN_MIN SCHSM_USER_PIN_MIN
#define PIN_MAX SCHSM_USER_PIN_MAX

#define TOLD_SECONDS 20 /* for how long a told number of tries is good */

#define UNBLOCK "the SO-PIN and 'sc-hsm pin unblock'"

/* A failure that another attempt must not follow. */
#define REFUSE(session, ...) ((session)->refused = true, schsm_fail(__VA_ARGS__))

static int refuse_blocked(struct schsm_session *session, struct schsm_error *err)
{
    session->refused = true;
    return schsm_refuse_blocked(err, schsm_session_name(session), UNBLOCK);
}

int schsm_session_refuse_uninitialised(struct schsm_session *session, struct schsm_error *err)
{
    session->refused = true;
    return schsm_refuse_uninitialised(err, schsm_session_name(session), "'sc-hsm init'");
}

/* 6984 means a transport PIN, but on applets before 2.0 a device that was never initialised; the
 * SO-PIN's state tells them apart (5.1). */
static int refuse_transport(struct schsm_session *session, struct schsm_error *err)
{
    struct schsm_pin_status so;

    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_SO, &so, err)) {
        return 0;
    }
    if (so.state == SCHSM_PIN_ABSENT) {
        return schsm_session_refuse_uninitialised(session, err);
    }
    return REFUSE(session, err, SCHSM_REASON_PIN_MUST_CHANGE,
                  "device %s has a transport PIN, which has to be changed before the first use: "
                  "'sc-hsm pin change' does that",
                  schsm_session_name(session));
}

/* Asks the card. On success session->login is IN or OUT, and *tries is what is left, -1: unknown.
 */
static int query(struct schsm_session *session, int *tries, struct schsm_error *err)
{
    struct schsm_pin_status status;

    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &status, err)) {
        return 0;
    }
    /* "Not found" may be the answer of another applet; nobody is logged in to be logged out. */
    if (status.state == SCHSM_PIN_ABSENT && !session->selected &&
        (!schsm_session_select(session, err) ||
         !schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &status, err))) {
        return 0;
    }
    *tries = status.tries_left;
    session->login = SCHSM_LOGIN_OUT;
    switch (status.state) {
    case SCHSM_PIN_VERIFIED:
        session->login = SCHSM_LOGIN_IN;
        return 1;
    case SCHSM_PIN_NOT_VERIFIED:
        return 1;
    case SCHSM_PIN_BLOCKED:
        return refuse_blocked(session, err);
    case SCHSM_PIN_TRANSPORT:
        return refuse_transport(session, err);
    case SCHSM_PIN_ABSENT:
        return schsm_session_refuse_uninitialised(session, err);
    case SCHSM_PIN_PUBLIC_KEY:
        break;
    }
    return REFUSE(session, err, SCHSM_REASON_UNSUPPORTED,
                  "device %s is opened by public-key authentication, not by a PIN: let its "
                  "custodians open it with 'sc-hsm pka authenticate', and run this command behind "
                  "that",
                  schsm_session_name(session));
}

/*
 * Whether the card told its tries a moment ago, before somebody was asked for the PIN. Whoever
 * types for longer than that leaves time for others to spend tries: then the card is asked again.
 */
static bool told_recently(struct schsm_session *session, int *tries)
{
    struct timespec now = { 0, 0 };
    bool told = session->tries_asked && session->login != SCHSM_LOGIN_UNKNOWN;

    session->tries_asked = false;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    *tries = session->asked_tries;
    return told && now.tv_sec - session->asked_at.tv_sec < TOLD_SECONDS;
}

static int refuse_missing(struct schsm_session *session, const struct schsm_login *login,
                          struct schsm_error *err)
{
    session->refused = true;
    return schsm_refuse_missing(err, schsm_session_name(session), login->object, login->by_option);
}

/* No PIN but one that a person types now is tried when so few tries are left that a mistake in the
 * configuration could block the device. `left_undone` says what was not done therefore. */
static int check_tries(struct schsm_session *session, const struct schsm_login *login, int tries,
                       const char *left_undone, struct schsm_error *err)
{
    if (schsm_check_tries(err, schsm_session_name(session), tries, login->min_pin_tries,
                          left_undone, login->by_option)) {
        return 1;
    }
    session->refused = true;
    return 0;
}

/* Reads the source. A person may take minutes to type, so other programs get the card meanwhile. */
static int read_source(struct schsm_session *session, const struct schsm_login *login, int tries,
                       struct schsm_secret **pin, struct schsm_error *err)
{
    const struct schsm_pin_prompt prompt = { .device = schsm_session_name(session),
                                             .object = login->object,
                                             .tries_left = tries,
                                             .by_option = login->by_option };
    bool stored = schsm_pin_source_is_stored(login->source);
    bool transaction = session->in_transaction;

    if (!stored && session->typed != NULL) {
        *pin = schsm_secret_ref(session->typed);
        return 1;
    }
    if (!stored) {
        schsm_session_end(session);
    }
    if (!schsm_pin_source_read(login->source, &prompt, pin, err)) {
        session->refused = true;
        return 0;
    }
    if (!stored) {
        schsm_pin_keep(&session->typed, *pin);
    }
    return !transaction || schsm_session_begin(session, err);
}

/* Refuses a PIN that cannot be right, before it costs a try. */
static int check_pin(struct schsm_session *session, const struct schsm_secret *pin,
                     struct schsm_error *err)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    size_t len = schsm_secret_len(pin);
    int tries = -1;

    if (!schsm_check_pin_length(err, schsm_session_name(session), len, PIN_MIN, PIN_MAX)) {
        session->refused = true;
        return 0;
    }
    if (!schsm_pin_memory_in_use()) {
        return 1;
    }
    if (!schsm_session_learn_serial(session, err) ||
        !schsm_pin_fingerprint(session->serial, pin, fingerprint, err)) {
        return 0;
    }
    if (!schsm_pin_memory_knows(fingerprint, &tries)) {
        return 1;
    }
    session->refused = true;
    return schsm_refuse_known_wrong(err, schsm_session_name(session), tries);
}

/* The card refused the PIN: remember that, and say how many tries are left. pin is NULL for one
 * that was typed at the reader. */
static int fail_wrong(struct schsm_session *session, struct schsm_secret *pin, int tries,
                      struct schsm_error *err)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    unsigned int status_word = session->card.status_word;

    session->login = SCHSM_LOGIN_OUT;
    session->pin_proven = false;
    if (pin != NULL) {
        schsm_pin_keep(&session->kept_pin, NULL);
        if (schsm_session_learn_serial(session, &ignored) &&
            schsm_pin_fingerprint(session->serial, pin, fingerprint, &ignored)) {
            schsm_pin_memory_add(fingerprint, tries);
        }
    }
    session->refused = true;
    schsm_refuse_wrong(err, schsm_session_name(session), tries, UNBLOCK);
    err->status_word = status_word;
    return 0;
}

/* Without a status word the way to the card broke: as it is. */
int schsm_session_fail_pin(struct schsm_session *session, struct schsm_secret *pin,
                           struct schsm_error *err)
{
    unsigned int status_word = session->card.status_word;
    int tries = schsm_status_word_tries(status_word);

    if (session->card.result != SCHSM_TRANSPORT_OK || status_word == SCHSM_SW_OK) {
        return 0;
    }
    if (tries >= 0) {
        return fail_wrong(session, pin, tries, err);
    }
    switch (status_word) {
    case SCHSM_SW_BLOCKED:
        return refuse_blocked(session, err);
    case SCHSM_SW_REFERENCE_DATA:
        return refuse_transport(session, err);
    case SCHSM_SW_WRONG_LENGTH:
    case SCHSM_SW_WRONG_DATA:
        return REFUSE(session, err, SCHSM_REASON_PIN_LENGTH,
                      "device %s does not take a PIN of this length", schsm_session_name(session));
    default:
        break;
    }
    /* Cancelled at the PIN pad, for instance. Another applet's answer is for the recovery. */
    session->refused =
        err->reason == SCHSM_REASON_CANCELLED || err->reason == SCHSM_REASON_PIN_LENGTH;
    return 0;
}

static int verify_on_pad(struct schsm_session *session, const struct schsm_login *login,
                         struct schsm_error *err)
{
    if (!session->transport->has_pin_pad(session->card.handle)) {
        char where[sizeof(session->reader) + sizeof("reader ")];

        (void)snprintf(where, sizeof(where), "reader %s", session->reader);
        session->refused = true;
        return schsm_refuse_pad(err, where, login->by_option);
    }
    if (session->card.policy != NULL && session->card.policy->mode == SCHSM_CHANNEL_REQUIRE) {
        return REFUSE(session, err, SCHSM_REASON_UNSUPPORTED,
                      "a PIN that is typed at the PIN pad of reader %s cannot go through a secure "
                      "channel, and secure-channel=require insists on one",
                      session->reader);
    }
    schsm_log(SCHSM_LOG_INFO, "waiting for the PIN at the PIN pad of reader %s", session->reader);
    if (!schsm_card_verify_pin_on_pad(&session->card, err)) {
        return schsm_session_fail_pin(session, NULL, err);
    }
    session->login = SCHSM_LOGIN_IN;
    return 1;
}

/* tries: what is left, -1: unknown. */
static int verify(struct schsm_session *session, const struct schsm_login *login,
                  struct schsm_secret *pin, int tries, struct schsm_error *err)
{
    /* The answer to it was lost, and there is a try less: it was a refusal. */
    if (tries >= 0 && tries < session->sent_at) {
        return fail_wrong(session, pin, tries, err);
    }
    if (!schsm_card_verify_pin(&session->card, schsm_secret_data(pin), schsm_secret_len(pin),
                               err)) {
        session->sent_at = session->card.result != SCHSM_TRANSPORT_OK ? tries : -1;
        return schsm_session_fail_pin(session, pin, err);
    }
    session->login = SCHSM_LOGIN_IN;
    session->pin_proven =
        schsm_pin_fingerprint(session->reader, pin, session->pin_fingerprint, err) != 0;
    if (login->keep_pin) {
        schsm_pin_keep(&session->kept_pin, pin);
    }
    schsm_log(SCHSM_LOG_DEBUG, "logged in to device %s", schsm_session_name(session));
    return 1;
}

/* Whether this is the PIN that we proved on this connection. */
static bool is_proven(const struct schsm_session *session, const struct schsm_secret *pin)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    return session->login == SCHSM_LOGIN_IN && session->pin_proven &&
           schsm_pin_fingerprint(session->reader, pin, fingerprint, &ignored) &&
           memcmp(fingerprint, session->pin_fingerprint, sizeof(fingerprint)) == 0;
}

/*
 * Whether the card refused a PIN for having none: one that said it is open was opened by public-key
 * authentication then (16.4), and stays open.
 */
static bool has_no_pin(struct schsm_session *session)
{
    unsigned int status_word = session->card.status_word;

    if (session->card.result != SCHSM_TRANSPORT_OK ||
        (status_word != SCHSM_SW_REFERENCE_NOT_FOUND && status_word != SCHSM_SW_CONDITIONS &&
         status_word != SCHSM_SW_SECURITY_STATUS)) {
        return false;
    }
    schsm_log(SCHSM_LOG_INFO, "device %s was opened by public keys, and takes no PIN",
              schsm_session_name(session));
    session->login = SCHSM_LOGIN_IN;
    session->refused = false;
    return true;
}

int schsm_session_login(struct schsm_session *session, const struct schsm_login *login, bool prove,
                        struct schsm_error *err)
{
    bool stored = login->source != NULL && schsm_pin_source_is_stored(login->source);
    struct schsm_secret *pin = NULL;
    int tries = -1;
    bool open = false; /* before a PIN was sent */
    int ok = 0;

    /* Only a stored PIN is there to be proven; a person is not asked without need. */
    prove = prove && stored;
    if (session->login == SCHSM_LOGIN_IN && !prove) {
        return 1;
    }
    if (session->login == SCHSM_LOGIN_IN && session->pin_proven) {
        if (!read_source(session, login, -1, &pin, err)) {
            return 0;
        }
        if (is_proven(session, pin)) {
            if (login->keep_pin) {
                schsm_pin_keep(&session->kept_pin, pin);
            }
            ok = 1;
            goto done;
        }
    }
    if (!told_recently(session, &tries) && !query(session, &tries, err)) {
        goto done;
    }
    if (session->login == SCHSM_LOGIN_IN && !prove) {
        ok = 1;
        goto done;
    }
    if (!prove && pin == NULL && session->kept_pin != NULL) {
        pin = schsm_secret_ref(session->kept_pin);
    }
    bool pad = login->source != NULL
                   ? schsm_pin_source_is_pinpad(login->source)
                   : login->pin_pad && session->transport->has_pin_pad(session->card.handle);

    if (pin == NULL && login->source == NULL && !pad) {
        refuse_missing(session, login, err);
        goto done;
    }
    if (pin == NULL && pad) {
        ok = verify_on_pad(session, login, err);
        goto done;
    }
    if ((stored || pin != NULL) &&
        !check_tries(session, login, tries,
                     stored ? "the stored PIN was not tried" : "the kept PIN was not tried again",
                     err)) {
        goto done;
    }
    if (pin == NULL && !read_source(session, login, tries, &pin, err)) {
        goto done;
    }
    open = session->login == SCHSM_LOGIN_IN;
    ok = check_pin(session, pin, err) &&
         (verify(session, login, pin, tries, err) || (open && has_no_pin(session)));

done:
    schsm_secret_free(pin);
    return ok;
}

void schsm_session_pin_changed(struct schsm_session *session, struct schsm_secret *pin)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    session->login = SCHSM_LOGIN_UNKNOWN;
    session->pin_proven = session->tries_asked = false;
    schsm_pin_keep(&session->typed, NULL);
    if (session->kept_pin != NULL) {
        schsm_pin_keep(&session->kept_pin, pin);
    }
    if (pin != NULL && schsm_pin_memory_in_use() && schsm_session_learn_serial(session, &ignored) &&
        schsm_pin_fingerprint(session->serial, pin, fingerprint, &ignored)) {
        schsm_pin_memory_forget(fingerprint);
    }
}

int schsm_session_prepare_login(struct schsm_session *session, const struct schsm_login *login,
                                struct schsm_pin_prospect *state, struct schsm_error *err)
{
    int tries = -1;

    memset(state, 0, sizeof(*state));
    state->kind = "SmartCard-HSM";
    state->proven = session->login == SCHSM_LOGIN_IN && session->pin_proven;
    if (!state->proven) {
        if (!query(session, &tries, err) ||
            !check_tries(session, login, tries, "the application was not asked for the PIN", err)) {
            return 0;
        }
        session->tries_asked = true;
        session->asked_tries = tries;
        (void)clock_gettime(CLOCK_MONOTONIC, &session->asked_at);
    }
    (void)snprintf(state->device, sizeof(state->device), "%s", schsm_session_name(session));
    state->tries_left = tries;
    state->pin_pad = session->transport->has_pin_pad(session->card.handle);
    return 1;
}
