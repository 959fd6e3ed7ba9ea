/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run says on standard error: sentences for people, or with --json one object in each line
 * for programs. Standard output holds the result alone.
 */
#ifndef SCHSM_TOOL_TELL_H
#define SCHSM_TOOL_TELL_H

#include "tool.h"

/* Of the environment: with --json, the descriptor that gets the lines in place of standard error,
 * where the progress of a command is shown. A ceremony sets it for the commands of its steps. */
#define SCHSM_TELL_DESCRIPTOR "SC_HSM_TELL_DESCRIPTOR"

/* Why the run failed, with the status that it ends with. */
void schsm_tell_error(const struct schsm_tool *tool, const struct schsm_error *why, int status);

/* What failed on the way; the run goes on. */
void schsm_tell_warning(const struct schsm_tool *tool, const struct schsm_error *why);

/* What is worth knowing, and no failure. */
void schsm_tell_note(const struct schsm_tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
