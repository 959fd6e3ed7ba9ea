/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card as the reader sees it: power, and one command in, one answer out. Everything here
 * except `state` is lost at reset.
 */
#ifndef SIM_CARD_H
#define SIM_CARD_H

#include "apdu.h"
#include "buf.h"
#include "latency.h"
#include "pka.h"
#include "profile.h"
#include "secure_messaging.h"
#include "state.h"
#include "store.h"
#include "trust.h"

enum sim_applet {
    SIM_APPLET_HSM,             /* selected by default after reset */
    SIM_APPLET_NONE,            /* as on a Pico HSM before the first SELECT */
    SIM_APPLET_SECURITY_DOMAIN, /* the GlobalPlatform issuer security domain */
};

struct sim_card {
    struct sim_state state;
    struct sim_store *store; /* borrowed; NULL: state lives in memory only (fuzzing) */
    const struct sim_profile *profile;
    enum sim_latency latency;
    struct sim_buf saved; /* encoding of the state as last stored, to undo failed commands */
    bool trace;           /* log commands and responses on stderr */
    unsigned busy_ms;     /* how long a real device would have taken for the last command */
    bool answers_whole;   /* the last command's answer comes in one piece, whatever Le says */
    bool died;            /* the last command killed the firmware: no answer, until power-on */
    enum sim_challenge_rule challenge_rule;

    enum sim_applet applet;
    bool user_verified;
    bool so_verified;
    bool just_initialised; /* INITIALIZE counts as login until SELECT or reset */
    uint16_t current_fid;  /* 0: no current EF */
    struct sim_pka_session pka;
    struct sim_trust trust;
    char verification_key[SIM_MAX_CHR + 1]; /* chosen by MANAGE SECURITY ENVIRONMENT; "": none */
    bool chip_authentication;               /* chosen there, too */
    struct sim_sm sm;

    struct sim_buf pending; /* answer not yet fetched with GET RESPONSE */
    size_t pending_offset;
    bool pending_hidden; /* its content must not be logged */
};

/*
 * Take over the state that was just loaded or made; false when it can't be stored. Without a
 * profile the card gets the default one.
 */
bool sim_card_start(struct sim_card *card);

/* Free what the card holds, the state included. */
void sim_card_free(struct sim_card *card);

/* Power on: the applet is selected, nobody is logged in. */
void sim_card_reset(struct sim_card *card);

/* The reader's reset, which some devices do not notice. */
void sim_card_reset_by_reader(struct sim_card *card);

/*
 * End the firmware as a fault of it would, saying why in the log: the command is not answered, and
 * nothing is until the card was pulled and put back.
 */
uint16_t sim_card_die(struct sim_card *card, const char *why);

/*
 * Execute one command of `len` bytes. `response` is emptied and gets data and status word, at
 * most 65535 bytes. What the command changed is durable when this returns.
 */
void sim_card_transmit(struct sim_card *card, const uint8_t *command, size_t len,
                       struct sim_buf *response);

/*
 * Make the present state durable before going on, as PIN counters need it; false on failure. The
 * dispatcher does this at the end of every command.
 */
bool sim_card_commit(struct sim_card *card);

/* Bytes of data that an answer may have, for the host and for this device; 0 without Le. */
size_t sim_card_room(const struct sim_card *card, const struct sim_apdu *apdu);

/* Whether the user is authenticated, however that was done. */
bool sim_card_is_authenticated(const struct sim_card *card);

/* Log out and forget the current EF, as selecting the applet does. */
void sim_card_clear_security(struct sim_card *card);

#endif
