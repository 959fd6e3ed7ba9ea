/* SPDX-License-Identifier: Apache-2.0 */
/* A login as its caller wants it, and what there is to know before it. */
#ifndef SCHSM_PIN_LOGIN_H
#define SCHSM_PIN_LOGIN_H

#include <stdbool.h>

#include "source.h"

/* How to log in when an operation needs it. All of it is the caller's and outlives the call. */
struct schsm_login {
    struct schsm_pin_source *source; /* NULL: none; the operation works only if already logged in */
    int min_pin_tries;               /* never try a stored PIN when fewer tries are left */
    bool keep_pin;                   /* keep a PIN that worked, for reset, removal and fork */
    bool pin_pad;                    /* without a source, use the reader's PIN pad if it has one */
    const char *object;              /* for prompts and sentences; may be NULL */
    bool hurried;   /* a device that is missed is not waited for: another one may do the work */
    bool by_option; /* sentences name the tool's option --pin-source, no setting or URI attribute */
};

/* What is to be known before somebody is asked for the PIN. */
struct schsm_pin_prospect {
    const char *kind; /* static text for a prompt: "SmartCard-HSM" */
    char device[128]; /* the serial number, or another name */
    int tries_left;   /* -1: unknown */
    bool proven;      /* a PIN was proven on this connection, or none is needed: no need to ask */
    bool pin_pad;     /* the reader has a PIN pad */
};

#endif
