/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <string.h>

#include "suggest.h"

/* One line each. */
/* clang-format off */
const struct schsm_command *const schsm_commands[] = {
    &schsm_command_readers,
    &schsm_command_status,
    &schsm_command_list,
    &schsm_command_doctor,
    &schsm_command_pool,
    &schsm_command_verify_pin,
    &schsm_command_logout,
    &schsm_command_init,
    &schsm_command_label,
    &schsm_command_pin_change,
    &schsm_command_pin_unblock,
    &schsm_command_so_pin_change,
    &schsm_command_config,
    &schsm_command_keygen,
    &schsm_command_pubkey,
    &schsm_command_csr,
    &schsm_command_cert_import,
    &schsm_command_cert_export,
    &schsm_command_cert_show,
    &schsm_command_cert_self_sign,
    &schsm_command_cert_delete,
    &schsm_command_data_write,
    &schsm_command_data_read,
    &schsm_command_data_list,
    &schsm_command_data_delete,
    &schsm_command_rename,
    &schsm_command_delete,
    &schsm_command_tidy,
    &schsm_command_encrypt,
    &schsm_command_decrypt,
    &schsm_command_mac,
    &schsm_command_derive,
    &schsm_command_dkek_create_share,
    &schsm_command_dkek_import_share,
    &schsm_command_dkek_status,
    &schsm_command_dkek_recrypt_share,
    &schsm_command_wrap,
    &schsm_command_unwrap,
    &schsm_command_import,
    &schsm_command_backup,
    &schsm_command_backup_verify,
    &schsm_command_restore,
    &schsm_command_decrypt_backup,
    &schsm_command_copy,
    &schsm_command_mirror,
    &schsm_command_domain_list,
    &schsm_command_domain_create,
    &schsm_command_domain_clear,
    &schsm_command_domain_delete,
    &schsm_command_domain_create_signer,
    &schsm_command_domain_export_id,
    &schsm_command_domain_issue_membership,
    &schsm_command_domain_create_exchange_key,
    &schsm_command_domain_export_key,
    &schsm_command_domain_derive,
    &schsm_command_ceremony,
    &schsm_command_attest,
    &schsm_command_pka_export,
    &schsm_command_pka_register,
    &schsm_command_pka_status,
    &schsm_command_pka_authenticate,
    &schsm_command_random,
    &schsm_command_ls,
    &schsm_command_cat,
    &schsm_command_apdu,
    &schsm_command_complete,
    &schsm_command_help,
    NULL,
};
/* clang-format on */

const struct schsm_command *schsm_command_find(const char *name)
{
    for (size_t i = 0; schsm_commands[i] != NULL; i++) {
        if (strcmp(schsm_commands[i]->name, name) == 0) {
            return schsm_commands[i];
        }
    }
    return NULL;
}

bool schsm_command_in_group(const struct schsm_command *command, const char *word, size_t len)
{
    return strncmp(command->name, word, len) == 0 && command->name[len] == ' ';
}

/* For a sentence: the command, or the first word of several, that somebody meant who wrote this. */
static void meant_command(const char *name, char text[SCHSM_SUGGESTION_TEXT_MAX])
{
    struct schsm_suggestion meant = SCHSM_SUGGESTION_INIT;

    for (size_t i = 0; schsm_commands[i] != NULL; i++) {
        const char *known = schsm_commands[i]->name;
        size_t first = strcspn(known, " ");

        schsm_suggest(&meant, name, known, strlen(known));
        schsm_suggest(&meant, name, known, first);
    }
    schsm_suggestion_text(&meant, "'", "'", text);
}

int schsm_command_unknown(const char *name, struct schsm_error *err)
{
    size_t first = strcspn(name, " ");
    char seconds[256] = "";
    char meant[SCHSM_SUGGESTION_TEXT_MAX];
    size_t len = 0;

    for (size_t i = 0; schsm_commands[i] != NULL; i++) {
        const char *second = schsm_commands[i]->name + first + 1;
        size_t second_len = 0;

        if (!schsm_command_in_group(schsm_commands[i], name, first)) {
            continue;
        }
        second_len = strlen(second);
        if (len + second_len + 3 < sizeof(seconds)) {
            memcpy(seconds + len, len > 0 ? ", " : "", len > 0 ? 2 : 0);
            len += len > 0 ? 2 : 0;
            memcpy(seconds + len, second, second_len + 1);
            len += second_len;
        }
    }
    if (len > 0 && name[first] == '\0') {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "say what '%.40s' is to do: %s", name,
                          seconds);
    }
    if (len > 0) {
        meant_command(name, meant);
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "there is no command '%.80s'; %sbehind '%.*s' comes one of: %s", name,
                          meant, (int)first, name, seconds);
    }
    meant_command(name, meant);
    return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "there is no command '%.40s'; %s'" SCHSM_TOOL_NAME " --help' lists them",
                      name, meant);
}
