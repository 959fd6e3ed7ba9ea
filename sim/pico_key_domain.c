/* SPDX-License-Identifier: Apache-2.0 */
/* KEY DOMAIN of a Pico HSM (protocol sections 6.8, 15.6 and 19). */
#include <string.h>

#include <openssl/crypto.h>

#include "cvc_read.h"
#include "fs.h"
#include "kek.h"
#include "pico.h"
#include "public_key.h"
#include "tlv.h"

enum {
    NO_DOMAIN = 0xFF, /* in place of a number of shares */
    P1_IMPORT = 0x00,
    P1_CREATE = 0x01,
    P1_CREATE_XKEK = 0x02,
    P1_DELETE = 0x03,
    P1_DELETE_KEK = 0x04,
};

/* The key encryption key is stored under the PIN: without a login there is no check value. */
static bool put_status(const struct sim_card *card, const struct sim_domain *domain,
                       struct sim_buf *out)
{
    uint8_t kcv[SIM_KCV_LEN] = { 0 };
    bool has_shares = domain->shares > domain->outstanding || domain->is_agreed;
    bool logged_in = card->user_verified || card->so_verified;
    if (logged_in && has_shares && !sim_kek_check_value(domain, kcv)) {
        return false;
    }
    sim_buf_put_u8(out, domain->is_xkek ? NO_DOMAIN : domain->shares);
    sim_buf_put_u8(out, domain->outstanding);
    sim_buf_put(out, kcv, sizeof(kcv));
    sim_buf_put(out, domain->uid, domain->uid_len);
    return true;
}

static uint16_t query_or_import(struct sim_card *card, struct sim_domain *domain,
                                struct sim_slice data, struct sim_buf *out)
{
    (void)out;
    if (data.len == 0) {
        return domain->created ? SIM_SW_OK : SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (data.len < SIM_KEK_LEN) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (!domain->created || domain->outstanding == 0) {
        return SIM_PICO_NOT_ALLOWED;
    }
    for (size_t i = 0; i < SIM_KEK_LEN; i++) {
        domain->kek[i] ^= data.data[i];
    }
    domain->outstanding--;
    card->state.dirty = true;
    return SIM_SW_OK;
}

static uint16_t create(struct sim_card *card, struct sim_domain *domain, struct sim_slice data,
                       struct sim_buf *out)
{
    (void)out;
    if (data.len != 1) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (domain->created) {
        return SIM_SW_WRONG_P1P2;
    }
    *domain =
        (struct sim_domain){ .created = true, .shares = data.data[0], .outstanding = data.data[0] };
    card->state.dirty = true;
    return SIM_SW_OK;
}

/* Whether the group signer has signed the x of the device's own public key. */
static bool is_member(const struct sim_key *device, const struct sim_public_key *group_signer,
                      struct sim_slice signature)
{
    struct sim_buf point = { 0 }, signed_data = { 0 };
    bool ok = device->kind == SIM_KEY_EC && sim_key_put_point(device, &point);
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

/* The whole point of the group signer names the domain; who made its request is not asked. */
static uint16_t create_xkek(struct sim_card *card, struct sim_domain *domain, struct sim_slice data,
                            struct sim_buf *out)
{
    struct sim_slice certificate, membership;
    struct sim_cvc request;
    struct sim_public_key signer;
    struct sim_buf point = { 0 };
    (void)out;
    if (data.len == 0) {
        return SIM_SW_OK;
    }
    if (!sim_pico_find_object(data, SIM_TAG_MEMBERSHIP, &membership)) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (!sim_pico_find_object(data, SIM_TAG_CERTIFICATE, &certificate) ||
        !sim_cvc_read(&request, certificate) ||
        !sim_public_key_parse(&signer, request.public_key, NULL)) {
        return SIM_SW_CONDITIONS;
    }
    uint16_t sw = SIM_SW_CONDITIONS;
    if (is_member(&card->state.device_key, &signer, membership) &&
        sim_public_key_put_point(&signer, &point) && point.len - 1 <= SIM_MAX_UID) {
        *domain = (struct sim_domain){ .created = true, .is_xkek = true };
        domain->uid_len = (uint8_t)(point.len - 1);
        memcpy(domain->uid, point.data + 1, domain->uid_len);
        card->state.dirty = true;
        sw = SIM_SW_OK;
    }
    sim_buf_free(&point);
    sim_public_key_free(&signer);
    return sw;
}

/* What was deleted is answered as what is not there. */
static uint16_t delete_domain(struct sim_card *card, struct sim_domain *domain,
                              struct sim_slice data, struct sim_buf *out)
{
    const struct sim_state *state = &card->state;
    (void)data;
    for (size_t i = 0; i < state->n_keys; i++) {
        if (&state->domains[state->keys[i].domain] == domain) {
            return SIM_SW_EXISTS;
        }
    }
    if (!domain->created) {
        return SIM_SW_WRONG_P1P2;
    }
    OPENSSL_cleanse(domain, sizeof(*domain));
    card->state.dirty = true;
    /* an error in its status, and done: the dispatcher must not undo that */
    sim_buf_clear(out);
    return sim_card_commit(card) ? SIM_SW_REFERENCE_NOT_FOUND : SIM_SW_MEMORY_FAILURE;
}

static uint16_t delete_kek(struct sim_card *card, struct sim_domain *domain, struct sim_slice data,
                           struct sim_buf *out)
{
    (void)data;
    (void)out;
    OPENSSL_cleanse(domain->kek, sizeof(domain->kek));
    domain->is_agreed = false;
    domain->outstanding = domain->shares;
    card->state.dirty = true;
    return SIM_SW_OK;
}

static const struct operation {
    uint8_t p1;
    uint16_t (*run)(struct sim_card *card, struct sim_domain *domain, struct sim_slice data,
                    struct sim_buf *out);
} operations[] = {
    { P1_IMPORT, query_or_import }, { P1_CREATE, create },         { P1_CREATE_XKEK, create_xkek },
    { P1_DELETE, delete_domain },   { P1_DELETE_KEK, delete_kek },
};

uint16_t sim_pico_key_domain(struct sim_card *card, const struct sim_apdu *apdu,
                             struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    bool logged_in = card->user_verified && sim_card_is_authenticated(card);
    /* without data nobody is asked who they are */
    if (apdu->data.len > 0 && !logged_in && sim_apdu_p1p2(apdu) != 0) {
        return SIM_SW_CONDITIONS;
    }
    if (apdu->p2 >= SIM_PICO_DOMAINS || state->n_domains == 0) {
        return SIM_SW_WRONG_OFFSET;
    }
    if (apdu->p2 >= state->n_domains) {
        return SIM_SW_WRONG_P1P2;
    }
    struct sim_domain *domain = &state->domains[apdu->p2];
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (operations[i].p1 != apdu->p1) {
            continue;
        }
        uint16_t sw = operations[i].run(card, domain, apdu->data, out);
        return sw == SIM_SW_OK && !put_status(card, domain, out) ? SIM_PICO_FAILED : sw;
    }
    return SIM_SW_WRONG_P1P2;
}
