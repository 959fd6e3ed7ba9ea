/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything of the card that outlives a power cycle: device identity, PINs, files, keys, key
 * domains. This file is the model and its encoding; store.h puts the encoding on disk.
 */
#ifndef SIM_STATE_H
#define SIM_STATE_H

#include "buf.h"
#include "keys.h"

enum {
    SIM_MAX_CHR = 16,      /* protocol section 11.1 */
    SIM_MAX_PIN = 16,      /* section 5.1 */
    SIM_MIN_PIN = 6,       /* section 5.1 */
    SIM_SO_PIN_LEN = 8,    /* section 5.2 */
    SIM_SO_PIN_TRIES = 15, /* section 5.2 */
    SIM_MAX_DOMAINS = 255, /* section 6.7, tag 97 */
    SIM_KEK_LEN = 32,      /* section 13.1 */
    SIM_UID_LEN = 32,      /* section 15.2: x of the group signer's point */
    SIM_MAX_UID = 64,      /* on a Pico HSM x and y */
    SIM_MAX_PKA_KEYS = 90, /* section 6.7, tag 93 */
    SIM_MAX_AID = 16,
};

/* Configuration options of INITIALIZE DEVICE, tag 80 (section 6.7). */
enum {
    SIM_OPT_RESET_RETRY_COUNTER = 0x0001,
    SIM_OPT_TRANSPORT_PIN = 0x0002,
    SIM_OPT_SESSION_PIN = 0x0004,
    SIM_OPT_REPLACE_PKA_KEYS = 0x0008,
    SIM_OPT_PIN_AND_PKA = 0x0010,
    SIM_OPT_RESET_ONLY = 0x0020,
    SIM_ALL_OPTIONS = 0x003F,
};

/* One PIN and its retry counter; `len` 0 means that there is none. */
struct sim_pin {
    uint8_t value[SIM_MAX_PIN];
    uint8_t len;
    uint8_t tries_max;
    uint8_t tries_left;
};

/* One transparent elementary file; lives in state.files, kept in order of creation. */
struct sim_file {
    uint16_t fid;
    struct sim_buf content;
};

/* One key domain (sections 6.8, 13 and 15); kek.h tells whether its key is complete. */
struct sim_domain {
    bool created;
    uint8_t shares; /* DKEK: how many, and how many are still missing */
    uint8_t outstanding;
    uint8_t kek[SIM_KEK_LEN]; /* XOR of the shares imported so far, or agreed by ECDH */
    bool is_xkek;
    bool is_agreed;           /* XKEK: there was an exchange */
    uint8_t uid[SIM_MAX_UID]; /* XKEK: of the group signer's public point */
    uint8_t uid_len;
};

/* A key registered for public-key authentication (section 16); no `chr`: a free place. */
struct sim_pka_key {
    char chr[SIM_MAX_CHR + 1];
    struct sim_buf public_key; /* content of its 7F49, with parameters */
};

/* Application id of a biometric server, INIT tags 95 and 96; recorded, not used. */
struct sim_aid {
    uint8_t value[SIM_MAX_AID];
    uint8_t len;
};

struct sim_state {
    /* made once, when the card is "produced" (personalise.h) */
    char device_chr[SIM_MAX_CHR + 1];
    struct sim_key device_key;
    struct sim_buf root_certificate; /* whom this card trusts */

    /* set by INITIALIZE DEVICE */
    bool initialised;
    bool transport_pin; /* the user PIN must be changed before it can be used */
    uint16_t options;
    struct sim_pin user_pin;
    struct sim_pin so_pin;
    uint8_t pka_total, pka_required; /* public-key authentication, tag 93; 0 0 without */
    struct sim_pka_key pka_keys[SIM_MAX_PKA_KEYS];
    struct sim_aid biometric[2];
    uint8_t n_domains; /* 0: neither DKEK nor key domains */
    struct sim_domain domains[SIM_MAX_DOMAINS];

    struct sim_file *files;
    size_t n_files;
    struct sim_key *keys;
    size_t n_keys;

    size_t capacity; /* bytes for keys and files, see memory.h; 0: no limit. Not in the encoding */
    bool dirty;      /* differs from what the store holds; whoever changes something sets it */
};

/* Free everything inside and leave an empty state. */
void sim_state_free(struct sim_state *state);

/* Forget what INITIALIZE DEVICE erases: all but device identity, EF 2F02 and the SO-PIN. */
void sim_state_erase(struct sim_state *state);

/* Append the whole state to `out`, which becomes failed when memory runs out. */
void sim_state_encode(const struct sim_state *state, struct sim_buf *out);

/*
 * Replace `state` by what `in` describes, all but its capacity. False, with `state` empty, when it
 * is not a complete and consistent encoding.
 */
bool sim_state_decode(struct sim_state *state, struct sim_slice in);

#endif
