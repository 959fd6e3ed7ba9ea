/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PIN policy, one for all devices: which PIN is sent, and when none is. Tries are precious: the
 * device is asked for its state before, a stored PIN stays away from the last tries, and a PIN that
 * was refused once is not sent again. What a device answers it tells through a table of functions;
 * how it finds out is its own affair. Whoever calls holds the device's lock, and keeps other
 * programs away: between the question and the PIN nobody else may spend a try.
 */
#ifndef SCHSM_PIN_POLICY_H
#define SCHSM_PIN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "login.h"
#include "memory.h"

/* What a device says about its PIN, or to one that was sent. */
enum schsm_pin_answer {
    SCHSM_ANSWER_GOOD, /* a PIN can be sent; or: it is the right one */
    SCHSM_ANSWER_OPEN, /* the device is open without a PIN of ours */
    SCHSM_ANSWER_WRONG,
    SCHSM_ANSWER_BLOCKED,
    SCHSM_ANSWER_MUST_CHANGE,
    SCHSM_ANSWER_UNINITIALISED,
    SCHSM_ANSWER_REFUSED, /* the error tells why, and nothing is to be tried again */
    SCHSM_ANSWER_FAILED   /* the error tells why; the caller may mend that */
};

struct schsm_pin_outlook {
    bool logged_in;
    int tries;               /* or SCHSM_TRIES_UNKNOWN, _FEW (refusal.h) */
    size_t min_len, max_len; /* of a PIN, in bytes; max_len 0: not told */
};

#define SCHSM_PIN_PLACE_MAX 336 /* bytes of "reader R" with its NUL */

/* What the policy asks of a device. Answers other than GOOD and OPEN come with an error only where
 * it says so above. */
struct schsm_pin_questions {
    const char *kind;        /* for prompts: "SmartCard-HSM" */
    const char *unblock;     /* behind "unblock it with" */
    const char *initialise;  /* behind "initialise it with" */
    const char *must_change; /* behind "device D" */

    /* What people call the device, as far as that is known now. */
    const char *(*name)(const void *device);
    /* What no other device is called, NULL where that cannot be learnt. Without it: the name. */
    const char *(*identity)(void *device, struct schsm_error *err);
    /* Its serial number, "" where it has none; NULL with an error where it cannot be asked. */
    const char *(*serial)(void *device, struct schsm_error *err);
    /* Spends no try. *outlook is filled but for FAILED. */
    enum schsm_pin_answer (*state)(void *device, struct schsm_pin_outlook *outlook,
                                   struct schsm_error *err);
    /* Whether it has a PIN pad, and in `where` what would have it: "reader R". */
    bool (*has_pad)(void *device, char where[SCHSM_PIN_PLACE_MAX]);
    /* Others may use the device while a person types; then no more. NULL: nobody is kept away. */
    int (*share)(void *device, bool shared, struct schsm_error *err);
    /* Sends a PIN; NULL: lets it be typed at the PIN pad. *tries is what was left before, and
     * becomes what is left now where the answer is WRONG. */
    enum schsm_pin_answer (*verify)(void *device, const struct schsm_secret *pin, int *tries,
                                    struct schsm_error *err);
};

enum schsm_login_state {
    SCHSM_LOGIN_UNKNOWN, /* ask the device */
    SCHSM_LOGIN_OUT,
    SCHSM_LOGIN_IN
};

/* What is known of the PIN as long as a connection lasts; all zero at its beginning. */
struct schsm_pin_connection {
    enum schsm_login_state login;
    bool proven; /* the PIN of this fingerprint was proven on it, by us */
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
};

/* A PIN that the device refused while it could not be remembered (memory.h), because memory ran out
 * or nobody could ask what device it is: all zero where there is none. */
struct schsm_pin_wrong {
    struct schsm_secret *pin;
    int tries; /* that were left then, as in struct schsm_pin_outlook */
};

/* A device as the policy sees it. */
struct schsm_pin_holder {
    const struct schsm_pin_questions *ask;
    void *device; /* for the questions */
    struct schsm_pin_connection *connection;
    struct schsm_secret **kept;    /* for the life of the process; NULL: none is kept */
    struct schsm_pin_wrong *wrong; /* likewise */
    struct schsm_secret **typed;   /* by a person for the job that runs, for its repetition */
    bool *refused;                 /* set where the failure of the job that runs is final */
};

/* Logs in, if that is needed. prove: the PIN of a stored source is to be proven even where somebody
 * is logged in. At most one try is spent. */
int schsm_pin_login(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                    bool prove, struct schsm_error *err);

/* Gives the PIN, whoever is logged in. */
int schsm_pin_give(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                   struct schsm_error *err);

/* As schsm_device_prepare_login (device.h). */
int schsm_pin_prepare(const struct schsm_pin_holder *holder, const struct schsm_login *login,
                      struct schsm_pin_prospect *prospect, struct schsm_error *err);

/* Whether a PIN may be right, before it costs a try: 0 with PIN_LENGTH, or KNOWN_WRONG for one that
 * the device has refused, unless its outlook tells that somebody proved a PIN since. For PINs that
 * go another way than a login. */
int schsm_pin_check(const struct schsm_pin_holder *holder, const struct schsm_secret *pin,
                    const struct schsm_pin_outlook *outlook, struct schsm_error *err);

/* What follows from an answer to this PIN, NULL for one that was typed at a PIN pad: 1 where it
 * opened the device, else the sentence for it. A wrong PIN is remembered with the tries left. */
int schsm_pin_conclude(const struct schsm_pin_holder *holder, enum schsm_pin_answer answer,
                       struct schsm_secret *pin, int tries, struct schsm_error *err);

/* The device's PIN is this one from now on, NULL: it has none or one that we do not know. What was
 * known of the old one is void; where one was kept, this one is. */
void schsm_pin_changed(const struct schsm_pin_holder *holder, struct schsm_secret *pin);

/* Puts a reference to pin, which may be NULL, into a place that a forked child is to find whole. */
void schsm_pin_keep(struct schsm_secret **place, struct schsm_secret *pin);

#endif
