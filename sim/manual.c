/* SPDX-License-Identifier: Apache-2.0 */
#include "manual.h"

#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "options.h"

enum {
    HELP_COLUMN = 23, /* where the help's explanations begin */
    USAGE_WIDTH = 80,
};

static const char program[] = "sc-hsm-sim";

static bool is_shown(const struct sim_option *option)
{
    return option->help != NULL;
}

/* --state is the one option that a card cannot do without; the last ones are used alone. */
static bool is_required(const struct sim_option *option)
{
    return strcmp(option->name, "state") == 0;
}

static bool ends_the_program(const struct sim_option *option)
{
    return strcmp(option->name, "help") == 0 || strcmp(option->name, "version") == 0;
}

static void print_usage(void)
{
    int column = printf("usage: %s", program), indent = column;
    for (size_t i = 0; i < sim_n_options; i++) {
        const struct sim_option *option = &sim_options[i];
        char words[64];
        if (!is_shown(option) || ends_the_program(option)) {
            continue;
        }
        bool required = is_required(option);
        int len = snprintf(words, sizeof(words), "%s--%s%s%s%s", required ? "" : "[", option->name,
                           option->argument == NULL ? "" : " ",
                           option->argument == NULL ? "" : option->argument, required ? "" : "]");
        if (column + 1 + len > USAGE_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        }
        column += printf(" %s", words);
    }
    printf("\n");
}

void sim_manual_help(void)
{
    print_usage();
    printf("\n"
           "A SmartCard-HSM in software, plugged into the virtual reader vpcd of pcscd.\n"
           "It protects nothing: keys and PINs lie readable in the state file.\n"
           "\n");
    for (size_t i = 0; i < sim_n_options; i++) {
        const struct sim_option *option = &sim_options[i];
        if (is_shown(option)) {
            int column = printf("  --%s%s%s", option->name, option->argument == NULL ? "" : " ",
                                option->argument == NULL ? "" : option->argument);
            printf("%*s%s\n", HELP_COLUMN - column, "", option->help);
        }
    }
}

void sim_manual_version(void)
{
    printf("%s %s\n", program, SC_HSM_VERSION);
}

/* Text for troff: a hyphen that people may type, and no line that looks like a request. */
static void print_troff(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '-') {
            printf("\\-");
        } else if (*text == '\\') {
            printf("\\e");
        } else {
            (void)putchar(*text);
        }
    }
}

static void print_synopsis(void)
{
    printf(".SH SYNOPSIS\n.B ");
    print_troff(program);
    for (size_t i = 0; i < sim_n_options; i++) {
        const struct sim_option *option = &sim_options[i];
        if (!is_shown(option) || ends_the_program(option)) {
            continue;
        }
        printf(is_required(option) ? "\n.B \\-\\-" : "\n.RB [ \\-\\-");
        print_troff(option->name);
        if (option->argument != NULL) {
            printf(is_required(option) ? "\n.I %s" : "\n.IR %s", option->argument);
        }
        if (!is_required(option)) {
            printf(" ]");
        }
    }
    printf("\n");
}

static void print_options(void)
{
    printf(".SH OPTIONS\n");
    for (size_t i = 0; i < sim_n_options; i++) {
        const struct sim_option *option = &sim_options[i];
        if (!is_shown(option)) {
            continue;
        }
        printf(option->argument != NULL ? ".TP\n.BI \\-\\-" : ".TP\n.B \\-\\-");
        print_troff(option->name);
        if (option->argument != NULL) {
            printf(" \" %s\"", option->argument);
        }
        printf("\n");
        print_troff(option->manual);
        printf("\n");
    }
}

/* The words of the control socket. */
static void print_control(void)
{
    printf(".SH CONTROL SOCKET\n");
    print_troff("A line of text makes something go wrong, now or with the commands that come.\n"
                "Each is answered by lines of text, the last one \"ok\" or \"error:\" and why.\n");
    printf(".PP\n.nf\n.RS\n");
    print_troff("echo 'status 6F00 ins=68 count=2' | socat - UNIX-CONNECT:SOCKET\n");
    printf(".RE\n.fi\n.PP\n");
    print_troff("What waits for commands befalls the next one, or those that its settings tell: "
                "\"ins=II\" only this instruction byte, two hexadecimal digits; \"skip=N\" so many "
                "commands go well before; \"count=N\" so many are befallen; of a kill \"writes=N\" "
                "so many times the befallen command writes its state and goes on.\n");
    for (size_t i = 0; i < sim_n_fault_words; i++) {
        const struct sim_fault_word *word = &sim_fault_words[i];
        printf(word->argument != NULL ? ".TP\n.BI " : ".TP\n.B ");
        print_troff(word->name);
        if (word->argument != NULL) {
            printf(" \" %s\"", word->argument);
        }
        printf("\n");
        print_troff(word->manual);
        printf("\n");
    }
}

void sim_manual_page(void)
{
    print_synopsis();
    print_options();
    print_control();
}

void sim_manual_completion(void)
{
    printf("# bash completion for %s\n"
           "_sc_hsm_sim() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} words=\n"
           "    case ${COMP_WORDS[COMP_CWORD - 1]} in\n",
           program);
    for (size_t i = 0; i < sim_n_options; i++) {
        const struct sim_option *option = &sim_options[i];
        if (!is_shown(option) || option->argument == NULL) {
            continue;
        }
        if (option->values != NULL) {
            printf("    --%s) words='%s' ;;\n", option->name, option->values);
        } else {
            printf("    --%s) compopt -o default ;;\n", option->name);
        }
    }
    printf("    *) words='");
    for (size_t i = 0; i < sim_n_options; i++) {
        if (is_shown(&sim_options[i])) {
            printf("%s--%s", i == 0 ? "" : " ", sim_options[i].name);
        }
    }
    printf("' ;;\n"
           "    esac\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
           "}\n"
           "complete -F _sc_hsm_sim %s\n",
           program);
}
