/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm help: what the tables say. */
#include "tool/commands.h"

#include <string.h>

#include <openssl/bio.h>

#include "tool/help.h"

static int run_help(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_command *command = NULL;
    char name[64];

    if (schsm_tool_flag(tool, "manual")) {
        return schsm_help_manual(err);
    }
    if (schsm_tool_flag(tool, "completion")) {
        return schsm_help_completion(tool->argument_count > 0 ? tool->arguments[0] : "bash", err);
    }
    if (tool->argument_count == 0) {
        return schsm_help(NULL, NULL, err);
    }
    if (BIO_snprintf(name, sizeof(name), "%s%s%s", tool->arguments[0],
                     tool->argument_count > 1 ? " " : "",
                     tool->argument_count > 1 ? tool->arguments[1] : "") < 0) {
        return schsm_command_unknown(tool->arguments[0], err);
    }
    command = schsm_command_find(name);
    if (command != NULL) {
        return schsm_help(command, NULL, err);
    }
    for (size_t i = 0; tool->argument_count == 1 && schsm_commands[i] != NULL; i++) {
        if (schsm_command_in_group(schsm_commands[i], name, strlen(name))) {
            return schsm_help(NULL, name, err);
        }
    }
    return schsm_command_unknown(name, err);
}

static const struct schsm_option help_options[] = {
    { "manual", '\0', false, NULL, "print the generated sections of the man page", NULL },
    { "completion", '\0', false, NULL,
      "print the completion script for bash, or behind it zsh or fish", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_help = {
    .name = "help",
    .synopsis = "[COMMAND]...",
    .arguments_max = 2,
    .summary = "Explain a command",
    .help =
        "Explains the command, or shows all commands and the options that each of them takes.\n",
    .options = help_options,
    .by_itself = true,
    .run = run_help,
};
