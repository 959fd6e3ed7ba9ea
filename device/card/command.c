/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange with the card: encoding, waiting for its turn, 61xx and 6Cxx. */
#include "command.h"

#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "command_log.h"

/* The longest command that any card takes is about 2,038 bytes (2.3). */
#define COMMAND_MAX 2100

/* How long to wait for another program that holds the card. It may be making an RSA-4096 key, which
 * takes many minutes on slow devices. */
#define BUSY_PAUSE_FIRST_MS 1
#define BUSY_PAUSE_MAX_MS 20
#define BUSY_LIMIT_MS (15 * 60 * 1000)

/* A card that answers 61xx for ever must not keep us for ever. */
#define PIECES_MAX 300

static void pause_ms(int milliseconds)
{
    const struct timespec pause = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

    (void)nanosleep(&pause, NULL);
}

/* One command, one response; waits while another program holds the card. */
static int transmit(struct schsm_card *card, const uint8_t *command, size_t command_len,
                    uint8_t *response, size_t *response_len, struct schsm_error *err)
{
    size_t capacity = *response_len;
    int pause = BUSY_PAUSE_FIRST_MS;
    int waited = 0;

    schsm_log_command(command, command_len);
    for (;;) {
        *response_len = capacity;
        card->result = card->transport->transmit(card->handle, command, command_len, response,
                                                 response_len, err);
        if (card->result != SCHSM_TRANSPORT_BUSY || waited >= BUSY_LIMIT_MS) {
            break;
        }
        pause_ms(pause);
        waited += pause;
        pause = pause * 2 < BUSY_PAUSE_MAX_MS ? pause * 2 : BUSY_PAUSE_MAX_MS;
    }
    /* What fails for a reader that carried long commands before is the card, not the length. */
    if (card->result == SCHSM_TRANSPORT_TOO_LONG && card->long_works) {
        card->result = SCHSM_TRANSPORT_REMOVED;
    }
    if (card->result != SCHSM_TRANSPORT_OK) {
        return 0;
    }
    if (*response_len == 0) { /* what some readers say of a card that is pulled as it answers */
        card->result = SCHSM_TRANSPORT_REMOVED;
        return schsm_fail(err, SCHSM_REASON_DEVICE_REMOVED,
                          "the card went away while it was to answer");
    }
    if (*response_len > capacity || *response_len < 2) {
        card->result = SCHSM_TRANSPORT_FAILED;
        return schsm_fail(err, SCHSM_REASON_TRANSPORT,
                          "the reader gave a response without a status word");
    }
    schsm_log_response(command, command_len, response, *response_len);
    return 1;
}

/* Takes as much of an answer as there is room for; false where that was not all of it. */
static bool append_response(uint8_t *out, size_t *len, size_t capacity, const uint8_t *data,
                            size_t data_len)
{
    size_t taken = data_len < capacity - *len ? data_len : capacity - *len;

    if (taken > 0) {
        memcpy(out + *len, data, taken);
    }
    *len += taken;
    return taken == data_len;
}

/* Whether the command takes a use of the key that it names (6.4 to 6.6, 6.9, 6.11). */
static bool takes_key_use(const struct schsm_apdu *apdu)
{
    return apdu->ins == SCHSM_INS_SIGN || apdu->ins == SCHSM_INS_DECIPHER ||
           apdu->ins == SCHSM_INS_WRAP_KEY || apdu->ins == SCHSM_INS_DERIVE_KEY ||
           apdu->ins == SCHSM_INS_SYMMETRIC_CIPHER;
}

/* After an exchange with the card: whether it did the command or may have done it. */
static bool may_be_done(const struct schsm_card *card)
{
    switch (card->result) {
    case SCHSM_TRANSPORT_OK: /* 61xx: done, and there is more to fetch */
        return card->status_word == SCHSM_SW_OK || card->status_word >> 8 == 0x61;
    case SCHSM_TRANSPORT_RESET:
    case SCHSM_TRANSPORT_GONE:
    case SCHSM_TRANSPORT_BUSY:
        return false;
    case SCHSM_TRANSPORT_REMOVED:
    case SCHSM_TRANSPORT_NO_SERVICE:
    case SCHSM_TRANSPORT_TOO_LONG:
    case SCHSM_TRANSPORT_FAILED:
        break;
    }
    return true;
}

