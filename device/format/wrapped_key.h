/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key as WRAP KEY gives it and UNWRAP KEY takes it (protocol reference sections 14.1 to 14.4): a
 * header that everybody can read, the key encrypted under a key encryption key (dkek.h), and a code
 * that authenticates both. So a host that has all shares can make and open such a blob as well.
 *
 * libctx: where host cryptography is done; NULL is libcrypto's default. What is malformed fails
 * with FILE.
 */
#ifndef SCHSM_FORMAT_WRAPPED_KEY_H
#define SCHSM_FORMAT_WRAPPED_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "dkek.h"
#include "base/error.h"
#include "types.h"
#include "base/secret.h"
#include "base/tlv.h"

#define SCHSM_WRAPPED_MAX 4000 /* bytes; RSA-4096 has 1,867 and a list of algorithms (14.5) */
#define SCHSM_WRAPPED_RANDOM_LEN 8

/* How the key is written inside (14.2). */
enum schsm_wrapped_form {
    SCHSM_WRAPPED_RSA = 0x05,     /* D, N, E: the Pico HSM's */
    SCHSM_WRAPPED_RSA_CRT = 0x06, /* DP1, DQ1, P, PQ, Q, N, E */
    SCHSM_WRAPPED_EC = 0x0C,
    SCHSM_WRAPPED_AES = 0x0F
};

/* A blob's parts; the views point into the buffer that was parsed. */
struct schsm_wrapped_key {
    uint8_t kcv[SCHSM_KCV_LEN]; /* of the key encryption key it is under */
    enum schsm_wrapped_form form;
    enum schsm_key_type type;
    struct schsm_view algorithms; /* card algorithm ids that the key permits; empty: all */
    struct schsm_view whole;
    struct schsm_view authenticated; /* everything but the code */
    struct schsm_view ciphertext;
    struct schsm_view mac;
};

/*
 * Reads the header; nothing is decrypted and no key is needed. The blob has to be the whole of the
 * buffer. An unknown form fails with UNSUPPORTED.
 */
int schsm_wrapped_key_parse(const uint8_t *blob, size_t len, struct schsm_wrapped_key *wrapped,
                            struct schsm_error *err);

/*
 * The size of the key in bits, as the length of the blob tells it; of an AES key of more than 128
 * bits it tells no more, and 256 is returned. 0: a length that no key of the card has, or an EC
 * key.
 */
unsigned int schsm_wrapped_key_bits(const struct schsm_wrapped_key *wrapped);

/*
 * Checks that the blob is under this key (WRONG_KEY with both key check values) and was not changed
 * (FILE). Nothing is decrypted.
 */
int schsm_wrapped_key_verify(OSSL_LIB_CTX *libctx, const struct schsm_wrapped_key *wrapped,
                             const struct schsm_secret *dkek, struct schsm_error *err);

/*
 * The RSA or EC key inside, with its public part, after schsm_wrapped_key_verify; what does not fit
 * together arithmetically fails. The caller's to free; NULL on failure.
 */
EVP_PKEY *schsm_wrapped_key_private(OSSL_LIB_CTX *libctx, const struct schsm_wrapped_key *wrapped,
                                    const struct schsm_secret *dkek, struct schsm_error *err);

/* The same for an AES key: its 16, 24 or 32 bytes. */
struct schsm_secret *schsm_wrapped_key_secret(OSSL_LIB_CTX *libctx,
                                              const struct schsm_wrapped_key *wrapped,
                                              const struct schsm_secret *dkek,
                                              struct schsm_error *err);

/* What is said of a key that the host wraps. */
struct schsm_wrapping {
    const struct schsm_secret *dkek;
    const uint8_t *algorithms; /* card algorithm ids; NULL: everything is permitted */
    size_t algorithms_len;     /* 0..SCHSM_ALGORITHMS_MAX */
    bool plain_rsa;            /* RSA keys in the form RSA, not RSA_CRT */
    const uint8_t *random;     /* SCHSM_WRAPPED_RANDOM_LEN bytes; NULL: drawn here */
};

/*
 * Wraps an RSA key (in the form RSA_CRT, unless told otherwise) or an EC key. *blob_len is the
 * capacity of blob, SCHSM_WRAPPED_MAX suffices, and becomes the length. Fails with UNSUPPORTED for
 * a key that the card cannot hold: another type, size or curve, or more than two primes.
 */
int schsm_wrapped_key_from_private(OSSL_LIB_CTX *libctx, EVP_PKEY *key,
                                   const struct schsm_wrapping *wrapping, uint8_t *blob,
                                   size_t *blob_len, struct schsm_error *err);

/* The same for an AES key of 16, 24 or 32 bytes; ARGUMENT for another length. */
int schsm_wrapped_key_from_secret(OSSL_LIB_CTX *libctx, const struct schsm_secret *secret,
                                  const struct schsm_wrapping *wrapping, uint8_t *blob,
                                  size_t *blob_len, struct schsm_error *err);

#endif
