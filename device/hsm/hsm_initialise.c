/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_initialise.h"

#include <openssl/crypto.h>

#include "hsm_private.h"
#include "base/log.h"
#include "base/tlv.h"

/* 6.7: the data objects of INITIALIZE DEVICE. */
#define TAG_OPTIONS 0x80
#define TAG_PIN 0x81
#define TAG_SO_PIN 0x82
#define TAG_PIN_TRIES 0x91
#define TAG_DKEK_SHARES 0x92
#define TAG_PUBLIC_KEYS 0x93
#define TAG_KEY_DOMAINS 0x97
#define OBJECTS_MAX 64 /* all of them, with the longest PIN */

struct initialisation {
    const struct schsm_hsm_rules *rules;
    const struct schsm_secret *so_pin;
    struct schsm_secret *pin;
    int min_tries;
};

/* The retry counter that a PIN of this length may have (5.1): short PINs get few tries. */
static unsigned int pin_tries_max(size_t pin_len)
{
    if (pin_len <= SCHSM_USER_PIN_MIN) {
        return 3;
    }
    return pin_len == SCHSM_USER_PIN_MIN + 1 ? 5 : SCHSM_HSM_PIN_TRIES_MAX;
}

static int check_first_pin(const struct initialisation *initialisation, struct schsm_error *err)
{
    const struct schsm_hsm_rules *rules = initialisation->rules;
    size_t len;

    if (initialisation->pin == NULL) {
        return rules->public_keys > 0 && (rules->options & SCHSM_HSM_PIN_AND_PUBLIC_KEYS) == 0
                   ? 1
                   : schsm_fail(err, SCHSM_REASON_ARGUMENT,
                                "a device without a PIN needs public keys instead");
    }
    len = schsm_secret_len(initialisation->pin);
    if (len < SCHSM_USER_PIN_MIN || len > SCHSM_USER_PIN_MAX) {
        return schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                          "the PIN has to have %d to %d characters; nothing was sent to the device",
                          SCHSM_USER_PIN_MIN, SCHSM_USER_PIN_MAX);
    }
    if (rules->pin_tries < 1 || rules->pin_tries > pin_tries_max(len)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a PIN of %zu characters may have 1 to %u tries, not %u: choose fewer "
                          "tries or a longer PIN",
                          len, pin_tries_max(len), rules->pin_tries);
    }
    return 1;
}

static int check_rules(const struct initialisation *initialisation, struct schsm_error *err)
{
    const struct schsm_hsm_rules *rules = initialisation->rules;

    if (!schsm_card_check_so_pin_len(initialisation->so_pin, err)) {
        return 0;
    }
    if (rules->key_domains > 0 && rules->dkek_shares != SCHSM_HSM_NO_DKEK) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a device has either key domains or one DKEK for all keys, not both");
    }
    if (rules->key_domains > SCHSM_HSM_KEY_DOMAINS_MAX ||
        rules->dkek_shares > SCHSM_HSM_DKEK_SHARES_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a device has at most %d key domains and %d DKEK shares",
                          SCHSM_HSM_KEY_DOMAINS_MAX, SCHSM_HSM_DKEK_SHARES_MAX);
    }
    if (rules->public_keys > SCHSM_PKA_KEYS_MAX ||
        rules->public_keys_required > rules->public_keys ||
        (rules->public_keys > 0) != (rules->public_keys_required > 0)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "of 1 to %d public keys at least one and at most all can be required",
                          SCHSM_PKA_KEYS_MAX);
    }
    return check_first_pin(initialisation, err);
}

static int build(const struct initialisation *initialisation, uint8_t *out, size_t *len,
                 struct schsm_error *err)
{
    const struct schsm_hsm_rules *rules = initialisation->rules;
    const uint8_t options[] = { (uint8_t)(rules->options >> 8), (uint8_t)rules->options };
    const uint8_t keys[] = { (uint8_t)rules->public_keys, (uint8_t)rules->public_keys_required };
    struct schsm_tlv_writer writer;

    schsm_tlv_write(&writer, out, *len);
    schsm_tlv_put(&writer, TAG_OPTIONS, options, sizeof(options));
    if (initialisation->pin != NULL) {
        schsm_tlv_put(&writer, TAG_PIN, schsm_secret_data(initialisation->pin),
                      schsm_secret_len(initialisation->pin));
    }
    schsm_tlv_put(&writer, TAG_SO_PIN, schsm_secret_data(initialisation->so_pin), SCHSM_SO_PIN_LEN);
    if (initialisation->pin != NULL) {
        schsm_tlv_put_byte(&writer, TAG_PIN_TRIES, (uint8_t)rules->pin_tries);
    }
    if (rules->dkek_shares != SCHSM_HSM_NO_DKEK) {
        schsm_tlv_put_byte(&writer, TAG_DKEK_SHARES, (uint8_t)rules->dkek_shares);
    }
    if (rules->public_keys > 0) {
        schsm_tlv_put(&writer, TAG_PUBLIC_KEYS, keys, sizeof(keys));
    }
    if (rules->key_domains > 0) {
        schsm_tlv_put_byte(&writer, TAG_KEY_DOMAINS, (uint8_t)rules->key_domains);
    }
    *len = writer.len;
    return !writer.failed ||
           schsm_fail(err, SCHSM_REASON_ARGUMENT, "these rules do not fit one command");
}

