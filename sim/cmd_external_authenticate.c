/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EXTERNAL AUTHENTICATE 00 82 00 00: the signature of the registered key that MANAGE SECURITY
 * ENVIRONMENT chose, over this card's name and the challenge it gave (protocol sections 6.15, 16.4
 * and 16.5).
 */
#include <string.h>

#include <openssl/crypto.h>

#include "commands.h"
#include "pka.h"
#include "public_key.h"

static bool verify(const struct sim_card *card, const struct sim_pka_key *registered,
                   struct sim_slice signature)
{
    struct sim_public_key key;
    struct sim_buf message = { 0 };
    if (!sim_public_key_parse(&key, sim_buf_slice(&registered->public_key), NULL)) {
        return false;
    }
    sim_buf_put(&message, card->state.device_chr, strlen(card->state.device_chr));
    sim_buf_put(&message, card->pka.challenge, sizeof(card->pka.challenge));
    bool ok = !message.failed && sim_public_key_verify(&key, sim_buf_slice(&message), signature);
    sim_buf_free(&message);
    sim_public_key_free(&key);
    return ok;
}

uint16_t sim_cmd_external_authenticate(struct sim_card *card, const struct sim_apdu *apdu,
                                       struct sim_buf *out)
{
    struct sim_pka_session *pka = &card->pka;
    (void)out;
    if (sim_apdu_p1p2(apdu) != 0) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->data.len == 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (pka->selected == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (!pka->has_challenge) {
        return SIM_SW_CONDITIONS;
    }
    size_t place = (size_t)pka->selected - 1;
    bool ok = verify(card, &card->state.pka_keys[place], apdu->data);
    if (card->challenge_rule == SIM_CHALLENGE_ONCE) {
        pka->has_challenge = false;
    }
    if (!ok) {
        return SIM_SW_CONDITIONS;
    }
    pka->authenticated[place] = true;
    pka->selected = 0;
    /* a shared challenge has served when enough keys have used it */
    if (sim_pka_is_complete(card)) {
        pka->has_challenge = false;
    }
    return SIM_SW_OK;
}