int schsm_card_exchange_plain(struct schsm_card *card, const struct schsm_apdu *apdu, uint8_t *out,
                              size_t *out_len, struct schsm_error *err)
{
    size_t capacity = out != NULL ? *out_len : 0;
    uint8_t command[COMMAND_MAX], response[SCHSM_RESPONSE_MAX];
    struct schsm_apdu_response part;
    struct schsm_apdu next = *apdu;
    size_t command_len = 0, response_len = 0, used = 0, total = 0;
    int ok = 0;

    card->result = SCHSM_TRANSPORT_FAILED;
    card->status_word = 0;
    card->longer = false;
    if (card->short_only && schsm_apdu_is_extended(apdu)) {
        card->result = SCHSM_TRANSPORT_TOO_LONG;
        schsm_fail(
            err, SCHSM_REASON_UNSUPPORTED,
            "the reader cannot carry extended APDUs, which %s needs here: use another reader",
            schsm_apdu_name(apdu->ins));
        goto done;
    }
    for (int pieces = 0;; pieces++) {
        command_len = sizeof(command);
        if (pieces == PIECES_MAX || !schsm_apdu_build(&next, command, &command_len, err)) {
            if (pieces == PIECES_MAX) {
                schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the device's answer has no end");
            }
            card->result = SCHSM_TRANSPORT_FAILED;
            goto done;
        }
        response_len = sizeof(response);
        if (!transmit(card, command, command_len, response, &response_len, err)) {
            card->key_used = card->key_used || (takes_key_use(apdu) && may_be_done(card));
            goto done;
        }
        used = response_len > used ? response_len : used;
        if (!schsm_apdu_parse_response(response, response_len, &part, err)) {
            goto done;
        }
        card->status_word = part.status_word;
        card->key_used = card->key_used || (takes_key_use(apdu) && may_be_done(card));
        card->long_works = card->long_works || schsm_apdu_is_extended(&next);
        if (part.status_word >> 8 == 0x6C && part.data_len == 0 && next.le != 0) {
            /* the same again with the length that the card names */
            next.le = (part.status_word & 0xFF) != 0 ? part.status_word & 0xFF : 256;
            continue;
        }
        if (!append_response(out, &total, capacity, part.data, part.data_len)) {
            card->longer = true;
        }
        if (part.status_word >> 8 != 0x61) {
            break;
        }
        if (total == capacity) {
            /* The card did it, and has more to say than was asked: a Pico HSM offers its request
             * after GENERATE, and the rest of a file after READ BINARY (19.5). */
            card->longer = true;
            card->status_word = SCHSM_SW_OK;
            break;
        }
        next = (struct schsm_apdu){ .ins = SCHSM_INS_GET_RESPONSE,
                                    .le = (part.status_word & 0xFF) != 0 ? part.status_word & 0xFF
                                                                         : 256 };
        if (apdu->ins == SCHSM_INS_SIGN || apdu->ins == SCHSM_INS_DECIPHER ||
            apdu->ins == SCHSM_INS_SYMMETRIC_CIPHER) {
            card->get_response = true;
        }
    }
    ok = 1;

done:
    /* A PIN, a plaintext or a shared secret may have gone through here. */
    OPENSSL_cleanse(command, command_len < sizeof(command) ? command_len : sizeof(command));
    OPENSSL_cleanse(response, used < sizeof(response) ? used : sizeof(response));
    if (out_len != NULL) {
        *out_len = ok ? total : 0;
    }
    return ok;
}

int schsm_card_accepted(struct schsm_card *card, const struct schsm_apdu *apdu,
                        struct schsm_error *err)
{
    return card->status_word == SCHSM_SW_OK ||
           schsm_fail_status_word(err, apdu->ins, card->status_word);
}

int schsm_card_execute(struct schsm_card *card, const struct schsm_apdu *apdu, uint8_t *out,
                       size_t *out_len, struct schsm_error *err)
{
    int ok = schsm_card_exchange_plain(card, apdu, out, out_len, err) &&
             schsm_card_accepted(card, apdu, err);

    if (!ok && out_len != NULL) {
        *out_len = 0;
    }
    return ok;
}
