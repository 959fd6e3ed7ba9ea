/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chip authentication and secure messaging (protocol reference section 17, BSI TR-03110-3): the
 * device proves that it holds its device key, and what is sent to it afterwards is encrypted and
 * authenticated, so that a PIN is read by nobody between this program and the card.
 *
 * The protocol alone: bytes in, bytes out. Host cryptography runs in a library context of its own.
 */
#ifndef SCHSM_CARD_SECURE_CHANNEL_H
#define SCHSM_CARD_SECURE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "format/apdu.h"
#include "format/blocks.h"
#include "format/curve.h"
#include "base/error.h"

#define SCHSM_CHANNEL_KEY 16      /* bytes: AES-128 */
#define SCHSM_CHANNEL_OVERHEAD 64 /* bytes that protection adds at most to a command's data */

/* Data of MANAGE SECURITY ENVIRONMENT 41 A4: id-CA-ECDH-AES-CBC-CMAC-128. */
extern const uint8_t schsm_channel_protocol[12];

/* Chip authentication while it goes on: an ephemeral key. */
struct schsm_channel_handshake {
    OSSL_LIB_CTX *library;
    EVP_PKEY *key;
    const struct schsm_curve *curve;
    /* Data of GENERAL AUTHENTICATE, the ephemeral point at its end. */
    uint8_t command[6 + SCHSM_POINT_MAX];
    size_t command_len;
};

/* The keys of an open channel. */
struct schsm_channel {
    OSSL_LIB_CTX *library;
    uint8_t encryption[SCHSM_CHANNEL_KEY];
    uint8_t mac[SCHSM_CHANNEL_KEY];
    uint8_t counter[SCHSM_BLOCK_LEN]; /* of what was sent and received */
};

/* Makes the ephemeral key on the curve of the device key. Always to be cleared, failed or not. */
int schsm_channel_start(struct schsm_channel_handshake *handshake, const struct schsm_curve *curve,
                        struct schsm_error *err);
void schsm_channel_handshake_clear(struct schsm_channel_handshake *handshake);

/*
 * Takes the answer to GENERAL AUTHENTICATE, and proves by it that the device holds the private key
 * to device_point (04 || X || Y). Fails with DEVICE_DATA for a malformed answer, WRONG_KEY where
 * the proof is wrong. The channel is always to be cleared, failed or not.
 */
int schsm_channel_finish(struct schsm_channel_handshake *handshake, struct schsm_view device_point,
                         const uint8_t *answer, size_t answer_len, struct schsm_channel *channel,
                         struct schsm_error *err);
void schsm_channel_clear(struct schsm_channel *channel);

/*
 * Wraps a command; *wrapped points into data, whose capacity is *data_len: the length of plain's
 * data and SCHSM_CHANNEL_OVERHEAD.
 */
int schsm_channel_wrap(struct schsm_channel *channel, const struct schsm_apdu *plain, uint8_t *data,
                       size_t *data_len, struct schsm_apdu *wrapped, struct schsm_error *err);

/*
 * Unwraps the response's data; *status_word: what came behind it, unprotected, and becomes the
 * protected one, which has to be the same unless 9000 came behind an error. *out_len is the
 * capacity of out (which may be NULL where it is 0) and becomes the length. Fails with WRONG_KEY
 * where the response is not authentic, DEVICE_DATA where it is malformed.
 */
int schsm_channel_unwrap(struct schsm_channel *channel, const struct schsm_apdu *plain,
                         const uint8_t *response, size_t response_len, unsigned int *status_word,
                         uint8_t *out, size_t *out_len, struct schsm_error *err);

#endif
