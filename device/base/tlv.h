/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BER-TLV (ISO/IEC 8825-1): tags of one to three bytes, definite lengths of up to four bytes. The
 * reader accepts lengths that are longer than necessary, since real cards and tools write them;
 * the writer makes DER. Nothing here allocates; every view points into the caller's buffer.
 */
#ifndef SCHSM_BASE_TLV_H
#define SCHSM_BASE_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to somebody else. data may be NULL where len is 0. */
struct schsm_view {
    const uint8_t *data;
    size_t len;
};

struct schsm_tlv {
    uint32_t tag;            /* the tag's bytes, big endian: 0x30, 0x5F29, 0x7F21 */
    struct schsm_view value; /* the content */
    struct schsm_view whole; /* tag, length and content */
};

struct schsm_tlv_reader {
    const uint8_t *next;
    size_t left;
    bool malformed; /* set where reading stopped before the end */
};

/* Starts at the first byte of data; data must outlive the reader and all that it gives out. */
void schsm_tlv_read(struct schsm_tlv_reader *reader, const uint8_t *data, size_t len);

/*
 * The next element. False at the end, and at a tag or length that is cut off, an indefinite length,
 * or a length beyond the end; then reader->malformed is set and stays.
 */
bool schsm_tlv_next(struct schsm_tlv_reader *reader, struct schsm_tlv *tlv);

/* The first element of data, whatever follows it; false if it is malformed or data is empty. */
bool schsm_tlv_first(const uint8_t *data, size_t len, struct schsm_tlv *tlv);

/* The first element with this tag among the siblings in data, false if there is none before the
 * end or before the first malformed byte. */
bool schsm_tlv_find(const uint8_t *data, size_t len, uint32_t tag, struct schsm_tlv *tlv);

/* Whether two views hold the same bytes. */
bool schsm_view_equal(struct schsm_view a, struct schsm_view b);

/* A big endian number without leading zeros; zero has len 0. */
struct schsm_view schsm_view_number(struct schsm_view number);

/* Writes such a number to out, with zeros in front up to len bytes; false where it is longer. */
bool schsm_view_pad(struct schsm_view number, uint8_t *out, size_t len);

/* A writer into a buffer of fixed capacity. Once something did not fit, `failed` stays set and
 * nothing more is written. */
struct schsm_tlv_writer {
    uint8_t *out;
    size_t capacity;
    size_t len;
    bool failed;
};

void schsm_tlv_write(struct schsm_tlv_writer *writer, uint8_t *out, size_t capacity);

/* Appends an element with a minimal length. value may be NULL where len is 0; it may not lie in
 * the writer's buffer. */
void schsm_tlv_put(struct schsm_tlv_writer *writer, uint32_t tag, const uint8_t *value, size_t len);

/* Appends an element of one byte. */
void schsm_tlv_put_byte(struct schsm_tlv_writer *writer, uint32_t tag, uint8_t value);

/* Appends an element of text without its terminator. */
void schsm_tlv_put_text(struct schsm_tlv_writer *writer, uint32_t tag, const char *text);

/* Appends a DER INTEGER (tag 02) that is not negative: as bytes, big endian, of any length (which
 * may not lie in the writer's buffer), or as a value. */
void schsm_tlv_put_number(struct schsm_tlv_writer *writer, struct schsm_view number);
void schsm_tlv_put_integer(struct schsm_tlv_writer *writer, uint32_t value);

/* Appends bytes as they are. */
void schsm_tlv_put_raw(struct schsm_tlv_writer *writer, const uint8_t *bytes, size_t len);

/*
 * A constructed element: begin, append its content, end with what begin returned. Elements may be
 * nested; each must be ended before the one around it.
 */
size_t schsm_tlv_begin(struct schsm_tlv_writer *writer, uint32_t tag);
void schsm_tlv_end(struct schsm_tlv_writer *writer, size_t mark);

#endif
