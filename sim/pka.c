/* SPDX-License-Identifier: Apache-2.0 */
#include "pka.h"

#include <string.h>

#include "card.h"

int sim_pka_find(const struct sim_state *state, struct sim_slice chr)
{
    for (int i = 0; i < state->pka_total; i++) {
        const char *name = state->pka_keys[i].chr;
        if (name[0] != '\0' && strlen(name) == chr.len && memcmp(name, chr.data, chr.len) == 0) {
            return i;
        }
    }
    return -1;
}

uint8_t sim_pka_missing(const struct sim_state *state)
{
    uint8_t missing = 0;
    for (size_t i = 0; i < state->pka_total; i++) {
        missing = (uint8_t)(missing + (state->pka_keys[i].chr[0] == '\0'));
    }
    return missing;
}

uint8_t sim_pka_authenticated(const struct sim_card *card)
{
    uint8_t authenticated = 0;
    for (size_t i = 0; i < card->state.pka_total; i++) {
        authenticated = (uint8_t)(authenticated + card->pka.authenticated[i]);
    }
    return authenticated;
}

bool sim_pka_is_complete(const struct sim_card *card)
{
    return card->state.pka_total > 0 && sim_pka_authenticated(card) >= card->state.pka_required;
}

void sim_pka_set_challenge(struct sim_card *card, struct sim_slice challenge)
{
    struct sim_pka_session *pka = &card->pka;
    if (card->challenge_rule == SIM_CHALLENGE_SHARED) {
        memset(pka->authenticated, 0, sizeof(pka->authenticated));
    }
    pka->has_challenge = challenge.len == SIM_CHALLENGE_LEN;
    if (pka->has_challenge) {
        memcpy(pka->challenge, challenge.data, challenge.len);
    }
}
