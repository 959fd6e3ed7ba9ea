/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "pico.h"

const struct sim_command sim_commands[] = {
    { 0x00, 0x20, SIM_CMD_HIDE_DATA, sim_cmd_verify },
    { 0x00, 0x22, 0, sim_cmd_manage_security_environment },
    { 0x00, 0x24, SIM_CMD_HIDE_DATA, sim_cmd_change_reference_data },
    { 0x00, 0x2A, 0, sim_cmd_verify_certificate },
    { 0x00, 0x2C, SIM_CMD_HIDE_DATA, sim_cmd_reset_retry_counter },
    { 0x00, 0x46, SIM_CMD_NEEDS_USER, sim_cmd_generate_key_pair },
    { 0x00, 0x48, SIM_CMD_NEEDS_USER, sim_cmd_generate_symmetric_key },
    { 0x00, 0x82, 0, sim_cmd_external_authenticate },
    { 0x00, 0x84, 0, sim_cmd_get_challenge },
    { 0x00, 0x86, 0, sim_cmd_general_authenticate },
    { 0x00, 0xA4, SIM_CMD_ANY_APPLET, sim_cmd_select },
    { 0x00, 0xB1, 0, sim_cmd_read_binary },
    { 0x00, 0xC0, SIM_CMD_ANY_APPLET, sim_cmd_get_response },
    { 0x00, 0xD7, 0, sim_cmd_update_binary },
    { 0x00, 0xE4, 0, sim_cmd_delete_file },
    { 0x80, 0x50, SIM_CMD_HIDE_DATA, sim_cmd_initialize_device },
    { 0x80, 0x52, SIM_CMD_HIDE_DATA, sim_cmd_key_domain },
    { 0x80, 0x54, 0, sim_cmd_manage_public_key_authentication },
    { 0x80, 0x58, 0, sim_cmd_enumerate_objects },
    { 0x80, 0x62, SIM_CMD_NEEDS_USER | SIM_CMD_HIDE_RESPONSE, sim_cmd_decipher },
    { 0x80, 0x68, SIM_CMD_NEEDS_USER, sim_cmd_sign },
    { 0x80, 0x72, SIM_CMD_NEEDS_USER, sim_cmd_wrap_key },
    { 0x80, 0x74, SIM_CMD_NEEDS_USER, sim_cmd_unwrap_key },
    { 0x80, 0x76, SIM_CMD_NEEDS_USER | SIM_CMD_HIDE_DATA, sim_cmd_derive_key },
    { 0x80, 0x78, SIM_CMD_NEEDS_USER | SIM_CMD_HIDE_DATA | SIM_CMD_HIDE_RESPONSE,
      sim_cmd_symmetric_cipher },
    { 0, 0, 0, NULL },
};

/* No symmetric keys, no public-key authentication, no derivation (section 1.3). */
const struct sim_command sim_commands_first[] = {
    { 0x00, 0x20, SIM_CMD_HIDE_DATA, sim_cmd_verify },
    { 0x00, 0x22, 0, sim_cmd_manage_security_environment },
    { 0x00, 0x24, SIM_CMD_HIDE_DATA, sim_cmd_change_reference_data },
    { 0x00, 0x2C, SIM_CMD_HIDE_DATA, sim_cmd_reset_retry_counter },
    { 0x00, 0x46, SIM_CMD_NEEDS_USER, sim_cmd_generate_key_pair },
    { 0x00, 0x84, 0, sim_cmd_get_challenge },
    { 0x00, 0xA4, SIM_CMD_ANY_APPLET, sim_cmd_select },
    { 0x00, 0xB1, 0, sim_cmd_read_binary },
    { 0x00, 0xC0, SIM_CMD_ANY_APPLET, sim_cmd_get_response },
    { 0x00, 0xD7, 0, sim_cmd_update_binary },
    { 0x00, 0xE4, 0, sim_cmd_delete_file },
    { 0x80, 0x50, SIM_CMD_HIDE_DATA, sim_cmd_initialize_device },
    { 0x80, 0x52, SIM_CMD_HIDE_DATA, sim_cmd_key_domain },
    { 0x80, 0x58, 0, sim_cmd_enumerate_objects },
    { 0x80, 0x62, SIM_CMD_NEEDS_USER | SIM_CMD_HIDE_RESPONSE, sim_cmd_decipher },
    { 0x80, 0x68, SIM_CMD_NEEDS_USER, sim_cmd_sign },
    { 0x80, 0x72, SIM_CMD_NEEDS_USER, sim_cmd_wrap_key },
    { 0x80, 0x74, SIM_CMD_NEEDS_USER, sim_cmd_unwrap_key },
    { 0, 0, 0, NULL },
};

