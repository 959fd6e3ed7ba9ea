/* SPDX-License-Identifier: Apache-2.0 */
#include "operation.h"

#include <stdbool.h>

#include "format/algorithm_id.h"
#include "format/curve.h"
#include "format/ecx.h"

#define PKCS1_OVERHEAD 11 /* bytes, RFC 8017, 9.2 */

#define RSA SCHSM_KEY_RSA
#define EC SCHSM_KEY_EC
#define AES SCHSM_KEY_AES

static const struct schsm_operation_traits traits[SCHSM_OPERATION_COUNT] = {
    [SCHSM_OP_RSA_SIGN] = { SCHSM_ALGORITHM_RSA_SIGN_RAW, RSA, SCHSM_INPUT_BLOCK,
                            SCHSM_PADDING_NONE, NULL },
    [SCHSM_OP_RSA_DECRYPT] = { SCHSM_ALGORITHM_RSA_DECRYPT_RAW, RSA, SCHSM_INPUT_BLOCK,
                               SCHSM_PADDING_NONE, NULL },
    [SCHSM_OP_ECDSA_SIGN] = { SCHSM_ALGORITHM_ECDSA_HASH, EC, SCHSM_INPUT_HASH, SCHSM_PADDING_NONE,
                              NULL },
    [SCHSM_OP_ECDH] = { SCHSM_ALGORITHM_ECDH, EC, SCHSM_INPUT_POINT, SCHSM_PADDING_NONE, NULL },
    [SCHSM_OP_RSA_PKCS1_SIGN] = { SCHSM_ALGORITHM_RSA_PKCS1, RSA, SCHSM_INPUT_DIGEST_INFO,
                                  SCHSM_PADDING_PKCS1, NULL },
    [SCHSM_OP_RSA_PSS_SIGN] = { SCHSM_ALGORITHM_RSA_PSS, RSA, SCHSM_INPUT_HASH, SCHSM_PADDING_PSS,
                                NULL },
    [SCHSM_OP_RSA_PKCS1_SIGN_SHA1] = { SCHSM_ALGORITHM_RSA_PKCS1_SHA1, RSA, SCHSM_INPUT_MESSAGE,
                                       SCHSM_PADDING_PKCS1, "SHA1" },
    [SCHSM_OP_RSA_PKCS1_SIGN_SHA256] = { SCHSM_ALGORITHM_RSA_PKCS1_SHA256, RSA, SCHSM_INPUT_MESSAGE,
                                         SCHSM_PADDING_PKCS1, "SHA256" },
    [SCHSM_OP_RSA_PKCS1_SIGN_SHA384] = { SCHSM_ALGORITHM_RSA_PKCS1_SHA384, RSA, SCHSM_INPUT_MESSAGE,
                                         SCHSM_PADDING_PKCS1, "SHA384" },
    [SCHSM_OP_RSA_PKCS1_SIGN_SHA512] = { SCHSM_ALGORITHM_RSA_PKCS1_SHA512, RSA, SCHSM_INPUT_MESSAGE,
                                         SCHSM_PADDING_PKCS1, "SHA512" },
    [SCHSM_OP_RSA_PSS_SIGN_SHA1] = { SCHSM_ALGORITHM_RSA_PSS_SHA1, RSA, SCHSM_INPUT_MESSAGE,
                                     SCHSM_PADDING_PSS, "SHA1" },
    [SCHSM_OP_RSA_PSS_SIGN_SHA256] = { SCHSM_ALGORITHM_RSA_PSS_SHA256, RSA, SCHSM_INPUT_MESSAGE,
                                       SCHSM_PADDING_PSS, "SHA256" },
    [SCHSM_OP_RSA_PSS_SIGN_SHA384] = { SCHSM_ALGORITHM_RSA_PSS_SHA384, RSA, SCHSM_INPUT_MESSAGE,
                                       SCHSM_PADDING_PSS, "SHA384" },
    [SCHSM_OP_RSA_PSS_SIGN_SHA512] = { SCHSM_ALGORITHM_RSA_PSS_SHA512, RSA, SCHSM_INPUT_MESSAGE,
                                       SCHSM_PADDING_PSS, "SHA512" },
    [SCHSM_OP_ECDSA_SIGN_SHA1] = { SCHSM_ALGORITHM_ECDSA_SHA1, EC, SCHSM_INPUT_MESSAGE,
                                   SCHSM_PADDING_NONE, "SHA1" },
    [SCHSM_OP_ECDSA_SIGN_SHA224] = { SCHSM_ALGORITHM_ECDSA_SHA224, EC, SCHSM_INPUT_MESSAGE,
                                     SCHSM_PADDING_NONE, "SHA224" },
    [SCHSM_OP_ECDSA_SIGN_SHA256] = { SCHSM_ALGORITHM_ECDSA_SHA256, EC, SCHSM_INPUT_MESSAGE,
                                     SCHSM_PADDING_NONE, "SHA256" },
    [SCHSM_OP_ECDSA_SIGN_SHA384] = { SCHSM_ALGORITHM_ECDSA_SHA384, EC, SCHSM_INPUT_MESSAGE,
                                     SCHSM_PADDING_NONE, "SHA384" },
    [SCHSM_OP_ECDSA_SIGN_SHA512] = { SCHSM_ALGORITHM_ECDSA_SHA512, EC, SCHSM_INPUT_MESSAGE,
                                     SCHSM_PADDING_NONE, "SHA512" },
    [SCHSM_OP_EDDSA_SIGN] = { SCHSM_ALGORITHM_ECDSA_HASH, SCHSM_KEY_ED25519,
                              SCHSM_INPUT_PURE_MESSAGE, SCHSM_PADDING_NONE, NULL },
    [SCHSM_OP_ECX_DERIVE] = { SCHSM_ALGORITHM_ECDH, SCHSM_KEY_X25519, SCHSM_INPUT_ECX_PUBLIC,
                              SCHSM_PADDING_NONE, NULL },
    [SCHSM_OP_AES_CBC_ENCRYPT] = { SCHSM_ALGORITHM_AES_CBC_ENCRYPT, AES, SCHSM_INPUT_CIPHER_BLOCKS,
                                   SCHSM_PADDING_NONE, NULL },
    [SCHSM_OP_AES_CBC_DECRYPT] = { SCHSM_ALGORITHM_AES_CBC_DECRYPT, AES, SCHSM_INPUT_CIPHER_BLOCKS,
                                   SCHSM_PADDING_NONE, NULL },
    [SCHSM_OP_AES_CMAC] = { SCHSM_ALGORITHM_AES_CMAC, AES, SCHSM_INPUT_CIPHER_TEXT,
                            SCHSM_PADDING_NONE, NULL },
    [SCHSM_OP_AES_DERIVE] = { SCHSM_ALGORITHM_DERIVE, AES, SCHSM_INPUT_INFO, SCHSM_PADDING_NONE,
                              NULL },
};

