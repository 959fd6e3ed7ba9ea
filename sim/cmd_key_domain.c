/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KEY DOMAIN 80 52 P1 P2: status, DKEK shares, creating and deleting key domains (protocol
 * sections 6.8, 13 and 15).
 */
#include <string.h>

#include <openssl/crypto.h>

#include "commands.h"
#include "kek.h"
#include "tlv.h"
#include "trust.h"

static bool put_status(const struct sim_domain *domain, struct sim_buf *out)
{
    uint8_t kcv[SIM_KCV_LEN] = { 0 };
    /* the check value stays zero while shares are missing, or nothing was agreed */
    if (sim_kek_is_ready(domain) && !sim_kek_check_value(domain, kcv)) {
        return false;
    }
    sim_buf_put_u8(out, domain->shares);
    sim_buf_put_u8(out, domain->outstanding);
    sim_buf_put(out, kcv, sizeof(kcv));
    if (domain->is_xkek) {
        sim_buf_put(out, domain->uid, domain->uid_len);
    }
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
        /* no PIN needed: sc-hsm-tool sends shares without one; an XKEK domain wants none */
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

/* Whether the group signer has signed the x of this card's own device key (section 15.3). */
static bool is_member(const struct sim_card *card, const struct sim_public_key *group_signer,
                      struct sim_slice signature)
{
    struct sim_buf point = { 0 }, signed_data = { 0 };
    const struct sim_key *device = &card->state.device_key;
    bool ok = sim_key_put_point(device, &point);
    sim_buf_put_u8(&signed_data, SIM_TAG_MEMBERSHIP);
    if (ok) {
        sim_buf_put(&signed_data, point.data + 1, device->size);
    }
    ok = ok && !signed_data.failed &&
         sim_public_key_verify(group_signer, sim_buf_slice(&signed_data), signature);
    sim_buf_free(&point);
    sim_buf_free(&signed_data);
    return ok;
}

/* The x coordinate of the group signer's point names the domain. */
static bool set_uid(struct sim_domain *domain, const struct sim_public_key *group_signer)
{
    struct sim_buf point = { 0 };
    bool ok =
        sim_public_key_put_point(group_signer, &point) && point.len == 1 + 2 * (size_t)SIM_UID_LEN;
    if (ok) {
        memcpy(domain->uid, point.data + 1, SIM_UID_LEN);
        domain->uid_len = SIM_UID_LEN;
    }
    sim_buf_free(&point);
    return ok;
}

/* Data: the group signer's request as content of 67, and 54 with its signature for this card. */
static uint16_t create_xkek(struct sim_card *card, struct sim_domain *domain, struct sim_slice data,
                            struct sim_buf *out)
{
    struct sim_cvc_authenticated request;
    struct sim_slice membership;
    struct sim_public_key group_signer;
    uint32_t tag;
    if (!sim_cvc_take_authenticated(&request, &data) || !sim_tlv_next(&data, &tag, &membership) ||
        tag != SIM_TAG_MEMBERSHIP || data.len != 0) {
        return SIM_SW_WRONG_DATA;
    }
    if (domain->created) {
        return SIM_SW_EXISTS;
    }
    uint16_t sw = sim_trust_check_request(card, &request, &group_signer);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    *domain = (struct sim_domain){ .created = true, .is_xkek = true };
    card->state.dirty = true;
    if (group_signer.kind != SIM_KEY_EC || !set_uid(domain, &group_signer)) {
        sw = SIM_SW_NOT_SUPPORTED;
    } else if (!is_member(card, &group_signer, membership)) {
        sw = SIM_SW_CONDITIONS;
    } else if (!put_status(domain, out)) {
        sw = SIM_SW_INTERNAL;
    }
    sim_public_key_free(&group_signer);
    return sw;
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
    if (!domain->is_xkek && domain->shares == 0) {
        return SIM_SW_CONDITIONS;
    }
    OPENSSL_cleanse(domain->kek, sizeof(domain->kek));
    domain->is_agreed = false;
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
    { 0x00, false, query_or_import }, { 0x01, true, create },     { 0x02, true, create_xkek },
    { 0x03, true, delete_domain },    { 0x04, true, delete_kek },
};

uint16_t sim_cmd_key_domain(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    if (state->n_domains == 0) {
        return SIM_SW_UNKNOWN_INS;
    }
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (operations[i].p1 != apdu->p1 ||
            (operations[i].p1 != 0 && !card->profile->device->key_domains)) {
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
