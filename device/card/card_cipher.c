/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SYMMETRIC CIPHER (6.6): what an AES key does. The card begins each command with an initialisation
 * vector of zero, so data that does not go into one command is chained here: the last block of
 * ciphertext so far is xored into the first block of the next command.
 */
#include "card_private.h"

#include <string.h>

#include <openssl/crypto.h>

#define BLOCK SCHSM_AES_BLOCK

/* Whole blocks in one command, within what is known to go to every card and reader (2.3). */
#define LONG_PIECE ((size_t)SCHSM_APDU_WRITE_CHUNK / BLOCK * BLOCK)
#define SHORT_PIECE ((size_t)SCHSM_APDU_SHORT_CHUNK / BLOCK * BLOCK)

static void xor_block(uint8_t *to, const uint8_t *with)
{
    for (size_t i = 0; i < BLOCK; i++) {
        to[i] ^= with[i];
    }
}

/* The data for the next command, at most so much. */
static size_t piece_limit(const struct schsm_session *session, bool fell_back)
{
    return session->card.short_only || fell_back ? SHORT_PIECE : LONG_PIECE;
}

/* One command. *out_len: room, and what came: room for an answer that is longer than expected is
 * the caller's to give. */
static int cipher_command(struct schsm_session *session, unsigned int key_ref, uint8_t algorithm,
                          const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                          struct schsm_error *err)
{
    const struct schsm_apdu apdu = {
        .cla = 0x80,
        .ins = SCHSM_INS_SYMMETRIC_CIPHER,
        .p1 = (uint8_t)key_ref,
        .p2 = algorithm,
        .data = in_len > 0 ? in : NULL,
        .data_len = in_len,
        /* a short APDU where it goes into one: no reader fails at that */
        .le = in_len <= SCHSM_APDU_SHORT_LE_MAX ? SCHSM_APDU_SHORT_LE_MAX : in_len,
    };

    return schsm_card_execute_secret(&session->card, &apdu, out, out_len, err);
}

static int fail_cipher_result(struct schsm_session *session, size_t wanted, size_t len,
                              struct schsm_error *err)
{
    return session->card.longer
               ? schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                            "the device's result has more than %zu bytes", wanted)
               : schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                            "the device's result has %zu bytes in place of %zu", len, wanted);
}

/*
 * Sends one piece of CBC; chain is the last block of ciphertext before it, and becomes that of this
 * piece. out: as many bytes; NULL: only the chain is wanted.
 */
static int send_piece(struct schsm_session *session, const struct schsm_card_operation *op,
                      bool encrypt, const uint8_t *in, size_t len, uint8_t chain[BLOCK],
                      uint8_t *out, struct schsm_error *err)
{
    uint8_t piece[LONG_PIECE], result[LONG_PIECE];
    size_t result_len = len;
    uint8_t algorithm = encrypt ? SCHSM_ALGORITHM_AES_CBC_ENCRYPT : SCHSM_ALGORITHM_AES_CBC_DECRYPT;
    int ok;

    memcpy(piece, in, len);
    if (encrypt) {
        xor_block(piece, chain);
    }
    ok = cipher_command(session, op->key_ref, algorithm, piece, len, result, &result_len, err);
    if (ok && (session->card.longer || result_len != len)) {
        ok = fail_cipher_result(session, len, result_len, err);
    }
    if (ok) {
        if (!encrypt) {
            xor_block(result, chain);
        }
        memcpy(chain, (encrypt ? result : piece) + len - BLOCK, BLOCK);
        if (out != NULL) {
            memcpy(out, result, len);
        }
    }
    OPENSSL_cleanse(piece, sizeof(piece));
    OPENSSL_cleanse(result, sizeof(result));
    return ok;
}

static int run_cbc(struct schsm_session *session, const struct schsm_card_operation *op,
                   struct schsm_error *err)
{
    bool encrypt = op->operation == SCHSM_OP_AES_CBC_ENCRYPT, fell_back = false;
    uint8_t chain[BLOCK] = { 0 };
    size_t done = 0;

