/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin tool: what a run knows, what a command is, what an option is. A command is a file
 * cmd_NAME.c and a row in commands.c; an option is a row in options.c. Parsing and help text are
 * made from these tables.
 */
#ifndef SCHSM_TOOL_TOOL_H
#define SCHSM_TOOL_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "../device/error.h"
#include "../keymgmt/context.h"

#define SCHSM_TOOL_NAME "sc-hsm"
#define SCHSM_TOOL_DEVICES_MAX 64

struct schsm_command;

struct schsm_tool {
    struct schsm_context context;
    const struct schsm_command *command; /* NULL: none was given */
    const char *const *arguments;        /* what follows the command */
    size_t argument_count;
    bool json;
    bool want_help;
    bool want_version;
};

struct schsm_command {
    const char *name;
    const char *synopsis; /* of its arguments; "" where it takes none */
    size_t arguments_max;
    const char *summary; /* one line for the list of commands, no full stop */
    const char *help;    /* what `help COMMAND` says; ends with a newline */
    int (*run)(struct schsm_tool *tool, struct schsm_error *err);
};

/* Ends with a row whose name is NULL. */
extern const struct schsm_command schsm_commands[];

const struct schsm_command *schsm_command_find(const char *name);

struct schsm_option {
    const char *name;
    char letter;          /* '\0': has no short form */
    const char *argument; /* NULL: takes none; else its name in the help */
    const char *summary;
    int (*set)(struct schsm_tool *tool, const struct schsm_option *option, const char *value,
               struct schsm_error *err);
};

/* Ends with a row whose name is NULL. */
extern const struct schsm_option schsm_options[];

/*
 * Fills tool from the command line. Options may stand before and behind the command; `--` ends
 * them. words: room for argc pointers, which tool->arguments points into. Fails with ARGUMENT or,
 * for a bad value, CONFIG.
 */
int schsm_tool_parse(struct schsm_tool *tool, int argc, char **argv, const char **words,
                     struct schsm_error *err);

/* Help for the whole tool, or for one command, on standard output. */
void schsm_help_tool(void);
void schsm_help_command(const struct schsm_command *command);

int schsm_cmd_help(struct schsm_tool *tool, struct schsm_error *err);
int schsm_cmd_list(struct schsm_tool *tool, struct schsm_error *err);
int schsm_cmd_readers(struct schsm_tool *tool, struct schsm_error *err);
int schsm_cmd_status(struct schsm_tool *tool, struct schsm_error *err);

#endif
