/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INITIALIZE DEVICE 80 50 00 00: erase everything and set PINs, options and key domains; without
 * data: free memory and version (protocol section 6.7).
 */
#include <string.h>

#include <openssl/rand.h>

#include "commands.h"
#include "memory.h"
#include "pin.h"
#include "tlv.h"

enum { DEFAULT_TRIES = 3 };

/* The data objects of the command, each at its place; `data` NULL when absent. */
struct request {
    struct sim_slice options, user_pin, so_pin, tries, shares, pka, template1, template2, domains;
};

static const struct {
    uint32_t tag;
    size_t min, max; /* length */
    size_t offset;   /* of the slice in struct request */
} objects[] = {
    { 0x80, 2, 2, offsetof(struct request, options) },
    { 0x81, SIM_MIN_PIN, SIM_MAX_PIN, offsetof(struct request, user_pin) },
    { 0x82, SIM_SO_PIN_LEN, SIM_SO_PIN_LEN, offsetof(struct request, so_pin) },
    { 0x91, 1, 1, offsetof(struct request, tries) },
    { 0x92, 1, 1, offsetof(struct request, shares) },
    { 0x93, 2, 2, offsetof(struct request, pka) },
    { 0x95, 1, SIM_MAX_AID, offsetof(struct request, template1) },
    { 0x96, 1, SIM_MAX_AID, offsetof(struct request, template2) },
    { 0x97, 1, 1, offsetof(struct request, domains) },
};

/* Retry counters allowed for short PINs (section 5.1). */
static uint8_t max_tries(size_t pin_len)
{
    return pin_len == 6 ? 3 : pin_len == 7 ? 5 : 10;
}

static bool parse_object(struct request *request, uint32_t tag, struct sim_slice value)
{
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        if (objects[i].tag != tag) {
            continue;
        }
        struct sim_slice *to = (struct sim_slice *)(void *)((char *)request + objects[i].offset);
        if (to->data != NULL || value.len < objects[i].min || value.len > objects[i].max) {
            return false;
        }
        *to = value;
        return true;
    }
    return false;
}

static uint16_t options_of(const struct request *request)
{
    struct sim_slice in = request->options;
    uint16_t options = 0;
    sim_slice_u16(&in, &options);
    return options;
}

static uint8_t tries_of(const struct request *request)
{
    return request->tries.data != NULL ? request->tries.data[0] : DEFAULT_TRIES;
}

static bool pin_and_pka_fit(const struct request *request)
{
    bool with_pin = request->user_pin.data != NULL, with_pka = request->pka.data != NULL;
    if (with_pin &&
        (tries_of(request) < 1 || tries_of(request) > max_tries(request->user_pin.len))) {
        return false;
    }
    if (with_pka && (request->pka.data[0] < 1 || request->pka.data[0] > SIM_MAX_PKA_KEYS ||
                     request->pka.data[1] < 1 || request->pka.data[1] > request->pka.data[0])) {
        return false;
    }
    if ((options_of(request) & SIM_OPT_PIN_AND_PKA) != 0) {
        return with_pin && with_pka;
    }
    return with_pin || with_pka;
}

static bool parse(struct request *request, struct sim_slice data, const struct sim_profile *profile)
{
    while (data.len > 0) {
        uint32_t tag;
        struct sim_slice value;
        if (!sim_tlv_next(&data, &tag, &value) || !parse_object(request, tag, value)) {
            return false;
        }
    }
    if (request->options.data == NULL || request->so_pin.data == NULL) {
        return false;
    }
    if ((options_of(request) & ~profile->device->options) != 0) {
        return false;
    }
    /* public keys and key domains came with later applets (section 1.3) */
    if (profile->device->fci == SIM_FCI_FIRST && request->pka.data != NULL) {
        return false;
    }
    if (!profile->device->key_domains && request->domains.data != NULL) {
        return false;
    }
    /* a device has either the one classic DKEK or key domains */
    if (request->domains.data != NULL &&
        (request->shares.data != NULL || request->domains.data[0] == 0)) {
        return false;
    }
    return pin_and_pka_fit(request);
}

/* The first SO-PIN is free to choose; later ones must match (section 5.2). */
static uint16_t check_so_pin(struct sim_card *card, struct sim_slice so_pin)
{
    struct sim_pin *pin = &card->state.so_pin;
    if (pin->len != 0) {
        return sim_pin_check(card, pin, so_pin);
    }
    sim_pin_set(card, pin, so_pin);
    pin->tries_max = pin->tries_left = SIM_SO_PIN_TRIES;
    return SIM_SW_OK;
}

static void set_aid(struct sim_aid *aid, struct sim_slice value)
{
    aid->len = (uint8_t)value.len;
    if (value.len > 0) {
        memcpy(aid->value, value.data, value.len);
    }
}

static bool set_domains(struct sim_state *state, const struct request *request)
{
    if (request->domains.data != NULL) {
        state->n_domains = request->domains.data[0];
        return true;
    }
    if (request->shares.data == NULL) {
        return true;
    }
    struct sim_domain *domain = &state->domains[0];
    state->n_domains = 1;
    domain->created = true;
    domain->shares = domain->outstanding = request->shares.data[0];
    /* no shares: the card chooses a DKEK that nobody else will ever have */
    return domain->shares > 0 || RAND_bytes(domain->kek, sizeof(domain->kek)) == 1;
}

static uint16_t initialize(struct sim_card *card, const struct request *request)
{
    struct sim_state *state = &card->state;
    card->so_verified = false;
    card->user_verified = false;
    card->just_initialised = false;
    uint16_t sw = check_so_pin(card, request->so_pin);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    sim_state_erase(state);
    card->current_fid = 0;
    card->pka = (struct sim_pka_session){ 0 };
    state->initialised = true;
    /* sc-hsm-tool asks for session PINs along with biometrics; this card has none to give */
    state->options = options_of(request) & (uint16_t)~SIM_OPT_SESSION_PIN;
    if (request->user_pin.data != NULL) {
        sim_pin_set(card, &state->user_pin, request->user_pin);
        state->user_pin.tries_max = state->user_pin.tries_left = tries_of(request);
        state->transport_pin = (state->options & SIM_OPT_TRANSPORT_PIN) != 0;
    }
    if (request->pka.data != NULL) {
        state->pka_total = request->pka.data[0];
        state->pka_required = request->pka.data[1];
    }
    set_aid(&state->biometric[0], request->template1);
    set_aid(&state->biometric[1], request->template2);
    if (!set_domains(state, request)) {
        return SIM_SW_INTERNAL;
    }
    /* the rest of the session counts as authenticated, as on real cards: label and so on */
    card->just_initialised = true;
    return SIM_SW_OK;
}

static uint16_t report(const struct sim_card *card, struct sim_buf *out)
{
    const uint8_t version[] = { 0x00, card->profile->major, card->profile->minor };
    sim_buf_put_u32(out, sim_memory_left(&card->state));
    sim_buf_put(out, version, sizeof(version));
    return SIM_SW_OK;
}

uint16_t sim_cmd_initialize_device(struct sim_card *card, const struct sim_apdu *apdu,
                                   struct sim_buf *out)
{
    struct request request = { 0 };
    if (sim_apdu_p1p2(apdu) != 0) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->data.len == 0) {
        return report(card, out);
    }
    /* nothing malformed may cost an SO-PIN try */
    if (!parse(&request, apdu->data, card->profile)) {
        return SIM_SW_WRONG_DATA;
    }
    return initialize(card, &request);
}
