/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a device. */
#include "card_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#define OPTION_RESET_RETRY_COUNTER 0x0001 /* 6.7 */
#define OPTION_RESET_ONLY 0x0020

/*
 * Version and options are told by SELECT of the applet only, and that logs out everybody. So they
 * are asked for where nobody can be logged in: within the transaction that saw the PIN not
 * verified. Else they stay unknown, unless an earlier SELECT of ours told them.
 */
static int learn_version(struct schsm_session *session, enum schsm_pin_state state,
                         struct schsm_error *err)
{
    if (session->process.fci_known || state == SCHSM_PIN_VERIFIED ||
        state == SCHSM_PIN_PUBLIC_KEY) {
        return 1;
    }
    return schsm_session_select(session, err);
}

static int read_token_label(struct schsm_session *session, struct schsm_device_info *info,
                            struct schsm_error *err)
{
    struct schsm_pkcs15_token token;
    uint8_t *content = NULL;
    size_t len = 0;

    if (!schsm_card_read_optional(session, SCHSM_FILE_TOKEN_INFO, SCHSM_FORM_TLV, &content, &len,
                                  err)) {
        return 0;
    }
    if (content != NULL && schsm_pkcs15_decode_token(content, len, &token, err)) {
        (void)snprintf(info->label, sizeof(info->label), "%s", token.label);
    }
    OPENSSL_free(content);
    return 1;
}

static int read_domain(struct schsm_session *session, struct schsm_device_info *info,
                       struct schsm_error *err)
{
    static const uint8_t zero[sizeof(info->dkek_kcv)];
    struct schsm_key_domain_status domain;

    if (!schsm_card_key_domain_status(&session->card, 0, &domain, err)) {
        /* A refusal tells nothing, and is no reason not to tell the rest. */
        return session->card.result == SCHSM_TRANSPORT_OK;
    }
    /* The Pico HSM gives ten zero bytes where nothing is set up. */
    info->dkek =
        domain.exists && (domain.shares != 0 || memcmp(domain.kcv, zero, sizeof(zero)) != 0);
    info->dkek_shares = domain.shares;
    info->dkek_outstanding = domain.outstanding;
    memcpy(info->dkek_kcv, domain.kcv, sizeof(domain.kcv));
    return 1;
}

/* 5.4: what the device was initialised with decides. */
static enum schsm_unblocking unblocking(unsigned int options)
{
    if ((options & OPTION_RESET_ONLY) != 0) {
        return SCHSM_UNBLOCK_KEEPS;
    }
    return (options & OPTION_RESET_RETRY_COUNTER) != 0 ? SCHSM_UNBLOCK_BOTH : SCHSM_UNBLOCK_NEVER;
}

static int read_info(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    struct schsm_pin_status user, so = { SCHSM_PIN_ABSENT, -1 };
    struct schsm_device_info *info = arg;
    const struct schsm_card_kind *kind;

    memset(info, 0, sizeof(*info));
    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_USER, &user, err) ||
        !learn_version(session, user.state, err) || !schsm_session_learn_serial(session, err) ||
        !read_token_label(session, info, err) || !read_domain(session, info, err)) {
        return 0;
    }
    if (!schsm_card_pin_status(&session->card, SCHSM_PIN_SO, &so, err) &&
        session->card.result != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    kind = schsm_session_kind(session, err);
    if (kind == NULL) {
        return 0;
    }
    info->kind = kind->name;
    (void)snprintf(info->serial, sizeof(info->serial), "%s", session->process.serial);
    (void)snprintf(info->reader, sizeof(info->reader), "%s", session->process.reader);
    if (session->process.fci_known) {
        info->version_major = session->process.fci.version_major;
        info->version_minor = session->process.fci.version_minor;
        info->options_known = session->process.fci.options_told;
        info->so_pin_reset_allowed =
            (session->process.fci.options & OPTION_RESET_RETRY_COUNTER) != 0;
        info->unblocking =
            info->options_known ? unblocking(session->process.fci.options) : SCHSM_UNBLOCK_UNKNOWN;
    }
    /* 5.1: applets before 2.0 answer the transport PIN's status word before initialisation */
    info->initialised = user.state != SCHSM_PIN_ABSENT &&
                        !(user.state == SCHSM_PIN_TRANSPORT && so.state == SCHSM_PIN_ABSENT);
    info->pin_must_change = user.state == SCHSM_PIN_TRANSPORT && info->initialised;
    info->logged_in = user.state == SCHSM_PIN_VERIFIED;
    info->pin_tries = user.tries_left;
    info->so_pin_tries = so.tries_left;
    info->so_pin_set = so.state != SCHSM_PIN_ABSENT;
    info->so_pin_blocked = so.state == SCHSM_PIN_BLOCKED;
    info->pin = (struct schsm_pin_form){ SCHSM_USER_PIN_MIN, SCHSM_USER_PIN_MAX, false };
    info->so_pin = (struct schsm_pin_form){ SCHSM_SO_PIN_LEN, SCHSM_SO_PIN_LEN, true };
    return 1;
}

int schsm_card_device_info(struct schsm_device *dev, struct schsm_device_info *info,
                           struct schsm_error *err)
{
    const struct schsm_job job = { .run = read_info, .arg = info, .transaction = true };

    return schsm_session_run(schsm_card_session(dev), &job, err);
}
