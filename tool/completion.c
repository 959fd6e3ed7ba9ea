/* SPDX-License-Identifier: Apache-2.0 */
/* The completion script for bash. */
#include <stdio.h>
#include <string.h>

#include "help.h"

static void print_option_words(const struct schsm_option *options)
{
    for (const struct schsm_option *option = options; option != NULL && option->name != NULL;
         option++) {
        printf(" --%s", option->name);
    }
}

/* The options with a value, as a pattern of `case`. */
static void print_valued(const struct schsm_option *options)
{
    for (const struct schsm_option *option = options; option != NULL && option->name != NULL;
         option++) {
        if (option->argument != NULL) {
            printf(" | --%s", option->name);
            if (option->letter != '\0') {
                printf(" | -%c", option->letter);
            }
        }
    }
}

/* What may follow these words: first words where group is NULL, else the second ones. */
static void print_words(const char *group, size_t group_len)
{
    const char *last = "";
    size_t last_len = 0;

    for (size_t i = 0; schsm_commands[i] != NULL; i++) {
        const char *word = schsm_commands[i]->name;
        size_t len = 0;

        if (group != NULL) {
            if (!schsm_command_in_group(schsm_commands[i], group, group_len)) {
                continue;
            }
            word += group_len + 1;
        }
        len = strcspn(word, " ");
        if (len != last_len || memcmp(word, last, len) != 0) {
            printf(" %.*s", (int)len, word);
        }
        last = word;
        last_len = len;
    }
}

/* A case for each command of two words, or of one and for each first word. */
static void print_cases(bool two)
{
    const char *last = "";
    size_t last_len = 0;

    for (size_t i = 0; schsm_commands[i] != NULL; i++) {
        const struct schsm_command *command = schsm_commands[i];
        size_t len = strcspn(command->name, " ");
        bool is_two = command->name[len] == ' ';
        bool new_word = len != last_len || memcmp(command->name, last, len) != 0;

        if (is_two == two) {
            printf("    ' %s' | ' %s '*) words='", command->name, command->name);
            print_words(command->name, strlen(command->name));
            (void)fputs("' options='", stdout);
            print_option_words(command->options);
            puts("' ;;");
        } else if (is_two && new_word) {
            printf("    ' %.*s') words='", (int)len, command->name);
            print_words(command->name, len);
            puts("' ;;");
        }
        last = command->name;
        last_len = len;
    }
}

int schsm_help_completion(struct schsm_error *err)
{
    (void)err;
    puts("# bash completion for " SCHSM_TOOL_NAME "; made by '" SCHSM_TOOL_NAME
         " help --completion'.");
    puts("_sc_hsm()\n{\n"
         "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "    local word words= options= skip=\n"
         "    COMPREPLY=()\n"
         "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "        if [ -n \"$skip\" ]; then\n"
         "            skip=\n"
         "            continue\n"
         "        fi\n"
         "        case $word in");
    (void)fputs("        --@", stdout); /* no option, so that each pattern can begin alike */
    print_valued(schsm_options);
    for (size_t i = 0; schsm_commands[i] != NULL; i++) {
        print_valued(schsm_commands[i]->options);
    }
    puts(") skip=yes ;;\n"
         "        -*) ;;\n"
         "        *) words=\"$words $word\" ;;\n"
         "        esac\n"
         "    done\n"
         "    case $previous in\n"
         "    --*source) COMPREPLY=($(compgen -W 'file: env: fd: prompt' -- \"$current\"))\n"
         "        return ;;\n"
         "    esac\n"
         "    if [ -n \"$skip\" ]; then\n"
         "        COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "        return\n"
         "    fi\n"
         "    case $words in");
    (void)fputs("    '') words='", stdout);
    print_words(NULL, 0);
    puts("' ;;");
    /* Commands of two words first: `backup verify` is no argument of `backup`. */
    print_cases(true);
    print_cases(false);
    puts("    *) words= ;;\n    esac");
    (void)fputs("    options=\"$options", stdout);
    print_option_words(schsm_options);
    puts("\"\n"
         "    case $current in\n"
         "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\")) ;;\n"
         "    *)\n"
         "        if [ -n \"$words\" ]; then\n"
         "            COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "        else\n"
         "            COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "        fi ;;\n"
         "    esac\n"
         "}\n"
         "complete -o filenames -F _sc_hsm " SCHSM_TOOL_NAME);
    return 1;
}
