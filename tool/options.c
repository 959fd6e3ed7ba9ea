/* SPDX-License-Identifier: Apache-2.0 */
/* The options, and the parser of the command line. */
#include "tool.h"

#include <string.h>

/* These are settings of the provider's configuration by the same name. */
static int set_config(struct schsm_tool *tool, const struct schsm_option *option, const char *value,
                      struct schsm_error *err)
{
    return schsm_config_set(&tool->context.config, "the command line", option->name, value, err);
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
    { "reader", 'r', "R", "use the device in this PC/SC reader (its name or a part of it)",
      set_config },
    { "serial", '\0', "S", "use the device with this serial number", set_config },
    { "pin-source", '\0', "SRC", "take the PIN from file:PATH, env:NAME, fd:N, prompt or pinpad",
      set_config },
    { "json", '\0', NULL, "print JSON instead of tables", set_json },
    { "help", 'h', NULL, "explain the tool, or the command that is given", set_help },
    { "version", 'V', NULL, "print the version", set_version },
    { NULL, '\0', NULL, NULL, NULL },
};
#define OPTION_COUNT (sizeof(schsm_options) / sizeof(schsm_options[0]) - 1)

struct parser {
    struct schsm_tool *tool;
    char **argv;
    int argc;
    int next;          /* the next word of argv */
    unsigned int seen; /* a bit for each option with an argument that was met */
};

/* value: what stands behind `=` or the letter; NULL: take the next word if one is needed. */
static int apply(struct parser *parser, const struct schsm_option *option, const char *value,
                 struct schsm_error *err)
{
    unsigned int bit = 1u << (option - schsm_options);

    if (option->argument == NULL) {
        return option->set(parser->tool, option, NULL, err);
    }
    if (value == NULL) {
        if (parser->next == parser->argc) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "option --%s needs a value, %s",
                              option->name, option->argument);
        }
        value = parser->argv[parser->next++];
    }
    if ((parser->seen & bit) != 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "option --%s is given twice", option->name);
    }
    parser->seen |= bit;
    return option->set(parser->tool, option, value, err);
}

static int parse_long(struct parser *parser, const char *word, struct schsm_error *err)
{
    size_t len = strcspn(word, "=");
    const char *value = word[len] == '=' ? word + len + 1 : NULL;

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct schsm_option *option = &schsm_options[i];

        if (strlen(option->name) != len || memcmp(option->name, word, len) != 0) {
            continue;
        }
        if (value != NULL && option->argument == NULL) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "option --%s takes no value",
                              option->name);
        }
        return apply(parser, option, value, err);
    }
    /* Never what stands behind the `=`: with a name misspelt it may be a secret. */
    return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "there is no option --%.*s; '" SCHSM_TOOL_NAME " --help' lists them",
                      (int)(len < 40 ? len : 40), word);
}

static int parse_letters(struct parser *parser, const char *letters, struct schsm_error *err)
{
    while (*letters != '\0') {
        size_t i = 0;

        while (i < OPTION_COUNT && schsm_options[i].letter != *letters) {
            i++;
        }
        if (i == OPTION_COUNT) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "there is no option -%c; '" SCHSM_TOOL_NAME " --help' lists them",
                              *letters);
        }
        letters++;
        if (schsm_options[i].argument != NULL) {
            return apply(parser, &schsm_options[i], *letters != '\0' ? letters : NULL, err);
        }
        if (!apply(parser, &schsm_options[i], NULL, err)) {
            return 0;
        }
    }
    return 1;
}

/* The first word that is no option is the command, the others are its arguments. */
static int take_words(struct schsm_tool *tool, const char **words, size_t count,
                      struct schsm_error *err)
{
    if (count == 0) {
        return 1;
    }
    tool->command = schsm_command_find(words[0]);
    if (tool->command == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "there is no command '%.40s'; '" SCHSM_TOOL_NAME " --help' lists them",
                          words[0]);
    }
    tool->arguments = words + 1;
    tool->argument_count = count - 1;
    if (tool->argument_count > tool->command->arguments_max) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "'%.40s' is one argument too many; '" SCHSM_TOOL_NAME
                          " help %s' explains the command",
                          tool->arguments[tool->command->arguments_max], tool->command->name);
    }
    return 1;
}

int schsm_tool_parse(struct schsm_tool *tool, int argc, char **argv, const char **words,
                     struct schsm_error *err)
{
    struct parser parser = { .tool = tool, .argv = argv, .argc = argc, .next = 1 };
    size_t count = 0;
    bool only_words = false;

    while (parser.next < argc) {
        const char *word = argv[parser.next++];

        if (only_words || word[0] != '-' || word[1] == '\0') {
            words[count++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_words = true;
        } else if (!(word[1] == '-' ? parse_long(&parser, word + 2, err)
                                    : parse_letters(&parser, word + 1, err))) {
            return 0;
        }
    }
    return take_words(tool, words, count, err);
}
