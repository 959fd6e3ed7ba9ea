/* SPDX-License-Identifier: Apache-2.0 */
/* The options of every command, and the parser of the command line. */
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>

#include "suggest.h"

/* These are settings of the provider's configuration by the same name. */
static int set_config(struct schsm_tool *tool, const struct schsm_option *option, const char *value,
                      struct schsm_error *err)
{
    return schsm_config_set(&tool->context.config, NULL, option->name, value, err);
}

static int set_json(struct schsm_tool *tool, const struct schsm_option *option, const char *value,
                    struct schsm_error *err)
{
    (void)option;
    (void)value;
    (void)err;
    tool->json = true;
    return 1;
}

static int set_help(struct schsm_tool *tool, const struct schsm_option *option, const char *value,
                    struct schsm_error *err)
{
    (void)option;
    (void)value;
    (void)err;
    tool->want_help = true;
    return 1;
}

static int set_version(struct schsm_tool *tool, const struct schsm_option *option,
                       const char *value, struct schsm_error *err)
{
    (void)option;
    (void)value;
    (void)err;
    tool->want_version = true;
    return 1;
}

const struct schsm_option schsm_options[] = {
    { "reader", 'r', false, "R", "use the device in this PC/SC reader (its name or a part of it)",
      set_config },
    { "serial", '\0', false, "S", "use the device with this serial number", set_config },
    { "token", '\0', false, "T", "use the PKCS#11 token with this label", set_config },
    { "pkcs11-module", '\0', false, "PATH",
      "the tokens of this PKCS#11 module are devices too, beside those of PC/SC", set_config },
    { "pin-source", '\0', false, "SRC",
      "take the PIN from file:PATH, credential:NAME, env:NAME, fd:N, prompt, pinentry, "
      "systemd-ask-password or pinpad; default: the configuration's, else ask",
      set_config },
    { "so-pin-source", '\0', false, "SRC",
      "take the SO-PIN, 16 hex digits (a token's is text), from file:PATH, env:NAME, fd:N or "
      "prompt; default: ask",
      NULL },
    { "wait", '\0', false, "SECONDS",
      "how long to wait while another program keeps the device for itself (default: 30)",
      set_config },
    { "secure-channel", '\0', false, "WHEN",
      "send PINs and key shares encrypted to the device: auto (the default: where it can), require "
      "(and all that is private) or off",
      set_config },
    { "root", '\0', true, "FILE",
      "trust devices under this root CV certificate, besides the makers' built-in ones",
      set_config },
    { "json", '\0', false, NULL, "print JSON instead of tables", set_json },
    { "help", 'h', false, NULL, "explain the tool, or the command that is given", set_help },
    { "version", 'V', false, NULL, "print the version", set_version },
    SCHSM_OPTIONS_END,
};

struct parser {
    struct schsm_tool *tool;
    char **argv;
    int argc;
    int next; /* the next word of argv */
    const char **words;
};

const struct schsm_option *schsm_option_find(const struct schsm_command *command, const char *name,
                                             size_t len, char letter)
{
    const struct schsm_option *tables[] = { schsm_options,
                                            command != NULL ? command->options : NULL };

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct schsm_option *option = tables[i]; option != NULL && option->name != NULL;
             option++) {
            bool fits = len > 0 ? strncmp(option->name, name, len) == 0 && option->name[len] == '\0'
                                : option->letter == letter;

            if (fits) {
                return option;
            }
        }
    }
    return NULL;
}

/* For a sentence: the option that somebody meant who wrote this. */
static void meant_option(const struct schsm_tool *tool, const char *word, size_t len,
                         char text[SCHSM_SUGGESTION_TEXT_MAX])
{
    const struct schsm_option *tables[] = { tool->command != NULL ? tool->command->options : NULL,
                                            schsm_options };
    struct schsm_suggestion meant = SCHSM_SUGGESTION_INIT;
    char name[SCHSM_SUGGEST_MAX + 2]; /* longer ones are near none, cut or not */

    (void)BIO_snprintf(name, sizeof(name), "%.*s", (int)len, word);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct schsm_option *option = tables[i]; option != NULL && option->name != NULL;
             option++) {
            schsm_suggest(&meant, name, option->name, strlen(option->name));
        }
    }
    schsm_suggestion_text(&meant, "--", "", text);
}

