/* SPDX-License-Identifier: Apache-2.0 */
/* What several formats and the device interface speak of alike. */
#ifndef SCHSM_FORMAT_TYPES_H
#define SCHSM_FORMAT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/rsa.h>

#define SCHSM_LABEL_MAX 255 /* bytes of UTF-8 */
#define SCHSM_ID_MAX 255    /* bytes of a PKCS#15 identifier */
#define SCHSM_SERIAL_MAX 32 /* characters; a SmartCard-HSM's has at most 11 */

#define SCHSM_ALGORITHMS_MAX 16 /* entries of a key's list (8.2) */

#define SCHSM_RSA_SIZES 1024, 1536, 2048, 3072, 4096 /* bits of the keys that a card has (9.2) */
#define SCHSM_RSA_BITS_MAX 4096
#define SCHSM_CARD_MODULUS_MAX (SCHSM_RSA_BITS_MAX / 8) /* bytes */

/* Bytes of the RSA keys that other devices may have: what libcrypto takes. */
#define SCHSM_MODULUS_MAX (OPENSSL_RSA_MAX_MODULUS_BITS / 8)

#define SCHSM_USER_PIN_MIN 6 /* bytes, 5.1 */
#define SCHSM_USER_PIN_MAX 16
#define SCHSM_SO_PIN_LEN 8 /* bytes, 5.2 */

#define SCHSM_KEY_REF_MAX 255 /* of key references, which begin with 1 (4.1) */

#define SCHSM_KEY_DOMAIN_MAX 255 /* the highest number that one can have (6.8) */
#define SCHSM_DOMAIN_UID_MAX 64  /* bytes: 32 on genuine devices, 64 on the Pico HSM (15.2) */

#define SCHSM_PKA_KEYS_MAX 90 /* for public-key authentication (6.7) */

/* Bits of a field of so many bytes: the only one of the card's that does not fill them is that of
 * secp521r1. */
static inline unsigned int schsm_field_bits(size_t bytes)
{
    return bytes == 66 ? 521 : (unsigned int)bytes * 8;
}

enum schsm_key_type {
    SCHSM_KEY_NONE = 0,
    SCHSM_KEY_RSA,
    SCHSM_KEY_EC,
    SCHSM_KEY_AES,
    SCHSM_KEY_ED25519, /* these four: ecx.h */
    SCHSM_KEY_ED448,
    SCHSM_KEY_X25519,
    SCHSM_KEY_X448
};
#define SCHSM_KEY_TYPES (SCHSM_KEY_X448 + 1)

/* What a key may be used for, how often, and where it may go, as far as the device tells. */
struct schsm_key_policy {
    bool known;            /* false: the device tells nothing, and nothing below is set */
    size_t algorithms_len; /* 0: everything is allowed */
    uint8_t algorithms[SCHSM_ALGORITHMS_MAX];
    bool limited; /* it may be used uses_left times more */
    uint32_t uses_left;
    int key_domain; /* -1: not told */
};

/* MANAGE PUBLIC KEY AUTHENTICATION, status (6.12). */
struct schsm_public_key_status {
    bool enabled;               /* the device was initialised with public keys */
    unsigned int total;         /* keys that can be registered */
    unsigned int missing;       /* of these, not registered yet */
    unsigned int required;      /* keys that have to authenticate */
    unsigned int authenticated; /* keys that did */
};

#endif