const struct sim_command sim_commands_pico[] = {
    { 0x00, 0x20, SIM_CMD_HIDE_DATA, sim_pico_verify },
    { 0x00, 0x22, 0, sim_pico_manage_security_environment },
    { 0x00, 0x24, SIM_CMD_HIDE_DATA, sim_pico_change_reference_data },
    { 0x00, 0x2A, 0, sim_cmd_verify_certificate },
    { 0x00, 0x2C, SIM_CMD_HIDE_DATA, sim_pico_reset_retry_counter },
    { 0x00, 0x46, SIM_CMD_NEEDS_USER, sim_pico_generate_key_pair },
    { 0x00, 0x48, SIM_CMD_NEEDS_USER, sim_pico_generate_symmetric_key },
    { 0x00, 0x82, 0, sim_cmd_external_authenticate },
    { 0x00, 0x84, 0, sim_cmd_get_challenge },
    { 0x00, 0x86, 0, sim_pico_general_authenticate },
    { 0x00, 0xA4, SIM_CMD_ANY_APPLET, sim_pico_select },
    { 0x00, 0xB1, 0, sim_pico_read_binary },
    { 0x00, 0xC0, SIM_CMD_ANY_APPLET, sim_cmd_get_response },
    { 0x00, 0xD7, SIM_CMD_NEEDS_USER, sim_pico_update_binary },
    { 0x00, 0xE4, SIM_CMD_NEEDS_USER, sim_pico_delete_file },
    { 0x80, 0x50, SIM_CMD_HIDE_DATA, sim_pico_initialize_device },
    { 0x80, 0x52, SIM_CMD_HIDE_DATA, sim_pico_key_domain },
    { 0x80, 0x54, 0, sim_pico_manage_public_key_authentication },
    { 0x80, 0x58, 0, sim_pico_enumerate_objects },
    { 0x80, 0x62, SIM_CMD_NEEDS_USER | SIM_CMD_HIDE_RESPONSE, sim_pico_decipher },
    { 0x80, 0x64, 0, sim_pico_extras },
    { 0x80, 0x68, SIM_CMD_NEEDS_USER, sim_pico_sign },
    { 0x80, 0x72, SIM_CMD_NEEDS_USER, sim_pico_wrap_key },
    { 0x80, 0x74, SIM_CMD_NEEDS_USER, sim_pico_unwrap_key },
    { 0x80, 0x76, SIM_CMD_NEEDS_USER | SIM_CMD_HIDE_DATA, sim_pico_derive_key },
    { 0x80, 0x78, SIM_CMD_NEEDS_USER | SIM_CMD_HIDE_DATA | SIM_CMD_HIDE_RESPONSE,
      sim_pico_symmetric_cipher },
    { 0, 0, 0, NULL },
};

const struct sim_command *sim_command_find(const struct sim_command *table, int cla, uint8_t ins)
{
    for (const struct sim_command *at = table; at->handler != NULL; at++) {
        if (at->ins == ins && (cla < 0 || at->cla == cla)) {
            return at;
        }
    }
    return NULL;
}
