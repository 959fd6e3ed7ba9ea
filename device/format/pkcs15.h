/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PKCS#15 descriptions of keys, certificates, data objects and the token, as the files C4xx,
 * C8xx, C9xx and 2F03 hold them (PKCS#15 v1.1, ISO/IEC 7816-15; protocol reference section 10).
 *
 * Readers take what OpenSC, CardContact's tools and the Pico HSM write: absent members, unknown
 * members and bytes after the first object are no failure. Writers make the minimal form in DER.
 * A file that is not such an object at all fails with DEVICE_DATA; the struct is then zeroed.
 */
#ifndef SCHSM_FORMAT_PKCS15_H
#define SCHSM_FORMAT_PKCS15_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types.h"
#include "base/error.h"
#include "base/tlv.h"

/* PKCS#15 6.1.8 KeyUsageFlags; bit n of the BIT STRING is 1 << n. */
enum schsm_pkcs15_usage {
    SCHSM_USAGE_ENCRYPT = 1 << 0,
    SCHSM_USAGE_DECRYPT = 1 << 1,
    SCHSM_USAGE_SIGN = 1 << 2,
    SCHSM_USAGE_SIGN_RECOVER = 1 << 3,
    SCHSM_USAGE_WRAP = 1 << 4,
    SCHSM_USAGE_UNWRAP = 1 << 5,
    SCHSM_USAGE_VERIFY = 1 << 6,
    SCHSM_USAGE_VERIFY_RECOVER = 1 << 7,
    SCHSM_USAGE_DERIVE = 1 << 8,
    SCHSM_USAGE_NON_REPUDIATION = 1 << 9
};

/* A key: PRKD (tags 30 RSA, A0 EC) or SKD (tag A8, AES). Sections 10.2 to 10.4. */
struct schsm_pkcs15_key {
    enum schsm_key_type type; /* NONE: a kind that we do not know, which has a name as well */
    char label[SCHSM_LABEL_MAX + 1]; /* "" where absent; longer ones are cut between characters */
    uint8_t id[SCHSM_ID_MAX];        /* longer ones are cut */
    size_t id_len;                   /* 0: absent */
    unsigned int usage;              /* enum schsm_pkcs15_usage, or-ed; 0: absent */
    unsigned int bits; /* modulus, field or AES key; 0: absent. 528 is read as 521 (section 10.3) */
};

int schsm_pkcs15_decode_key(const uint8_t *file, size_t len, struct schsm_pkcs15_key *key,
                            struct schsm_error *err);

/* The largest encoding of any object here: label, id and fixed parts. */
#define SCHSM_PKCS15_MAX 640

/*
 * Encodes a key's description. usage 0: what the type can do (RSA decrypt, sign, signRecover,
 * unwrap; EC sign, derive; AES encrypt, decrypt). bits 0 leaves the size out (EC only). *out_len is
 * the capacity of out, SCHSM_PKCS15_MAX suffices, and becomes the length. Fails with ARGUMENT for
 * an empty id, no type, or too small a buffer.
 */
int schsm_pkcs15_encode_key(const struct schsm_pkcs15_key *key, uint8_t *out, size_t *out_len,
                            struct schsm_error *err);

enum schsm_pkcs15_certificate_kind {
    SCHSM_CERTIFICATE_X509 = 1,  /* tag 30 */
    SCHSM_CERTIFICATE_ATTRIBUTE, /* tag A0 */
    SCHSM_CERTIFICATE_CVC        /* tag A5 */
};

/* A certificate without a key: CD. Section 10.5. */
struct schsm_pkcs15_certificate {
    enum schsm_pkcs15_certificate_kind kind;
    char label[SCHSM_LABEL_MAX + 1];
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
    bool authority;
    unsigned int file_id; /* the last two bytes of its path, usually CAxx; 0: absent */
};

int schsm_pkcs15_decode_certificate(const uint8_t *file, size_t len,
                                    struct schsm_pkcs15_certificate *certificate,
                                    struct schsm_error *err);

/*
 * Encodes a certificate's description; the kind is X509. Sizes as for a key. Fails with ARGUMENT
 * for an empty id or no file.
 */
int schsm_pkcs15_encode_certificate(const struct schsm_pkcs15_certificate *certificate,
                                    uint8_t *out, size_t *out_len, struct schsm_error *err);

/*
 * Copies the description of a key, a certificate or a data object with another label (absent where
 * it has no bytes) or id (which a data object has not); NULL: as it is. All else stays as it is,
 * also what nobody here knows. Sizes as for schsm_pkcs15_encode_key. Fails with DEVICE_DATA for
 * what is no description, or would be too long. (pkcs15_rename.c)
 */
int schsm_pkcs15_rename(const uint8_t *file, size_t len, const struct schsm_view *label,
                        const struct schsm_view *id, uint8_t *out, size_t *out_len,
                        struct schsm_error *err);

/* A data object: DCOD. Section 10.7. */
struct schsm_pkcs15_data {
    char label[SCHSM_LABEL_MAX + 1];
    char application[SCHSM_LABEL_MAX + 1]; /* "" where absent */
    bool private_data;                     /* flag private, or a path CDxx */
    unsigned int file_id;                  /* usually CDxx or CFxx; 0: absent */
};

int schsm_pkcs15_decode_data(const uint8_t *file, size_t len, struct schsm_pkcs15_data *data,
                             struct schsm_error *err);

/* Encodes a data object's description; SCHSM_PKCS15_MAX suffices. Fails with ARGUMENT for no file.
 */
int schsm_pkcs15_encode_data(const struct schsm_pkcs15_data *data, uint8_t *out, size_t *out_len,
                             struct schsm_error *err);

/* The token: TokenInfo, file 2F03. Section 10.6. */
struct schsm_pkcs15_token {
    char label[SCHSM_LABEL_MAX + 1];
    char manufacturer[SCHSM_LABEL_MAX + 1];
};

int schsm_pkcs15_decode_token(const uint8_t *file, size_t len, struct schsm_pkcs15_token *token,
                              struct schsm_error *err);

/* Version, label and the flag prnGeneration, as OpenSC writes it. Sizes and failures as for
 * schsm_pkcs15_encode_key; manufacturer is not written. */
int schsm_pkcs15_encode_token(const struct schsm_pkcs15_token *token, uint8_t *out, size_t *out_len,
                              struct schsm_error *err);

#endif
