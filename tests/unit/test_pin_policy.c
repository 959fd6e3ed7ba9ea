/* SPDX-License-Identifier: Apache-2.0 */
/* The one PIN policy, by a table of cases: each for a device that is asked as a card is, and for
 * one that is asked as a token is. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pin/policy.h"
#include "pin/refusal.h"

#define NOTHING NULL   /* nothing was sent */
#define AT_PAD "(pad)" /* the PIN was to be typed at the PIN pad */

#define STORED_PIN "123456"
#define KEPT_PIN "22222222"
#define TYPED_PIN "333333"

enum source { NO_SOURCE, STORED, PROMPT, PINPAD };

/* What the device is like, and what it was asked. */
struct fake {
    enum schsm_pin_answer state, verdict;
    bool logged_in, has_pad;
    bool loses, lost; /* the way to it, with its verdict */
    int tries, left;
    char identity[32];
    const char *serial;
    unsigned int asked, sent;
    char pin[32];
};

static const char *fake_name(const void *device)
{
    (void)device;
    return "FAKE";
}

static const char *fake_identity(void *device, struct schsm_error *err)
{
    const struct fake *fake = device;

    if (fake->lost) {
        schsm_fail(err, SCHSM_REASON_DEVICE_REMOVED, "nobody can ask what device it is");
        return NULL;
    }
    return fake->identity;
}

static const char *fake_serial(void *device, struct schsm_error *err)
{
    (void)err;
    return ((const struct fake *)device)->serial;
}

static enum schsm_pin_answer fake_state(void *device, struct schsm_pin_outlook *outlook,
                                        struct schsm_error *err)
{
    struct fake *fake = device;

    fake->asked++;
    outlook->logged_in = fake->logged_in;
    outlook->tries = fake->tries;
    outlook->min_len = 6;
    outlook->max_len = 16;
    if (fake->state == SCHSM_ANSWER_REFUSED || fake->state == SCHSM_ANSWER_FAILED) {
        schsm_fail(err, SCHSM_REASON_DEVICE, "the device said so");
    }
    return fake->state;
}

static bool fake_has_pad(void *device, char where[SCHSM_PIN_PLACE_MAX])
{
    (void)snprintf(where, SCHSM_PIN_PLACE_MAX, "reader R");
    return ((struct fake *)device)->has_pad;
}

static enum schsm_pin_answer fake_verify(void *device, const struct schsm_secret *pin, int *tries,
                                         struct schsm_error *err)
{
    struct fake *fake = device;

    assert_int_equal(*tries, fake->tries);
    fake->sent++;
    fake->lost = fake->loses;
    if (pin == NULL) {
        (void)snprintf(fake->pin, sizeof(fake->pin), AT_PAD);
    } else {
        (void)snprintf(fake->pin, sizeof(fake->pin), "%.*s", (int)schsm_secret_len(pin),
                       (const char *)schsm_secret_data(pin));
    }
    *tries = fake->left;
    if (fake->verdict == SCHSM_ANSWER_WRONG) {
        err->status_word = 0x63C0;
    } else if (fake->verdict == SCHSM_ANSWER_REFUSED || fake->verdict == SCHSM_ANSWER_FAILED) {
        schsm_fail(err, SCHSM_REASON_DEVICE, "the device said so");
    }
    return fake->verdict;
}

static int fake_share(void *device, bool shared, struct schsm_error *err)
{
    (void)device;
    (void)shared;
    (void)err;
    return 1;
}

static const struct schsm_pin_questions kinds[] = {
    { .kind = "card",
      .unblock = "a hammer",
      .initialise = "a chisel",
      .must_change = "has to be polished",
      .name = fake_name,
      .identity = fake_identity,
      .serial = fake_serial,
      .state = fake_state,
      .has_pad = fake_has_pad,
      .share = fake_share,
      .verify = fake_verify },
    { .kind = "token",
      .unblock = "a hammer",
      .initialise = "a chisel",
      .must_change = "has to be polished",
      .name = fake_name,
      .identity = fake_identity,
      .serial = fake_serial,
      .state = fake_state,
      .has_pad = fake_has_pad,
      .verify = fake_verify },
};

static struct schsm_secret *secret(const char *text)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_secret *made = schsm_secret_new(text, strlen(text), &err);

    assert_non_null(made);
    return made;
}

