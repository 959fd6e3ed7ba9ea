/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/fork_guard.h"
#include "base/log.h"
#include "refusal.h"

void schsm_pin_keep(struct schsm_secret **place, struct schsm_secret *pin)
{
    struct schsm_secret *before;

    schsm_guard_lock();
    before = *place;
    *place = schsm_secret_ref(pin);
    schsm_guard_unlock();
    schsm_secret_free(before);
}

static const char *device_of(const struct schsm_pin_holder *holder)
{
    return holder->ask->name(holder->device);
}

/* A failure that another attempt must not follow. */
static int end_job(const struct schsm_pin_holder *holder)
{
    *holder->refused = true;
    return 0;
}

static void now_logged_in(const struct schsm_pin_holder *holder, bool in)
{
    holder->connection->login = in ? SCHSM_LOGIN_IN : SCHSM_LOGIN_OUT;
    holder->connection->proven = in && holder->connection->proven;
}

static enum schsm_pin_answer ask_state(const struct schsm_pin_holder *holder,
                                       struct schsm_pin_outlook *outlook, struct schsm_error *err)
{
    enum schsm_pin_answer answer;

    *outlook = (struct schsm_pin_outlook){ .tries = SCHSM_TRIES_UNKNOWN };
    answer = holder->ask->state(holder->device, outlook, err);
    if (answer != SCHSM_ANSWER_FAILED) {
        now_logged_in(holder, outlook->logged_in);
    }
    return answer;
}

static bool is_stored(const struct schsm_login *login)
{
    return login->source != NULL && schsm_pin_source_is_stored(login->source);
}

/* No PIN but one that a person types now is tried when so few tries are left that a mistake in the
 * configuration could block the device. `left_undone` says what was not done therefore. */
static int check_tries(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                       int tries, const char *left_undone, struct schsm_error *err)
{
    return schsm_check_tries(err, device_of(holder), tries, login->min_pin_tries, left_undone,
                             login->by_option) ||
           end_job(holder);
}

/* Asks the device for its serial number only where the source names it. */
static int add_serial(const struct schsm_pin_holder *holder, const struct schsm_pin_source *source,
                      struct schsm_pin_prompt *prompt, struct schsm_error *err)
{
    if (schsm_pin_source_takes_serial(source)) {
        prompt->serial = holder->ask->serial(holder->device, err);
        return prompt->serial != NULL;
    }
    return 1;
}

/* Reads the source. A person may take minutes to type, so other programs get the device meanwhile.
 */
static int read_source(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                       int tries, struct schsm_secret **pin, struct schsm_error *err)
{
    struct schsm_pin_prompt prompt = { .device = device_of(holder),
                                       .object = login->object,
                                       .tries_left = tries >= 0 ? tries : -1,
                                       .by_option = login->by_option };
    bool stored = is_stored(login), shared = !stored && holder->ask->share != NULL;

    if (!stored && *holder->typed != NULL) {
        *pin = schsm_secret_ref(*holder->typed);
        return 1;
    }
    if (shared && !holder->ask->share(holder->device, true, err)) {
        return 0;
    }
    if (!add_serial(holder, login->source, &prompt, err)) {
        return 0;
    }
    if (!schsm_pin_source_read(login->source, &prompt, pin, err)) {
        return end_job(holder);
    }
    if (!stored) {
        schsm_pin_keep(holder->typed, *pin);
    }
    return !shared || holder->ask->share(holder->device, false, err);
}

/* What a refused PIN is remembered by, in this process and its children. */
static int fingerprint_here(const struct schsm_pin_holder *holder, const struct schsm_secret *pin,
                            uint8_t fingerprint[SCHSM_PIN_FINGERPRINT], struct schsm_error *err)
{
    const char *identity = holder->ask->identity != NULL
                               ? holder->ask->identity(holder->device, err)
                               : device_of(holder);

    return identity != NULL && schsm_pin_fingerprint(identity, pin, fingerprint, err);
}

