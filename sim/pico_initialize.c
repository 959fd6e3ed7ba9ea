/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new Pico HSM, and INITIALIZE DEVICE, which asks for no SO-PIN and makes the device's own key
 * where the one before can no longer be opened.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "fs.h"
#include "personalise.h"
#include "pico.h"
#include "pin.h"
#include "pki.h"
#include "tlv.h"

/* The emulation has the curve of boards with one-time programmable memory. */
#define DEVICE_CURVE "secp256k1"
#define DEVICE_NAME "ESPICOHSMTR"

enum { DEFAULT_TRIES = 3, NAME_TAIL = 5 };

static bool start(struct sim_state *state, const char *tail)
{
    struct sim_slice root = sim_pki_root_certificate();
    (void)snprintf(state->device_chr, sizeof(state->device_chr), "%s%.*s", DEVICE_NAME, NAME_TAIL,
                   tail);
    sim_buf_put(&state->root_certificate, root.data, root.len);
    state->dirty = true;
    return !state->root_certificate.failed &&
           sim_fs_replace(state, SIM_FID_DEVICE_CERTIFICATE, (struct sim_slice){ 0 }) == SIM_SW_OK;
}

bool sim_pico_personalise(struct sim_state *state, const char *serial)
{
    (void)serial;
    return start(state, "00001");
}

bool sim_pico_personalise_provisioned(struct sim_state *state, const char *serial)
{
    struct sim_buf chain = { 0 };
    size_t len = strlen(serial);
    const char *tail = serial + (len > NAME_TAIL ? len - NAME_TAIL : 0);
    EVP_PKEY *pkey = sim_curve_generate(sim_curve_by_name(SIM_DEVICE_CURVE));
    bool ok =
        sim_key_from_pkey(&state->device_key, 0, pkey) && start(state, tail) &&
        sim_personalise_put_chain(&chain, state) &&
        sim_fs_replace(state, SIM_FID_DEVICE_CERTIFICATE, sim_buf_slice(&chain)) == SIM_SW_OK &&
        sim_pico_describe_device(state);
    sim_buf_free(&chain);
    return ok;
}

/* EF 2F02 and CE00: a request for the device key by itself, and its certificate by itself. */
static bool vouch_for_device(struct sim_state *state, bool has_name)
{
    const struct sim_slice name = { (const uint8_t *)state->device_chr, strlen(state->device_chr) };
    struct sim_cvc_request names = { 0 };
    struct sim_buf content = { 0 }, public_key = { 0 };
    /* the name comes from 2F02: the first time there is none for the outer signature */
    names.outer_car = has_name ? name : (struct sim_slice){ name.data, 0 };
    bool ok =
        sim_pico_put_request(&content, state, &state->device_key, names) &&
        sim_fs_replace(state, SIM_PREFIX_CERTIFICATE << 8, sim_buf_slice(&content)) == SIM_SW_OK &&
        sim_pico_put_public_key(&public_key, &state->device_key) &&
        sim_cvc_put_own_certificate(&content, name, sim_buf_slice(&public_key),
                                    &state->device_key) &&
        sim_fs_replace(state, SIM_FID_DEVICE_CERTIFICATE, sim_buf_slice(&content)) == SIM_SW_OK;
    sim_buf_free(&public_key);
    sim_buf_free(&content);
    return ok;
}

static bool make_device_key(struct sim_state *state)
{
    const struct sim_file *chain = sim_fs_find(state, SIM_FID_DEVICE_CERTIFICATE);
    bool has_name = chain != NULL && chain->content.len > 0;
    EVP_PKEY *pkey = sim_curve_generate(sim_curve_by_name(DEVICE_CURVE));
    sim_key_free(&state->device_key);
    return sim_key_from_pkey(&state->device_key, 0, pkey) && vouch_for_device(state, has_name) &&
           sim_pico_describe_device(state);
}

static void set_pin(struct sim_card *card, struct sim_pin *pin, struct sim_slice value,
                    uint8_t tries)
{
    OPENSSL_cleanse(pin, sizeof(*pin));
    if (value.len > 0) {
        sim_pin_set(card, pin, value);
    }
    pin->tries_max = pin->tries_left = tries;
}

