/* SPDX-License-Identifier: Apache-2.0 */
/* The private operations of the device interface, and what each takes and gives: one table. */
#ifndef SCHSM_MODEL_OPERATION_H
#define SCHSM_MODEL_OPERATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "format/types.h"

enum schsm_operation {
    /* The caller hashes and pads: every padding and every digest, for keys that permit it. */
    SCHSM_OP_RSA_SIGN,    /* in, out: exactly modulus length; in < n */
    SCHSM_OP_RSA_DECRYPT, /* in, out: exactly modulus length */
    SCHSM_OP_ECDSA_SIGN,  /* in: hash, at most the order's length; out: DER ECDSA-Sig-Value */
    SCHSM_OP_ECDH,        /* in: peer's point 04||X||Y; out: X, field length bytes */
    /*
     * The device pads, or hashes and pads: the same signatures for keys that permit no more than
     * that. Each is one mechanism of PKCS#11.
     */
    SCHSM_OP_RSA_PKCS1_SIGN, /* in: DigestInfo; out: as above; CKM_RSA_PKCS */
    SCHSM_OP_RSA_PSS_SIGN,   /* in: SHA-1, -256, -384 or -512 hash, which one its length tells;
                              * MGF1 with the same, salt as long as the hash; CKM_RSA_PKCS_PSS */
    /* in: the message, at most SCHSM_MESSAGE_MAX bytes; CKM_SHA256_RSA_PKCS and so on */
    SCHSM_OP_RSA_PKCS1_SIGN_SHA1,
    SCHSM_OP_RSA_PKCS1_SIGN_SHA256,
    SCHSM_OP_RSA_PKCS1_SIGN_SHA384,
    SCHSM_OP_RSA_PKCS1_SIGN_SHA512,
    SCHSM_OP_RSA_PSS_SIGN_SHA1, /* MGF1 and salt as above */
    SCHSM_OP_RSA_PSS_SIGN_SHA256,
    SCHSM_OP_RSA_PSS_SIGN_SHA384,
    SCHSM_OP_RSA_PSS_SIGN_SHA512,
    SCHSM_OP_ECDSA_SIGN_SHA1,
    SCHSM_OP_ECDSA_SIGN_SHA224,
    SCHSM_OP_ECDSA_SIGN_SHA256,
    SCHSM_OP_ECDSA_SIGN_SHA384,
    SCHSM_OP_ECDSA_SIGN_SHA512,
    /* Keys of ecx.h; only a Pico HSM has them (19.5). */
    SCHSM_OP_EDDSA_SIGN, /* in: the message, at most SCHSM_PURE_MESSAGE_MAX bytes; out: 64 or 114
                          * bytes (PureEdDSA) */
    SCHSM_OP_ECX_DERIVE, /* in: peer's public key; out: the secret, of the same length */
    /*
     * AES keys (6.6). The initialisation vector is zero: whoever has another one xors it into the
     * first block that is encrypted, or that came out of a decryption. in and out do not overlap.
     * Long input may take the device several commands, and a key as many uses.
     */
    SCHSM_OP_AES_CBC_ENCRYPT, /* in: 1 or more whole blocks, at most SCHSM_CIPHER_MAX bytes; out: as
                               * many; no padding; CKM_AES_CBC */
    SCHSM_OP_AES_CBC_DECRYPT, /* likewise */
    SCHSM_OP_AES_CMAC, /* in: at most SCHSM_CIPHER_MAX bytes; out: SCHSM_AES_BLOCK; what does not go
                        * into one command takes the permission to encrypt as well; CKM_AES_CMAC */
    SCHSM_OP_AES_DERIVE /* in: 1 to SCHSM_MESSAGE_MAX bytes that say what for; out: the secret, 32
                         * bytes of a SmartCard-HSM, as many as came in of a Pico HSM; which
                         * function it is, is the device's affair */
};
#define SCHSM_OPERATION_COUNT (SCHSM_OP_AES_DERIVE + 1)

#define SCHSM_AES_BLOCK 16u
#define SCHSM_CIPHER_MAX 16384 /* whole blocks */
#define SCHSM_DERIVED_LEN 32   /* what a SmartCard-HSM derives */

/* What every device and reader carries to the card in one command. */
#define SCHSM_MESSAGE_MAX 1000

/*
 * A message that is not hashed before it is signed: what a Pico HSM's buffer of 2048 bytes takes
 * beside the headers of the command and of USB (19.5).
 */
#define SCHSM_PURE_MESSAGE_MAX 2000

enum schsm_input {
    SCHSM_INPUT_BLOCK,       /* as long as the modulus */
    SCHSM_INPUT_DIGEST_INFO, /* what PKCS#1 v1.5 padding leaves room for */
    SCHSM_INPUT_HASH,
    SCHSM_INPUT_MESSAGE,
    SCHSM_INPUT_POINT,
    SCHSM_INPUT_PURE_MESSAGE,
    SCHSM_INPUT_ECX_PUBLIC,
    SCHSM_INPUT_CIPHER_BLOCKS,
    SCHSM_INPUT_CIPHER_TEXT, /* of any length */
    SCHSM_INPUT_INFO
};

enum schsm_padding { SCHSM_PADDING_NONE, SCHSM_PADDING_PKCS1, SCHSM_PADDING_PSS };

struct schsm_operation_traits {
    uint8_t algorithm;            /* its id in a key's algorithm list, see struct schsm_generate */
    enum schsm_key_type key_type; /* of ecx.h: that of the shorter keys stands for both */
    enum schsm_input input;
    enum schsm_padding padding; /* by the device */
    const char *digest;         /* by the device, libcrypto's name; NULL: none */
};

const struct schsm_operation_traits *schsm_operation_traits(enum schsm_operation operation);

/* Whether input and room for the output fit the operation, before a device is asked whose RSA keys
 * have at most modulus_max bytes; else fails with ARGUMENT, or for a message that is too long with
 * UNSUPPORTED. */
int schsm_operation_check(enum schsm_operation operation, size_t modulus_max, const uint8_t *in,
                          size_t in_len, size_t capacity, struct schsm_error *err);

#endif