/* A device, with what is known of its PIN, and a login. */
struct scene {
    struct fake fake;
    struct schsm_pin_connection connection;
    struct schsm_secret *kept, *typed;
    struct schsm_pin_wrong wrong;
    bool refused;
    struct schsm_pin_holder holder;
    struct schsm_login login;
    struct schsm_error err;
};

static void set_source(struct scene *scene, enum source source, const char *pin)
{
    struct schsm_secret *stored = secret(pin);

    schsm_pin_source_free(scene->login.source);
    scene->login.source =
        source == NO_SOURCE ? NULL
        : source == STORED
            ? schsm_pin_source_from_secret(stored, &scene->err)
            : schsm_pin_source_parse(source == PROMPT ? "prompt" : "pinpad", &scene->err);
    assert_true(source == NO_SOURCE || scene->login.source != NULL);
    schsm_secret_free(stored);
}

/* Each scene has a device of its own, unknown to what the process remembers. */
static void open_scene(struct scene *scene, size_t kind, enum source source, const char *pin)
{
    static unsigned int scenes;

    memset(scene, 0, sizeof(*scene));
    scene->err = (struct schsm_error)SCHSM_ERROR_INIT;
    scene->fake.tries = 3;
    (void)snprintf(scene->fake.identity, sizeof(scene->fake.identity), "device %u", ++scenes);
    scene->holder = (struct schsm_pin_holder){ .ask = &kinds[kind],
                                               .device = &scene->fake,
                                               .connection = &scene->connection,
                                               .kept = &scene->kept,
                                               .wrong = &scene->wrong,
                                               .typed = &scene->typed,
                                               .refused = &scene->refused };
    scene->login.min_pin_tries = 2;
    set_source(scene, source, pin);
}

static void close_scene(struct scene *scene)
{
    schsm_pin_source_free(scene->login.source);
    schsm_secret_free(scene->kept);
    schsm_secret_free(scene->typed);
    schsm_secret_free(scene->wrong.pin);
}

static int log_in(struct scene *scene, bool prove)
{
    scene->err = (struct schsm_error)SCHSM_ERROR_INIT;
    scene->refused = false;
    return schsm_pin_login(&scene->holder, &scene->login, prove, &scene->err);
}

