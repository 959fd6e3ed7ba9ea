/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, each defined in the file of its name. */
#ifndef SCHSM_TOOL_COMMANDS_H
#define SCHSM_TOOL_COMMANDS_H

#include "tool.h"

extern const struct schsm_command schsm_command_apdu;
extern const struct schsm_command schsm_command_attest;
extern const struct schsm_command schsm_command_backup;
extern const struct schsm_command schsm_command_backup_verify;
extern const struct schsm_command schsm_command_cat;
extern const struct schsm_command schsm_command_ceremony;
extern const struct schsm_command schsm_command_cert_delete;
extern const struct schsm_command schsm_command_cert_export;
extern const struct schsm_command schsm_command_cert_import;
extern const struct schsm_command schsm_command_cert_self_sign;
extern const struct schsm_command schsm_command_cert_show;
extern const struct schsm_command schsm_command_complete;
extern const struct schsm_command schsm_command_config;
extern const struct schsm_command schsm_command_copy;
extern const struct schsm_command schsm_command_csr;
extern const struct schsm_command schsm_command_data_delete;
extern const struct schsm_command schsm_command_data_list;
extern const struct schsm_command schsm_command_data_read;
extern const struct schsm_command schsm_command_data_write;
extern const struct schsm_command schsm_command_decrypt;
extern const struct schsm_command schsm_command_decrypt_backup;
extern const struct schsm_command schsm_command_delete;
extern const struct schsm_command schsm_command_derive;
extern const struct schsm_command schsm_command_dkek_create_share;
extern const struct schsm_command schsm_command_dkek_import_share;
extern const struct schsm_command schsm_command_dkek_recrypt_share;
extern const struct schsm_command schsm_command_dkek_status;
extern const struct schsm_command schsm_command_doctor;
extern const struct schsm_command schsm_command_domain_clear;
extern const struct schsm_command schsm_command_domain_create;
extern const struct schsm_command schsm_command_domain_create_exchange_key;
extern const struct schsm_command schsm_command_domain_create_signer;
extern const struct schsm_command schsm_command_domain_delete;
extern const struct schsm_command schsm_command_domain_derive;
extern const struct schsm_command schsm_command_domain_export_id;
extern const struct schsm_command schsm_command_domain_export_key;
extern const struct schsm_command schsm_command_domain_issue_membership;
extern const struct schsm_command schsm_command_domain_list;
extern const struct schsm_command schsm_command_encrypt;
extern const struct schsm_command schsm_command_help;
extern const struct schsm_command schsm_command_import;
extern const struct schsm_command schsm_command_init;
extern const struct schsm_command schsm_command_keygen;
extern const struct schsm_command schsm_command_label;
extern const struct schsm_command schsm_command_list;
extern const struct schsm_command schsm_command_logout;
extern const struct schsm_command schsm_command_ls;
extern const struct schsm_command schsm_command_mac;
extern const struct schsm_command schsm_command_mirror;
extern const struct schsm_command schsm_command_pin_change;
extern const struct schsm_command schsm_command_pin_unblock;
extern const struct schsm_command schsm_command_pka_authenticate;
extern const struct schsm_command schsm_command_pka_export;
extern const struct schsm_command schsm_command_pka_register;
extern const struct schsm_command schsm_command_pka_status;
extern const struct schsm_command schsm_command_pool;
extern const struct schsm_command schsm_command_pubkey;
extern const struct schsm_command schsm_command_random;
extern const struct schsm_command schsm_command_readers;
extern const struct schsm_command schsm_command_rename;
extern const struct schsm_command schsm_command_restore;
extern const struct schsm_command schsm_command_so_pin_change;
extern const struct schsm_command schsm_command_status;
extern const struct schsm_command schsm_command_tidy;
extern const struct schsm_command schsm_command_unwrap;
extern const struct schsm_command schsm_command_verify_pin;
extern const struct schsm_command schsm_command_wrap;

#endif
