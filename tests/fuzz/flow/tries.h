/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever sees all commands and answers can tell whether a PIN try was spent that nobody asked for:
 * a PIN that was refused is not sent again unless the card told since that somebody proved one, and
 * one whose answer was lost only where the card tells that no try is missing. Ends the run where it
 * is otherwise. What goes through a secure channel cannot be seen.
 */
#ifndef FLOW_TRIES_H
#define FLOW_TRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/apdu.h"

#define FLOW_PINS_MAX 8

struct flow_pin {
    uint8_t value[16];
    size_t len;
    bool refused, lost, asked; /* asked: the card told its state since */
    bool now;                  /* that was in the command that runs */
    int tries;                 /* when it was refused, or before its answer was lost; -1: unknown */
};

struct flow_tries {
    struct flow_pin pins[FLOW_PINS_MAX];
    size_t count;
    int left;       /* as the card told last; -1: it did not */
    bool transport; /* it told last that it has a transport PIN, whose tries it does not tell */
    bool so_refused, so_lost, so_asked;
    int so_tries, so_left;
};

void flow_tries_start(struct flow_tries *tries);

/* What the user asks for next is another command: an SO-PIN or a transport PIN is the user's to try
 * again. */
void flow_tries_next_command(struct flow_tries *tries);

/* Before a command is sent. old_len: of the PIN at the beginning of CHANGE REFERENCE DATA. */
void flow_tries_command(struct flow_tries *tries, const struct schsm_apdu *apdu, size_t old_len);

/* What it came to: a status word; 0: the way to the card broke, and nobody knows; -1: it was surely
 * not sent. */
void flow_tries_answer(struct flow_tries *tries, const struct schsm_apdu *apdu, size_t old_len,
                       int status_word);

#endif