static const struct policy_case {
    const char *name;
    const char *pin;      /* of the stored source; NULL: STORED_PIN */
    const char *sent;     /* what went to the device */
    const char *sentence; /* what the error says of it */
    enum schsm_login_state login;
    enum schsm_pin_answer state, verdict;
    enum source source;
    int tries, min, left;
    enum schsm_reason reason; /* 0: it opened */
    bool logged_in, kept, typed, prove, pad_permitted, has_pad, option;
    bool final; /* nothing is to be tried again */
} cases[] = {
#define OUT .login = SCHSM_LOGIN_OUT
#define IN .login = SCHSM_LOGIN_IN, .logged_in = true
    /* Logged in already: nothing is read and nothing sent. */
    { "logged in, as we know", IN, .source = STORED, .tries = 3, .min = 2 },
    { "logged in, as it tells", .logged_in = true, .source = STORED, .tries = 3, .min = 2 },
    { "logged in, whatever else it tells", .logged_in = true, .state = SCHSM_ANSWER_BLOCKED,
      .source = STORED, .tries = 0, .min = 2 },
    { "logged in, no source", IN, .tries = 3, .min = 2 },
    { "logged in, a person is not asked to prove", IN, .source = PROMPT, .prove = true, .tries = 3,
      .min = 2 },
    { "logged in by others, to be proven", IN, .source = STORED, .prove = true, .tries = -1,
      .min = 2, .sent = STORED_PIN },
    { "logged in, to be proven, and blocked", IN, .source = STORED, .prove = true, .tries = 0,
      .state = SCHSM_ANSWER_BLOCKED, .min = 2, .reason = SCHSM_REASON_PIN_BLOCKED, .final = true },
    { "works without", .state = SCHSM_ANSWER_OPEN, .tries = -1, .min = 2 },
    /* No PIN can help. */
    { "blocked", OUT, .state = SCHSM_ANSWER_BLOCKED, .source = STORED, .tries = 0, .min = 0,
      .reason = SCHSM_REASON_PIN_BLOCKED, .final = true,
      .sentence = "the PIN of device FAKE is blocked: unblock it with a hammer" },
    { "must be changed", OUT, .state = SCHSM_ANSWER_MUST_CHANGE, .source = STORED, .tries = 3,
      .reason = SCHSM_REASON_PIN_MUST_CHANGE, .final = true,
      .sentence = "device FAKE has to be polished" },
    { "not initialised", OUT, .state = SCHSM_ANSWER_UNINITIALISED, .source = STORED, .tries = -1,
      .reason = SCHSM_REASON_NOT_INITIALISED, .final = true,
      .sentence = "device FAKE is not initialised and has no PIN yet: initialise it with a "
                  "chisel" },
    { "opened in another way", OUT, .state = SCHSM_ANSWER_REFUSED, .source = STORED, .tries = -1,
      .reason = SCHSM_REASON_DEVICE, .final = true, .sentence = "the device said so" },
    { "does not answer", OUT, .state = SCHSM_ANSWER_FAILED, .source = STORED, .tries = -1,
      .reason = SCHSM_REASON_DEVICE, .sentence = "the device said so" },
    { "does not answer who is logged in", .state = SCHSM_ANSWER_FAILED, .source = STORED,
      .tries = -1, .reason = SCHSM_REASON_DEVICE, .sentence = "the device said so" },
    /* The last tries. */
    { "enough tries", OUT, .source = STORED, .tries = 2, .min = 2, .sent = STORED_PIN },
    { "few tries, stored", OUT, .source = STORED, .tries = 1, .min = 2,
      .reason = SCHSM_REASON_PIN_TRIES_LOW, .final = true,
      .sentence = "only 1 PIN try is left on device FAKE, so the stored PIN was not tried: use "
                  "pin-source=prompt" },
    { "few tries, by option", OUT, .source = STORED, .tries = 1, .min = 2, .option = true,
      .reason = SCHSM_REASON_PIN_TRIES_LOW, .final = true,
      .sentence = "use --pin-source prompt to type it" },
    { "few tries, permitted", OUT, .source = STORED, .tries = 1, .min = 1, .sent = STORED_PIN },
    { "few tries, kept", OUT, .kept = true, .tries = 1, .min = 2,
      .reason = SCHSM_REASON_PIN_TRIES_LOW, .final = true,
      .sentence = "so the kept PIN was not tried again" },
    { "few tries, typed", OUT, .source = PROMPT, .typed = true, .tries = 1, .min = 2,
      .sent = TYPED_PIN },
    { "few tries, at the pad", OUT, .source = PINPAD, .has_pad = true, .tries = 1, .min = 2,
      .sent = AT_PAD },
    { "it tells that they are few", OUT, .source = STORED, .tries = SCHSM_TRIES_FEW, .min = 3,
      .reason = SCHSM_REASON_PIN_TRIES_LOW, .final = true,
      .sentence = "fewer than 3 PIN tries are left on device FAKE" },
    { "few is two", OUT, .source = STORED, .tries = SCHSM_TRIES_FEW, .min = 2, .sent = STORED_PIN },
    { "it does not tell", OUT, .source = STORED, .tries = SCHSM_TRIES_UNKNOWN, .min = 15,
      .sent = STORED_PIN },
    /* Which PIN. */
    { "kept before stored", OUT, .source = STORED, .kept = true, .tries = 3, .min = 2,
      .sent = KEPT_PIN },
    { "kept without a source", OUT, .kept = true, .tries = 3, .min = 2, .sent = KEPT_PIN },
    { "kept is not what is to be proven", OUT, .source = STORED, .kept = true, .prove = true,
      .tries = 3, .min = 2, .sent = STORED_PIN },
    { "typed before", OUT, .source = PROMPT, .typed = true, .tries = 3, .min = 2,
      .sent = TYPED_PIN },
    { "none", OUT, .tries = 3, .min = 2, .reason = SCHSM_REASON_PIN_MISSING, .final = true,
      .sentence = "device FAKE needs its PIN for key 'web', and none was given: set pin-source" },
    { "none, by option", OUT, .tries = 3, .min = 2, .option = true,
      .reason = SCHSM_REASON_PIN_MISSING, .final = true, .sentence = "give it with --pin-source" },
    { "none, and a pad that is not permitted", OUT, .has_pad = true, .tries = 3,
      .reason = SCHSM_REASON_PIN_MISSING, .final = true },
    { "none, and a pad", OUT, .has_pad = true, .pad_permitted = true, .tries = 3, .sent = AT_PAD },
    { "none, and no pad", OUT, .pad_permitted = true, .tries = 3,
      .reason = SCHSM_REASON_PIN_MISSING, .final = true },
    { "a pad that is not there", OUT, .source = PINPAD, .tries = 3,
      .reason = SCHSM_REASON_PIN_SOURCE, .final = true,
      .sentence = "reader R has no PIN pad, but pin-source=pinpad asks for one" },
    { "a stored PIN before a pad", OUT, .source = STORED, .has_pad = true, .pad_permitted = true,
      .tries = 3, .sent = STORED_PIN },
    { "too short", OUT, .source = STORED, .pin = "12345", .tries = 3,
      .reason = SCHSM_REASON_PIN_LENGTH, .final = true, .sentence = "6 to 16 characters" },
    { "too long", OUT, .source = STORED, .pin = "12345678901234567", .tries = 3,
      .reason = SCHSM_REASON_PIN_LENGTH, .final = true, .sentence = "6 to 16 characters" },
    /* What it said to the PIN. */
    { "wrong", OUT, .source = STORED, .tries = 3, .min = 2, .verdict = SCHSM_ANSWER_WRONG,
      .left = 2, .sent = STORED_PIN, .reason = SCHSM_REASON_PIN_INCORRECT, .final = true,
      .sentence = "the PIN is wrong for device FAKE; 2 tries are left" },
    { "wrong, and blocked by that", OUT, .source = STORED, .tries = 1, .min = 1,
      .verdict = SCHSM_ANSWER_WRONG, .left = 0, .sent = STORED_PIN,
      .reason = SCHSM_REASON_PIN_INCORRECT, .final = true,
      .sentence = "now blocked: unblock it with a hammer" },
    { "wrong at the pad", OUT, .source = PINPAD, .has_pad = true, .tries = 3,
      .verdict = SCHSM_ANSWER_WRONG, .left = 2, .sent = AT_PAD,
      .reason = SCHSM_REASON_PIN_INCORRECT, .final = true },
    { "the kept one is wrong", OUT, .kept = true, .tries = 3, .verdict = SCHSM_ANSWER_WRONG,
      .left = 2, .sent = KEPT_PIN, .reason = SCHSM_REASON_PIN_INCORRECT, .final = true },
    { "blocked meanwhile", OUT, .source = STORED, .tries = -1, .verdict = SCHSM_ANSWER_BLOCKED,
      .sent = STORED_PIN, .reason = SCHSM_REASON_PIN_BLOCKED, .final = true },
    { "cancelled", OUT, .source = PINPAD, .has_pad = true, .tries = 3,
      .verdict = SCHSM_ANSWER_REFUSED, .sent = AT_PAD, .reason = SCHSM_REASON_DEVICE,
      .final = true },
    { "the way broke", OUT, .source = STORED, .tries = 3, .verdict = SCHSM_ANSWER_FAILED,
      .sent = STORED_PIN, .reason = SCHSM_REASON_DEVICE },
    { "open, and takes none", IN, .source = STORED, .prove = true, .tries = -1,
      .verdict = SCHSM_ANSWER_OPEN, .sent = STORED_PIN },
};

