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

/* A data object that a command may carry; a list of them ends with one of tag 0. */
struct sim_tlv_object {
    uint32_t tag;
    size_t min, max; /* length of the value */
    size_t offset;   /* of its struct sim_slice in the struct that it is parsed into */
};

/*
 * Put the value of each data object in `in` at its place in `into`, a struct of slices that are
 * all NULL before; an object that is absent leaves its slice NULL. False when `in` is no series
 * of objects, or one is unknown, twice there, or of a wrong length.
 */
bool sim_tlv_parse(struct sim_slice in, const struct sim_tlv_object *objects, void *into);

/* Append a data object with the minimal length encoding. */
void sim_tlv_put(struct sim_buf *out, uint32_t tag, const void *value, size_t len);

/* The same with the value given as a buffer; a failed value makes `out` failed. */
void sim_tlv_put_buf(struct sim_buf *out, uint32_t tag, const struct sim_buf *value);

#endif
