/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSA padding schemes of RFC 8017 on the host: the device does the bare modular exponentiation.
 * An encoded message `em` is always exactly as long as the modulus.
 *
 * The `_unpad` functions work on decrypted data. None of their branches, memory addresses or loop
 * counts depends on it before all checks are done; what shows then is only what their result shows
 * anyway: success or failure, and the length of a message. Why a check failed is never told.
 */
#ifndef SCHSM_PROVIDER_RSA_PADDING_H
#define SCHSM_PROVIDER_RSA_PADDING_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/error.h"

#define SCHSM_RSA_PKCS1_OVERHEAD 11 /* 00 BT, at least eight bytes of padding, 00 */
#define SCHSM_RSA_PREFIX_MAX 64
#define SCHSM_REJECTION_KEY_SIZE 32
#define SCHSM_TLS_PREMASTER_SIZE 48

/* Signing, RFC 8017 section 9.2: 00 01 FF..FF 00 data. */
int schsm_rsa_pkcs1_pad(const uint8_t *data, size_t data_len, uint8_t *em, size_t em_len,
                        struct schsm_error *err);

/*
 * What goes before a digest in a DigestInfo. *prefix_len is the capacity and becomes the length: 0
 * for MD5-SHA1, which TLS 1.0 signs bare.
 */
int schsm_rsa_digest_prefix(const EVP_MD *md, uint8_t *prefix, size_t *prefix_len,
                            struct schsm_error *err);

/*
 * The salt length in bytes that a request (a number, or one of RSA_PSS_SALTLEN_*) means for
 * signing; at least minimum, at most what fits.
 */
int schsm_rsa_pss_salt_len(int request, const EVP_MD *md, size_t modulus_bits, int minimum,
                           size_t *salt_len, struct schsm_error *err);

/* EMSA-PSS, section 9.1.1; hash is md's. mgf1_md may be md. */
int schsm_rsa_pss_pad(OSSL_LIB_CTX *libctx, const EVP_MD *md, const EVP_MD *mgf1_md,
                      size_t salt_len, const uint8_t *hash, size_t modulus_bits, uint8_t *em,
                      size_t em_len, struct schsm_error *err);

/* XORs the mask that MGF1 makes of seed, section B.2.1, into data. */
int schsm_rsa_mgf1_xor(const EVP_MD *md, const uint8_t *seed, size_t seed_len, uint8_t *data,
                       size_t data_len, struct schsm_error *err);

/*
 * RSAES-PKCS1-v1_5, section 7.2.2. out needs room for em_len bytes; *out_len becomes the message's
 * length. With a rejection key bad padding is no failure but gives the message, of random content
 * and length, that the key determines; with NULL it is failure.
 */
int schsm_rsa_pkcs1_unpad(OSSL_LIB_CTX *libctx, const uint8_t *em, size_t em_len,
                          const uint8_t *rejection_key, uint8_t *out, size_t *out_len,
                          struct schsm_error *err);

/*
 * The rejection key for one ciphertext under one RSA key: the same for the same pair as long as
 * the process and its forked children live, and unknown to anybody else.
 */
int schsm_rsa_rejection_key(OSSL_LIB_CTX *libctx, const uint8_t *modulus, size_t modulus_len,
                            const uint8_t *ciphertext, size_t ciphertext_len,
                            uint8_t key[SCHSM_REJECTION_KEY_SIZE], struct schsm_error *err);

/*
 * Chooses the process's secret behind all rejection keys now. Called when a key is loaded: the
 * workers that a server forks later must all answer a bad ciphertext in the same way.
 */
int schsm_rsa_rejection_prepare(OSSL_LIB_CTX *libctx, struct schsm_error *err);

/*
 * TLS premaster secret, RFC 5246 section 7.4.7.1: always 48 bytes into out; a random secret unless
 * padding, length and version are right. The version is the client's or, where not 0, also the
 * negotiated one (some old clients send that).
 */
int schsm_rsa_tls_unpad(OSSL_LIB_CTX *libctx, const uint8_t *em, size_t em_len,
                        unsigned int client_version, unsigned int negotiated_version,
                        uint8_t out[SCHSM_TLS_PREMASTER_SIZE], struct schsm_error *err);

/* RSAES-OAEP, section 7.1.2. out needs room for em_len bytes. label may be NULL with length 0. */
int schsm_rsa_oaep_unpad(const EVP_MD *md, const EVP_MD *mgf1_md, const uint8_t *label,
                         size_t label_len, const uint8_t *em, size_t em_len, uint8_t *out,
                         size_t *out_len, struct schsm_error *err);

#endif
