/* SPDX-License-Identifier: Apache-2.0 */
/* AES as the card uses it: CBC with a zero IV and no padding, and CMAC (protocol sections 6.6, 14).
 */
#ifndef SIM_AES_H
#define SIM_AES_H

#include "buf.h"

enum { SIM_AES_BLOCK = 16 };

/*
 * Append `in`, a multiple of 16 bytes, encrypted or decrypted with a key of 16, 24 or 32 bytes;
 * false when libcrypto fails.
 */
bool sim_aes_cbc(bool encrypt, struct sim_slice key, struct sim_slice in, struct sim_buf *out);

/* The CMAC of `in`; false when libcrypto fails. */
bool sim_aes_cmac(struct sim_slice key, struct sim_slice in, uint8_t mac[SIM_AES_BLOCK]);

#endif
