/* SPDX-License-Identifier: Apache-2.0 */
/* BER-TLV with tags of one to three bytes and definite lengths (protocol section 11). */
#ifndef SIM_TLV_H
#define SIM_TLV_H

#include "buf.h"

/*
 * Take one data object off `in`. `tag` gets the tag bytes as a number (0x7F49), `value` borrows
 * from `in`. Lengths need not be minimal (section 11.5). False when `in` does not start with a
 * complete object; `in` is then undefined.
 */
bool sim_tlv_next(struct sim_slice *in, uint32_t *tag, struct sim_slice *value);

/* Append a data object with the minimal length encoding. */
void sim_tlv_put(struct sim_buf *out, uint32_t tag, const void *value, size_t len);

/* The same with the value given as a buffer; a failed value makes `out` failed. */
void sim_tlv_put_buf(struct sim_buf *out, uint32_t tag, const struct sim_buf *value);

#endif
