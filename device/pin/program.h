/* SPDX-License-Identifier: Apache-2.0 */
/* Another program that this one runs and hears out. No shell has a part in it. */
#ifndef SCHSM_PIN_PROGRAM_H
#define SCHSM_PIN_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct schsm_program {
    pid_t process;
    int channel; /* what it prints; and where it talks, what it is told */
};

/*
 * Starts the program arguments[0], which is looked for in PATH. Its output is the channel. Its
 * input is the channel as well where it talks, else the controlling terminal where there is one, or
 * nothing. Of our descriptors it gets standard error alone; its signals are as in a new session.
 * Everybody on the machine can read the arguments (up to and without a final NULL, which there must
 * be). Fails with PIN_SOURCE where there is no such program, or it cannot be started; else
 * schsm_program_end is to be called.
 */
int schsm_program_start(const char *const arguments[], bool talks, struct schsm_program *program,
                        struct schsm_error *err);

/* Sends text as it is. False where the program does not listen any more. */
bool schsm_program_tell(const struct schsm_program *program, const char *text);

/* The next bytes of its output, at least one; 0 at its end, or where it cannot be read. */
size_t schsm_program_hear(const struct schsm_program *program, void *buffer, size_t size);

/* Closes the channel and waits for the end. The program's exit status; -1 where a signal ended it,
 * or nobody knows, because this process does not wait for its children or others did. */
int schsm_program_end(struct schsm_program *program);

#endif
