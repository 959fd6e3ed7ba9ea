/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UNWRAP KEY, and what stands beside the key. Where the device keeps what is written there, its
 * description and certificate are written first and the key comes last. The Pico HSM writes files
 * of its own instead: hsm_unwrap_described.c.
 */
#include "hsm_unwrap.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hsm_key_domain.h"
#include "base/log.h"
#include "format/public_key.h"
#include "format/spki.h"

#define TRIAL_LABEL "being unwrapped" /* of a key that is tried out before another one goes */

/* UNWRAP with the blob in file 2F10, which is written in pieces of any size. */
static int unwrap_from_file(struct schsm_session *session, unsigned int ref, struct schsm_view blob,
                            struct schsm_error *err)
{
    int ok;

    (void)schsm_card_delete_if_there(session, SCHSM_FILE_WRAPPED_KEY); /* it might be longer */
    ok = schsm_card_write_file(&session->card, SCHSM_FILE_WRAPPED_KEY, blob.data, blob.len, err) &&
         schsm_card_unwrap_key(&session->card, ref, NULL, 0, err);
    if (session->card.result == SCHSM_TRANSPORT_OK) {
        (void)schsm_card_delete_if_there(session, SCHSM_FILE_WRAPPED_KEY);
    }
    return ok;
}

/* UNWRAP, in one command where card and reader carry it. */
static int send_blob(struct schsm_session *session, unsigned int ref, struct schsm_view blob,
                     struct schsm_error *err)
{
    size_t fits = session->card.short_only ? SCHSM_APDU_SHORT_DATA_MAX : SCHSM_APDU_WRITE_CHUNK;

    if (blob.len <= fits) {
        if (schsm_card_unwrap_key(&session->card, ref, blob.data, blob.len, err)) {
            return 1;
        }
        if (session->card.result == SCHSM_TRANSPORT_TOO_LONG) {
            session->card.short_only = true;
        } else if (session->card.result != SCHSM_TRANSPORT_OK ||
                   session->card.status_word != SCHSM_SW_WRONG_LENGTH) {
            return 0;
        }
    }
    return unwrap_from_file(session, ref, blob, err);
}

