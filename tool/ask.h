/* SPDX-License-Identifier: Apache-2.0 */
/* Asking people: for what must not be seen, and whether they mean it. */
#ifndef SCHSM_TOOL_ASK_H
#define SCHSM_TOOL_ASK_H

#include "base/secret.h"
#include "tool.h"

struct schsm_question {
    const char *what;   /* "new PIN", "password of dkek.pbe" */
    const char *device; /* serial number; NULL: it is no device's */
    int tries_left;     /* -1: does not matter */
    bool twice;         /* at a terminal, ask again for comparison */
    size_t min, max;    /* bytes that it may have; max is at most SCHSM_SECRET_INPUT_MAX */
};

#define SCHSM_SECRET_INPUT_MAX 256

/*
 * A secret from the source that the option names (pin/source.h, but for pinpad), else from
 * the terminal. option may be NULL: always from the terminal. *secret is the caller's to free.
 * Fails with PIN_SOURCE, PIN_MISSING (no terminal; the sentence names the option), CANCELLED,
 * PIN_LENGTH, or ARGUMENT where two answers differ.
 */
int schsm_tool_secret(const struct schsm_tool *tool, const char *option,
                      const struct schsm_question *question, struct schsm_secret **secret,
                      struct schsm_error *err);

/* The same from a source that is no PIN pad; {serial} in it is the question's device. */
int schsm_tool_secret_from(struct schsm_pin_source *source, const struct schsm_question *question,
                           struct schsm_secret **secret, struct schsm_error *err);

/*
 * Says on standard error what is going to happen, and goes on only where the user types the
 * device's serial number at the terminal, or gave --yes (SCHSM_OPTION_YES). consequences: whole
 * sentences, made printable here. Fails with CANCELLED.
 */
int schsm_tool_confirm(const struct schsm_tool *tool, const char *serial, const char *consequences,
                       struct schsm_error *err);

/* The same where it is not about a device: what is to be typed ("word"), and the word, of at most
 * SCHSM_SERIAL_MAX characters. */
int schsm_tool_confirm_by(const struct schsm_tool *tool, const char *what, const char *word,
                          const char *consequences, struct schsm_error *err);

#endif