static bool set_domains(struct sim_state *state, struct sim_slice shares, struct sim_slice domains)
{
    struct sim_domain *domain = &state->domains[0];
    if (domains.len > 0) {
        uint8_t number = domains.data[0];
        state->n_domains = number < SIM_PICO_DOMAINS ? number : SIM_PICO_DOMAINS;
        return true;
    }
    /* without any, a domain of no shares stands there all the same */
    state->n_domains = 1;
    domain->created = true;
    if (shares.len == 0) {
        return true;
    }
    uint8_t number = shares.data[0];
    domain->shares = number > 0 ? number : 1;
    domain->outstanding = number;
    return number > 0 || RAND_bytes(domain->kek, sizeof(domain->kek)) == 1;
}

/* Forget everything but the files of the device itself. */
static bool erase(struct sim_state *state)
{
    static const uint16_t kept[] = { SIM_PREFIX_DESCRIPTION << 8, SIM_PREFIX_CERTIFICATE << 8 };
    struct sim_buf contents[2] = { { 0 }, { 0 } };
    bool ok = true;
    for (size_t i = 0; i < 2; i++) {
        const struct sim_file *file = sim_fs_find(state, kept[i]);
        if (file != NULL) {
            sim_buf_put(&contents[i], file->content.data, file->content.len);
        }
    }
    sim_state_erase(state);
    for (size_t i = 0; i < 2; i++) {
        ok = ok && !contents[i].failed &&
             (contents[i].len == 0 ||
              sim_fs_replace(state, kept[i], sim_buf_slice(&contents[i])) == SIM_SW_OK);
        sim_buf_free(&contents[i]);
    }
    return ok;
}

/*
 * The device key is encrypted under the user PIN. It stays when somebody is logged in, or the new
 * PIN is the old one; otherwise it is lost.
 */
static bool opens_device_key(const struct sim_card *card, struct sim_slice user_pin)
{
    const struct sim_pin *old_pin = &card->state.user_pin;
    const struct sim_slice old_value = { old_pin->value, old_pin->len };
    return card->state.device_key.kind != SIM_KEY_NONE &&
           (card->user_verified || card->so_verified || sim_slice_equal(user_pin, old_value));
}

static uint16_t initialize(struct sim_card *card, struct sim_slice data)
{
    struct sim_state *state = &card->state;
    struct sim_slice options, user_pin, so_pin, tries, shares, domains, pka;
    uint16_t flags = state->options;
    bool has_options =
        sim_pico_find_object(data, 0x80, &options) && sim_slice_u16(&options, &flags);
    (void)has_options; /* they stay as they are otherwise */
    (void)sim_pico_find_object(data, 0x81, &user_pin);
    (void)sim_pico_find_object(data, 0x82, &so_pin);
    (void)sim_pico_find_object(data, 0x91, &tries);
    (void)sim_pico_find_object(data, 0x92, &shares);
    (void)sim_pico_find_object(data, 0x93, &pka);
    (void)sim_pico_find_object(data, 0x97, &domains);
    uint8_t max_tries = tries.len > 0 ? tries.data[0] : DEFAULT_TRIES;
    if (user_pin.len > SIM_MAX_PIN || so_pin.len > SIM_MAX_PIN || max_tries > SIM_SO_PIN_TRIES ||
        pka.len == 1) {
        return SIM_SW_WRONG_LENGTH;
    }
    bool keeps_key = opens_device_key(card, user_pin);
    if (!erase(state)) {
        return SIM_PICO_FAILED;
    }
    sim_card_clear_security(card);
    state->initialised = true;
    state->options = flags;
    set_pin(card, &state->user_pin, user_pin, max_tries);
    set_pin(card, &state->so_pin, so_pin, SIM_SO_PIN_TRIES);
    if (pka.len >= 2) {
        state->pka_total = pka.data[0] < SIM_PICO_PKA_KEYS ? pka.data[0] : SIM_PICO_PKA_KEYS;
        state->pka_required = pka.data[1];
    }
    if (!set_domains(state, shares, domains) || (!keeps_key && !make_device_key(state))) {
        return SIM_PICO_FAILED;
    }
    card->user_verified = user_pin.len > 0;
    card->so_verified = so_pin.len > 0;
    card->just_initialised = true;
    return SIM_SW_OK;
}

uint16_t sim_pico_initialize_device(struct sim_card *card, const struct sim_apdu *apdu,
                                    struct sim_buf *out)
{
    /* the emulation always has a megabyte left */
    const uint8_t report[] = {
        0x00, 0x10, 0x00, 0x00, 0x00, card->profile->major, card->profile->minor
    };
    if (apdu->data.len > 0) {
        return initialize(card, apdu->data);
    }
    sim_buf_put(out, report, sizeof(report));
    return SIM_SW_OK;
}