static int send(struct schsm_session *session, const struct initialisation *initialisation,
                struct schsm_error *err)
{
    uint8_t objects[OBJECTS_MAX];
    size_t len = sizeof(objects);
    int ok;

    ok = build(initialisation, objects, &len, err) &&
         schsm_card_initialise(&session->card, objects, len, err);
    OPENSSL_cleanse(objects, sizeof(objects));
    if (ok) {
        return 1;
    }
    if (session->card.result == SCHSM_TRANSPORT_OK &&
        schsm_status_word_reason(SCHSM_INS_INITIALIZE_DEVICE, session->card.status_word) ==
            SCHSM_REASON_PIN_INCORRECT &&
        schsm_status_word_tries(session->card.status_word) < 0) {
        /* real cards may say so without a counter */
        schsm_fail_context(err, "device %s", schsm_session_name(session));
        session->job.refused = true;
        return 0;
    }
    return schsm_card_fail_so_pin(session, err);
}

/* What the session knew is of the device before. */
static void forget(struct schsm_session *session, struct schsm_secret *pin)
{
    schsm_session_pin_changed(session, pin);
    session->process.fci_known = false;
    schsm_session_forget_serial(session); /* a Pico HSM has a device key and certificate anew */
}

/*
 * Cards let the session that initialised them write the label; one that does not takes the PIN
 * first, unless that has to be changed or is only half of what opens the device.
 */
static int write_label(struct schsm_session *session, const struct initialisation *initialisation,
                       struct schsm_error *err)
{
    const struct schsm_hsm_rules *rules = initialisation->rules;

    if (rules->label == NULL || schsm_card_write_label(session, rules->label, err)) {
        return 1;
    }
    if (session->card.result == SCHSM_TRANSPORT_OK &&
        session->card.status_word == SCHSM_SW_SECURITY_STATUS && initialisation->pin != NULL &&
        (rules->options & (SCHSM_HSM_TRANSPORT_PIN | SCHSM_HSM_PIN_AND_PUBLIC_KEYS)) == 0 &&
        schsm_card_verify_pin(&session->card, schsm_secret_data(initialisation->pin),
                              schsm_secret_len(initialisation->pin), err) &&
        schsm_card_write_label(session, rules->label, err)) {
        return 1;
    }
    if (session->card.result == SCHSM_TRANSPORT_OK) {
        schsm_fail_context(err,
                           "device %s was initialised, but its label could not be written ('sc-hsm "
                           "label' does that once somebody can log in)",
                           schsm_session_name(session));
        session->job.refused = true;
    }
    return 0;
}

/* What this kind of device does not do, before anything is erased. */
static int check_kind(struct schsm_session *session, const struct initialisation *initialisation,
                      struct schsm_error *err)
{
    const struct schsm_hsm_rules *rules = initialisation->rules;
    const struct schsm_card_kind *kind = schsm_session_kind(session, err);

    if (kind == NULL || (rules->label != NULL && !schsm_card_check_labels(session, err))) {
        return 0;
    }
    if (kind->transport_pin_stays && (rules->options & SCHSM_HSM_TRANSPORT_PIN) != 0) {
        schsm_fail(
            err, SCHSM_REASON_UNSUPPORTED,
            "a %s with a transport PIN opens to no PIN, even after it was changed: leave out "
            "--transport-pin; nothing was changed",
            kind->name);
    } else if (kind->keys_need_pin && initialisation->pin == NULL) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "a %s without a PIN can have no keys, whichever public keys authenticate: add "
                   "--pin-and-public-keys; nothing was changed",
                   kind->name);
    } else if (rules->key_domains > kind->key_domains_max ||
               rules->public_keys > kind->public_keys_max) {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "a %s has at most %u key domains, and %u public keys that have to authenticate; "
                   "nothing was changed",
                   kind->name, kind->key_domains_max, kind->public_keys_max);
    } else {
        return 1;
    }
    session->job.refused = true;
    return 0;
}

static int run_initialise(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct initialisation *initialisation = arg;
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    /* Selected anew, so that no other applet gets the SO-PIN. */
    if (!schsm_session_select(session, err) || !schsm_session_learn_serial(session, err) ||
        !check_kind(session, initialisation, err) ||
        !schsm_card_check_so_pin(session, initialisation->min_tries, err) ||
        !send(session, initialisation, err)) {
        return 0;
    }
    schsm_log(SCHSM_LOG_INFO, "device %s was initialised", schsm_session_name(session));
    forget(session, initialisation->pin);
    /* The SELECT ends the state in which everything is open to whoever is next. */
    if (write_label(session, initialisation, err)) {
        return schsm_session_select(session, err);
    }
    if (session->card.result == SCHSM_TRANSPORT_OK) {
        (void)schsm_session_select(session, &ignored);
    }
    return 0;
}

int schsm_hsm_initialise(struct schsm_device *dev, const struct schsm_hsm_rules *rules,
                         const struct schsm_secret *so_pin, struct schsm_secret *pin, int min_tries,
                         struct schsm_error *err)
{
    struct schsm_session *session =
        schsm_card_session_for(dev, "settings that it is initialised with", err);
    struct initialisation initialisation = { rules, so_pin, pin, min_tries };
    const struct schsm_job job = { .run = run_initialise,
                                   .arg = &initialisation,
                                   .transaction = true };

    return session != NULL && check_rules(&initialisation, err) &&
           schsm_session_run(session, &job, err);
}
