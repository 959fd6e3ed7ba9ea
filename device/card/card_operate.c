/* SPDX-License-Identifier: Apache-2.0 */
/* Private operations: the way of every signature. Those of AES keys are in card_cipher.c. */
#include "card_private.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "format/curve.h"
#include "format/ecx.h"
#include "base/tlv.h"

#define RSA_MAX SCHSM_CARD_MODULUS_MAX

/* 6.4: OpenSC asks SIGN and DECIPHER of long keys for so many bytes, the longest result there is;
 * known to work with every card and reader that carries the command. */
#define LONG_LE 0x0200

static int fail_card_result(struct schsm_error *err, const char *what, size_t len)
{
    return schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the device's %s of %zu bytes is malformed",
                      what, len);
}

static int fail_too_long(struct schsm_error *err, size_t room)
{
    return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                      "the device's result has more than %zu bytes, as none has", room);
}

/* The modulus's length, which only a block tells. */
static int take_card_rsa(const struct schsm_card_operation *op, const uint8_t *result, size_t len,
                         struct schsm_error *err)
{
    bool block = schsm_operation_traits(op->operation)->input == SCHSM_INPUT_BLOCK;

    if (len == 0 || (block && len != op->in_len)) {
        return fail_card_result(err, "RSA result", len);
    }
    if (len > op->capacity) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer is too small for the signature");
    }
    memcpy(op->out, result, len);
    *op->out_len = len;
    return 1;
}

static int take_signature(const struct schsm_card_operation *op, const uint8_t *result, size_t len,
                          struct schsm_error *err)
{
    struct schsm_tlv sequence;

    if (len > SCHSM_ECDSA_DER_MAX || !schsm_tlv_first(result, len, &sequence) ||
        sequence.tag != 0x30 || sequence.whole.len != len) {
        return fail_card_result(err, "ECDSA signature", len);
    }
    if (len > op->capacity) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer is too small for the signature");
    }
    memcpy(op->out, result, len);
    *op->out_len = len;
    return 1;
}

/* 6.5: 04 || X || Y, from the Pico HSM 04 || X */
static int take_card_secret(const struct schsm_card_operation *op, const uint8_t *result,
                            size_t len, struct schsm_error *err)
{
    size_t field = (op->in_len - 1) / 2;

    if ((len != 1 + field && len != 1 + 2 * field) || result[0] != 0x04) {
        return fail_card_result(err, "shared point", len);
    }
    memcpy(op->out, result + 1, field);
    *op->out_len = field;
    return 1;
}

/* 19.5: raw, 64 bytes or 114 */
static int take_eddsa_signature(const struct schsm_card_operation *op, const uint8_t *result,
                                size_t len, struct schsm_error *err)
{
    if (len != schsm_ecx_by_type(SCHSM_KEY_ED25519)->signature_len &&
        len != schsm_ecx_by_type(SCHSM_KEY_ED448)->signature_len) {
        return fail_card_result(err, "EdDSA signature", len);
    }
    if (len > op->capacity) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer is too small for the signature");
    }
    memcpy(op->out, result, len);
    *op->out_len = len;
    return 1;
}

/* 19.5: 04 || u */
static int take_ecx_secret(const struct schsm_card_operation *op, const uint8_t *result, size_t len,
                           struct schsm_error *err)
{
    if (len != 1 + op->in_len || result[0] != 0x04) {
        return fail_card_result(err, "shared secret", len);
    }
    memcpy(op->out, result + 1, op->in_len);
    *op->out_len = op->in_len;
    return 1;
}

static int take_card_result(const struct schsm_card_operation *op, const uint8_t *result,
                            size_t len, struct schsm_error *err)
{
    if (op->operation == SCHSM_OP_ECDH) {
        return take_card_secret(op, result, len, err);
    }
    if (op->operation == SCHSM_OP_EDDSA_SIGN) {
        return take_eddsa_signature(op, result, len, err);
    }
    if (op->operation == SCHSM_OP_ECX_DERIVE) {
        return take_ecx_secret(op, result, len, err);
    }
    return schsm_operation_traits(op->operation)->key_type == SCHSM_KEY_RSA
               ? take_card_rsa(op, result, len, err)
               : take_signature(op, result, len, err);
}

