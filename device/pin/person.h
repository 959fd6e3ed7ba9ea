/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that ask a person for the PIN where there may be no terminal, in the place of our own
 * prompt. All are called, and fail, as schsm_pin_prompt_read does. */
#ifndef SCHSM_PIN_PERSON_H
#define SCHSM_PIN_PERSON_H

#include "prompt.h"

/* GnuPG's pinentry, in a window or on the terminal, by the Assuan protocol. */
int schsm_pinentry_read(const struct schsm_pin_prompt *prompt, char *line, size_t *len,
                        struct schsm_error *err);

/* systemd-ask-password: at the terminal where there is one, else by whatever agent answers
 * systemd's questions: at the console, at boot, or systemd-tty-ask-password-agent. */
int schsm_ask_password_read(const struct schsm_pin_prompt *prompt, char *line, size_t *len,
                            struct schsm_error *err);

#endif
