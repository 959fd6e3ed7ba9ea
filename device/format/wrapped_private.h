/* SPDX-License-Identifier: Apache-2.0 */
/* RSA and EC keys as elements of a wrapped key's plaintext; for wrapped_key.c and openssh_key.c. */
#ifndef SCHSM_FORMAT_WRAPPED_PRIVATE_H
#define SCHSM_FORMAT_WRAPPED_PRIVATE_H

#include "wrapped_key.h"

/* Elements of the longest form, RSA_CRT. */
#define SCHSM_WRAPPED_ELEMENTS_MAX 7

/* The order in each form (14.2). */
enum { RSA_CRT_DP, RSA_CRT_DQ, RSA_CRT_P, RSA_CRT_QI, RSA_CRT_Q, RSA_CRT_N, RSA_CRT_E };
enum { RSA_D, RSA_N, RSA_E };
enum { EC_A, EC_B, EC_P, EC_N, EC_G, EC_D, EC_Q };

/* Elements as numbers or points, big endian; leading zeros do not matter. NULL on failure. */
EVP_PKEY *schsm_wrapped_rsa_crt(OSSL_LIB_CTX *libctx, const struct schsm_view *elements,
                                struct schsm_error *err);
EVP_PKEY *schsm_wrapped_rsa(OSSL_LIB_CTX *libctx, const struct schsm_view *elements,
                            struct schsm_error *err);
EVP_PKEY *schsm_wrapped_ec(OSSL_LIB_CTX *libctx, const struct schsm_view *elements,
                           struct schsm_error *err);

/* Append the size field and the elements of a key, RSA_CRT (plain: RSA) or EC, to the plaintext. */
int schsm_wrapped_put_rsa(OSSL_LIB_CTX *libctx, EVP_PKEY *key, bool plain,
                          struct schsm_tlv_writer *writer, struct schsm_error *err);
int schsm_wrapped_put_ec(OSSL_LIB_CTX *libctx, EVP_PKEY *key, struct schsm_tlv_writer *writer,
                         struct schsm_error *err);

/* Appends a big endian number of two bytes. */
static inline void schsm_wrapped_put_size(struct schsm_tlv_writer *writer, size_t value)
{
    const uint8_t field[] = { (uint8_t)(value >> 8), (uint8_t)value };

    schsm_tlv_put_raw(writer, field, sizeof(field));
}

/* Appends an element: its length and its bytes. */
static inline void schsm_wrapped_put_element(struct schsm_tlv_writer *writer, const uint8_t *data,
                                             size_t len)
{
    schsm_wrapped_put_size(writer, len);
    schsm_tlv_put_raw(writer, data, len);
}

#endif
