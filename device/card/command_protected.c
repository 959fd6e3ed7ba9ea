/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command through a secure channel (protocol reference section 17): chip authentication with
 * the device key, the command, and plain again. A channel lives for one command, since most that is
 * sent holds nothing that others must not see.
 */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/log.h"
#include "base/tlv.h"
#include "secure_channel.h"

#define CHIP_AUTHENTICATION 0x41 /* MANAGE SECURITY ENVIRONMENT (6.13) */
#define TEMPLATE_AUTHENTICATION 0xA4
#define TAG_CODE 0x8E /* section 17 */

/* A chunk of a private file is the longest that goes either way. */
#define PLAIN_MAX (SCHSM_APDU_READ_CHUNK + 24)

/* What the way of a command depends on beside the card. */
struct protection {
    enum schsm_apdu_content content;
    bool required;
};

/* Nothing was sent, and the sentence says why. Of a PIN nothing was asked, so no status word is an
 * answer to it; otherwise another applet or program may be the cause, which the session mends. */
static int not_sent(struct schsm_card *card, const struct protection *protection,
                    struct schsm_error *err)
{
    static const char *const contents[] = {
        [SCHSM_APDU_PIN] = "the PIN",
        [SCHSM_APDU_SHARE] = "the share of the key",
        [SCHSM_APDU_PRIVATE] = "what is private",
    };

    if (card->result != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    if (protection->content == SCHSM_APDU_PIN) {
        card->status_word = 0;
    }
    return schsm_fail_context(err,
                              "nothing was sent, since %s may only go through a secure channel "
                              "(secure-channel is set to require)",
                              contents[protection->content]);
}

/* Reads the device's key and what is known of its maker, once for each connection. */
static int look_at_device(struct schsm_card *card, struct schsm_error *err)
{
    struct schsm_channel_device *about = &card->channel_device;
    struct schsm_error found = SCHSM_ERROR_INIT;
    struct schsm_device_identity identity;
    uint8_t *file = NULL;
    size_t len = 0;
    int ok = 0;

    if (about->looked) {
        return 1;
    }
    memset(about, 0, sizeof(*about));
    if (!schsm_card_read_file(card, SCHSM_FILE_DEVICE_CERTIFICATES, SCHSM_FORM_BYTES, &file, &len,
                              err)) {
        goto done;
    }
    if (!schsm_roots_verify_device(card->policy->roots, file, len, &identity, &found)) {
        (void)snprintf(about->trust, sizeof(about->trust), "%s", found.text);
    }
    about->curve = identity.curve;
    if (identity.device.key.type != SCHSM_KEY_EC ||
        (about->curve == NULL && about->trust[0] == '\0') ||
        (about->trust[0] != '\0' &&
         !schsm_cvc_likely_curve(&identity.device.key, &about->curve, &found)) ||
        identity.device.key.point.len != 1 + 2 * about->curve->field_len) {
        about->absent = true;
    } else {
        about->point_len = identity.device.key.point.len;
        memcpy(about->point, identity.device.key.point.data, about->point_len);
    }
    about->looked = true;
    ok = 1;

done:
    OPENSSL_free(file);
    return ok;
}

/* Chip authentication; *offered false where the card does not know it. */
static int open_channel(struct schsm_card *card, const struct schsm_curve *curve,
                        struct schsm_view point, struct schsm_channel *channel, bool *offered,
                        struct schsm_error *err)
{
    const struct schsm_apdu select = { .ins = SCHSM_INS_MANAGE_SECURITY_ENVIRONMENT,
                                       .p1 = CHIP_AUTHENTICATION,
                                       .p2 = TEMPLATE_AUTHENTICATION,
                                       .data = schsm_channel_protocol,
                                       .data_len = sizeof(schsm_channel_protocol) };
    struct schsm_channel_handshake handshake = { 0 };
    struct schsm_apdu authenticate = { .ins = SCHSM_INS_GENERAL_AUTHENTICATE,
                                       .le = SCHSM_APDU_SHORT_LE_MAX };
    uint8_t answer[SCHSM_APDU_SHORT_LE_MAX];
    size_t answer_len = sizeof(answer);
    int ok = 0;

    *offered = false;
    if (!schsm_card_execute(card, &select, NULL, NULL, err) ||
        !schsm_channel_start(&handshake, curve, err)) {
        goto done;
    }
    authenticate.data = handshake.command;
    authenticate.data_len = handshake.command_len;
    if (!schsm_card_execute(card, &authenticate, answer, &answer_len, err)) {
        goto done;
    }
    *offered = true;
    ok = schsm_channel_finish(&handshake, point, answer, answer_len, channel, err);

done:
    schsm_channel_handshake_clear(&handshake);
    return ok;
}

/* Whether an answer is protected at all. A Pico HSM answers a wrong PIN with its status word alone,
 * in the clear or as a data object without a code (19.5). */
static bool has_code(const uint8_t *response, size_t len)
{
    struct schsm_tlv code;

    return schsm_tlv_find(response, len, TAG_CODE, &code);
}

/* The command itself. An error that the card reports without protection is told as it is: it opens
 * nothing. */
static int send_wrapped(struct schsm_card *card, struct schsm_channel *channel,
                        const struct schsm_apdu *apdu, uint8_t *out, size_t *out_len,
                        struct schsm_error *err)
{
    uint8_t data[PLAIN_MAX + SCHSM_CHANNEL_OVERHEAD], response[PLAIN_MAX + SCHSM_CHANNEL_OVERHEAD];
    size_t data_len = sizeof(data), response_len = sizeof(response), none = 0;
    struct schsm_apdu wrapped;
    int ok = 0;

