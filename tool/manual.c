/* SPDX-License-Identifier: Apache-2.0 */
/* The man page's generated sections. What stands around them is docs/sc-hsm.1.in. */
#include <stdio.h>
#include <string.h>

#include "exit_status.h"
#include "help.h"

/* Text as roff takes it: no hyphen that could be broken, nothing that looks like a request. */
static void print_roff(const char *text, size_t len)
{
    if (len > 0 && (text[0] == '.' || text[0] == '\'')) {
        (void)fputs("\\&", stdout);
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-') {
            (void)fputs("\\-", stdout);
        } else if (text[i] == '\\') {
            (void)fputs("\\e", stdout);
        } else {
            putchar(text[i]);
        }
    }
}

static void print_line(const char *text)
{
    print_roff(text, strlen(text));
    putchar('\n');
}

static void print_option(const struct schsm_option *option)
{
    puts(".TP");
    if (option->letter != '\0') {
        printf("\\fB\\-%c\\fR, ", option->letter);
    }
    (void)fputs("\\fB\\-\\-", stdout);
    print_roff(option->name, strlen(option->name));
    (void)fputs("\\fR", stdout);
    if (option->argument != NULL) {
        (void)fputs(" \\fI", stdout);
        print_roff(option->argument, strlen(option->argument));
        (void)fputs("\\fR", stdout);
    }
    putchar('\n');
    print_roff(option->summary, strlen(option->summary));
    puts(".");
}

static void print_roff_help(const char *help)
{
    bool example = false, first = true;

    while (*help != '\0') {
        size_t len = strcspn(help, "\n");
        bool verbatim = help[0] == ' ';

        if (verbatim != example) {
            puts(verbatim ? ".sp\n.nf" : ".fi\n.sp");
        } else if (!first && !verbatim) {
            puts(".sp");
        }
        print_roff(help, len);
        putchar('\n');
        example = verbatim;
        first = false;
        help += len + (help[len] == '\n');
    }
    if (example) {
        puts(".fi");
    }
}

static void print_command(const struct schsm_command *command)
{
    (void)fputs(".SS \"", stdout);
    print_roff(command->name, strlen(command->name));
    if (command->synopsis[0] != '\0') {
        (void)fputs(" \\fI", stdout);
        print_roff(command->synopsis, strlen(command->synopsis));
        (void)fputs("\\fR", stdout);
    }
    puts("\"");
    print_roff(command->summary, strlen(command->summary));
    puts(".\n.sp");
    print_roff_help(command->help);
    for (const struct schsm_option *option = command->options;
         option != NULL && option->name != NULL; option++) {
        print_option(option);
    }
}

int schsm_help_manual(struct schsm_error *err)
{
    (void)err;
    puts(".SH COMMANDS");
    for (size_t i = 0; schsm_commands[i] != NULL; i++) {
        print_command(schsm_commands[i]);
    }
    puts(".SH OPTIONS OF EVERY COMMAND");
    for (const struct schsm_option *option = schsm_options; option->name != NULL; option++) {
        print_option(option);
    }
    puts(".SH EXIT STATUS");
    for (size_t status = 0; schsm_exit_text(status) != NULL; status++) {
        printf(".TP\n.B %zu\n", status);
        print_line(schsm_exit_text(status));
    }
    return 1;
}
