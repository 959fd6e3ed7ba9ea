/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire to vpcd, the virtual reader driver in pcscd: TCP, each message a 2-byte big-endian
 * length and that many bytes. A message of one byte controls power (0 off, 1 on, 2 reset) or asks
 * for the ATR (4); everything else is a command APDU, answered by a message.
 */
#ifndef SIM_VPCD_H
#define SIM_VPCD_H

#include <stdbool.h>

struct sim_card;

/*
 * Be the card in the reader at HOST:PORT until SIGTERM or SIGINT: connect, retry while nobody
 * listens, reconnect when the connection drops. Faults may be asked for over a socket at
 * `control_path` (control.h; NULL: none). False when HOST or PORT make no sense or signals or
 * socket cannot be set up, explained on stderr.
 */
bool sim_vpcd_serve(struct sim_card *card, const char *host, const char *port,
                    const char *control_path);

#endif