/*
 * A process that goes on using the card shall recognise it when it was pulled and came back. Where
 * the reader's name does not tell the serial number, the second operation is the time to ask for
 * it: programs that sign once are not slowed, and those that sign for months ask once.
 */
static void learn_identity(struct schsm_session *session)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;

    if (session->connection.operations < 2) {
        session->connection.operations++;
    }
    if (session->connection.operations == 2 && session->process.serial[0] == 0) {
        session->connection.operations++;
        (void)schsm_session_learn_serial(session, &ignored);
    }
}

/* Room for the result: no more than a short APDU brings, unless the modulus is longer. */
static size_t result_room(const struct schsm_card_operation *op)
{
    const struct schsm_operation_traits *traits = schsm_operation_traits(op->operation);
    size_t modulus = traits->input == SCHSM_INPUT_BLOCK ? op->in_len : op->capacity;

    return traits->key_type == SCHSM_KEY_RSA && modulus > SCHSM_APDU_SHORT_LE_MAX
               ? RSA_MAX + 2
               : SCHSM_APDU_SHORT_LE_MAX;
}

/* SIGN (6.4) or DECIPHER (6.5); a short APDU where input and result fit: no reader fails at that.
 */
static int sign_or_decipher(struct schsm_session *session, const struct schsm_card_operation *op,
                            struct schsm_error *err)
{
    bool decipher = op->operation == SCHSM_OP_RSA_DECRYPT || op->operation == SCHSM_OP_ECDH ||
                    op->operation == SCHSM_OP_ECX_DERIVE;
    uint8_t result[RSA_MAX + 2];
    size_t len = result_room(op);
    const struct schsm_apdu apdu = {
        .cla = 0x80,
        .ins = decipher ? SCHSM_INS_DECIPHER : SCHSM_INS_SIGN,
        .p1 = (uint8_t)op->key_ref,
        .p2 = schsm_operation_traits(op->operation)->algorithm,
        .data = op->in,
        .data_len = op->in_len,
        .le = op->in_len <= SCHSM_APDU_SHORT_DATA_MAX && len <= SCHSM_APDU_SHORT_LE_MAX
                  ? SCHSM_APDU_SHORT_LE_MAX
                  : LONG_LE,
    };
    int ok =
        schsm_card_execute_secret(&session->card, &apdu, result, &len, err) &&
        (session->card.longer ? fail_too_long(err, len) : take_card_result(op, result, len, err));

    OPENSSL_cleanse(result, sizeof(result));
    return ok;
}

static int operate_on_card(struct schsm_session *session, void *arg, struct schsm_error *err)
{
    const struct schsm_card_operation *op = arg;
    bool secret = schsm_operation_traits(op->operation)->key_type == SCHSM_KEY_AES;
    int ok = secret ? schsm_card_cipher(session, op, err) : sign_or_decipher(session, op, err);

    if (ok) {
        learn_identity(session);
    }
    return ok;
}

int schsm_card_device_operate(struct schsm_device *dev, enum schsm_operation operation,
                              const struct schsm_object *key, const struct schsm_login *login,
                              const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                              struct schsm_error *err)
{
    struct schsm_card_operation op = {
        operation, (unsigned int)key->key_ref, in, in_len, out, *out_len, out_len
    };
    struct schsm_job job = {
        .run = operate_on_card, .arg = &op, .login = login, .key_ref = op.key_ref
    };
    char object[32];

    *out_len = 0;
    if (key->key_ref < 1 || key->key_ref > 255) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%d is no key reference", key->key_ref);
    }
    if (!schsm_operation_check(operation, RSA_MAX, in, in_len, op.capacity, err)) {
        return 0;
    }
    (void)snprintf(object, sizeof(object), "key reference %d", key->key_ref);
    job.object = login != NULL && login->object != NULL ? login->object : object;
    return schsm_session_run(schsm_card_session(dev), &job, err);
}
