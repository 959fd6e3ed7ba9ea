/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_attestation.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "base/tlv.h"
#include "format/cvc_tags.h"
#include "hsm_private.h"

#define TAG_X509 0x30
#define PURPOSE "device certificates and attested keys"

struct reading {
    unsigned int file;
    enum schsm_file_form form;
    uint8_t *content;
    size_t len;
};

static int run_reading(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct reading *reading = arg;

    OPENSSL_free(reading->content);
    reading->content = NULL;
    return schsm_card_read_file(&session->card, reading->file, reading->form, &reading->content,
                                &reading->len, err);
}

int schsm_hsm_certificates(struct schsm_device *dev, uint8_t **file, size_t *len,
                           struct schsm_error *err)
{
    struct reading reading = { .file = SCHSM_FILE_DEVICE_CERTIFICATES, .form = SCHSM_FORM_BYTES };
    const struct schsm_job job = { .run = run_reading,
                                   .arg = &reading,
                                   .object = "device certificates" };

    if (!schsm_card_run(dev, PURPOSE, &job, err)) {
        OPENSSL_free(reading.content);
        return 0;
    }
    *file = reading.content;
    *len = reading.len;
    return 1;
}

int schsm_hsm_request(struct schsm_device *dev, int key_ref, uint8_t **request, size_t *len,
                      struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, PURPOSE, err);
    struct reading reading = { .file = SCHSM_FILE_CERTIFICATE | (unsigned int)key_ref,
                               .form = SCHSM_FORM_TLV };
    struct schsm_error found = SCHSM_ERROR_INIT;
    char object[32];
    const struct schsm_job job = { .run = run_reading, .arg = &reading, .object = object };
    struct schsm_tlv tlv;

    if (session == NULL || !schsm_hsm_check_key_ref(key_ref, err)) {
        return 0;
    }
    (void)snprintf(object, sizeof(object), "key reference %d", key_ref);
    if (!schsm_session_run(session, &job, &found) && found.reason != SCHSM_REASON_NOT_FOUND) {
        OPENSSL_free(reading.content);
        return schsm_fail_as(err, &found);
    }
    if (reading.content != NULL && schsm_tlv_first(reading.content, reading.len, &tlv) &&
        tlv.tag == SCHSM_CVC_REQUEST) {
        *request = reading.content;
        *len = tlv.whole.len;
        return 1;
    }
    schsm_fail(err, SCHSM_REASON_NOT_FOUND,
               "key reference %d has no request of its making any more%s", key_ref,
               reading.content != NULL && reading.len > 0 && reading.content[0] == TAG_X509
                   ? ": its certificate was written in its place, so keep requests in files"
                   : "");
    OPENSSL_free(reading.content);
    return 0;
}

struct proof {
    const struct schsm_cvc_key *key;
    const struct schsm_curve *curve;
    bool *offered;
};

static int run_chip_proof(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct proof *proof = arg;

    if (schsm_card_authenticate_chip(&session->card, proof->curve, proof->key->point,
                                     proof->offered, err)) {
        return 1;
    }
    return session->card.result == SCHSM_TRANSPORT_OK && !*proof->offered;
}

int schsm_hsm_prove_device_key(struct schsm_device *dev, const struct schsm_cvc_key *key,
                               const struct schsm_curve *curve, bool *offered,
                               struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, PURPOSE, err);
    struct proof proof = { key, curve, offered };
    const struct schsm_job job = {
        .run = run_chip_proof, .arg = &proof, .transaction = true, .object = "device key"
    };

    *offered = false;
    if (session == NULL || key->type != SCHSM_KEY_EC || curve == NULL ||
        key->point.len != 1 + 2 * curve->field_len) {
        return session != NULL;
    }
    return schsm_session_run(session, &job, err);
}
