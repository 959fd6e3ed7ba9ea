/* SPDX-License-Identifier: Apache-2.0 */
/* What a key is whose kind we do not know, out of what stands beside it. */
#ifndef SCHSM_FORMAT_KEY_ALGORITHM_H
#define SCHSM_FORMAT_KEY_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The object identifier of the public key in a file CExx, in text ("1.3.101.112"), whichever form
 * the file has (protocol reference section 11.4): in an X.509 certificate that of its
 * SubjectPublicKeyInfo, in a CV certificate or request that in 7F49. False, and oid "", where it is
 * that of RSA or EC, or there is none. size: the room at oid, its terminator included.
 */
bool schsm_key_algorithm_unknown(const uint8_t *file, size_t len, char *oid, size_t size);

#endif