int schsm_card_unwrap_as(struct schsm_session *session, unsigned int ref,
                         const struct schsm_unwrapping *unwrapping, struct schsm_error *err)
{
    unsigned int status_word;

    if (send_blob(session, ref, unwrapping->spec->blob, err)) {
        return 1;
    }
    status_word = err->status_word;
    if (session->card.result != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    if (unwrapping->maybe_unknown_form &&
        (err->reason == SCHSM_REASON_BAD_INPUT || err->reason == SCHSM_REASON_UNSUPPORTED)) {
        schsm_fail(
            err, SCHSM_REASON_FILE,
            "the device does not take the wrapped EC key, although it has its DKEK: it has no "
            "such curve, the key was changed or damaged, or a Pico HSM wrapped it in a form "
            "that this device does not know; then decrypt it with its DKEK shares ('sc-hsm "
            "decrypt-backup') and import the key (status word %04X)",
            status_word);
    } else if (err->reason == SCHSM_REASON_BAD_INPUT) {
        schsm_fail(err, SCHSM_REASON_FILE,
                   "the device does not take the wrapped key, although it has its DKEK: it was "
                   "changed or damaged; take another copy of it (status word %04X)",
                   status_word);
    }
    return 0;
}

/* Deletes a key with its files, the key first and the description last: whatever is left of it in
 * between is known for a rest by its description. */
static int delete_key(struct schsm_session *session, unsigned int ref, struct schsm_error *err)
{
    return schsm_card_delete_optional(session, SCHSM_FILE_KEY | ref, err) &&
           schsm_card_delete_optional(session, SCHSM_FILE_CERTIFICATE | ref, err) &&
           schsm_card_delete_optional(session, SCHSM_FILE_KEY_DESCRIPTION | ref, err);
}

/* The same after a failure, which stays what it was; false where something is left. */
bool schsm_card_clean_up_unwrap(struct schsm_session *session, unsigned int ref)
{
    return session->card.result == SCHSM_TRANSPORT_OK &&
           schsm_card_delete_if_there(session, SCHSM_FILE_KEY | ref) &&
           schsm_card_delete_if_there(session, SCHSM_FILE_CERTIFICATE | ref) &&
           schsm_card_delete_if_there(session, SCHSM_FILE_KEY_DESCRIPTION | ref);
}

/* Writes a file anew, and nothing where there is nothing to write. */
static int rewrite(struct schsm_session *session, unsigned int file, struct schsm_view content,
                   struct schsm_error *err)
{
    return schsm_card_delete_optional(session, file, err) &&
           (content.len == 0 ||
            schsm_card_write_file(&session->card, file, content.data, content.len, err));
}

int schsm_card_file_holds(struct schsm_session *session, unsigned int file,
                          struct schsm_view wanted, bool *same, struct schsm_error *err)
{
    uint8_t *content = NULL;
    size_t len = 0;

    if (!schsm_card_read_optional(session, file, SCHSM_FORM_BYTES, &content, &len, err)) {
        return 0;
    }
    *same = schsm_view_equal((struct schsm_view){ content, len }, wanted);
    OPENSSL_free(content);
    return 1;
}

static struct schsm_view trial_description(const struct schsm_unwrapping *unwrapping)
{
    return (struct schsm_view){ unwrapping->trial_description, unwrapping->trial_description_len };
}

/* What a key that is tried out is described by: an id that no other key has, out of the blob's
 * authentication code. So whatever interrupts us, it is known again, and nobody takes it for the
 * key itself. */
static int describe_trial(struct schsm_unwrapping *unwrapping,
                          const struct schsm_wrapped_key *wrapped, struct schsm_error *err)
{
    unsigned int bits = schsm_wrapped_key_bits(wrapped);
    struct schsm_pkcs15_key key = { .type = wrapped->type,
                                    .label = TRIAL_LABEL,
                                    .id_len = wrapped->mac.len,
                                    .bits = bits == 0 && wrapped->type != SCHSM_KEY_EC
                                                ? SCHSM_RSA_BITS_MAX /* it has to say something */
                                                : bits };

    memcpy(key.id, wrapped->mac.data, wrapped->mac.len);
    unwrapping->trial_description_len = sizeof(unwrapping->trial_description);
    return schsm_pkcs15_encode_key(&key, unwrapping->trial_description,
                                   &unwrapping->trial_description_len, err);
}

/* The attempt before this one broke off. Nobody else's key goes for it. */
static int remove_earlier_unwrap(struct schsm_session *session, struct schsm_unwrapping *unwrapping,
                                 struct schsm_error *err)
{
    const struct schsm_hsm_unwrap *spec = unwrapping->spec;
    bool ours = false;

    if (unwrapping->trial != 0 &&
        (!schsm_card_file_holds(session, SCHSM_FILE_KEY_DESCRIPTION | unwrapping->trial,
                                trial_description(unwrapping), &ours, err) ||
         (ours && !delete_key(session, unwrapping->trial, err)))) {
        return 0;
    }
    unwrapping->trial = 0;
    if (!unwrapping->started) {
        return 1;
    }
    if (!schsm_card_file_holds(session, SCHSM_FILE_KEY_DESCRIPTION | spec->key_ref,
                               spec->description, &ours, err) ||
        (ours && !delete_key(session, spec->key_ref, err))) {
        return 0;
    }
    unwrapping->started = false;
    return 1;
}

/* Removes what an earlier call that was killed left of trying the same key out. */
static int remove_left_trials(struct schsm_session *session, struct schsm_unwrapping *unwrapping,
                              struct schsm_error *err)
{
    for (unsigned int ref = 1; ref <= SCHSM_KEY_REF_MAX; ref++) {
        bool ours = false;

        if (ref == unwrapping->spec->key_ref ||
            !schsm_card_is_listed(&unwrapping->files, SCHSM_FILE_KEY | ref)) {
            continue;
        }
        if (!schsm_card_file_holds(session, SCHSM_FILE_KEY_DESCRIPTION | ref,
                                   trial_description(unwrapping), &ours, err) ||
            (ours && !delete_key(session, ref, err))) {
            return 0;
        }
        if (ours) {
            schsm_card_strike_key(&unwrapping->files, ref);
        }
    }
    return 1;
}

/* Tries the key out under a free reference, so that the old one is not lost for a bad file. */
static int try_out(struct schsm_session *session, struct schsm_unwrapping *unwrapping,
                   struct schsm_error *err)
{
    unsigned int ref = 0;

    if (!remove_left_trials(session, unwrapping, err) ||
        !schsm_card_choose_key_ref(&unwrapping->files, -1, &ref, err) ||
        !schsm_card_clear_key_ref(session, &unwrapping->files, ref, err)) {
        return 0;
    }
    unwrapping->trial = ref;
    if (!rewrite(session, SCHSM_FILE_KEY_DESCRIPTION | ref, trial_description(unwrapping), err) ||
        !schsm_card_unwrap_as(session, ref, unwrapping, err)) {
        if (schsm_card_clean_up_unwrap(session, ref)) { /* refused */
            unwrapping->trial = 0;
        }
        return 0;
    }
    if (!delete_key(session, ref, err)) {
        return 0;
    }
    unwrapping->trial = 0;
    return 1;
}

/* Makes sure that no key is under the reference. */
static int clear_place(struct schsm_session *session, struct schsm_unwrapping *unwrapping,
                       struct schsm_error *err)
{
    const struct schsm_hsm_unwrap *spec = unwrapping->spec;
    unsigned int ref = spec->key_ref;

    if (!spec->replace) {
        return schsm_card_choose_key_ref(&unwrapping->files, (int)ref, &ref, err);
    }
    return !schsm_card_has_key(&unwrapping->files, ref) ||
           (try_out(session, unwrapping, err) &&
            schsm_card_delete_optional(session, SCHSM_FILE_KEY | ref, err));
}

/* What the device would take wrong, or die of (19.5), before it is told anything. */
static int check_rsa(const struct schsm_hsm_unwrap_traits *traits,
                     const struct schsm_hsm_unwrap *spec, const struct schsm_wrapped_key *wrapped,
                     struct schsm_error *err)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    uint8_t *spki = NULL;
    size_t spki_len = 0;
    int ok;

    if (wrapped->type != SCHSM_KEY_RSA) {
        return 1;
    }
    /* a length that the size of the blob does not tell is taken for the longest */
    if (traits->crt_bits_max != 0 && wrapped->form == SCHSM_WRAPPED_RSA_CRT &&
        schsm_wrapped_key_bits(wrapped) - 1 >= traits->crt_bits_max) {
        return schsm_fail(
            err, SCHSM_REASON_UNSUPPORTED,
            "this device takes RSA keys of more than %u bits only in the form that a "
            "Pico HSM wraps them in, and this one was wrapped by a SmartCard-HSM: "
            "decrypt it with its DKEK shares ('sc-hsm decrypt-backup') and import the "
            "key; nothing was changed",
            traits->crt_bits_max);
    }
    ok = !traits->exponent_fixed || spec->certificate.len == 0 ||
         !schsm_public_key_from_ce(spec->certificate.data, spec->certificate.len, &spki, &spki_len,
                                   &ignored) ||
         schsm_spki_rsa_exponent_is_f4(spki, spki_len) ||
         schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                    "the RSA key has another public exponent than 65537, and this device takes no "
                    "such keys; nothing was changed");
    OPENSSL_free(spki);
    return ok;
}

