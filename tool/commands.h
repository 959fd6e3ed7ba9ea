/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, each defined in the file of its name. */
#ifndef SCHSM_TOOL_COMMANDS_H
#define SCHSM_TOOL_COMMANDS_H

#include "tool.h"

extern const struct schsm_command schsm_command_apdu;
extern const struct schsm_command schsm_command_cat;
extern const struct schsm_command schsm_command_help;
extern const struct schsm_command schsm_command_init;
extern const struct schsm_command schsm_command_label;
extern const struct schsm_command schsm_command_list;
extern const struct schsm_command schsm_command_ls;
extern const struct schsm_command schsm_command_pin_change;
extern const struct schsm_command schsm_command_pin_unblock;
extern const struct schsm_command schsm_command_random;
extern const struct schsm_command schsm_command_readers;
extern const struct schsm_command schsm_command_so_pin_change;
extern const struct schsm_command schsm_command_status;

#endif
