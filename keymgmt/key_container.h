/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a wrapped key, as `sc-hsm-tool --wrap-key` writes it (protocol reference section
 * 14.6):
 *
 *     SEQUENCE { OCTET STRING blob, PKCS#15 description OPTIONAL, certificate OPTIONAL }
 */
#ifndef SCHSM_KEYMGMT_KEY_CONTAINER_H
#define SCHSM_KEYMGMT_KEY_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/tlv.h"

#define SCHSM_KEY_CONTAINER_MAX 0x10000 /* bytes of a file that is read */

/* Absent members have len 0. Views point into the file. */
struct schsm_key_container {
    struct schsm_view blob;        /* wrapped_key.h */
    struct schsm_view description; /* as in C4xx: tag 30, A0 or A8 */
    struct schsm_view certificate; /* as in CExx: X.509, CVC or authenticated request */
};

/*
 * Reads a container. The elements are told by their order and tags; whatever follows them is not
 * looked at (CardContact's shell adds more certificates). Fails with FILE.
 */
int schsm_key_container_parse(const uint8_t *file, size_t len,
                              struct schsm_key_container *container, struct schsm_error *err);

/* *file: OPENSSL_malloc'ed, the caller's. Each member goes in up to the end of its first element:
 * files on the device may have a tail. */
int schsm_key_container_build(const struct schsm_key_container *container, uint8_t **file,
                              size_t *len, struct schsm_error *err);

#endif