static void check_case(const struct policy_case *c, size_t kind)
{
    struct scene scene;
    int ok;

    open_scene(&scene, kind, c->source, c->pin != NULL ? c->pin : STORED_PIN);
    scene.connection.login = c->login;
    scene.fake.state = c->state;
    scene.fake.logged_in = c->logged_in;
    scene.fake.has_pad = c->has_pad;
    scene.fake.tries = c->tries;
    scene.fake.verdict = c->verdict;
    scene.fake.left = c->left;
    scene.kept = c->kept ? secret(KEPT_PIN) : NULL;
    scene.typed = c->typed ? secret(TYPED_PIN) : NULL;
    scene.login.min_pin_tries = c->min;
    scene.login.pin_pad = c->pad_permitted;
    scene.login.by_option = c->option;
    scene.login.object = "key 'web'";
    ok = log_in(&scene, c->prove);
    if (ok != (c->reason == SCHSM_REASON_NONE) || scene.err.reason != c->reason ||
        scene.refused != c->final || scene.fake.sent != (c->sent != NOTHING) ||
        strcmp(scene.fake.pin, c->sent != NOTHING ? c->sent : "") != 0 ||
        (c->sentence != NULL && strstr(scene.err.text, c->sentence) == NULL)) {
        fail_msg("%s, %s: %d, sent %u times, %s: %s", kinds[kind].kind, c->name, ok,
                 scene.fake.sent, scene.fake.pin, scene.err.text);
    }
    if (ok && c->state != SCHSM_ANSWER_OPEN) {
        assert_int_equal(scene.connection.login, SCHSM_LOGIN_IN);
    }
    if (c->verdict == SCHSM_ANSWER_WRONG) {
        assert_int_equal(scene.connection.login, SCHSM_LOGIN_OUT);
        assert_int_equal(scene.err.status_word, 0x63C0);
        assert_int_equal(scene.err.tries_left, c->left);
        assert_null(scene.kept);
    }
    close_scene(&scene);
}

