/* SPDX-License-Identifier: Apache-2.0 */
/* Initialising a SmartCard-HSM: everything on it is erased and its rules are set anew (6.7). */
#ifndef SCHSM_HSM_HSM_INITIALISE_H
#define SCHSM_HSM_HSM_INITIALISE_H

#include "model/device.h"
#include "base/error.h"
#include "base/secret.h"

/* The options that a device is initialised with, or-ed. */
enum schsm_hsm_option {
    SCHSM_HSM_RESET_RETRY_COUNTER = 0x0001, /* the SO-PIN may unblock the PIN */
    SCHSM_HSM_TRANSPORT_PIN = 0x0002,
    SCHSM_HSM_SESSION_PIN = 0x0004,
    SCHSM_HSM_REPLACE_PUBLIC_KEYS = 0x0008,
    SCHSM_HSM_PIN_AND_PUBLIC_KEYS = 0x0010, /* both are needed, rather than one of them */
    SCHSM_HSM_RESET_ONLY = 0x0020,          /* unblocking keeps the PIN as it is */
    SCHSM_HSM_BUTTON = 0x0100,              /* this and the next two: Pico HSM */
    SCHSM_HSM_COUNT_ALL_USES = 0x0200,
    SCHSM_HSM_SECURE_LOCK = 0x0400
};

#define SCHSM_HSM_PIN_TRIES_MAX 10
#define SCHSM_HSM_SO_PIN_TRIES 15 /* for the life of the device */
#define SCHSM_HSM_PIN_FORM                                                                         \
    ((struct schsm_pin_form){ SCHSM_USER_PIN_MIN, SCHSM_USER_PIN_MAX, false })
#define SCHSM_HSM_SO_PIN_FORM ((struct schsm_pin_form){ SCHSM_SO_PIN_LEN, SCHSM_SO_PIN_LEN, true })
#define SCHSM_HSM_DKEK_SHARES_MAX 255
#define SCHSM_HSM_KEY_DOMAINS_MAX 255
#define SCHSM_HSM_NO_DKEK (-1)

struct schsm_hsm_rules {
    unsigned int options;     /* enum schsm_hsm_option */
    unsigned int pin_tries;   /* 1..10; at most 3 for a PIN of 6 characters, 5 for 7 (5.1) */
    int dkek_shares;          /* NO_DKEK; 0: the device makes a key of its own; 1..255 */
    unsigned int key_domains; /* 0: none; not together with a DKEK */
    unsigned int public_keys; /* 0: none; 1..90 keys for public-key authentication ... */
    unsigned int public_keys_required; /* ... of which so many have to authenticate */
    const char *label;                 /* NULL: none; else checked by schsm_hsm_check_label */
};

/*
 * Initialises the device. so_pin has 8 bytes: it is set where none was ever set, and must match
 * where there is one. pin may be NULL with public keys. Nothing is sent when fewer than min_tries
 * of the SO-PIN are left (PIN_TRIES_LOW; 0 for one that a person typed). Rules that cannot be are
 * ARGUMENT and cost no try. Afterwards nobody is logged in.
 */
int schsm_hsm_initialise(struct schsm_device *dev, const struct schsm_hsm_rules *rules,
                         const struct schsm_secret *so_pin, struct schsm_secret *pin, int min_tries,
                         struct schsm_error *err);

#endif
