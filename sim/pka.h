/* SPDX-License-Identifier: Apache-2.0 */
/* Public-key authentication: who is registered, and who proved to be there (section 16). */
#ifndef SIM_PKA_H
#define SIM_PKA_H

#include "buf.h"
#include "state.h"

struct sim_card;

enum { SIM_CHALLENGE_LEN = 8 }; /* of an EXTERNAL AUTHENTICATE, section 6.1 */

/* How one challenge may be used; it is not known of genuine cards (section 16.5). */
enum sim_challenge_rule {
    SIM_CHALLENGE_ONCE,   /* for one EXTERNAL AUTHENTICATE; another one takes nothing back */
    SIM_CHALLENGE_SHARED, /* for all of them; another one starts all over, as on Pico */
};

/* What lasts until SELECT or reset; all zero: nothing. */
struct sim_pka_session {
    bool authenticated[SIM_MAX_PKA_KEYS];
    uint8_t selected; /* MANAGE SECURITY ENVIRONMENT: place of the key and 1; 0: none */
    bool has_challenge;
    uint8_t challenge[SIM_CHALLENGE_LEN];
};

/* The place of the registered key with this name; -1 when there is none. */
int sim_pka_find(const struct sim_state *state, struct sim_slice chr);

/* How many keys are still to be registered. */
uint8_t sim_pka_missing(const struct sim_state *state);

/* How many keys are authenticated in this session. */
uint8_t sim_pka_authenticated(const struct sim_card *card);

/* Whether public-key authentication is set up and as many keys as required are authenticated. */
bool sim_pka_is_complete(const struct sim_card *card);

/* Remember a challenge that was just given out; of any other length it can't be used here. */
void sim_pka_set_challenge(struct sim_card *card, struct sim_slice challenge);

#endif
