/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session with one card: one connection shared by all threads of a process, login with the PIN
 * policy, and recovery. What uses the card is a job: a function that sends commands. The session
 * connects before it, logs in if the job needs it, and where the way to the card broke, the card
 * was reset, came back, or another program selected something, mends that and runs the job once
 * more, for each of these. So a job must be repeatable from its beginning. Only a use of a key that
 * has a use counter is not asked for twice, unless the first command surely did not arrive.
 *
 * In a forked child the session opens a connection of its own at the next job.
 */
#ifndef SCHSM_CARD_SESSION_H
#define SCHSM_CARD_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "card_kind.h"
#include "command.h"
#include "model/device.h"
#include "base/error.h"
#include "base/fork_guard.h"
#include "pin/policy.h"
#include "transport.h"

/* A token that was pulled and plugged in again takes a second or two to be a card again, and so
 * does a service that is restarted. */
#define SCHSM_RETURN_PAUSE_MS 100
#define SCHSM_RETURN_LIMIT_MS 4000

/* A PIN that was sent, and whose answer was lost. */
struct schsm_lost_pin {
    int tries_before; /* 0: there is no such PIN */
    bool known;       /* false: it could not be fingerprinted, and may be any */
    uint8_t fingerprint[SCHSM_PIN_FINGERPRINT];
};

/* For the life of the process. All but fci is changed under the guard as well, so that a child
 * finds it whole. */
struct schsm_session_process {
    char reader[SCHSM_READER_MAX + 1];
    char serial[SCHSM_SERIAL_MAX + 1]; /* "": not known yet, or there is none */
    bool serial_absent;                /* the card does not tell any */
    uint64_t certificate;          /* tells devices of one serial number apart; 0: not known yet */
    struct schsm_secret *kept_pin; /* NULL: none is kept */
    struct schsm_pin_wrong wrong_pin;
    struct schsm_lost_pin lost_pin;
    bool exchanged;            /* another card was last seen in its place */
    struct schsm_card_fci fci; /* of the last SELECT */
    bool fci_known;
};

/* As long as a connection lasts; all zero without one. */
struct schsm_session_connection {
    bool same_card;      /* the serial number was proven */
    bool selected;       /* we selected the applet */
    bool in_transaction; /* PC/SC keeps other programs away */
    struct schsm_pin_connection pin;
    unsigned int operations; /* private ones */
};

/* As long as a job runs, its repetition included. */
struct schsm_session_job {
    bool refused;               /* the failure is final: a PIN policy, a user who gave up */
    struct schsm_secret *typed; /* a PIN that a person typed; under the guard as well */
    int so_sent_at;             /* tries before an SO-PIN that was sent; -1: none was */
    bool key_used;              /* an attempt may have used a key */
    bool ran;                   /* the last attempt came as far as the job's own commands */
    /* What was mended so far, so that nothing is for ever: ways that broke under the job's commands
     * and before them, logouts by others, other applets. */
    unsigned int broken, broken_before, logged_out, selected;
};

struct schsm_session {
    struct schsm_fork_member fork; /* its lock guards all that follows; first member */
    const struct schsm_transport *transport;
    void *transport_arg;
    struct schsm_session_process process;
    struct schsm_card card; /* the connection, for commands; its handle under the guard as well */
    struct schsm_session_connection connection;
    struct schsm_session_job job;
    char identity[SCHSM_READER_MAX + 32]; /* for the memory of refused PINs, where the serial number
                                           * does not do */
    atomic_ulong connections;             /* see schsm_device_connection; no lock is needed */
};

/*
 * A session with the card in this reader; nothing is sent to it yet. NULL where memory runs out.
 */
struct schsm_session *schsm_session_new(const struct schsm_transport *transport, void *arg,
                                        const char *reader, struct schsm_error *err);

/* In a process that inherited the session, only memory is freed. */
void schsm_session_free(struct schsm_session *session);

struct schsm_job {
    /* NULL: nothing but connection and login */
    int (*run)(struct schsm_session *session, void *arg, struct schsm_error *err);
    void *arg;
    const struct schsm_login *login;     /* NULL: the job needs no login */
    struct schsm_pin_prospect *prospect; /* not NULL: the login is prepared only */
    bool prove;           /* prove login's PIN even where the card is logged in already */
    bool transaction;     /* several commands that belong together */
    unsigned int key_ref; /* of the key that it takes one use of; 0: none */
    const char *object;   /* for sentences; NULL: none */
};