static int run_key_unwrap(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct schsm_unwrapping *unwrapping = arg;
    const struct schsm_hsm_unwrap *spec = unwrapping->spec;
    unsigned int ref = spec->key_ref;

    if (!schsm_session_check_file(session, spec->certificate.len, err) ||
        !remove_earlier_unwrap(session, unwrapping, err) ||
        !schsm_card_list_files(session, &unwrapping->files, err) ||
        !clear_place(session, unwrapping, err)) {
        return 0;
    }
    schsm_log(SCHSM_LOG_INFO, "device %s takes a wrapped key as key reference %u",
              schsm_session_name(session), ref);
    unwrapping->started = true;
    if (schsm_card_delete_optional(session, SCHSM_FILE_CERTIFICATE | ref, err) &&
        rewrite(session, SCHSM_FILE_KEY_DESCRIPTION | ref, spec->description, err) &&
        rewrite(session, SCHSM_FILE_CERTIFICATE | ref, spec->certificate, err) &&
        schsm_card_unwrap_as(session, ref, unwrapping, err)) {
        return 1;
    }
    if (schsm_card_clean_up_unwrap(session, ref)) {
        unwrapping->started = false;
    }
    return 0;
}

int schsm_hsm_unwrap_key(struct schsm_device *dev, const struct schsm_hsm_unwrap *spec,
                         const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, SCHSM_UNWRAP_PURPOSE, err);
    struct schsm_unwrapping *unwrapping = NULL;
    struct schsm_wrapped_key wrapped;
    struct schsm_job job = { .run = run_key_unwrap, .login = login, .transaction = true };
    struct schsm_hsm_unwrap_traits traits;
    unsigned int domain;
    char object[32];
    int ok;

    if (session == NULL || !schsm_hsm_check_key_ref((int)spec->key_ref, err) ||
        !schsm_wrapped_key_parse(spec->blob.data, spec->blob.len, &wrapped, err)) {
        return 0;
    }
    if (spec->description.len == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a key on the device needs a description");
    }
    if (!schsm_hsm_unwrap_traits(dev, &traits, err) || !check_rsa(&traits, spec, &wrapped, err) ||
        !schsm_hsm_find_kek_by_login(dev, wrapped.kcv, login, &domain, err)) {
        return 0;
    }
    unwrapping = OPENSSL_zalloc(sizeof(*unwrapping));
    if (unwrapping == NULL) {
        return schsm_fail_memory(err);
    }
    unwrapping->spec = spec;
    unwrapping->type = wrapped.type;
    unwrapping->maybe_unknown_form = wrapped.type == SCHSM_KEY_EC && !traits.describes_keys;
    if (!describe_trial(unwrapping, &wrapped, err)) {
        OPENSSL_free(unwrapping);
        return 0;
    }
    job.arg = unwrapping;
    if (traits.describes_keys) {
        job.run = schsm_card_unwrap_described;
    }
    (void)snprintf(object, sizeof(object), "key reference %u", spec->key_ref);
    job.object = login->object != NULL ? login->object : object;
    ok = schsm_card_run(dev, SCHSM_UNWRAP_PURPOSE, &job, err);
    OPENSSL_free(unwrapping);
    return ok;
}
