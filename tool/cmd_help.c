/* SPDX-License-Identifier: Apache-2.0 */
/* Help text, made from the tables of commands, options and exit statuses. */
#include "tool.h"

#include <stdio.h>

#include "exit_status.h"
#include "output.h"

static void print_options(void)
{
    struct schsm_table table;

    puts("\nOptions:");
    schsm_table_init(&table, 2, NULL);
    for (const struct schsm_option *option = schsm_options; option->name != NULL; option++) {
        char letter[] = { '-', option->letter, ',', '\0' };

        schsm_table_addf(&table, "  %s --%s%s%s", option->letter != '\0' ? letter : "   ",
                         option->name, option->argument != NULL ? " " : "",
                         option->argument != NULL ? option->argument : "");
        schsm_table_add(&table, option->summary);
    }
    schsm_table_print(&table, NULL);
}

static void print_usage(const char *command, const char *synopsis)
{
    (void)fputs("Usage: " SCHSM_TOOL_NAME, stdout);
    for (const struct schsm_option *option = schsm_options; option->name != NULL; option++) {
        if (option->argument != NULL) {
            printf(" [--%s %s]", option->name, option->argument);
        }
    }
    printf(" [--json] %s%s%s\n", command, synopsis[0] != '\0' ? " " : "", synopsis);
}

void schsm_help_tool(void)
{
    struct schsm_table table;

    print_usage("COMMAND", "[ARGUMENT]");
    puts("\nLooks after SmartCard-HSM devices: what is plugged in, its state, the objects on it.");
    puts("\nCommands:");
    schsm_table_init(&table, 2, NULL);
    for (const struct schsm_command *command = schsm_commands; command->name != NULL; command++) {
        schsm_table_addf(&table, "  %s%s%s", command->name, command->synopsis[0] != '\0' ? " " : "",
                         command->synopsis);
        schsm_table_add(&table, command->summary);
    }
    schsm_table_print(&table, NULL);
    print_options();
    puts("\nExit status:");
    for (size_t status = 0; schsm_exit_text(status) != NULL; status++) {
        printf("  %zu  %s\n", status, schsm_exit_text(status));
    }
    puts("\n'" SCHSM_TOOL_NAME " help COMMAND' explains a command.");
}

void schsm_help_command(const struct schsm_command *command)
{
    print_usage(command->name, command->synopsis);
    printf("\n%s", command->help);
    print_options();
}

int schsm_cmd_help(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_command *command = NULL;

    if (tool->argument_count == 0) {
        schsm_help_tool();
        return 1;
    }
    command = schsm_command_find(tool->arguments[0]);
    if (command == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "there is no command '%.40s'; '" SCHSM_TOOL_NAME " --help' lists them",
                          tool->arguments[0]);
    }
    schsm_help_command(command);
    return 1;
}