    if (!schsm_channel_wrap(channel, apdu, data, &data_len, &wrapped, err)) {
        card->status_word = 0;
        goto done;
    }
    if (!schsm_card_exchange_plain(card, &wrapped, response, &response_len, err)) {
        goto done;
    }
    if (card->status_word != SCHSM_SW_OK && !has_code(response, response_len)) {
        if (out_len != NULL) {
            *out_len = 0;
        }
        ok = 1;
        goto done;
    }
    ok = schsm_channel_unwrap(channel, apdu, response, response_len, &card->status_word, out,
                              out_len != NULL ? out_len : &none, err);
    if (!ok) {
        card->status_word = SCHSM_SW_OK; /* whatever it was, it is not the card's word */
    }

done:
    OPENSSL_cleanse(data, sizeof(data));
    OPENSSL_cleanse(response, sizeof(response));
    return ok;
}

/* Within a transaction: nobody else's command may come between. */
static int protect(struct schsm_card *card, const struct schsm_apdu *apdu,
                   const struct protection *protection, uint8_t *out, size_t *out_len,
                   struct schsm_error *err)
{
    bool required = protection->required, offered = false;
    struct schsm_channel channel = { 0 };
    int ok = 0;

    if (!look_at_device(card, err)) {
        return required || card->result != SCHSM_TRANSPORT_OK
                   ? not_sent(card, protection, err)
                   : schsm_card_exchange_plain(card, apdu, out, out_len, err);
    }
    if (card->channel_device.trust[0] != '\0' && required) {
        schsm_fail(err, SCHSM_REASON_WRONG_KEY, "%s", card->channel_device.trust);
        card->status_word = 0;
        return not_sent(card, protection, err);
    }
    /* Some offer it only after a login (19.5). */
    if (card->channel_device.declined && !required && protection->content == SCHSM_APDU_PIN) {
        return schsm_card_exchange_plain(card, apdu, out, out_len, err);
    }
    if (!card->channel_device.absent) {
        const struct schsm_view point = { card->channel_device.point,
                                          card->channel_device.point_len };

        ok = open_channel(card, card->channel_device.curve, point, &channel, &offered, err);
    } else {
        card->status_word = 0;
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "the device has no key for chip authentication");
    }
    if (ok) {
        schsm_log(
            SCHSM_LOG_INFO, "%s goes through a secure channel%s%s", schsm_apdu_name(apdu->ins),
            card->channel_device.trust[0] != '\0' ? " to a device that nobody vouches for: " : "",
            card->channel_device.trust);
        ok = send_wrapped(card, &channel, apdu, out, out_len, err);
    } else if (offered || card->result != SCHSM_TRANSPORT_OK) {
        card->status_word = card->result == SCHSM_TRANSPORT_OK ? 0 : card->status_word;
    } else if (required) {
        (void)not_sent(card, protection, err);
    } else {
        schsm_log(SCHSM_LOG_INFO, "%s goes without a secure channel: %s",
                  schsm_apdu_name(apdu->ins), err->text);
        card->channel_device.declined = true;
        ok = schsm_card_exchange_plain(card, apdu, out, out_len, err);
    }
    schsm_channel_clear(&channel);
    return ok;
}

/* What the user gives away is protected where it can be; what the device gives back, or keeps, is
 * for those who asked for it: three more commands each time are much. */
static bool wants_protection(const struct schsm_channel_policy *policy,
                             const struct schsm_apdu *apdu)
{
    enum schsm_apdu_content content = schsm_apdu_content(apdu);

    if (policy == NULL || policy->mode == SCHSM_CHANNEL_OFF ||
        (apdu->cla & SCHSM_CLA_SECURE) != 0) {
        return false;
    }
    return content == SCHSM_APDU_PRIVATE ? policy->mode == SCHSM_CHANNEL_REQUIRE
                                         : content != SCHSM_APDU_NO_SECRET;
}

int schsm_card_exchange(struct schsm_card *card, const struct schsm_apdu *apdu, uint8_t *out,
                        size_t *out_len, struct schsm_error *err)
{
    struct schsm_error local = SCHSM_ERROR_INIT;
    struct protection protection = { .content = schsm_apdu_content(apdu) };
    int ok;

    if (!wants_protection(card->policy, apdu)) {
        return schsm_card_exchange_plain(card, apdu, out, out_len, err);
    }
    if (err == NULL) {
        err = &local;
    }
    if (apdu->data_len > PLAIN_MAX) {
        card->result = SCHSM_TRANSPORT_OK;
        card->status_word = 0;
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a command of %zu bytes is too long for a secure channel",
                          apdu->data_len);
    }
    protection.required = card->policy->mode == SCHSM_CHANNEL_REQUIRE;
    card->status_word = 0;
    card->longer = false;
    card->result = card->transport->begin(card->handle, err);
    if (card->result != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    ok = protect(card, apdu, &protection, out, out_len, err);
    card->transport->end(card->handle);
    return ok;
}

int schsm_card_execute_secret(struct schsm_card *card, const struct schsm_apdu *apdu, uint8_t *out,
                              size_t *out_len, struct schsm_error *err)
{
    int ok =
        schsm_card_exchange(card, apdu, out, out_len, err) && schsm_card_accepted(card, apdu, err);

    if (!ok && out_len != NULL) {
        *out_len = 0;
    }
    return ok;
}

int schsm_card_authenticate_chip(struct schsm_card *card, const struct schsm_curve *curve,
                                 struct schsm_view point, bool *offered, struct schsm_error *err)
{
    struct schsm_channel channel = { 0 };
    int ok = open_channel(card, curve, point, &channel, offered, err);

    schsm_channel_clear(&channel);
    return ok;
}
