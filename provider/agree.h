/* SPDX-License-Identifier: Apache-2.0 */
/* One key agreement of a device key with a peer's public key: ECDH, X25519 and X448. */
#ifndef SCHSM_PROVIDER_AGREE_H
#define SCHSM_PROVIDER_AGREE_H

#include <stddef.h>

#include "pkey.h"

/*
 * A public key as devices take it: 04||X||Y, whatever form the key itself would be written in, or
 * the raw key of X25519 and X448. The caller frees *len bytes; NULL where the key has none.
 */
unsigned char *schsm_agree_public(const EVP_PKEY *key, size_t *len);

/* Bytes of a secret with this key, which are those of a coordinate; 0 on failure. */
size_t schsm_agree_size(const EVP_PKEY *key);

/*
 * The device's secret with the peer's public key, written by schsm_agree_public: all of the
 * schsm_agree_size bytes of it. 0 with an error raised, and nothing in secret, where the device
 * fails, or where every key has the same secret with this peer.
 */
int schsm_agree(struct schsm_pkey *key, const unsigned char *peer, size_t peer_len,
                unsigned char *secret, size_t secret_len);

#endif
