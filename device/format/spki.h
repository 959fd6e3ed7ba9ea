/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SubjectPublicKeyInfo (RFC 5280, RFC 3279 rsaEncryption, RFC 5480 named curve, RFC 8410) from and
 * to numbers. By hand: libcrypto would ask every provider for the key, us among them.
 */
#ifndef SCHSM_FORMAT_SPKI_H
#define SCHSM_FORMAT_SPKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecx.h"
#include "types.h"
#include "base/error.h"
#include "base/tlv.h"

/* From big endian numbers. *spki is allocated with OPENSSL_malloc and the caller's to free; fails
 * with OUT_OF_MEMORY only. */
int schsm_spki_rsa(struct schsm_view modulus, struct schsm_view exponent, uint8_t **spki,
                   size_t *spki_len, struct schsm_error *err);

/* Likewise from the curve's OBJECT IDENTIFIER, as a whole element, and the point 04 || X || Y. */
int schsm_spki_ec(struct schsm_view curve, struct schsm_view point, uint8_t **spki,
                  size_t *spki_len, struct schsm_error *err);

/* Likewise a key as RFC 8410 has it. */
int schsm_spki_ecx(const struct schsm_ecx *curve, struct schsm_view key, uint8_t **spki,
                   size_t *spki_len, struct schsm_error *err);

/* Type and size in bits; what cannot be told is left as it is. */
void schsm_spki_describe(const uint8_t *spki, size_t spki_len, enum schsm_key_type *type,
                         unsigned int *bits);

/* Whether it is an RSA key with the public exponent 65537. */
bool schsm_spki_rsa_exponent_is_f4(const uint8_t *spki, size_t spki_len);

#endif
