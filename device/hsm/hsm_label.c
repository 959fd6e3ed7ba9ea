/* SPDX-License-Identifier: Apache-2.0 */
#include "hsm_label.h"

#include <stdio.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/crypto.h>

#include "hsm_private.h"

#define PURPOSE "a label that can be set"
#define TOKEN_INFO_MAX 600 /* label and manufacturer, each SCHSM_LABEL_MAX bytes, and tags */

int schsm_hsm_check_label(const char *label, struct schsm_error *err)
{
    size_t len = strlen(label);
    size_t at = 0;

    if (len == 0 || len > SCHSM_HSM_LABEL_MAX) {
        return schsm_fail(
            err, SCHSM_REASON_ARGUMENT,
            "a device's label has 1 to %d bytes, which is what PKCS#11 programs show, "
            "and this one has %zu",
            SCHSM_HSM_LABEL_MAX, len);
    }
    while (at < len) {
        unsigned long character = 0;
        int used = UTF8_getc((const unsigned char *)label + at, (int)(len - at), &character);

        if (used <= 0 || character < 0x20 || (character >= 0x7F && character < 0xA0)) {
            return schsm_fail(
                err, SCHSM_REASON_ARGUMENT,
                "a device's label has to be text in UTF-8 without control characters");
        }
        at += (size_t)used;
    }
    return 1;
}

int schsm_card_check_labels(struct schsm_session *session, struct schsm_error *err)
{
    const struct schsm_card_kind *kind = schsm_session_kind(session, err);

    if (kind == NULL) {
        return 0;
    }
    if (!kind->label_built_in) {
        return 1;
    }
    session->job.refused = true;
    return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                      "the label of a %s is built in and cannot be set; nothing was changed",
                      kind->name);
}

int schsm_card_write_label(struct schsm_session *session, const char *label,
                           struct schsm_error *err)
{
    struct schsm_pkcs15_token token = { 0 };
    uint8_t content[TOKEN_INFO_MAX];
    size_t len = sizeof(content), before_len = 0;
    uint8_t *before = NULL;
    int ok = 0;

    (void)snprintf(token.label, sizeof(token.label), "%s", label);
    if (!schsm_pkcs15_encode_token(&token, content, &len, err) ||
        !schsm_card_read_optional(session, SCHSM_FILE_TOKEN_INFO, SCHSM_FORM_BYTES, &before,
                                  &before_len, err)) {
        goto done;
    }
    /* 4.4: a shorter content would keep the tail of the longer one */
    if (before != NULL && before_len > len &&
        !schsm_card_delete_file(&session->card, SCHSM_FILE_TOKEN_INFO, err)) {
        goto done;
    }
    ok = schsm_card_write_file(&session->card, SCHSM_FILE_TOKEN_INFO, content, len, err);

done:
    OPENSSL_free(before);
    return ok;
}

static int run_label(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    return schsm_card_write_label(session, *(const char **)arg, err);
}

static int run_check(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    (void)arg;
    return schsm_card_check_labels(session, err);
}

int schsm_hsm_check_labels(struct schsm_device *dev, struct schsm_error *err)
{
    const struct schsm_job job = { .run = run_check };

    return schsm_card_run(dev, PURPOSE, &job, err);
}

int schsm_hsm_set_label(struct schsm_device *dev, const char *label,
                        const struct schsm_login *login, struct schsm_error *err)
{
    const struct schsm_job job = {
        .run = run_label, .arg = &label, .login = login, .transaction = true, .object = "label"
    };

    return schsm_hsm_check_labels(dev, err) && schsm_card_run(dev, PURPOSE, &job, err);
}
