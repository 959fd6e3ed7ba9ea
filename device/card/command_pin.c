/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

#include <openssl/crypto.h>

/* 5.4 P1: what RESET RETRY COUNTER is given. */
enum { RESET_WITH_NEW_PIN = 0x00, RESET_COUNTER_ONLY = 0x01 };

/* 5.1: where public-key authentication is in use the card answers with some warning or execution
 * error; which one is not in any public source. */
static bool is_public_key_state(unsigned int status_word)
{
    unsigned int sw1 = status_word >> 8;

    return sw1 == 0x62 || sw1 == 0x63 || sw1 == 0x64;
}

int schsm_card_pin_status(struct schsm_card *card, enum schsm_pin_reference reference,
                          struct schsm_pin_status *status, struct schsm_error *err)
{
    const struct schsm_apdu apdu = { .ins = SCHSM_INS_VERIFY, .p2 = (uint8_t)reference };

    status->tries_left = -1;
    if (!schsm_card_exchange_plain(card, &apdu, NULL, NULL, err)) {
        return 0;
    }
    if (schsm_status_word_tries(card->status_word) >= 0) {
        status->state = SCHSM_PIN_NOT_VERIFIED;
        status->tries_left = schsm_status_word_tries(card->status_word);
        if (reference == SCHSM_PIN_USER && status->tries_left > card->user_tries) {
            card->user_tries = status->tries_left;
        }
        if (status->tries_left == 0) {
            status->state = SCHSM_PIN_BLOCKED;
        }
        return 1;
    }
    switch (card->status_word) {
    case SCHSM_SW_OK:
        status->state = SCHSM_PIN_VERIFIED;
        return 1;
    case SCHSM_SW_BLOCKED:
        status->state = SCHSM_PIN_BLOCKED;
        status->tries_left = 0;
        return 1;
    case SCHSM_SW_REFERENCE_DATA:
        status->state = SCHSM_PIN_TRANSPORT;
        return 1;
    case SCHSM_SW_REFERENCE_NOT_FOUND:
        status->state = SCHSM_PIN_ABSENT;
        return 1;
    default:
        break;
    }
    if (is_public_key_state(card->status_word)) {
        status->state = SCHSM_PIN_PUBLIC_KEY;
        return 1;
    }
    return schsm_fail_status_word(err, apdu.ins, card->status_word);
}

int schsm_card_verify_pin(struct schsm_card *card, const uint8_t *pin, size_t len,
                          struct schsm_error *err)
{
    const struct schsm_apdu apdu = {
        .ins = SCHSM_INS_VERIFY, .p2 = SCHSM_PIN_USER, .data = pin, .data_len = len
    };

    return schsm_card_exchange(card, &apdu, NULL, NULL, err) &&
           schsm_card_accepted(card, &apdu, err);
}

int schsm_card_verify_pin_on_pad(struct schsm_card *card, struct schsm_error *err)
{
    /* 18: PIN_VERIFY_STRUCTURE; numbers of several bytes are little endian */
    static const uint8_t structure[] = { 0x1E,
                                         0x1E, /* bTimerOut, bTimerOut2: 30 seconds */
                                         0x82, /* bmFormatString: ASCII, left justified, in bytes */
                                         0x00, /* bmPINBlockString: no block of fixed size */
                                         0x00, /* bmPINLengthFormat: no length inserted */
                                         SCHSM_USER_PIN_MAX,
                                         SCHSM_USER_PIN_MIN, /* wPINMaxExtraDigit */
                                         0x02, /* bEntryValidationCondition: validation key */
                                         0xFF, /* bNumberMessage: the reader's default */
                                         0x09,
                                         0x04, /* wLangId: English */
                                         0x00, /* bMsgIndex */
                                         0x00,
                                         0x00,
                                         0x00, /* bTeoPrologue */
                                         0x04,
                                         0x00,
                                         0x00,
                                         0x00, /* ulDataLength */
                                         0x00,
                                         SCHSM_INS_VERIFY,
                                         0x00,
                                         SCHSM_PIN_USER };
    uint8_t response[SCHSM_APDU_SHORT_RESPONSE_MAX];
    struct schsm_apdu_response parsed;
    size_t len = sizeof(response);

    card->status_word = 0;
    card->result = card->transport->verify_on_pad(card->handle, structure, sizeof(structure),
                                                  response, &len, err);
    if (card->result != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    if (len > sizeof(response) || !schsm_apdu_parse_response(response, len, &parsed, err)) {
        card->result = SCHSM_TRANSPORT_FAILED;
        return schsm_fail(err, SCHSM_REASON_TRANSPORT, "the PIN pad gave no status word");
    }
    card->status_word = parsed.status_word;
    switch (card->status_word) {
    case SCHSM_SW_OK:
        return 1;
    case 0x6400:
        return schsm_fail(err, SCHSM_REASON_CANCELLED, "no PIN was typed at the PIN pad in time");
    case 0x6401:
        return schsm_fail(err, SCHSM_REASON_CANCELLED, "PIN entry was cancelled at the PIN pad");
    case 0x6403:
        return schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                          "the PIN typed at the PIN pad does not have %d to %d characters",
                          SCHSM_USER_PIN_MIN, SCHSM_USER_PIN_MAX);
    default:
        return schsm_fail_status_word(err, SCHSM_INS_VERIFY, card->status_word);
    }
}

/* A command whose data is two values, one behind the other. */
static int send_pair(struct schsm_card *card, uint8_t ins, uint8_t p1, uint8_t p2,
                     const uint8_t *first, size_t first_len, const uint8_t *second,
                     size_t second_len, struct schsm_error *err)
{
    uint8_t data[2 * SCHSM_USER_PIN_MAX];
    const struct schsm_apdu apdu = {
        .ins = ins, .p1 = p1, .p2 = p2, .data = data, .data_len = first_len + second_len
    };
    int ok;

    if (first_len > SCHSM_USER_PIN_MAX || second_len > SCHSM_USER_PIN_MAX) {
        card->result = SCHSM_TRANSPORT_OK;
        card->status_word = 0;
        return schsm_fail(err, SCHSM_REASON_PIN_LENGTH, "a PIN has at most %d characters",
                          SCHSM_USER_PIN_MAX);
    }
    memcpy(data, first, first_len);
    if (second_len > 0) {
        memcpy(data + first_len, second, second_len);
    }
    ok = schsm_card_exchange(card, &apdu, NULL, NULL, err) && schsm_card_accepted(card, &apdu, err);
    OPENSSL_cleanse(data, sizeof(data));
    return ok;
}

int schsm_card_change_reference_data(struct schsm_card *card, enum schsm_pin_reference reference,
                                     const uint8_t *old_value, size_t old_len,
                                     const uint8_t *new_value, size_t new_len,
                                     struct schsm_error *err)
{
    return send_pair(card, SCHSM_INS_CHANGE_REFERENCE_DATA, 0x00, (uint8_t)reference, old_value,
                     old_len, new_value, new_len, err);
}

int schsm_card_reset_retry_counter(struct schsm_card *card, const uint8_t *so_pin,
                                   const uint8_t *new_pin, size_t new_len, struct schsm_error *err)
{
    return send_pair(card, SCHSM_INS_RESET_RETRY_COUNTER,
                     new_pin != NULL ? RESET_WITH_NEW_PIN : RESET_COUNTER_ONLY, SCHSM_PIN_USER,
                     so_pin, SCHSM_SO_PIN_LEN, new_pin, new_pin != NULL ? new_len : 0, err);
}
