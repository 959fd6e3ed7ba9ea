/* SPDX-License-Identifier: Apache-2.0 */
/* The session with a token: finding the token the first time, and again after it went away. */
#include "pkcs11_private.h"

#include <string.h>
#include <time.h>

#include "base/log.h"

#define SLOTS_MAX 64

/* For how long a token that was there a moment ago is waited for, and how often a module that does
 * not find it is told to look anew. */
#define RETURN_PAUSE_MS 100
#define RETURN_LIMIT_MS 4000
#define RESTART_EVERY 5

static void forget_session(struct schsm_pkcs11_token *token)
{
    token->session = token->rw = CK_INVALID_HANDLE;
    token->pin = (struct schsm_pin_connection){ 0 };
    token->keys_count = 0;
}

void schsm_pkcs11_close(struct schsm_pkcs11_token *token)
{
    if (token->session != CK_INVALID_HANDLE && token->generation == token->module->generation &&
        schsm_pkcs11_usable()) {
        (void)SCHSM_PKCS11_CALL(token->module, close_session, (token->session));
    }
    forget_session(token);
}

int schsm_pkcs11_fail(struct schsm_pkcs11_token *token, ck_rv rv, struct schsm_error *err)
{
    token->rv = rv;
    return schsm_pkcs11_describe(rv, err);
}

int schsm_pkcs11_fail_to(struct schsm_pkcs11_token *token, ck_rv rv, const char *what,
                         struct schsm_error *err)
{
    schsm_pkcs11_fail(token, rv, err);
    return schsm_fail_context(err, "it cannot %s", what);
}

ck_rv schsm_pkcs11_written(struct schsm_pkcs11_token *token, ck_rv rv)
{
    token->changed = token->changed || rv == CKR_OK || schsm_pkcs11_is_unsure(rv);
    return rv;
}

int schsm_pkcs11_token_info(struct schsm_pkcs11_token *token, struct ck_token_info *info,
                            struct schsm_error *err)
{
    ck_rv rv;

    memset(info, 0, sizeof(*info));
    rv = SCHSM_PKCS11_CALL(token->module, get_token_info, (token->slot, info));
    return rv == CKR_OK ? 1 : schsm_pkcs11_fail(token, rv, err);
}

/* Which slot the token is in now. 1: found, 0: it is not there, or nobody can tell. */
static int find_slot(struct schsm_pkcs11_token *token, struct schsm_error *err)
{
    struct schsm_pkcs11_slot slots[SLOTS_MAX];
    size_t count = SLOTS_MAX;

    if (!schsm_pkcs11_slots(token->module, slots, &count, err)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (slots[i].initialised && strcmp(slots[i].serial, token->serial) == 0 &&
            strcmp(slots[i].label, token->label) == 0) {
            token->slot = slots[i].id;
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_DEVICE_REMOVED,
                      "the PKCS#11 module does not find it any more: insert it again, or restore "
                      "the way to it");
}

int schsm_pkcs11_open(struct schsm_pkcs11_token *token, bool write, ck_handle *session,
                      struct schsm_error *err)
{
    unsigned long flags = CKF_SERIAL_SESSION | (write ? CKF_RW_SESSION : 0ul);
    ck_rv rv =
        SCHSM_PKCS11_CALL(token->module, open_session, (token->slot, flags, NULL, NULL, session));

    if (rv != CKR_OK) {
        *session = CK_INVALID_HANDLE; /* whatever the module left there */
        return schsm_pkcs11_fail(token, rv, err);
    }
    return 1;
}

static int connect_once(struct schsm_pkcs11_token *token, struct schsm_error *err)
{
    if (!schsm_pkcs11_initialise(token->module, err)) {
        return 0;
    }
    if (token->generation != token->module->generation) {
        forget_session(token); /* in a child, or after the module was initialised anew */
        if (!find_slot(token, err)) {
            return 0;
        }
        token->generation = token->module->generation;
    }
    if (token->session != CK_INVALID_HANDLE) {
        return 1;
    }
    if (!schsm_pkcs11_open(token, false, &token->session, err)) {
        token->generation = 0; /* it may be in another slot */
        return 0;
    }
    token->was_open = true;
    return 1;
}

/*
 * A module that lost the way to its token, to another machine for instance, finds it only after it
 * was initialised anew; that ends the sessions of its other tokens, which open new ones.
 */
int schsm_pkcs11_connect(struct schsm_pkcs11_token *token, bool patient, struct schsm_error *err)
{
    const struct timespec pause = { 0, RETURN_PAUSE_MS * 1000000L };

    for (int waited = 0;; waited++) {
        if (connect_once(token, err)) {
            return 1;
        }
        if (!patient || waited * RETURN_PAUSE_MS >= RETURN_LIMIT_MS) {
            return 0;
        }
        if (waited % RESTART_EVERY == 0 &&
            (waited > 0 || err->reason == SCHSM_REASON_DEVICE_REMOVED)) {
            schsm_log(SCHSM_LOG_INFO, "initialising PKCS#11 module %s anew: %s",
                      token->module->path, err->text);
            schsm_pkcs11_finalise(token->module, false);
        }
        (void)nanosleep(&pause, NULL);
    }
}
