/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of --log: one line "> HEX" for each command and one "< HEX SW" for each answer on
 * stderr, PINs, shares and deciphered data left out. What secure messaging protects follows as
 * ">> HEX" and "<< HEX SW", with the same left out. "= N ms" tells what --latency adds.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "apdu.h"

/* Log a command; `apdu` is its parsed form, complete only if `well_formed`. */
void sim_trace_command(const struct sim_apdu *apdu, bool well_formed, const uint8_t *bytes,
                       size_t len);

/* Log the command that secure messaging protected, after it was logged as it came. */
void sim_trace_plain_command(const struct sim_apdu *apdu);

/* Log response data and status word behind `sign`; with `hidden` only how long the data is. */
void sim_trace_response(const char *sign, const struct sim_buf *data, uint16_t sw, bool hidden);

/* Log how long the answer waits, to take as long as a real device does: "= N ms". */
void sim_trace_latency(unsigned ms);

#endif
