/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two forms of an ECDSA signature: DER Ecdsa-Sig-Value (RFC 3279), which SIGN answers with, and
 * r || s, each as long as the curve's field, which CV certificates, membership files and EXTERNAL
 * AUTHENTICATE carry (protocol reference sections 11.1, 15.3 and 16.4).
 */
#ifndef SCHSM_FORMAT_ECDSA_H
#define SCHSM_FORMAT_ECDSA_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * DER to r || s of 2 * field_len bytes. *raw_len is the capacity of raw and becomes that length.
 * Fails with DEVICE_DATA for what is no such structure, or whose numbers are longer than the field,
 * ARGUMENT where raw is too small.
 */
int schsm_ecdsa_raw(const uint8_t *der, size_t der_len, size_t field_len, uint8_t *raw,
                    size_t *raw_len, struct schsm_error *err);

/*
 * r || s, two numbers of the same length, to DER. *der_len is the capacity of der and becomes the
 * length. Fails with DEVICE_DATA where raw cannot be halved or a number is zero, ARGUMENT where der
 * is too small.
 */
int schsm_ecdsa_der(const uint8_t *raw, size_t raw_len, uint8_t *der, size_t *der_len,
                    struct schsm_error *err);

#endif
