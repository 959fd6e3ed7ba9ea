/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin tool: what a run knows, what a command is, what an option is. A command is defined in a
 * file commands/cmd_NAME.c and listed in commands.c; an option of every command is a row in
 * options.c, an option of one command a row of that command's own table. Parsing, help, man page
 * and completion are made from these tables.
 */
#ifndef SCHSM_TOOL_TOOL_H
#define SCHSM_TOOL_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "keymgmt/context.h"

#define SCHSM_TOOL_NAME "sc-hsm"
#define SCHSM_TOOL_DEVICES_MAX 64
#define SCHSM_TOOL_SETTINGS_MAX 64

struct schsm_tool;

struct schsm_option {
    const char *name;
    char letter;          /* '\0': has no short form */
    bool repeats;         /* may be given several times */
    const char *argument; /* NULL: takes none; else its name in the help */
    const char *summary;
    /* Takes the value in; NULL: the command asks for it with schsm_tool_setting. */
    int (*set)(struct schsm_tool *tool, const struct schsm_option *option, const char *value,
               struct schsm_error *err);
};

struct schsm_command {
    const char *name;     /* one word, or two: "dkek status" */
    const char *synopsis; /* of its arguments; "" where it takes none */
    size_t arguments_min, arguments_max;
    const char *summary; /* one line for the list of commands, no full stop */
    /* What `help COMMAND` says: paragraphs of one line each; a line that starts with a space is an
     * example and printed as it is. Ends with a newline. */
    const char *help;
    const struct schsm_option *options; /* its own; ends with SCHSM_OPTIONS_END; NULL: none */
    bool by_itself; /* runs without the settings of the configuration, see configured.h */
    int (*run)(struct schsm_tool *tool, struct schsm_error *err);
};

#define SCHSM_OPTIONS_END                                                                          \
    {                                                                                              \
        NULL, '\0', false, NULL, NULL, NULL                                                        \
    }

/* For the tables of commands that destroy something, see schsm_tool_confirm. */
#define SCHSM_OPTION_YES                                                                           \
    {                                                                                              \
        "yes", 'y', false, NULL, "do not ask for confirmation", NULL                               \
    }

/* An option that was given. */
struct schsm_setting {
    const struct schsm_option *option;
    const char *value; /* "" for an option without argument */
};

/* What stands in sentences for the serial number of a device that has none that can be read, such
 * as a Pico HSM before its first initialisation. */
#define SCHSM_TOOL_NO_SERIAL "without serial number"

/* Where settings in force were found that no option gave: "[sc_hsm_sect] of F, line 12", or a
 * variable; NULL: an option gave them, or nobody. All are the tool's. */
struct schsm_origins {
    char *serial, *reader, *token, *pkcs11_module;
    char *pin;
    /* the device that is named beside the PIN's source: it is this one's; NULL: of any */
    char *pin_serial, *pin_reader, *pin_token;
    bool pin_kept; /* what its source gave is kept in place of the source */
    bool pin_used; /* it was to open a device */
    bool pin_told; /* why it cannot be had was said */
};

struct schsm_tool {
    struct schsm_context context;
    const struct schsm_command *command; /* NULL: none was given */
    const char *group;                   /* with help wanted: the first word of commands, or NULL */
    const char *const *arguments;        /* what follows the command */
    size_t argument_count;
    struct schsm_setting settings[SCHSM_TOOL_SETTINGS_MAX]; /* in the order of the command line */
    size_t setting_count;
    bool forgiving; /* a value that is wrong is left out, rather than a failure */
    /* How far the command line was read, where it has a slip: */
    const struct schsm_option *unfinished; /* the last word, whose value is missing; or NULL */
    bool only_words;                       /* there was a `--` */
    bool read;                             /* each word was taken in */
    bool json;
    bool want_help;
    bool want_version;
    struct schsm_origins origins;
    struct schsm_pin_source *prompt; /* NULL: nobody was asked for a PIN yet */
    int exit_status; /* of a run that failed, where the reason does not tell it; else 0 */
};

/* The commands in the order in which the help shows them; ends with NULL. */
extern const struct schsm_command *const schsm_commands[];

/* The command of that name, "dkek status" for two words; NULL: there is none. */
const struct schsm_command *schsm_command_find(const char *name);

/* Whether the command's name is this word and a second one. */
bool schsm_command_in_group(const struct schsm_command *command, const char *word, size_t len);

/* Fails with the sentence for a command that does not exist. Returns 0. */
int schsm_command_unknown(const char *name, struct schsm_error *err);

/* The options of every command; ends with SCHSM_OPTIONS_END. */
extern const struct schsm_option schsm_options[];

/* The option of that name, or with len 0 of that letter, among all there are for the command, which
 * may be NULL. */
const struct schsm_option *schsm_option_find(const struct schsm_command *command, const char *name,
                                             size_t len, char letter);

/*
 * Fills tool from the command line, as far as it is right. Options of every command may stand
 * anywhere, a command's own behind it; `--` ends them. words: room for argc pointers, which
 * tool->arguments points into. Fails with ARGUMENT or, for a bad value, CONFIG.
 */
int schsm_tool_parse(struct schsm_tool *tool, int argc, char **argv, const char **words,
                     struct schsm_error *err);

/* The value of an option, the last one of several; "" for one without argument; NULL: not given. */
const char *schsm_tool_setting(const struct schsm_tool *tool, const char *name);

/* All values of an option that repeats, at most room; returns their number. */
size_t schsm_tool_settings(const struct schsm_tool *tool, const char *name, const char **values,
                           size_t room);

/* Whether an option was given. */
bool schsm_tool_flag(const struct schsm_tool *tool, const char *name);

/* The number that an option gives, decimal or 0x.., min to max; *value stays where it was not
 * given. Fails with ARGUMENT. */
int schsm_tool_number(const struct schsm_tool *tool, const char *name, int64_t min, int64_t max,
                      int64_t *value, struct schsm_error *err);

/* A decimal number of at most max at the beginning of a text, without sign or blanks. *end is what
 * follows it. */
bool schsm_tool_count(const char *text, unsigned int max, unsigned int *value, const char **end);

#endif
