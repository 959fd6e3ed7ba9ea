/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_xkek.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "card/card_private.h"
#include "format/cvc_tags.h"
#include "hsm_trust.h"

#define PURPOSE "key domains"
#define UID_COMPARED 32 /* bytes; a Pico HSM appends as many (15.2) */

struct creation {
    unsigned int domain;
    const struct schsm_container *membership;
    bool sent;
};

/* 15.3: the card checks the same, but only says that it does not verify. */
static int check_membership(struct schsm_session *session, const struct schsm_container *membership,
                            struct schsm_error *err)
{
    const struct schsm_cvc_key *signer = &membership->request.cvc.key;
    uint8_t message[1 + SCHSM_FIELD_MAX], *file = NULL;
    size_t message_len = sizeof(message), len = 0;
    struct schsm_error why = SCHSM_ERROR_INIT;
    struct schsm_cvc device, issuer;
    int ok = 0;

    if (!schsm_card_read_file(&session->card, SCHSM_FILE_DEVICE_CERTIFICATES, SCHSM_FORM_BYTES,
                              &file, &len, err) ||
        !schsm_cvc_parse_chain(file, len, &device, &issuer, err) ||
        !schsm_membership_message(&device, message, &message_len, err)) {
        goto done;
    }
    ok = schsm_cvc_verify(signer, NULL, message, message_len, membership->signature.data,
                          membership->signature.len, &why);
    if (!ok) {
        schsm_fail(err, why.reason,
                   "the membership was issued for another device, or its signature is wrong: let "
                   "the holder of the key domain's signer issue one for this device's id");
    }

done:
    OPENSSL_free(file);
    return ok;
}

/* Whether the attempt before this one arrived: the first bytes of a domain's UID are the x
 * coordinate of its signer's point (15.2). */
static int was_created(struct schsm_session *session, const struct creation *creation,
                       bool *created, struct schsm_error *err)
{
    const struct schsm_view point = creation->membership->request.cvc.key.point;
    struct schsm_key_domain_status status;

    if (!schsm_session_confirm_applet(session, err) ||
        !schsm_card_key_domain_status(&session->card, creation->domain, &status, err)) {
        return 0;
    }
    *created = status.exists && status.uid_len >= UID_COMPARED && point.len > UID_COMPARED &&
               memcmp(status.uid, point.data + 1, UID_COMPARED) == 0;
    return 1;
}

static int run_creation(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct creation *creation = arg;
    bool created = false;
    struct schsm_view request = schsm_request_content(&creation->membership->request);
    struct schsm_view signature = creation->membership->signature;
    struct schsm_tlv_writer writer;
    uint8_t *data = NULL;
    int ok = 0;

    if (creation->sent && (!was_created(session, creation, &created, err) || created)) {
        return created;
    }
    data = OPENSSL_malloc(SCHSM_CONTAINER_MAX);
    if (data == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    schsm_tlv_write(&writer, data, SCHSM_CONTAINER_MAX);
    schsm_tlv_put_raw(&writer, request.data, request.len);
    schsm_tlv_put(&writer, SCHSM_CVC_MEMBERSHIP, signature.data, signature.len);
    if (writer.failed) {
        schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the membership is too long");
        goto done;
    }
    ok = check_membership(session, creation->membership, err) &&
         schsm_session_trust(session, creation->membership, err);
    creation->sent = creation->sent || ok;
    ok = ok &&
         schsm_card_create_xkek_domain(&session->card, creation->domain, data, writer.len, err);

done:
    OPENSSL_free(data);
    return ok;
}

int schsm_xkek_create_domain(struct schsm_device *dev, unsigned int domain,
                             const struct schsm_container *membership,
                             const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, PURPOSE, err);
    struct creation creation = { .domain = domain, .membership = membership };
    char object[32];
    const struct schsm_job job = {
        .run = run_creation, .arg = &creation, .login = login, .transaction = true, .object = object
    };

    if (session == NULL) {
        return 0;
    }
    if (domain > SCHSM_KEY_DOMAIN_MAX || membership->kind != SCHSM_CONTAINER_MEMBERSHIP) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "key domain %u cannot be created with %s",
                          domain, schsm_container_text(membership->kind));
    }
    (void)snprintf(object, sizeof(object), "key domain %u", domain);
    return schsm_session_run(session, &job, err);
}

struct derivation {
    unsigned int key_ref;
    const struct schsm_container *peer;
};

static int run_derivation(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct derivation *derivation = arg;
    struct schsm_view request = schsm_request_content(&derivation->peer->request);

    return schsm_session_trust(session, derivation->peer, err) &&
           schsm_card_derive_xkek(&session->card, derivation->key_ref, request.data, request.len,
                                  err);
}

int schsm_xkek_derive(struct schsm_device *dev, int key_ref, const struct schsm_container *peer,
                      const struct schsm_login *login, struct schsm_error *err)
{
    struct schsm_session *session = schsm_card_session_for(dev, PURPOSE, err);
    struct derivation derivation = { (unsigned int)key_ref, peer };
    const struct schsm_job job = { .run = run_derivation,
                                   .arg = &derivation,
                                   .login = login,
                                   .transaction = true,
                                   .key_ref = derivation.key_ref,
                                   .object = login->object };

    if (session == NULL) {
        return 0;
    }
    if (key_ref < 1 || key_ref > 255 || peer->kind != SCHSM_CONTAINER_PUBLIC_KEY) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a key encryption key is not derived from key reference %d and %s",
                          key_ref, schsm_container_text(peer->kind));
    }
    return schsm_session_run(session, &job, err);
}