static const char *where_options_are(const struct schsm_tool *tool)
{
    return tool->command != NULL ? tool->command->name : "";
}

/* value: what stands behind `=` or the letter; NULL: take the next word if one is needed. */
static int apply(struct parser *parser, const struct schsm_option *option, const char *value,
                 struct schsm_error *err)
{
    struct schsm_tool *tool = parser->tool;

    if (option->argument == NULL) {
        value = "";
    } else if (value == NULL) {
        if (parser->next == parser->argc) {
            tool->unfinished = option;
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "option --%s needs a value, %s",
                              option->name, option->argument);
        }
        value = parser->argv[parser->next++];
    }
    if (option->argument != NULL && !option->repeats && schsm_tool_flag(tool, option->name)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "option --%s is given twice", option->name);
    }
    if (tool->setting_count == SCHSM_TOOL_SETTINGS_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "there are more than %d options",
                          SCHSM_TOOL_SETTINGS_MAX);
    }
    tool->settings[tool->setting_count++] = (struct schsm_setting){ option, value };
    return option->set == NULL || option->set(tool, option, value, err) || tool->forgiving;
}

static int parse_long(struct parser *parser, const char *word, struct schsm_error *err)
{
    size_t len = strcspn(word, "=");
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    const struct schsm_option *option =
        len > 0 ? schsm_option_find(parser->tool->command, word, len, '\0') : NULL;

    if (option == NULL) {
        const char *command = where_options_are(parser->tool);
        char meant[SCHSM_SUGGESTION_TEXT_MAX];

        meant_option(parser->tool, word, len, meant);

        /* Never what stands behind the `=`: with a name misspelt it may be a secret. */
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "there is no option --%.*s%s%s; %s'" SCHSM_TOOL_NAME
                          "%s%s --help' lists them",
                          (int)(len < 40 ? len : 40), word, command[0] != '\0' ? " of " : "",
                          command, meant, command[0] != '\0' ? " " : "", command);
    }
    if (value != NULL && option->argument == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "option --%s takes no value", option->name);
    }
    return apply(parser, option, value, err);
}

static int parse_letters(struct parser *parser, const char *letters, struct schsm_error *err)
{
    while (*letters != '\0') {
        const struct schsm_option *option =
            schsm_option_find(parser->tool->command, NULL, 0, *letters);

        if (option == NULL) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "there is no option -%c; '" SCHSM_TOOL_NAME " --help' lists them",
                              *letters);
        }
        letters++;
        if (option->argument != NULL) {
            return apply(parser, option, *letters != '\0' ? letters : NULL, err);
        }
        if (!apply(parser, option, NULL, err)) {
            return 0;
        }
    }
    return 1;
}

/* A word that is no option: the command as long as that is not known, then its arguments. */
static int take_word(struct parser *parser, const char *word, struct schsm_error *err)
{
    struct schsm_tool *tool = parser->tool;
    char name[64];
    int len = 0;

    if (tool->command != NULL && tool->argument_count == 0 && tool->group == NULL) {
        /* `backup verify` is another command than `backup`. */
        if (BIO_snprintf(name, sizeof(name), "%s %s", tool->command->name, word) > 0 &&
            schsm_command_find(name) != NULL) {
            tool->command = schsm_command_find(name);
            tool->group = word;
            return 1;
        }
    }
    if (tool->command != NULL) {
        if (tool->argument_count == tool->command->arguments_max) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "'%.40s' is one argument too many; '" SCHSM_TOOL_NAME
                              " help %s' explains the command",
                              word, tool->command->name);
        }
        parser->words[tool->argument_count++] = word;
        return 1;
    }
    if (tool->group == NULL) {
        tool->command = schsm_command_find(word);
        if (tool->command != NULL) {
            return 1;
        }
        for (size_t i = 0; schsm_commands[i] != NULL; i++) {
            if (schsm_command_in_group(schsm_commands[i], word, strlen(word))) {
                tool->group = word;
                return 1;
            }
        }
        return schsm_command_unknown(word, err);
    }
    len = BIO_snprintf(name, sizeof(name), "%s %s", tool->group, word);
    tool->command = len > 0 ? schsm_command_find(name) : NULL;
    return tool->command != NULL ? 1 : schsm_command_unknown(len > 0 ? name : tool->group, err);
}

