/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing PINs with their retry counters (protocol sections 5.1 and 5.2). */
#ifndef SIM_PIN_H
#define SIM_PIN_H

#include "apdu.h"
#include "card.h"

/*
 * Compare `value` with a PIN of this card. A try is taken off the counter and stored before the
 * comparison, so that cutting the power wins nothing. Status word: 9000 (counter back at its
 * maximum), 63Cx, 6983 (already the last wrong try), 6581 when the counter could not be stored.
 */
uint16_t sim_pin_check(struct sim_card *card, struct sim_pin *pin, struct sim_slice value);

/* Status word of a PIN that is set and was not verified: 63Cx or 6983. */
uint16_t sim_pin_status(const struct sim_pin *pin);

/* Give a PIN a new value, leaving its counters; `value` is at most SIM_MAX_PIN bytes. */
void sim_pin_set(struct sim_card *card, struct sim_pin *pin, struct sim_slice value);

/* Whether a user PIN may have this length. */
bool sim_pin_length_is_valid(size_t len);

#endif
