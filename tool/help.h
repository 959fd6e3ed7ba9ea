/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables of commands and options say, for people, man(1) and shells. */
#ifndef SCHSM_TOOL_HELP_H
#define SCHSM_TOOL_HELP_H

#include "tool.h"

/*
 * Help on standard output: for one command; with command NULL for the commands whose first word is
 * group; with both NULL for the whole tool.
 */
int schsm_help(const struct schsm_command *command, const char *group, struct schsm_error *err);

/* The man page's sections about commands, options and exit statuses, in roff. */
int schsm_help_manual(struct schsm_error *err);

/* The completion script of "bash", "zsh" or "fish". Fails with ARGUMENT for another shell. */
int schsm_help_completion(const char *shell, struct schsm_error *err);

#endif
