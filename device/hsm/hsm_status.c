/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_status.h"

#include <string.h>

#include "hsm_private.h"

/* A refusal tells nothing, and is no reason not to tell the rest. */
static bool goes_on(const struct schsm_session *session, int ok)
{
    return ok || session->card.result == SCHSM_TRANSPORT_OK;
}

static int run_hsm_status(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct schsm_hsm_status *status = arg;
    struct schsm_public_key_status keys = { 0 };
    struct schsm_pin_status user, so;
    uint8_t version[2] = { 0, 0 };
    int ok;

    memset(status, 0, sizeof(*status));
    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &user, err) ||
        !schsm_card_pin_status(&session->card, SCHSM_PIN_SO, &so, err)) {
        return 0;
    }
    status->public_key_login = user.state == SCHSM_PIN_PUBLIC_KEY;
    status->so_pin_set = so.state != SCHSM_PIN_ABSENT;
    status->so_pin_blocked = so.state == SCHSM_PIN_BLOCKED;
    status->so_pin_tries = so.tries_left;
    status->options_known = session->process.fci_known && session->process.fci.options_told;
    status->options_untold = session->process.fci_known && !session->process.fci.options_told;
    status->options = status->options_known ? session->process.fci.options : 0;
    ok = schsm_card_public_key_status(&session->card, &keys, err);
    if (!goes_on(session, ok)) {
        return 0;
    }
    status->public_keys = keys.enabled;
    status->public_keys_total = keys.total;
    status->public_keys_missing = keys.missing;
    status->public_keys_required = keys.required;
    status->public_keys_authenticated = keys.authenticated;
    ok = schsm_card_free_memory(&session->card, &status->free_memory, version, err);
    status->memory_known = ok != 0;
    status->version_major = version[0];
    status->version_minor = version[1];
    return goes_on(session, ok);
}

int schsm_hsm_status(struct schsm_device *dev, struct schsm_hsm_status *status,
                     struct schsm_error *err)
{
    const struct schsm_job job = { .run = run_hsm_status, .arg = status, .transaction = true };

    return schsm_card_run(dev, "settings that it is initialised with", &job, err);
}