/* What can be told only at the end. */
static int check(const struct schsm_tool *tool, struct schsm_error *err)
{
    if (tool->want_help || tool->want_version) {
        return 1;
    }
    if (tool->command == NULL) {
        return tool->group != NULL
                   ? schsm_command_unknown(tool->group, err)
                   : schsm_fail(err, SCHSM_REASON_ARGUMENT,
                                "say what to do; '" SCHSM_TOOL_NAME " --help' lists the commands");
    }
    if (tool->argument_count < tool->command->arguments_min) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "an argument is missing: " SCHSM_TOOL_NAME " %s %s", tool->command->name,
                          tool->command->synopsis);
    }
    return 1;
}

int schsm_tool_parse(struct schsm_tool *tool, int argc, char **argv, const char **words,
                     struct schsm_error *err)
{
    struct parser parser = { .tool = tool, .argv = argv, .argc = argc, .next = 1, .words = words };

    tool->arguments = words;
    while (parser.next < argc) {
        const char *word = argv[parser.next++];
        int ok = 0;

        if (tool->only_words || word[0] != '-' || word[1] == '\0') {
            ok = take_word(&parser, word, err);
        } else if (strcmp(word, "--") == 0) {
            ok = tool->only_words = true;
        } else if (word[1] == '-') {
            ok = parse_long(&parser, word + 2, err);
        } else {
            ok = parse_letters(&parser, word + 1, err);
        }
        if (!ok) {
            return 0;
        }
    }
    tool->read = true;
    return check(tool, err);
}

const char *schsm_tool_setting(const struct schsm_tool *tool, const char *name)
{
    for (size_t i = tool->setting_count; i > 0; i--) {
        if (strcmp(tool->settings[i - 1].option->name, name) == 0) {
            return tool->settings[i - 1].value;
        }
    }
    return NULL;
}

size_t schsm_tool_settings(const struct schsm_tool *tool, const char *name, const char **values,
                           size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < tool->setting_count && count < room; i++) {
        if (strcmp(tool->settings[i].option->name, name) == 0) {
            values[count++] = tool->settings[i].value;
        }
    }
    return count;
}

bool schsm_tool_flag(const struct schsm_tool *tool, const char *name)
{
    return schsm_tool_setting(tool, name) != NULL;
}

int schsm_tool_number(const struct schsm_tool *tool, const char *name, int64_t min, int64_t max,
                      int64_t *value, struct schsm_error *err)
{
    const char *text = schsm_tool_setting(tool, name);
    bool hex = text != NULL && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *end = NULL;
    int64_t number = 0;

    if (text == NULL) {
        return 1;
    }
    errno = 0;
    number = strtoll(text, &end, hex ? 16 : 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "option --%s needs a number from %" PRId64 " to %" PRId64 ", not '%.40s'",
                          name, min, max, text);
    }
    *value = number;
    return 1;
}

bool schsm_tool_count(const char *text, unsigned int max, unsigned int *value, const char **end)
{
    char *after = NULL;
    uint64_t number;

    errno = 0;
    number = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &after, 10) : 0;
    if (after == NULL || errno != 0 || number > max) {
        return false;
    }
    *value = (unsigned int)number;
    *end = after;
    return true;
}
