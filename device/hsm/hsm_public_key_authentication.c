/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_public_key_authentication.h"

#include <string.h>

#include <openssl/crypto.h>

#include "hsm_private.h"
#include "hsm_trust.h"

#define PURPOSE "public-key authentication"

static int run_pka_read(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct schsm_pka *pka = arg;

    memset(pka, 0, sizeof(*pka));
    if (!schsm_card_public_key_status(&session->card, &pka->status, err)) {
        return 0;
    }
    if (!pka->status.enabled) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "it was initialised without public-key authentication");
    }
    while (pka->count < pka->status.total && pka->count < SCHSM_PKA_KEYS_MAX) {
        struct schsm_pka_key *key = &pka->keys[pka->count];
        uint8_t name[SCHSM_APDU_SHORT_LE_MAX];
        size_t len = sizeof(name);

        if (!schsm_card_pka_name(&session->card, (unsigned int)pka->count, name, &len,
                                 &key->authenticated, err)) {
            return 0;
        }
        if (!schsm_cvc_name((struct schsm_view){ name, len }, key->name, sizeof(key->name))) {
            return schsm_fail(
                err, SCHSM_REASON_DEVICE_DATA,
                "the device tells a registered key's name that is too long or no text");
        }
        pka->count++;
    }
    return 1;
}

int schsm_pka_read(struct schsm_device *dev, struct schsm_pka *pka, struct schsm_error *err)
{
    const struct schsm_job job = { .run = run_pka_read, .arg = pka, .transaction = true };

    return schsm_card_run(dev, PURPOSE, &job, err);
}

struct registration {
    const struct schsm_container *key;
    struct schsm_public_key_status *status;
    unsigned int missing; /* keys, before this one was sent */
    bool sent;
};

/* Whether the attempt before this one arrived: one key less is missing, and one of this name is
 * there. Sets *status then. */
static int was_registered(struct schsm_session *session, const struct registration *registration,
                          bool *registered, struct schsm_error *err)
{
    const struct schsm_view wanted = registration->key->request.cvc.chr;
    struct schsm_public_key_status *status = registration->status;

    *registered = false;
    if (!schsm_card_public_key_status(&session->card, status, err)) {
        return 0;
    }
    for (unsigned int i = 0;
         status->enabled && status->missing < registration->missing && i < status->total; i++) {
        uint8_t name[SCHSM_APDU_SHORT_LE_MAX];
        size_t len = sizeof(name);
        bool authenticated;

        if (!schsm_card_pka_name(&session->card, i, name, &len, &authenticated, err)) {
            return 0;
        }
        *registered = *registered || schsm_view_equal((struct schsm_view){ name, len }, wanted);
    }
    return 1;
}

static int run_registration(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct registration *registration = arg;
    struct schsm_view content = schsm_request_content(&registration->key->request);
    struct schsm_public_key_status before;
    bool registered = false;

    if (registration->sent &&
        (!was_registered(session, registration, &registered, err) || registered)) {
        return registered;
    }
    if (!schsm_session_trust(session, registration->key, err) ||
        !schsm_card_public_key_status(&session->card, &before, err)) {
        return 0;
    }
    registration->missing = before.missing;
    registration->sent = true;
    return schsm_card_pka_register(&session->card, content.data, content.len, registration->status,
                                   err);
}

int schsm_pka_register(struct schsm_device *dev, const struct schsm_container *key,
                       const struct schsm_login *login, struct schsm_public_key_status *status,
                       struct schsm_error *err)
{
    struct registration registration = { .key = key, .status = status };
    const struct schsm_job job = {
        .run = run_registration, .arg = &registration, .login = login, .transaction = true
    };

    if (key->kind != SCHSM_CONTAINER_PUBLIC_KEY) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%s cannot be registered",
                          schsm_container_text(key->kind));
    }
    return schsm_card_run(dev, PURPOSE, &job, err);
}

static int run_challenge(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct schsm_pka_challenge *challenge = arg;
    struct schsm_cvc device, issuer;
    uint8_t *file = NULL;
    size_t len = 0;
    int ok = 0;

    if (!schsm_card_read_file(&session->card, SCHSM_FILE_DEVICE_CERTIFICATES, SCHSM_FORM_BYTES,
                              &file, &len, err) ||
        !schsm_cvc_parse_chain(file, len, &device, &issuer, err)) {
        goto done;
    }
    if (device.chr.len > SCHSM_CVC_NAME_MAX) {
        schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the device's name is too long");
        goto done;
    }
    memcpy(challenge->message, device.chr.data, device.chr.len);
    challenge->len = device.chr.len + SCHSM_PKA_CHALLENGE_LEN;
    ok = schsm_card_get_challenge(&session->card, challenge->message + device.chr.len,
                                  SCHSM_PKA_CHALLENGE_LEN, false, err);

done:
    OPENSSL_free(file);
    return ok;
}

int schsm_pka_challenge(struct schsm_device *dev, struct schsm_pka_challenge *challenge,
                        struct schsm_error *err)
{
    const struct schsm_job job = { .run = run_challenge, .arg = challenge, .transaction = true };

    return schsm_card_run(dev, PURPOSE, &job, err);
}

struct proof {
    const char *name;
    const uint8_t *signature;
    size_t len;
    bool begun;
};

static int run_pka_proof(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct proof *proof = arg;
    enum schsm_pka_selection selection = SCHSM_PKA_UNKNOWN;

    if (proof->begun) { /* what makes a repetition necessary has ended all that was open */
        session->card.status_word = 0;
        return schsm_fail(err, SCHSM_REASON_DEVICE,
                          "it has forgotten its challenge, and the custodians that had "
                          "authenticated, since it was pulled out or reset, or another program "
                          "selected its applet: begin again");
    }
    proof->begun = true;
    if (!schsm_card_pka_select(&session->card, (const uint8_t *)proof->name, strlen(proof->name),
                               &selection, err)) {
        return 0;
    }
    switch (selection) {
    case SCHSM_PKA_DONE:
        return 1;
    case SCHSM_PKA_UNKNOWN:
        return schsm_fail(err, SCHSM_REASON_NOT_FOUND, "no key named %s is registered",
                          proof->name);
    case SCHSM_PKA_SELECTED:
        break;
    }
    /* From here on the device may be open: the card has to be asked. */
    session->connection.pin = (struct schsm_pin_connection){ 0 };
    return schsm_card_external_authenticate(&session->card, proof->signature, proof->len, err);
}

int schsm_pka_authenticate(struct schsm_device *dev, const char *name, const uint8_t *signature,
                           size_t signature_len, struct schsm_error *err)
{
    struct proof proof = { .name = name, .signature = signature, .len = signature_len };
    const struct schsm_job job = { .run = run_pka_proof, .arg = &proof, .transaction = true };

    return schsm_card_run(dev, PURPOSE, &job, err);
}

static int run_close(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    (void)arg;
    return schsm_session_select(session, err);
}

int schsm_pka_close(struct schsm_device *dev, struct schsm_error *err)
{
    const struct schsm_job job = { .run = run_close };

    return schsm_card_run(dev, PURPOSE, &job, err);
}
