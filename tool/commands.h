/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, each defined in the file of its name. */
#ifndef SCHSM_TOOL_COMMANDS_H
#define SCHSM_TOOL_COMMANDS_H

#include "tool.h"

extern const struct schsm_command schsm_command_help;
extern const struct schsm_command schsm_command_list;
extern const struct schsm_command schsm_command_readers;
extern const struct schsm_command schsm_command_status;

#endif
