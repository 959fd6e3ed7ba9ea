/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCHSM_PROVIDER_READ_DER_H
#define SCHSM_PROVIDER_READ_DER_H

#include <stddef.h>

#include <openssl/bio.h>

/*
 * Reads one DER SEQUENCE of up to 65535 bytes and its header, no byte more; the largest real key
 * reference is below 2000. *der is the caller's; NULL with 1 returned: something else stands there.
 * 0: no memory.
 */
int schsm_read_sequence(BIO *in, unsigned char **der, size_t *len);

#endif
