/* SPDX-License-Identifier: Apache-2.0 */
/* The prompt for a PIN on the controlling terminal. */
#ifndef SCHSM_PIN_PROMPT_H
#define SCHSM_PIN_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* What a prompt shows. Strings may be NULL where unknown. */
struct schsm_pin_prompt {
    const char *what;   /* what is asked for; NULL: the PIN */
    const char *device; /* serial number or reader name */
    const char *object; /* label or URI of the key, NULL: the device as a whole */
    int tries_left;     /* -1: unknown */
    bool by_option;     /* see struct schsm_login */
    const char *serial; /* for sources that name it (source.h); not shown */
};

#define SCHSM_PROMPT_TEXT_MAX 600 /* bytes, with its end */

/* The question: "PIN for web on device DENK0100186 (3 tries left)", without what could steer a
 * terminal, and without a colon behind it. prompt may be NULL. */
void schsm_pin_prompt_text(const struct schsm_pin_prompt *prompt, char text[SCHSM_PROMPT_TEXT_MAX]);

/* One question at a time in a process, whoever asks it. */
void schsm_pin_prompt_lock(void);
void schsm_pin_prompt_unlock(void);

/*
 * Asks on /dev/tty with echo off; never reads standard input. *len is the capacity of line and
 * becomes the length without the line end; a longer line fills the buffer and is cut. Echo comes
 * back on every way out, signals included; a signal that stops the process and lets it go on asks
 * again. One prompt at a time in a process. Fails with PIN_MISSING where there is no terminal,
 * CANCELLED where the user left (an empty line, end of input, a signal).
 */
int schsm_pin_prompt_read(const struct schsm_pin_prompt *prompt, char *line, size_t *len,
                          struct schsm_error *err);

#endif