/* So many tries, to compare: all of them where the device tells of none that is missing. */
static int count_tries(int tries)
{
    return tries >= 0 ? tries : tries == SCHSM_TRIES_FEW ? 2 : INT_MAX;
}

/* Whether somebody proved a PIN since one was refused: that sets the counter back, and the PIN that
 * was wrong then may be the right one now. */
static bool was_proven_since(const struct schsm_pin_outlook *outlook, int tries_then)
{
    return !outlook->logged_in && tries_then != SCHSM_TRIES_UNKNOWN &&
           count_tries(outlook->tries) > count_tries(tries_then);
}

/* Whether it is the PIN that could not be remembered. */
static bool is_wrong_here(const struct schsm_pin_holder *holder, const struct schsm_secret *pin)
{
    const struct schsm_secret *wrong = holder->wrong->pin;

    return wrong != NULL && schsm_secret_len(wrong) == schsm_secret_len(pin) &&
           CRYPTO_memcmp(schsm_secret_data(wrong), schsm_secret_data(pin), schsm_secret_len(pin)) ==
               0;
}

static int refuse_known_wrong(const struct schsm_pin_holder *holder, int tries,
                              struct schsm_error *err)
{
    schsm_refuse_known_wrong(err, device_of(holder), tries >= 0 ? tries : -1);
    return end_job(holder);
}

int schsm_pin_check(const struct schsm_pin_holder *holder, const struct schsm_secret *pin,
                    const struct schsm_pin_outlook *outlook, struct schsm_error *err)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    int tries = -1;

    if (outlook->max_len > 0 &&
        !schsm_check_pin_length(err, device_of(holder), schsm_secret_len(pin), outlook->min_len,
                                outlook->max_len)) {
        return end_job(holder);
    }
    if (is_wrong_here(holder, pin)) {
        if (!was_proven_since(outlook, holder->wrong->tries)) {
            return refuse_known_wrong(holder, holder->wrong->tries, err);
        }
        schsm_pin_keep(&holder->wrong->pin, NULL);
    }
    if (!schsm_pin_memory_in_use()) {
        return 1;
    }
    if (!fingerprint_here(holder, pin, fingerprint, err)) {
        return 0;
    }
    if (!schsm_pin_memory_knows(fingerprint, &tries)) {
        return 1;
    }
    if (was_proven_since(outlook, tries)) {
        schsm_pin_memory_forget(fingerprint);
        return 1;
    }
    return refuse_known_wrong(holder, tries, err);
}

/* For this process and its children; where that fails, for this device alone. */
static void remember_wrong(const struct schsm_pin_holder *holder, struct schsm_secret *pin,
                           int tries)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    if (fingerprint_here(holder, pin, fingerprint, &ignored)) {
        schsm_pin_memory_add(fingerprint, tries);
    } else {
        schsm_pin_keep(&holder->wrong->pin, pin);
        holder->wrong->tries = tries;
    }
}

static void conclude_wrong(const struct schsm_pin_holder *holder, struct schsm_secret *pin,
                           int tries, struct schsm_error *err)
{
    unsigned int status_word = err->status_word;

    now_logged_in(holder, false);
    if (pin != NULL) {
        remember_wrong(holder, pin, tries); /* it may be the kept one */
        schsm_pin_keep(holder->kept, NULL);
    }
    schsm_refuse_wrong(err, device_of(holder), tries, holder->ask->unblock);
    err->status_word = status_word;
}

int schsm_pin_conclude(const struct schsm_pin_holder *holder, enum schsm_pin_answer answer,
                       struct schsm_secret *pin, int tries, struct schsm_error *err)
{
    switch (answer) {
    case SCHSM_ANSWER_GOOD:
    case SCHSM_ANSWER_OPEN:
        return 1;
    case SCHSM_ANSWER_FAILED:
        return 0;
    case SCHSM_ANSWER_WRONG:
        conclude_wrong(holder, pin, tries, err);
        break;
    case SCHSM_ANSWER_BLOCKED:
        schsm_refuse_blocked(err, device_of(holder), holder->ask->unblock);
        break;
    case SCHSM_ANSWER_MUST_CHANGE:
        schsm_refuse_must_change(err, device_of(holder), holder->ask->must_change);
        break;
    case SCHSM_ANSWER_UNINITIALISED:
        schsm_refuse_uninitialised(err, device_of(holder), holder->ask->initialise);
        break;
    case SCHSM_ANSWER_REFUSED:
        break;
    }
    return end_job(holder);
}

