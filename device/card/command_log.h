/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and responses in the log, at level APDU. PINs and key material are left out of it. */
#ifndef SCHSM_CARD_COMMAND_LOG_H
#define SCHSM_CARD_COMMAND_LOG_H

#include <stddef.h>
#include <stdint.h>

/* As hex; the header only of what must stay secret. */
void schsm_log_command(const uint8_t *apdu, size_t len);
void schsm_log_response(const uint8_t *command, size_t command_len, const uint8_t *response,
                        size_t len);

#endif
