/* SPDX-License-Identifier: Apache-2.0 */
/* The PIN when a key is loaded. */
#include "key_internal.h"

#include <openssl/bio.h>

#include "base/fork_guard.h"
#include "base/log.h"

static int prove(struct schsm_key *key, struct schsm_pin_source *source, struct schsm_error *err)
{
    struct schsm_device *device = schsm_key_operator(key, err);
    struct schsm_login login = schsm_login_for(key->context, source, key->name);

    return device != NULL && schsm_device_login(device, &login, err);
}

/* The device is not here, or its custodians open it and no PIN does: that is not for a PIN to mend,
 * and nobody can tell its tries. */
static bool is_beyond_pins(enum schsm_reason reason)
{
    switch (reason) {
    case SCHSM_REASON_NO_SERVICE:
    case SCHSM_REASON_NO_READER:
    case SCHSM_REASON_NO_DEVICE:
    case SCHSM_REASON_DEVICE_AMBIGUOUS:
    case SCHSM_REASON_DEVICE_REMOVED:
    case SCHSM_REASON_TRANSPORT:
    case SCHSM_REASON_UNSUPPORTED:
        return true;
    default:
        return false;
    }
}

/*
 * Asks for a PIN that is to be proven now. Without the device there is nobody to prove it to: the
 * key is loaded nevertheless, for its public part is here, and its first private operation says
 * what is missing.
 */
static int ask_to_prove(struct schsm_key *key, const struct schsm_passphrase *passphrase,
                        struct schsm_pin_source **source, struct schsm_error *err)
{
    struct schsm_error found = SCHSM_ERROR_INIT;
    struct schsm_device *device = schsm_key_operator(key, &found);

    if (device != NULL &&
        schsm_login_ask(key->context, device, key->name, passphrase, source, &found)) {
        return 1;
    }
    if (is_beyond_pins(found.reason)) {
        schsm_log(SCHSM_LOG_INFO, "%s is loaded without asking for the PIN: %s", key->name,
                  found.text);
        return 1;
    }
    if (err != NULL) {
        *err = found;
    }
    return 0;
}

/* Asks for a PIN that is to be proven later, and leaves the device alone. */
static int ask_for_later(struct schsm_key *key, const struct schsm_passphrase *passphrase,
                         struct schsm_pin_source **source, struct schsm_error *err)
{
    char info[SCHSM_OBJECT_NAME_MAX + SCHSM_TOKEN_LABEL_MAX + 32];

    if (key->token != NULL) {
        BIO_snprintf(info, sizeof(info), "token %.96s, %s", key->token, key->name);
    } else {
        BIO_snprintf(info, sizeof(info), "SmartCard-HSM%s%s, %s", key->serial != NULL ? " " : "",
                     key->serial != NULL ? key->serial : "", key->name);
    }
    return schsm_passphrase_ask(passphrase, info, key->name, false, source, err);
}

/* Nobody asks the application again: where its PIN was not proven yet, or is to be kept, the key
 * keeps it. */
static void keep_source(struct schsm_key *key, struct schsm_pin_source *source)
{
    struct schsm_pin_source *before;

    schsm_guard_lock();
    before = key->source;
    key->source = schsm_pin_source_ref(source);
    schsm_guard_unlock();
    schsm_pin_source_free(before);
}

int schsm_key_login_at_load(struct schsm_key *key, const struct schsm_passphrase *passphrase,
                            struct schsm_error *err)
{
    enum schsm_login_time when = key->context->config.login;
    struct schsm_pin_source *source = NULL;
    int ok = 1;

    if (when == SCHSM_LOGIN_NEVER) {
        return 1;
    }
    source = schsm_key_source(key);
    if (source != NULL) {
        ok = when == SCHSM_LOGIN_USE || prove(key, source, err);
    } else if (passphrase != NULL && when == SCHSM_LOGIN_USE) {
        ok = ask_for_later(key, passphrase, &source, err);
    } else if (passphrase != NULL) {
        ok = ask_to_prove(key, passphrase, &source, err) &&
             (source == NULL || prove(key, source, err));
    } else {
        return 1;
    }
    if (ok && source != NULL && (when == SCHSM_LOGIN_USE || key->context->config.cache_pin)) {
        keep_source(key, source);
    }
    schsm_pin_source_free(source);
    return ok;
}
