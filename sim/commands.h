/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the card. To add one: write cmd_NAME.c with its handler, declare the handler
 * here, and give it a line in the table of commands.c.
 */
#ifndef SIM_COMMANDS_H
#define SIM_COMMANDS_H

#include "apdu.h"
#include "card.h"

/*
 * A handler executes one parsed command and returns the status word. It appends response data to
 * `out`; the dispatcher cuts that to Le, stores a changed state, and undoes every change of the
 * state when the status word tells of an error.
 */
typedef uint16_t sim_handler(struct sim_card *card, const struct sim_apdu *apdu,
                             struct sim_buf *out);

enum {
    SIM_CMD_ANY_APPLET = 1,    /* answered whichever applet is selected */
    SIM_CMD_NEEDS_USER = 2,    /* 6982 unless the user is authenticated */
    SIM_CMD_HIDE_DATA = 4,     /* command data carries secrets: never logged */
    SIM_CMD_HIDE_RESPONSE = 8, /* response data is secret: never logged */
};

struct sim_command {
    uint8_t cla, ins;
    uint8_t flags; /* SIM_CMD_... */
    sim_handler *handler;
};

/* The commands of applets since 2.0, of those before, and of the Pico HSM. */
extern const struct sim_command sim_commands[], sim_commands_first[], sim_commands_pico[];

/*
 * The command for CLA and INS in a table; with `cla` < 0 the first one of that INS. NULL if
 * unknown.
 */
const struct sim_command *sim_command_find(const struct sim_command *table, int cla, uint8_t ins);

sim_handler sim_cmd_change_reference_data;            /* 24, protocol section 5.3 */
sim_handler sim_cmd_decipher;                         /* 62, section 6.5 */
sim_handler sim_cmd_delete_file;                      /* E4, section 4.5 */
sim_handler sim_cmd_derive_key;                       /* 76, section 6.11 */
sim_handler sim_cmd_enumerate_objects;                /* 58, section 4.2 */
sim_handler sim_cmd_external_authenticate;            /* 82, section 6.15 */
sim_handler sim_cmd_general_authenticate;             /* 86, section 17.1 */
sim_handler sim_cmd_generate_key_pair;                /* 46, section 6.2 */
sim_handler sim_cmd_generate_symmetric_key;           /* 48, section 6.3 */
sim_handler sim_cmd_get_challenge;                    /* 84, section 6.1 */
sim_handler sim_cmd_get_response;                     /* C0, section 2.1 */
sim_handler sim_cmd_initialize_device;                /* 50, section 6.7 */
sim_handler sim_cmd_key_domain;                       /* 52, section 6.8 */
sim_handler sim_cmd_manage_public_key_authentication; /* 54, section 6.12 */
sim_handler sim_cmd_manage_security_environment;      /* 22, section 6.13 */
sim_handler sim_cmd_read_binary;                      /* B1, section 4.3 */
sim_handler sim_cmd_reset_retry_counter;              /* 2C, section 5.4 */
sim_handler sim_cmd_select;                           /* A4, section 3 */
sim_handler sim_cmd_sign;                             /* 68, section 6.4 */
sim_handler sim_cmd_symmetric_cipher;                 /* 78, section 6.6 */
sim_handler sim_cmd_unwrap_key;                       /* 74, section 6.10 */
sim_handler sim_cmd_update_binary;                    /* D7, section 4.4 */
sim_handler sim_cmd_verify;                           /* 20, section 5.1 */
sim_handler sim_cmd_verify_certificate;               /* 2A, section 6.14 */
sim_handler sim_cmd_wrap_key;                         /* 72, section 6.9 */

#endif
