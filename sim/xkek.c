/* SPDX-License-Identifier: Apache-2.0 */
#include "xkek.h"

#include <string.h>

#include "cvc_read.h"
#include "ecdh.h"
#include "tlv.h"
#include "trust.h"

static bool read_peer(struct sim_cvc_authenticated *peer, struct sim_slice in)
{
    struct sim_slice content = in, whole = in;
    uint32_t tag;
    /* clients differ in whether they send the tag 67 */
    if (sim_tlv_next(&whole, &tag, &in) && tag == SIM_TAG_REQUEST) {
        if (whole.len != 0) {
            return false;
        }
        content = in;
    }
    return sim_cvc_take_authenticated(peer, &content) && content.len == 0;
}

static uint16_t agree(struct sim_card *card, const struct sim_key *key,
                      const struct sim_cvc_authenticated *peer, struct sim_buf *out)
{
    struct sim_public_key peer_key;
    struct sim_buf point = { 0 };
    uint16_t sw = sim_trust_check_request(card, peer, &peer_key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (peer_key.curve != key->curve || !sim_public_key_put_point(&peer_key, &point)) {
        sw = SIM_SW_WRONG_DATA;
    } else if (!sim_ecdh(key, sim_buf_slice(&point), out)) {
        sw = SIM_SW_INTERNAL;
    }
    sim_buf_free(&point);
    sim_public_key_free(&peer_key);
    return sw;
}

uint16_t sim_xkek_authenticated(struct sim_card *card, struct sim_key *key, struct sim_slice peer,
                                struct sim_buf *out)
{
    struct sim_cvc_authenticated request;
    return read_peer(&request, peer) ? agree(card, key, &request, out) : SIM_SW_WRONG_DATA;
}

/* The key's own domain, if the peer's extension names it. */
static struct sim_domain *common_domain(struct sim_state *state, const struct sim_key *key,
                                        struct sim_slice uid)
{
    struct sim_domain *domain = &state->domains[key->domain];
    const struct sim_slice own = { domain->uid, domain->uid_len };
    bool is_common = key->domain < state->n_domains && domain->created && domain->is_xkek &&
                     sim_slice_equal(own, uid);
    return is_common ? domain : NULL;
}

uint16_t sim_xkek_agree(struct sim_card *card, struct sim_key *key, struct sim_slice peer,
                        struct sim_buf *out)
{
    struct sim_cvc_authenticated request;
    struct sim_buf shared = { 0 };
    struct sim_slice uid;
    (void)out; /* the secret stays on the card */
    if (!read_peer(&request, peer) || !sim_cvc_key_domain_uid(&request.request, &uid)) {
        return SIM_SW_WRONG_DATA;
    }
    struct sim_domain *domain = common_domain(&card->state, key, uid);
    if (domain == NULL) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (key->size < SIM_KEK_LEN) {
        return SIM_SW_NOT_SUPPORTED;
    }
    uint16_t sw = agree(card, key, &request, &shared);
    if (sw == SIM_SW_OK) {
        memcpy(domain->kek, shared.data + 1, SIM_KEK_LEN);
        domain->is_agreed = true;
        card->state.dirty = true;
    }
    sim_buf_free(&shared);
    return sw;
}
