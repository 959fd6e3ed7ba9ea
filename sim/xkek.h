/* SPDX-License-Identifier: Apache-2.0 */
/* Key agreement with a key on another card (protocol sections 6.5 and 15.5). */
#ifndef SIM_XKEK_H
#define SIM_XKEK_H

#include "card.h"
#include "keys.h"

/*
 * ECDH with the authenticated public key of another device, whose request is `peer`: content of
 * 67, or the whole of it. The shared point goes to `out`. Status word: 9000; 6A80 malformed, or a
 * key on another curve; 6985 made by a device that the card does not trust.
 */
uint16_t sim_xkek_authenticated(struct sim_card *card, struct sim_key *key, struct sim_slice peer,
                                struct sim_buf *out);

/*
 * The same with a peer that names this key's XKEK domain in its extension: the domain gets its
 * key encryption key. Further status words: 6A80 no extension; 6A88 another domain.
 */
uint16_t sim_xkek_agree(struct sim_card *card, struct sim_key *key, struct sim_slice peer,
                        struct sim_buf *out);

#endif
