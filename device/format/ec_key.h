/* SPDX-License-Identifier: Apache-2.0 */
/* What an EC key of libcrypto's is made of, in the fixed lengths of the card's formats. */
#ifndef SCHSM_FORMAT_EC_KEY_H
#define SCHSM_FORMAT_EC_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "curve.h"

/* The key's curve; NULL where it is none of the card's, or has no name. */
const struct schsm_curve *schsm_ec_key_curve(EVP_PKEY *key);

/* The public point 04 || X || Y, 1 + 2 * curve->field_len bytes; false where it has none. */
bool schsm_ec_key_point(EVP_PKEY *key, const struct schsm_curve *curve,
                        uint8_t point[SCHSM_POINT_MAX]);

/* The private number, curve->field_len bytes, which the caller cleanses; false where there is
 * none. */
bool schsm_ec_key_private(EVP_PKEY *key, const struct schsm_curve *curve,
                          uint8_t number[SCHSM_FIELD_MAX]);

#endif
