/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

static const struct sim_command commands[] = {
    { 0x00, 0x20, sim_cmd_verify, SIM_CMD_HIDE_DATA },
    { 0x00, 0x24, sim_cmd_change_reference_data, SIM_CMD_HIDE_DATA },
    { 0x00, 0x2C, sim_cmd_reset_retry_counter, SIM_CMD_HIDE_DATA },
    { 0x00, 0x46, sim_cmd_generate_key_pair, SIM_CMD_NEEDS_USER },
    { 0x00, 0x84, sim_cmd_get_challenge, 0 },
    { 0x00, 0xA4, sim_cmd_select, SIM_CMD_ANY_APPLET },
    { 0x00, 0xB1, sim_cmd_read_binary, 0 },
    { 0x00, 0xC0, sim_cmd_get_response, SIM_CMD_ANY_APPLET },
    { 0x00, 0xD7, sim_cmd_update_binary, 0 },
    { 0x00, 0xE4, sim_cmd_delete_file, 0 },
    { 0x80, 0x50, sim_cmd_initialize_device, SIM_CMD_HIDE_DATA },
    { 0x80, 0x52, sim_cmd_key_domain, SIM_CMD_HIDE_DATA },
    { 0x80, 0x58, sim_cmd_enumerate_objects, 0 },
    { 0x80, 0x62, sim_cmd_decipher, SIM_CMD_NEEDS_USER | SIM_CMD_HIDE_RESPONSE },
    { 0x80, 0x68, sim_cmd_sign, SIM_CMD_NEEDS_USER },
};

const struct sim_command *sim_command_find(int cla, uint8_t ins)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (commands[i].ins == ins && (cla < 0 || commands[i].cla == cla))
            return &commands[i];
    return NULL;
}
