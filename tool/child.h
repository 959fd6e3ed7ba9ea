/* SPDX-License-Identifier: Apache-2.0 */
/* A program that runs at our terminal while we wait for it. */
#ifndef SCHSM_TOOL_CHILD_H
#define SCHSM_TOOL_CHILD_H

#include <signal.h>

#include "base/error.h"

#define SCHSM_SHELL_SIGNAL 128 /* a shell's status for what a signal ended, less the signal */

/*
 * Signals while programs run. Keys at the terminal go to the program as well: they end it, unless
 * it is to ignore them, and this process outlives it. SIGTERM and SIGHUP are handed on to it.
 */
struct schsm_child_signals {
    sigset_t held, before;
    struct sigaction keys[2];
    int came; /* the last one that was to end us; 0: none */
};

/* From then on until schsm_child_release, which may never come, they end nobody else. */
void schsm_child_hold(struct schsm_child_signals *signals);
void schsm_child_release(const struct schsm_child_signals *signals);

/*
 * Runs argv, which ends with NULL, from PATH where its name has no slash. descriptors: pairs of a
 * descriptor of ours and its number there, which end with -1; NULL: none but the usual ones.
 * *status as from waitpid(2). Fails with ARGUMENT where it cannot be run.
 */
int schsm_child_run(char *const *argv, const int *descriptors, struct schsm_child_signals *signals,
                    int *status, struct schsm_error *err);

/* An exit status as a shell has it, also where a signal ended the program. */
int schsm_child_shell_status(int status);

#endif
