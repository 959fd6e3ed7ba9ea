/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte strings: a growing buffer to write into and a slice to read from.
 *
 * Writers never report errors one by one: a buffer that ran out of memory stays `failed`, further
 * writes are ignored, and the caller asks once at the end. Readers check every length.
 */
#ifndef SIM_BUF_H
#define SIM_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes; never owns. */
struct sim_slice {
    const uint8_t *data;
    size_t len;
};

/* Owned bytes; `{ 0 }` is a valid empty buffer. Free with sim_buf_free(). */
struct sim_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool failed;
};

/* Append `len` bytes; marks the buffer failed when memory runs out. */
void sim_buf_put(struct sim_buf *buf, const void *data, size_t len);

/* Append a big-endian integer of 1, 2 or 4 bytes. */
void sim_buf_put_u8(struct sim_buf *buf, uint8_t value);
void sim_buf_put_u16(struct sim_buf *buf, uint16_t value);
void sim_buf_put_u32(struct sim_buf *buf, uint32_t value);

/* Append `len` bytes for the caller to fill; NULL when memory runs out. */
uint8_t *sim_buf_reserve(struct sim_buf *buf, size_t len);

/* The content of `buf` as a slice, valid until the next write. */
struct sim_slice sim_buf_slice(const struct sim_buf *buf);

/* Wipe and empty the buffer, keeping its memory. */
void sim_buf_clear(struct sim_buf *buf);

/* Wipe and free; the buffer is then empty and may be used again. */
void sim_buf_free(struct sim_buf *buf);

/* Take the first `len` bytes off `in` into `out` (may be NULL); false when fewer are left. */
bool sim_slice_take(struct sim_slice *in, size_t len, struct sim_slice *out);

/* Take a big-endian integer of 1, 2 or 4 bytes off `in`; false when fewer bytes are left. */
bool sim_slice_u8(struct sim_slice *in, uint8_t *value);
bool sim_slice_u16(struct sim_slice *in, uint16_t *value);
bool sim_slice_u32(struct sim_slice *in, uint32_t *value);

/* Same length and same bytes. */
bool sim_slice_equal(struct sim_slice a, struct sim_slice b);

#endif
