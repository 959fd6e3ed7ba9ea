/* SPDX-License-Identifier: Apache-2.0 */
/* Why the PC/SC service cannot be reached, in words. For transport_pcsc.c. */
#ifndef SCHSM_CARD_PCSC_SERVICE_H
#define SCHSM_CARD_PCSC_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Remembers which root directory this process has, once for it and its children, so that a later
 * chroot is noticed. */
void schsm_pcsc_remember_root(void);

/* The socket at which the service is looked for; *named: PCSCLITE_CSOCK_NAME says so. */
const char *schsm_pcsc_socket(bool *named);

/* Fails with NO_SERVICE. refused: the service is there and does not let this user in. */
int schsm_pcsc_fail_service(struct schsm_error *err, bool refused);

/* The name of the user that this process runs as. */
void schsm_pcsc_user_name(char *name, size_t size);

#endif
