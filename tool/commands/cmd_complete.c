/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm complete: what a shell asks when somebody presses Tab. */
#include "tool/commands.h"

#include <stdint.h>

#include "tool/completion.h"

static int run_complete(struct schsm_tool *tool, struct schsm_error *err)
{
    return schsm_complete(tool->arguments, tool->argument_count, err);
}

const struct schsm_command schsm_command_complete = {
    .name = "complete",
    .synopsis = "-- WORD...",
    .arguments_max = SIZE_MAX,
    .summary = "Tell a shell what may come next",
    .help =
        "Prints how the last of the words, which may be empty, can go on behind the others. This "
        "is what the completion of bash, zsh and fish asks; 'help --completion' prints the "
        "scripts.\n"
        "In each line stands a word, and behind a tab what it is; or :files or :folders, where "
        "the shell knows more, with behind the tab what stands before the name in the same "
        "word.\n"
        "Serial numbers, readers and names of objects are asked of the devices, for at most 2 "
        "seconds, or as many as SC_HSM_COMPLETION_WAIT says. No PIN is asked for or used.\n"
        " sc-hsm complete -- keygen --type ec:\n",
    .by_itself = true,
    .run = run_complete,
};
