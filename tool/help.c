/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "exit_status.h"
#include "output.h"

#define WIDTH 80 /* columns of running text */

/* Prints one paragraph, broken between words, the lines after the first one indented. */
static void print_paragraph(const char *text, size_t len, size_t column, size_t indent)
{
    while (len > 0) {
        size_t word = 0;

        while (word < len && text[word] != ' ') {
            word++;
        }
        if (column > indent && column + 1 + word > WIDTH) {
            printf("\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)word, text);
        column += word;
        text += word;
        len -= word;
        while (len > 0 && *text == ' ') {
            text++;
            len--;
        }
    }
    putchar('\n');
}

static void print_help_text(const char *help)
{
    while (*help != '\0') {
        size_t len = strcspn(help, "\n");

        if (help[0] == ' ') {
            printf("%.*s\n", (int)len, help);
        } else {
            print_paragraph(help, len, 0, 0);
        }
        help += len + (help[len] == '\n');
    }
}

static void print_options(const char *heading, const struct schsm_option *options)
{
    char name[128];

    printf("\n%s\n", heading);
    for (const struct schsm_option *option = options; option->name != NULL; option++) {
        char letter[] = { '-', option->letter, ',', '\0' };

        (void)snprintf(name, sizeof(name), "%s --%s%s%s", option->letter != '\0' ? letter : "   ",
                       option->name, option->argument != NULL ? " " : "",
                       option->argument != NULL ? option->argument : "");
        printf("  %-24s", name);
        if (strlen(name) >= 24) {
            printf("\n%26s", "");
        }
        print_paragraph(option->summary, strlen(option->summary), 28 - 2, 28 - 2);
    }
}

/* All commands, or those of one group. */
static int print_commands(const char *group, struct schsm_error *err)
{
    struct schsm_table table;

    puts("\nCommands:");
    schsm_table_init(&table, 2, NULL);
    for (size_t i = 0; schsm_commands[i] != NULL; i++) {
        const struct schsm_command *command = schsm_commands[i];

        if (group == NULL || schsm_command_in_group(command, group, strlen(group))) {
            schsm_table_addf(&table, "  %s%s%s", command->name,
                             command->synopsis[0] != '\0' ? " " : "", command->synopsis);
            schsm_table_add(&table, command->summary);
        }
    }
    return schsm_table_print(&table, err);
}

static void print_exit_statuses(void)
{
    puts("\nExit status:");
    for (size_t status = 0; schsm_exit_text(status) != NULL; status++) {
        printf("  %zu  %s\n", status, schsm_exit_text(status));
    }
}

static int help_tool(struct schsm_error *err)
{
    puts("Usage: " SCHSM_TOOL_NAME " [OPTION...] COMMAND [ARGUMENT...]\n");
    puts("Looks after SmartCard-HSM devices: initialising, PINs, keys, certificates and data,\n"
         "backup, key domains, and what a device can prove about its keys.");
    if (!print_commands(NULL, err)) {
        return 0;
    }
    print_options("Options of every command:", schsm_options);
    print_exit_statuses();
    puts("\n'" SCHSM_TOOL_NAME " help COMMAND' explains a command.");
    return 1;
}

static int help_group(const char *group, struct schsm_error *err)
{
    printf("Usage: " SCHSM_TOOL_NAME " [OPTION...] %s COMMAND [ARGUMENT...]\n", group);
    if (!print_commands(group, err)) {
        return 0;
    }
    printf("\n'" SCHSM_TOOL_NAME " help %s COMMAND' explains a command.\n", group);
    return 1;
}

int schsm_help(const struct schsm_command *command, const char *group, struct schsm_error *err)
{
    if (command == NULL) {
        return group != NULL ? help_group(group, err) : help_tool(err);
    }
    printf("Usage: " SCHSM_TOOL_NAME " [OPTION...] %s%s%s\n\n", command->name,
           command->synopsis[0] != '\0' ? " " : "", command->synopsis);
    print_help_text(command->help);
    if (command->options != NULL) {
        print_options("Options:", command->options);
    }
    print_options("Options of every command:", schsm_options);
    return 1;
}
