/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <string.h>

#include "card.h"
#include "fs.h"
#include "tlv.h"

static bool make_trusted(struct sim_trusted *trusted, const struct sim_cvc *certificate,
                         const struct sim_curve *inherited)
{
    if (!certificate->has_role ||
        !sim_public_key_parse(&trusted->key, certificate->public_key, inherited)) {
        return false;
    }
    memcpy(trusted->chr, certificate->chr.data, certificate->chr.len);
    trusted->chr[certificate->chr.len] = '\0';
    trusted->role = certificate->role;
    return true;
}

/* Look for `chr` in a file of certificates that this card was made with. */
static bool find_own(const struct sim_buf *file, struct sim_slice chr, struct sim_trusted *trusted)
{
    struct sim_slice in = sim_buf_slice(file), content;
    uint32_t tag;
    while (in.len > 0 && sim_tlv_next(&in, &tag, &content) && tag == SIM_TAG_CERTIFICATE) {
        struct sim_cvc certificate;
        if (sim_cvc_read(&certificate, content) && sim_slice_equal(certificate.chr, chr)) {
            return make_trusted(trusted, &certificate, sim_curve_by_name(SIM_DEVICE_CURVE));
        }
    }
    return false;
}

static bool find_verified(const struct sim_trust *trust, struct sim_slice chr,
                          struct sim_trusted *trusted)
{
    size_t held = trust->n < SIM_MAX_TRUSTED ? trust->n : SIM_MAX_TRUSTED;
    for (size_t i = 0; i < held; i++) {
        const struct sim_trusted *candidate = &trust->verified[i];
        if (strlen(candidate->chr) == chr.len && memcmp(candidate->chr, chr.data, chr.len) == 0) {
            *trusted = *candidate;
            return EVP_PKEY_up_ref(trusted->key.pkey) == 1;
        }
    }
    return false;
}

bool sim_trust_find(struct sim_card *card, struct sim_slice chr, struct sim_trusted *trusted)
{
    const struct sim_file *chain = sim_fs_find(&card->state, SIM_FID_DEVICE_CERTIFICATE);
    *trusted = (struct sim_trusted){ 0 };
    return find_own(&card->state.root_certificate, chr, trusted) ||
           (chain != NULL && find_own(&chain->content, chr, trusted)) ||
           find_verified(&card->trust, chr, trusted);
}

/* A root makes issuers and issuers make devices; devices make no certificates. */
static bool role_allows(enum sim_cvc_role issuer, enum sim_cvc_role holder)
{
    return (issuer == SIM_ROLE_ROOT && holder == SIM_ROLE_DEVICE_ISSUER) ||
           (issuer == SIM_ROLE_DEVICE_ISSUER && holder == SIM_ROLE_DEVICE);
}

bool sim_trust_verify(struct sim_card *card, const struct sim_cvc *certificate,
                      const struct sim_trusted *issuer)
{
    struct sim_trust *trust = &card->trust;
    struct sim_trusted holder = { 0 }, known;
    struct sim_slice issuer_name = { (const uint8_t *)issuer->chr, strlen(issuer->chr) };
    if (!sim_slice_equal(certificate->car, issuer_name) || !certificate->has_role ||
        !role_allows(issuer->role, certificate->role) ||
        !sim_public_key_verify(&issuer->key, certificate->body, certificate->signature) ||
        !make_trusted(&holder, certificate, issuer->key.curve)) {
        return false;
    }
    if (sim_trust_find(card, certificate->chr, &known)) {
        /* the name is taken: fine for the same key, and nobody else may have it */
        bool same = EVP_PKEY_eq(known.key.pkey, holder.key.pkey) == 1;
        sim_public_key_free(&known.key);
        sim_public_key_free(&holder.key);
        return same;
    }
    struct sim_trusted *place = &trust->verified[trust->n++ % SIM_MAX_TRUSTED];
    sim_public_key_free(&place->key);
    *place = holder;
    return true;
}

uint16_t sim_trust_check_request(struct sim_card *card, const struct sim_cvc_authenticated *request,
                                 struct sim_public_key *key)
{
    struct sim_trusted device;
    if (!sim_public_key_parse(key, request->request.public_key, NULL)) {
        return SIM_SW_WRONG_DATA;
    }
    bool ok = sim_public_key_verify(key, request->request.body, request->request.signature);
    if (ok && sim_trust_find(card, request->outer_car, &device)) {
        ok = device.role == SIM_ROLE_DEVICE &&
             sim_public_key_verify(&device.key, request->outer_signed, request->outer_signature);
        sim_public_key_free(&device.key);
    } else {
        ok = false;
    }
    if (!ok) {
        sim_public_key_free(key);
        return SIM_SW_CONDITIONS;
    }
    return SIM_SW_OK;
}

void sim_trust_clear(struct sim_trust *trust)
{
    for (size_t i = 0; i < SIM_MAX_TRUSTED; i++) {
        sim_public_key_free(&trust->verified[i].key);
    }
    *trust = (struct sim_trust){ 0 };
}