/* Runs a job under the session's lock. Failures are worded: device and object come first. */
int schsm_session_run(struct schsm_session *session, const struct schsm_job *job,
                      struct schsm_error *err);

/* Copies the serial number; false if it is not known yet, true with "" where there is none. Asks
 * nobody; no lock is needed. */
bool schsm_session_known_serial(struct schsm_session *session, char serial[SCHSM_SERIAL_MAX + 1]);

/* Whether another card was last seen in the place of this session's, likewise. */
bool schsm_session_exchanged(struct schsm_session *session);

/* The name of the reader, likewise. */
void schsm_session_reader(struct schsm_session *session, char reader[SCHSM_READER_MAX + 1]);

/* The functions below are for jobs, and for the files of the session: the lock is held. */

/* The connection (session_connect.c) */

/* The serial number where it is known, else the reader's name. */
const char *schsm_session_name(const struct schsm_session *session);

/* Whether a status word that says "not found" can be believed: the applet answered, rather than
 * another one that was selected meanwhile. One command. */
int schsm_session_confirm_applet(struct schsm_session *session, struct schsm_error *err);

/*
 * Learns the serial number where it is not known: by the reader's name, else from file 2F02. A card
 * that has none is success with an empty one. Fails where the card could not be asked.
 */
int schsm_session_learn_serial(struct schsm_session *session, struct schsm_error *err);

/* After what changes the device's certificate: it is learnt anew when it is wanted. */
void schsm_session_forget_serial(struct schsm_session *session);

/* What kind of card it is; asks it where nothing has told so far. NULL where it could not be asked.
 */
const struct schsm_card_kind *schsm_session_kind(struct schsm_session *session,
                                                 struct schsm_error *err);

/* Fails with UNSUPPORTED where no file of this kind of card has so many bytes. */
int schsm_session_check_file(struct schsm_session *session, size_t len, struct schsm_error *err);

/* SELECT the applet; nobody is logged in afterwards. */
int schsm_session_select(struct schsm_session *session, struct schsm_error *err);

/* Opens the connection if there is none. patient: the card was there a moment ago, so wait for it
 * for a few seconds, and look for it in other readers. */
int schsm_session_connect(struct schsm_session *session, bool patient, struct schsm_error *err);

/* Ends the connection, if there is one. */
void schsm_session_disconnect(struct schsm_session *session);

/* Leaves the parent's connection alone, in a child. */
void schsm_session_abandon(struct schsm_session *session);

/* Opens or ends the PC/SC transaction; both may be called twice. */
int schsm_session_begin(struct schsm_session *session, struct schsm_error *err);
void schsm_session_end(struct schsm_session *session);

/* The login, above the connection */

/* The device as the PIN policy sees it. */
struct schsm_pin_holder schsm_session_pin_holder(struct schsm_session *session);

/* Words the card's refusal of the user PIN in VERIFY or CHANGE REFERENCE DATA, and remembers that
 * this PIN was refused. pin: NULL for one that was typed at the reader. */
int schsm_session_fail_pin(struct schsm_session *session, struct schsm_secret *pin,
                           struct schsm_error *err);
int schsm_session_refuse_uninitialised(struct schsm_session *session, struct schsm_error *err);

/* As schsm_pin_changed. */
void schsm_session_pin_changed(struct schsm_session *session, struct schsm_secret *pin);

/* The serial number in a reader's name, as USB tokens have it: `(DENK01009620000         )` is
 * DENK0100962. False if there is none. size is the room at serial, SCHSM_SERIAL_MAX + 1. */
bool schsm_reader_serial(const char *reader, char *serial, size_t size);

/* How much an ATR tells (1.2). */
enum schsm_atr_kind {
    SCHSM_ATR_HSM,    /* a SmartCard-HSM, its applet selected from the start */
    SCHSM_ATR_UNKNOWN /* SELECT has to tell */
};
enum schsm_atr_kind schsm_atr_kind(const struct schsm_atr *atr);

#endif
