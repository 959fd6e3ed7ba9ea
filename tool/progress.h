/* SPDX-License-Identifier: Apache-2.0 */
/* A line on the terminal while the device works, so that nobody pulls it out in the middle. */
#ifndef SCHSM_TOOL_PROGRESS_H
#define SCHSM_TOOL_PROGRESS_H

struct schsm_progress;

/*
 * Shows `what` and the seconds that went by, on standard error, until schsm_progress_stop; what
 * must live as long. NULL, and nothing is shown, where standard error is no terminal.
 */
struct schsm_progress *schsm_progress_start(const char *what);

/* How much is done, in percent: shown from then on. progress may be NULL. */
void schsm_progress_at(struct schsm_progress *progress, unsigned int percent);

/* Takes the line away. progress may be NULL. */
void schsm_progress_stop(struct schsm_progress *progress);

#endif