static bool wants_pad(const struct schsm_pin_holder *holder, const struct schsm_login *login)
{
    char where[SCHSM_PIN_PLACE_MAX];

    return login->source != NULL ? schsm_pin_source_is_pinpad(login->source)
                                 : login->pin_pad && holder->ask->has_pad(holder->device, where);
}

/* Where the PIN can be read again, that is done before a kept one is sent: it may have changed
 * along with the device's. A source that cannot be read now, as by a worker that gave up its
 * rights, leaves the kept one. */
static void read_again(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                       struct schsm_secret **pin)
{
    struct schsm_pin_prompt prompt = { .device = device_of(holder), .tries_left = -1 };
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    if (login->source != NULL && schsm_pin_source_may_change(login->source) &&
        add_serial(holder, login->source, &prompt, &ignored)) {
        (void)schsm_pin_source_read(login->source, &prompt, pin, &ignored);
    }
}

/* The PIN to be sent: what the caller has, the kept one, or that of the source. *pin stays NULL
 * where it is to be typed at a PIN pad. */
static int choose_pin(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                      bool prove, const struct schsm_pin_outlook *outlook,
                      struct schsm_secret **pin, struct schsm_error *err)
{
    char where[SCHSM_PIN_PLACE_MAX];

    if (*pin == NULL && !prove && *holder->kept != NULL) {
        read_again(holder, login, pin);
        *pin = *pin != NULL ? *pin : schsm_secret_ref(*holder->kept);
    }
    if (*pin == NULL && wants_pad(holder, login)) {
        return holder->ask->has_pad(holder->device, where) ||
               schsm_refuse_pad(err, where, login->by_option) || end_job(holder);
    }
    if (*pin == NULL && login->source == NULL) {
        schsm_refuse_missing(err, device_of(holder), login->object, login->by_option);
        return end_job(holder);
    }
    if ((is_stored(login) || *pin != NULL) &&
        !check_tries(holder, login, outlook->tries,
                     is_stored(login) ? "the stored PIN was not tried"
                                      : "the kept PIN was not tried again",
                     err)) {
        return 0;
    }
    return (*pin != NULL || read_source(holder, login, outlook->tries, pin, err)) &&
           schsm_pin_check(holder, *pin, outlook, err);
}

/* Chooses a PIN and sends it; *pin is the caller's to free. */
static int send_pin(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                    bool prove, const struct schsm_pin_outlook *outlook,
                    struct schsm_secret **chosen, struct schsm_error *err)
{
    struct schsm_pin_connection *connection = holder->connection;
    enum schsm_pin_answer answer;
    struct schsm_secret *pin;
    int tries = outlook->tries;

    if (!choose_pin(holder, login, prove, outlook, chosen, err)) {
        return 0;
    }
    pin = *chosen;
    answer = holder->ask->verify(holder->device, pin, &tries, err);
    if (!schsm_pin_conclude(holder, answer, pin, tries, err)) {
        return 0;
    }
    now_logged_in(holder, true);
    if (answer == SCHSM_ANSWER_OPEN) {
        return 1;
    }
    /* Only ever compared with another of this connection: no need to name the device. */
    connection->proven =
        pin != NULL && schsm_pin_fingerprint("", pin, connection->fingerprint, err) != 0;
    if (pin != NULL && login->keep_pin) {
        schsm_pin_keep(holder->kept, pin);
    }
    schsm_log(SCHSM_LOG_DEBUG, "logged in to device %s", device_of(holder));
    return 1;
}

static bool has_proven_one(const struct schsm_pin_connection *connection)
{
    return connection->login == SCHSM_LOGIN_IN && connection->proven;
}