    while (done < op->in_len) {
        size_t limit = piece_limit(session, fell_back);
        size_t len = op->in_len - done < limit ? op->in_len - done : limit;

        if (send_piece(session, op, encrypt, op->in + done, len, chain, op->out + done, err)) {
            done += len;
        } else if (schsm_card_falls_back(&session->card, len)) {
            fell_back = true;
        } else {
            OPENSSL_cleanse(op->out, op->in_len);
            return 0;
        }
    }
    *op->out_len = done;
    return 1;
}

/*
 * CMAC (NIST SP 800-38B) is CBC up to the last block, which alone is treated in another way. So a
 * long message is encrypted, all but an end of it of at least one block, and the card's CMAC is for
 * that end. *limit is how long the end may be.
 */
static int cmac_once(struct schsm_session *session, const struct schsm_card_operation *op,
                     size_t limit, struct schsm_error *err)
{
    uint8_t chain[BLOCK] = { 0 }, end[LONG_PIECE], mac[BLOCK];
    size_t done = 0, mac_len = sizeof(mac), end_len;
    int ok = 0;

    while (op->in_len - done > limit) {
        /* at least one block stays, so that the chain has a block to go into */
        size_t len = op->in_len - done - limit >= BLOCK ? limit : limit - BLOCK;

        if (!send_piece(session, op, true, op->in + done, len, chain, NULL, err)) {
            if (err->reason == SCHSM_REASON_NOT_PERMITTED) {
                schsm_fail_context(err,
                                   "a MAC over more than %zu bytes takes the permission "
                                   "aes-cbc-encrypt as well",
                                   limit);
            }
            return 0;
        }
        done += len;
    }
    end_len = op->in_len - done;
    if (end_len > 0) {
        memcpy(end, op->in + done, end_len);
    }
    if (done > 0) {
        xor_block(end, chain);
    }
    ok = cipher_command(session, op->key_ref, SCHSM_ALGORITHM_AES_CMAC, end, end_len, mac, &mac_len,
                        err);
    if (ok && (session->card.longer || mac_len != BLOCK)) {
        ok = fail_cipher_result(session, BLOCK, mac_len, err);
    }
    if (ok) {
        memcpy(op->out, mac, BLOCK);
        *op->out_len = BLOCK;
    }
    OPENSSL_cleanse(end, sizeof(end));
    return ok;
}

/* From the beginning where the reader or the card turns out not to carry so much. */
static int run_cmac(struct schsm_session *session, const struct schsm_card_operation *op,
                    struct schsm_error *err)
{
    size_t limit = piece_limit(session, false);

    return cmac_once(session, op, limit, err) ||
           (op->in_len > SHORT_PIECE && schsm_card_falls_back(&session->card, limit) &&
            cmac_once(session, op, SHORT_PIECE, err));
}

static int run_derive(struct schsm_session *session, const struct schsm_card_operation *op,
                      struct schsm_error *err)
{
    uint8_t secret[SCHSM_MESSAGE_MAX];
    size_t len = sizeof(secret);
    int ok = cipher_command(session, op->key_ref, SCHSM_ALGORITHM_DERIVE, op->in, op->in_len,
                            secret, &len, err);

    /* 6.6: 32 bytes; a Pico HSM gives as many as it got */
    if (ok && (session->card.longer || (len != SCHSM_DERIVED_LEN && len != op->in_len))) {
        ok = fail_cipher_result(session, SCHSM_DERIVED_LEN, len, err);
    }
    if (ok) {
        memcpy(op->out, secret, len);
        *op->out_len = len;
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok;
}

int schsm_card_cipher(struct schsm_session *session, const struct schsm_card_operation *op,
                      struct schsm_error *err)
{
    switch (op->operation) {
    case SCHSM_OP_AES_CMAC:
        return run_cmac(session, op, err);
    case SCHSM_OP_AES_DERIVE:
        return run_derive(session, op, err);
    default:
        return run_cbc(session, op, err);
    }
}
