/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KEY DOMAIN 80 52 P1 P2: status, DKEK shares, creating and deleting DKEK domains (protocol
 * sections 6.8 and 13).
 */
#include <openssl/crypto.h>

#include "commands.h"
#include "kek.h"

static bool put_status(const struct sim_domain *domain, struct sim_buf *out)
{
    uint8_t kcv[SIM_KCV_LEN] = { 0 };
    /* the check value stays zero while shares are missing */
    if (sim_kek_is_ready(domain) && !sim_kek_check_value(domain, kcv)) {
        return false;
    }
    sim_buf_put_u8(out, domain->shares);
    sim_buf_put_u8(out, domain->outstanding);
    sim_buf_put(out, kcv, sizeof(kcv));
    return true;
}

static uint16_t query_or_import(struct sim_card *card, struct sim_domain *domain,
                                struct sim_slice data, struct sim_buf *out)
{
    if (!domain->created) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (data.len != 0) {
        if (data.len != SIM_KEK_LEN) {
            return SIM_SW_WRONG_LENGTH;
        }
        /* no PIN needed: sc-hsm-tool sends shares without one */
        if (domain->outstanding == 0) {
            return SIM_SW_CONDITIONS;
        }
        for (size_t i = 0; i < SIM_KEK_LEN; i++) {
            domain->kek[i] ^= data.data[i];
        }
        domain->outstanding--;
        card->state.dirty = true;
    }
    return put_status(domain, out) ? SIM_SW_OK : SIM_SW_INTERNAL;
}

static uint16_t create(struct sim_card *card, struct sim_domain *domain, struct sim_slice data,
                       struct sim_buf *out)
{
    if (data.len != 1) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (data.data[0] == 0) {
        return SIM_SW_WRONG_DATA;
    }
    if (domain->created) {
        return SIM_SW_EXISTS;
    }
    *domain =
        (struct sim_domain){ .created = true, .shares = data.data[0], .outstanding = data.data[0] };
    card->state.dirty = true;
    return put_status(domain, out) ? SIM_SW_OK : SIM_SW_INTERNAL;
}

static uint16_t delete_domain(struct sim_card *card, struct sim_domain *domain,
                              struct sim_slice data, struct sim_buf *out)
{
    const struct sim_state *state = &card->state;
    (void)out;
    if (data.len != 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (!domain->created) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    for (size_t i = 0; i < state->n_keys; i++) {
        if (&state->domains[state->keys[i].domain] == domain) {
            return SIM_SW_EXISTS;
        }
    }
    OPENSSL_cleanse(domain, sizeof(*domain));
    card->state.dirty = true;
    return SIM_SW_OK;
}

static uint16_t delete_kek(struct sim_card *card, struct sim_domain *domain, struct sim_slice data,
                           struct sim_buf *out)
{
    if (data.len != 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (!domain->created) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    /* a key chosen by the card itself has no shares that could bring it back */
    if (domain->shares == 0) {
        return SIM_SW_CONDITIONS;
    }
    OPENSSL_cleanse(domain->kek, sizeof(domain->kek));
    domain->outstanding = domain->shares;
    card->state.dirty = true;
    return put_status(domain, out) ? SIM_SW_OK : SIM_SW_INTERNAL;
}

static const struct operation {
    uint8_t p1;
    bool needs_user;
    uint16_t (*run)(struct sim_card *card, struct sim_domain *domain, struct sim_slice data,
                    struct sim_buf *out);
} operations[] = {
    { 0x00, false, query_or_import },
    { 0x01, true, create },
    { 0x03, true, delete_domain },
    { 0x04, true, delete_kek },
};

uint16_t sim_cmd_key_domain(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    if (state->n_domains == 0) {
        return SIM_SW_UNKNOWN_INS;
    }
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (operations[i].p1 != apdu->p1) {
            continue;
        }
        if (operations[i].needs_user && !sim_card_is_authenticated(card)) {
            return SIM_SW_NOT_AUTHENTICATED;
        }
        if (apdu->p2 >= state->n_domains) {
            return SIM_SW_WRONG_P1P2;
        }
        return operations[i].run(card, &state->domains[apdu->p2], apdu->data, out);
    }
    return SIM_SW_WRONG_P1P2;
}
