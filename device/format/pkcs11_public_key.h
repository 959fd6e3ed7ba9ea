/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys out of the attributes of PKCS#11 objects, and back: pure functions on bytes. */
#ifndef SCHSM_FORMAT_PKCS11_PUBLIC_KEY_H
#define SCHSM_FORMAT_PKCS11_PUBLIC_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/tlv.h"

/*
 * A DER SubjectPublicKeyInfo from CKA_MODULUS and CKA_PUBLIC_EXPONENT, which are not negative and
 * may have leading zeros. *spki is allocated with OPENSSL_malloc and the caller's. Fails with
 * DEVICE_DATA where a number is empty or longer than any we know.
 */
int schsm_pkcs11_rsa_key(struct schsm_view modulus, struct schsm_view exponent, uint8_t **spki,
                         size_t *spki_len, struct schsm_error *err);

/*
 * The same from CKA_EC_PARAMS, the DER of a curve's OBJECT IDENTIFIER, and CKA_EC_POINT: a DER
 * OCTET STRING around the point, or, as some modules give it, the bare point.
 */
int schsm_pkcs11_ec_key(struct schsm_view params, struct schsm_view point, uint8_t **spki,
                        size_t *spki_len, struct schsm_error *err);

/* Whether an X.509 certificate says that it is an authority's (RFC 5280, 4.2.1.9). */
bool schsm_pkcs11_is_authority(const uint8_t *certificate, size_t len);

#endif
