/* SPDX-License-Identifier: Apache-2.0 */
/* A key's public part out of the file CExx that stands beside it. */
#ifndef SCHSM_FORMAT_PUBLIC_KEY_H
#define SCHSM_FORMAT_PUBLIC_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "types.h"
#include "base/error.h"

/*
 * The public key in the content of a file CExx as DER SubjectPublicKeyInfo, whichever of the three
 * forms it has (protocol reference section 11.4): an authenticated request (67), a CV certificate
 * (7F21), an X.509 certificate (30). Bytes after the first element are ignored. *spki is allocated
 * with OPENSSL_malloc and the caller's to free. Fails with NO_PUBLIC_KEY for an empty file or one
 * of another form, DEVICE_DATA for a malformed one, UNSUPPORTED for a curve that is not the card's.
 */
int schsm_public_key_from_ce(const uint8_t *file, size_t len, uint8_t **spki, size_t *spki_len,
                             struct schsm_error *err);

#endif
