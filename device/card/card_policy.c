/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the card tells of a key's policy (8.2): behind SELECT of the key's file, as the Pico HSM
 * does, or in the file CBxx. Genuine cards may tell it in neither place; then it stays unknown.
 */
#include "card_private.h"

#include <openssl/crypto.h>

#include "format/key_policy.h"

#define METADATA_MAX 256

struct inquiry {
    unsigned int key_ref;
    struct schsm_key_policy *policy;
};

/* Whether our applet answered and has nothing to tell; another applet's answer is a failure, which
 * the session mends. */
static bool refused(const struct schsm_session *session)
{
    return session->card.result == SCHSM_TRANSPORT_OK &&
           session->card.status_word != SCHSM_SW_INS && session->card.status_word != SCHSM_SW_CLA;
}

static int inquire(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct inquiry *inquiry = arg;
    uint8_t metadata[METADATA_MAX];
    size_t len = sizeof(metadata);
    uint8_t *file = NULL;

    if (schsm_card_key_metadata(&session->card, inquiry->key_ref, metadata, &len, err)) {
        schsm_key_policy_read(metadata, len, inquiry->policy);
    } else if (!refused(session)) {
        return 0;
    }
    if (inquiry->policy->known) {
        return 1;
    }
    len = 0;
    if (!schsm_card_read_file(&session->card, SCHSM_FILE_KEY_METADATA | inquiry->key_ref,
                              SCHSM_FORM_BYTES, &file, &len, err)) {
        return refused(session);
    }
    schsm_key_policy_read(file, len, inquiry->policy);
    OPENSSL_free(file);
    return 1;
}

int schsm_card_device_key_policy(struct schsm_device *dev, const struct schsm_object *key,
                                 struct schsm_key_policy *policy, struct schsm_error *err)
{
    struct inquiry inquiry = { (unsigned int)key->key_ref, policy };
    const struct schsm_job job = { .run = inquire, .arg = &inquiry, .transaction = true };

    if (key->key_ref < 1 || key->key_ref > 255) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%d is no key reference", key->key_ref);
    }
    return schsm_session_run(schsm_card_session(dev), &job, err);
}