/* Whether this is the PIN that we proved on this connection. */
static bool is_proven(const struct schsm_pin_connection *connection, const struct schsm_secret *pin)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    return schsm_pin_fingerprint("", pin, fingerprint, &ignored) &&
           memcmp(fingerprint, connection->fingerprint, sizeof(fingerprint)) == 0;
}

int schsm_pin_login(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                    bool prove, struct schsm_error *err)
{
    struct schsm_pin_connection *connection = holder->connection;
    bool asked = connection->login != SCHSM_LOGIN_IN;
    enum schsm_pin_answer answer = SCHSM_ANSWER_FAILED;
    struct schsm_pin_outlook outlook;
    struct schsm_secret *pin = NULL;
    int ok = 0;

    /* Only a stored PIN is there to be proven; a person is not asked without need. */
    prove = prove && is_stored(login);
    if (asked) {
        answer = ask_state(holder, &outlook, err);
    }
    if (connection->login == SCHSM_LOGIN_IN && !prove) {
        return 1;
    }
    if (has_proven_one(connection)) {
        if (!read_source(holder, login, -1, &pin, err)) {
            goto done;
        }
        if (is_proven(connection, pin)) {
            if (login->keep_pin) {
                schsm_pin_keep(holder->kept, pin);
            }
            ok = 1;
            goto done;
        }
    }
    if (!asked) {
        answer = ask_state(holder, &outlook, err);
    }
    ok = schsm_pin_conclude(holder, answer, NULL, -1, err);
    if (!ok || answer == SCHSM_ANSWER_OPEN) {
        goto done;
    }
    ok = send_pin(holder, login, prove, &outlook, &pin, err);

done:
    schsm_secret_free(pin);
    return ok;
}

int schsm_pin_give(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                   struct schsm_error *err)
{
    struct schsm_pin_outlook outlook;
    struct schsm_secret *pin = NULL;
    enum schsm_pin_answer answer = ask_state(holder, &outlook, err);
    int ok = schsm_pin_conclude(holder, answer, NULL, -1, err) &&
             send_pin(holder, login, false, &outlook, &pin, err);

    schsm_secret_free(pin);
    return ok;
}

int schsm_pin_prepare(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                      struct schsm_pin_prospect *prospect, struct schsm_error *err)
{
    struct schsm_pin_connection *connection = holder->connection;
    struct schsm_pin_outlook outlook = { .tries = SCHSM_TRIES_UNKNOWN };
    enum schsm_pin_answer answer = SCHSM_ANSWER_GOOD;
    char where[SCHSM_PIN_PLACE_MAX];

    memset(prospect, 0, sizeof(*prospect));
    if (!has_proven_one(connection)) {
        answer = ask_state(holder, &outlook, err);
    }
    if (!has_proven_one(connection)) {
        if (!schsm_pin_conclude(holder, answer, NULL, -1, err) ||
            !check_tries(holder, login, outlook.tries,
                         login->by_option ? "nobody was asked for the PIN"
                                          : "the application was not asked for the PIN",
                         err)) {
            return 0;
        }
    }
    prospect->kind = holder->ask->kind;
    (void)snprintf(prospect->device, sizeof(prospect->device), "%s", device_of(holder));
    prospect->tries_left = outlook.tries >= 0 ? outlook.tries : -1;
    prospect->proven = has_proven_one(connection) || answer == SCHSM_ANSWER_OPEN;
    prospect->pin_pad = holder->ask->has_pad(holder->device, where);
    return 1;
}

void schsm_pin_changed(const struct schsm_pin_holder *holder, struct schsm_secret *pin)
{
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    *holder->connection = (struct schsm_pin_connection){ 0 };
    schsm_pin_keep(holder->typed, NULL);
    schsm_pin_keep(&holder->wrong->pin, NULL);
    if (*holder->kept != NULL) {
        schsm_pin_keep(holder->kept, pin);
    }
    if (pin != NULL && schsm_pin_memory_in_use() &&
        fingerprint_here(holder, pin, fingerprint, &ignored)) {
        schsm_pin_memory_forget(fingerprint);
    }
}