static void every_case_is_decided(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        for (size_t i = 0; i < COUNT(cases); i++) {
            check_case(&cases[i], kind);
        }
    }
}

/* One try for a PIN that is wrong, whoever gives it; it is a good one after it was set. */
static void a_refused_pin_is_not_sent_again(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        struct schsm_secret *pin = secret("654321");
        struct scene scene;

        open_scene(&scene, kind, STORED, "654321");
        scene.fake.verdict = SCHSM_ANSWER_WRONG;
        scene.fake.left = 2;
        assert_int_equal(log_in(&scene, true), 0);
        scene.fake.tries = 2;
        scene.connection = (struct schsm_pin_connection){ 0 };
        assert_int_equal(log_in(&scene, true), 0);
        assert_int_equal(scene.err.reason, SCHSM_REASON_PIN_KNOWN_WRONG);
        assert_int_equal(scene.err.tries_left, 2);
        assert_true(scene.refused && scene.fake.sent == 1);
        schsm_pin_changed(&scene.holder, pin);
        scene.fake.verdict = SCHSM_ANSWER_GOOD;
        assert_int_equal(log_in(&scene, true), 1);
        assert_int_equal(scene.fake.sent, 2);
        close_scene(&scene);
        schsm_secret_free(pin);
    }
}

static void a_proven_pin_is_not_sent_again(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        struct scene scene;

        open_scene(&scene, kind, STORED, STORED_PIN);
        assert_int_equal(log_in(&scene, true), 1);
        scene.fake.logged_in = true;
        scene.login.keep_pin = true;
        assert_int_equal(log_in(&scene, true), 1);
        assert_true(scene.fake.asked == 1 && scene.fake.sent == 1);
        assert_non_null(scene.kept);
        set_source(&scene, STORED, "another one");
        assert_int_equal(log_in(&scene, true), 1);
        assert_true(scene.fake.asked == 2 && scene.fake.sent == 2);
        assert_int_equal(schsm_pin_give(&scene.holder, &scene.login, &scene.err), 1);
        assert_int_equal(scene.fake.sent, 3); /* whoever is logged in */
        close_scene(&scene);
    }
}

static void a_login_asks_again_after_the_application_was_asked(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        struct schsm_pin_prospect prospect;
        struct scene scene;

        open_scene(&scene, kind, STORED, STORED_PIN);
        scene.fake.has_pad = true;
        assert_int_equal(schsm_pin_prepare(&scene.holder, &scene.login, &prospect, &scene.err), 1);
        assert_true(!prospect.proven && prospect.tries_left == 3 && prospect.pin_pad);
        assert_string_equal(prospect.device, "FAKE");
        scene.fake.tries = 1; /* others spent two meanwhile */
        assert_int_equal(log_in(&scene, true), 0);
        assert_int_equal(scene.err.reason, SCHSM_REASON_PIN_TRIES_LOW);
        assert_int_equal(scene.fake.sent, 0);
        scene.fake.tries = 3;
        assert_int_equal(log_in(&scene, true), 1);
        assert_true(scene.fake.asked == 3 && scene.fake.sent == 1);
        assert_int_equal(schsm_pin_prepare(&scene.holder, &scene.login, &prospect, &scene.err), 1);
        assert_true(prospect.proven && scene.fake.asked == 3);
        scene.connection.login = SCHSM_LOGIN_OUT;
        scene.fake.tries = 1;
        assert_int_equal(schsm_pin_prepare(&scene.holder, &scene.login, &prospect, &scene.err), 0);
        assert_int_equal(scene.err.reason, SCHSM_REASON_PIN_TRIES_LOW);
        assert_non_null(strstr(scene.err.text, "the application was not asked for the PIN"));
        assert_true(scene.refused && scene.fake.sent == 1);
        scene.fake.tries = -1;
        scene.fake.state = SCHSM_ANSWER_OPEN;
        assert_int_equal(schsm_pin_prepare(&scene.holder, &scene.login, &prospect, &scene.err), 1);
        assert_true(prospect.proven);
        close_scene(&scene);
    }
}