const struct schsm_operation_traits *schsm_operation_traits(enum schsm_operation operation)
{
    return &traits[operation];
}

int schsm_operation_check(enum schsm_operation operation, size_t modulus_max, const uint8_t *in,
                          size_t in_len, size_t capacity, struct schsm_error *err)
{
    bool fits = false;

    switch (schsm_operation_traits(operation)->input) {
    case SCHSM_INPUT_BLOCK:
        fits = in_len > 0 && in_len <= modulus_max && capacity >= in_len;
        break;
    case SCHSM_INPUT_DIGEST_INFO:
        fits = in_len > 0 && in_len <= modulus_max - PKCS1_OVERHEAD;
        break;
    case SCHSM_INPUT_HASH:
        fits = in_len > 0 && in_len <= SCHSM_FIELD_MAX;
        break;
    case SCHSM_INPUT_MESSAGE:
        fits = in_len <= SCHSM_MESSAGE_MAX;
        break;
    case SCHSM_INPUT_POINT:
        fits = in_len >= 3 && in_len <= SCHSM_POINT_MAX && in_len % 2 == 1 && in[0] == 0x04 &&
               capacity >= (in_len - 1) / 2;
        break;
    case SCHSM_INPUT_PURE_MESSAGE:
        if (in_len > SCHSM_PURE_MESSAGE_MAX) {
            return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                              "the message of %zu bytes is longer than the %d that the device can "
                              "sign: Ed25519 and Ed448 do not hash it beforehand",
                              in_len, SCHSM_PURE_MESSAGE_MAX);
        }
        fits = true;
        break;
    case SCHSM_INPUT_ECX_PUBLIC:
        fits = in_len > 0 && in_len <= SCHSM_ECX_PUBLIC_MAX && capacity >= in_len;
        break;
    case SCHSM_INPUT_CIPHER_BLOCKS:
        fits = in_len > 0 && in_len % SCHSM_AES_BLOCK == 0 && in_len <= SCHSM_CIPHER_MAX &&
               capacity >= in_len;
        break;
    case SCHSM_INPUT_CIPHER_TEXT:
        fits = in_len <= SCHSM_CIPHER_MAX && capacity >= SCHSM_AES_BLOCK;
        break;
    case SCHSM_INPUT_INFO:
        fits = in_len > 0 && in_len <= SCHSM_MESSAGE_MAX &&
               capacity >= (in_len > SCHSM_DERIVED_LEN ? in_len : SCHSM_DERIVED_LEN);
        break;
    }
    return fits ? 1
                : schsm_fail(err, SCHSM_REASON_ARGUMENT,
                             "%zu bytes of input with room for %zu bytes do not fit the operation",
                             in_len, capacity);
}
