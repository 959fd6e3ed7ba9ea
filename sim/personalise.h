/* SPDX-License-Identifier: Apache-2.0 */
/* Making a new card: what the manufacturer does before it is sold (protocol section 12). */
#ifndef SIM_PERSONALISE_H
#define SIM_PERSONALISE_H

#include <stdbool.h>

struct sim_buf;
struct sim_state;

#define SIM_DEFAULT_SERIAL "UTSIM00001"

/*
 * Whether `serial` can be one: two letters and 1 to 9 letters or digits, upper case, so that the
 * holder reference, the serial with "00000" behind it, has the form of section 11.1.
 */
bool sim_serial_is_valid(const char *serial);

/*
 * Fill the empty `state` with an uninitialised card of this serial number: device key
 * (brainpoolP256r1), its certificate under the issuer of all virtual cards (pki.h), EF 2F02. False
 * when libcrypto fails.
 */
bool sim_personalise(struct sim_state *state, const char *serial);

/*
 * Append the content of EF 2F02: a certificate for the device key under the issuer of all virtual
 * cards, then that issuer's. False when libcrypto fails.
 */
bool sim_personalise_put_chain(struct sim_buf *out, const struct sim_state *state);

#endif