/* Somebody proved a PIN: the counter is set back, and what was wrong may be right now. */
static void a_refusal_is_forgotten_when_the_counter_was_set_back(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        struct scene scene;

        open_scene(&scene, kind, STORED, "wrong then");
        scene.fake.verdict = SCHSM_ANSWER_WRONG;
        scene.fake.left = 2;
        assert_int_equal(log_in(&scene, true), 0);
        scene.fake.verdict = SCHSM_ANSWER_GOOD;
        scene.fake.tries = 2;
        scene.refused = false;
        assert_int_equal(log_in(&scene, true), 0);
        assert_int_equal(scene.err.reason, SCHSM_REASON_PIN_KNOWN_WRONG);
        assert_int_equal(scene.fake.sent, 1);
        scene.fake.tries = 3;
        assert_int_equal(log_in(&scene, true), 1);
        assert_int_equal(scene.fake.sent, 2);
        close_scene(&scene);
    }
}

/* Where nobody could tell which device refused it, either. */
static void a_refusal_that_cannot_be_remembered_counts(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        struct scene scene;

        open_scene(&scene, kind, STORED, "wrong, alas");
        scene.fake.verdict = SCHSM_ANSWER_WRONG;
        scene.fake.left = 2;
        scene.fake.loses = true;
        assert_int_equal(log_in(&scene, true), 0);
        assert_int_equal(scene.err.reason, SCHSM_REASON_PIN_INCORRECT);
        scene.fake.lost = scene.fake.loses = false;
        scene.fake.tries = 2;
        assert_int_equal(log_in(&scene, true), 0);
        assert_int_equal(scene.err.reason, SCHSM_REASON_PIN_KNOWN_WRONG);
        assert_true(scene.refused && scene.fake.sent == 1);
        scene.fake.verdict = SCHSM_ANSWER_GOOD;
        set_source(&scene, STORED, STORED_PIN);
        assert_int_equal(log_in(&scene, true), 1);
        close_scene(&scene);
    }
}

/* What a device says of itself leads to no file but its own. */
static void a_serial_number_stands_in_a_name_only_where_it_may(void **state)
{
    static const struct {
        const char *serial;
        bool may;
    } rows[] = {
        { "DENK0100186", true }, { "a-b_c.d", true },   { "", false },         { "..", false },
        { "../x", false },       { "a/b", false },      { ".a", false },       { "a b", false },
        { "a\nb", false },       { "\xC3\xA4", false }, { "{serial}", false }, { "%s", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scene scene;
        char name[64];

        open_scene(&scene, i % 2, NO_SOURCE, STORED_PIN);
        scene.connection.login = SCHSM_LOGIN_OUT;
        scene.fake.serial = rows[i].serial;
        scene.login.source = schsm_pin_source_parse("env:SCHSM_TEST_{serial}_{serial}", &scene.err);
        assert_non_null(scene.login.source);
        (void)snprintf(name, sizeof(name), "SCHSM_TEST_%s_%s", rows[i].serial, rows[i].serial);
        assert_int_equal(setenv(name, STORED_PIN, 1), 0);
        assert_int_equal(log_in(&scene, false), rows[i].may);
        assert_int_equal(scene.fake.sent, rows[i].may ? 1 : 0);
        if (rows[i].may) {
            assert_string_equal(scene.fake.pin, STORED_PIN);
        } else {
            assert_int_equal(scene.err.reason, SCHSM_REASON_PIN_SOURCE);
            assert_non_null(strstr(scene.err.text, "names a serial number"));
        }
        (void)unsetenv(name);
        close_scene(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_decided),
        cmocka_unit_test(a_refused_pin_is_not_sent_again),
        cmocka_unit_test(a_proven_pin_is_not_sent_again),
        cmocka_unit_test(a_login_asks_again_after_the_application_was_asked),
        cmocka_unit_test(a_refusal_is_forgotten_when_the_counter_was_set_back),
        cmocka_unit_test(a_refusal_that_cannot_be_remembered_counts),
        cmocka_unit_test(a_serial_number_stands_in_a_name_only_where_it_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
