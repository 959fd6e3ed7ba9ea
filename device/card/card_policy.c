/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the card tells of a key's policy (8.2): behind SELECT of the key's file, as the Pico HSM
 * does, or in the file CBxx. Genuine cards may tell it in neither place; then it stays unknown.
 */
#include "card_private.h"

#include <string.h>

#include <openssl/crypto.h>

#include "format/key_policy.h"

#define METADATA_MAX 256

/* Whether our applet answered and has nothing to tell; another applet's answer is a failure, which
 * the session mends. */
static bool tells_nothing(const struct schsm_card *card)
{
    return card->result == SCHSM_TRANSPORT_OK && card->status_word != SCHSM_SW_INS &&
           card->status_word != SCHSM_SW_CLA;
}

int schsm_card_key_policy(struct schsm_card *card, unsigned int key_ref,
                          struct schsm_key_policy *policy, struct schsm_error *err)
{
    uint8_t metadata[METADATA_MAX];
    size_t len = sizeof(metadata);
    uint8_t *file = NULL;

    memset(policy, 0, sizeof(*policy));
    if (schsm_card_key_metadata(card, key_ref, metadata, &len, err)) {
        schsm_key_policy_read(metadata, len, policy);
    } else if (!tells_nothing(card)) {
        return 0;
    }
    if (policy->known) {
        return 1;
    }
    len = 0;
    if (!schsm_card_read_file(card, SCHSM_FILE_KEY_METADATA | key_ref, SCHSM_FORM_BYTES, &file,
                              &len, err)) {
        return tells_nothing(card);
    }
    schsm_key_policy_read(file, len, policy);
    OPENSSL_free(file);
    return 1;
}

struct inquiry {
    unsigned int key_ref;
    struct schsm_key_policy *policy;
};

static int inquire(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct inquiry *inquiry = arg;

    return schsm_card_key_policy(&session->card, inquiry->key_ref, inquiry->policy, err);
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
