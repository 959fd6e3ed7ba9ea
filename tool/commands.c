/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, in the order in which the help shows them. */
#include "tool.h"

#include <string.h>

const struct schsm_command schsm_commands[] = {
    { "readers", "", 0, "Show the readers and what is in them",
      "Lists every reader that the PC/SC service knows: whether a card is in it, whether that "
      "card\n"
      "is a SmartCard-HSM, and its serial number. --reader and --serial do not narrow this list.\n",
      schsm_cmd_readers },
    { "status", "", 0, "Show the state of the device: PINs, version, DKEK",
      "Shows for each device: its serial number and label, the version of its software, whether "
      "it\n"
      "is initialised, the state of PIN and SO-PIN with the tries that are left, and the state of\n"
      "its device key encryption key (DKEK). No PIN is needed, no try is spent, and nobody is\n"
      "logged out. What the device tells only after somebody logged out is shown as unknown.\n",
      schsm_cmd_status },
    { "list", "[URI]", 1, "Show keys, certificates and data objects",
      "Shows what is on the device, each object with the sc-hsm: URI that names it for openssl.\n"
      "A URI as argument narrows the list, for example sc-hsm:type=cert or sc-hsm:id=10. No PIN "
      "is\n"
      "needed; the size of a data object that is read only after login stays unknown.\n",
      schsm_cmd_list },
    { "help", "[COMMAND]", 1, "Explain a command",
      "Explains the command, or shows all commands and options.\n", schsm_cmd_help },
    { NULL, NULL, 0, NULL, NULL, NULL },
};

const struct schsm_command *schsm_command_find(const char *name)
{
    for (const struct schsm_command *command = schsm_commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}
