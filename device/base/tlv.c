/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv.h"

#include <string.h>

#define TAG_BYTES_MAX 3
#define LENGTH_BYTES_MAX 4

/* Takes one byte; false at the end. */
static bool take_byte(struct schsm_tlv_reader *reader, uint8_t *byte)
{
    if (reader->left == 0) {
        return false;
    }
    *byte = *reader->next++;
    reader->left--;
    return true;
}

static bool take_tag(struct schsm_tlv_reader *reader, uint32_t *tag)
{
    uint8_t byte;

    if (!take_byte(reader, &byte)) {
        return false;
    }
    *tag = byte;
    if ((byte & 0x1F) != 0x1F) {
        return true;
    }
    for (int i = 1; i < TAG_BYTES_MAX; i++) {
        if (!take_byte(reader, &byte)) {
            return false;
        }
        *tag = *tag << 8 | byte;
        if ((byte & 0x80) == 0) {
            return true;
        }
    }
    return false;
}

static bool take_length(struct schsm_tlv_reader *reader, size_t *len)
{
    uint8_t byte;
    unsigned int count;

    if (!take_byte(reader, &byte)) {
        return false;
    }
    if (byte < 0x80) {
        *len = byte;
        return true;
    }
    count = byte & 0x7F;
    if (count == 0 || count > LENGTH_BYTES_MAX) {
        return false;
    }
    *len = 0;
    while (count-- > 0) {
        if (!take_byte(reader, &byte)) {
            return false;
        }
        *len = *len << 8 | byte;
    }
    return true;
}

void schsm_tlv_read(struct schsm_tlv_reader *reader, const uint8_t *data, size_t len)
{
    reader->next = data;
    reader->left = len;
    reader->malformed = false;
}

bool schsm_tlv_next(struct schsm_tlv_reader *reader, struct schsm_tlv *tlv)
{
    const uint8_t *start = reader->next;
    uint32_t tag;
    size_t len;

    if (reader->malformed || reader->left == 0) {
        return false;
    }
    if (!take_tag(reader, &tag) || !take_length(reader, &len) || len > reader->left) {
        reader->malformed = true;
        return false;
    }
    tlv->tag = tag;
    tlv->value.data = reader->next;
    tlv->value.len = len;
    reader->next += len;
    reader->left -= len;
    tlv->whole.data = start;
    tlv->whole.len = (size_t)(reader->next - start);
    return true;
}

bool schsm_tlv_first(const uint8_t *data, size_t len, struct schsm_tlv *tlv)
{
    struct schsm_tlv_reader reader;

    schsm_tlv_read(&reader, data, len);
    return schsm_tlv_next(&reader, tlv);
}

bool schsm_tlv_find(const uint8_t *data, size_t len, uint32_t tag, struct schsm_tlv *tlv)
{
    struct schsm_tlv_reader reader;

    schsm_tlv_read(&reader, data, len);
    while (schsm_tlv_next(&reader, tlv)) {
        if (tlv->tag == tag) {
            return true;
        }
    }
    return false;
}

bool schsm_view_equal(struct schsm_view a, struct schsm_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

struct schsm_view schsm_view_number(struct schsm_view number)
{
    while (number.len > 0 && *number.data == 0) {
        number.data++;
        number.len--;
    }
    return number;
}

bool schsm_view_pad(struct schsm_view number, uint8_t *out, size_t len)
{
    number = schsm_view_number(number);
    if (number.len > len) {
        return false;
    }
    memset(out, 0, len - number.len);
    if (number.len > 0) {
        memcpy(out + len - number.len, number.data, number.len);
    }
    return true;
}

void schsm_tlv_write(struct schsm_tlv_writer *writer, uint8_t *out, size_t capacity)
{
    writer->out = out;
    writer->capacity = capacity;
    writer->len = 0;
    writer->failed = false;
}

void schsm_tlv_put_raw(struct schsm_tlv_writer *writer, const uint8_t *bytes, size_t len)
{
    if (writer->failed || len > writer->capacity - writer->len) {
        writer->failed = true;
        return;
    }
    if (len > 0) {
        memcpy(writer->out + writer->len, bytes, len);
    }
    writer->len += len;
}

static void put_tag(struct schsm_tlv_writer *writer, uint32_t tag)
{
    uint8_t bytes[] = { (uint8_t)(tag >> 16), (uint8_t)(tag >> 8), (uint8_t)tag };
    size_t skip = tag > 0xFFFF ? 0 : tag > 0xFF ? 1 : 2;

    schsm_tlv_put_raw(writer, bytes + skip, sizeof(bytes) - skip);
}

/* The minimal length field (X.690 10.1); returns its bytes, 0 where the length is beyond us. */
static size_t length_field(uint8_t field[1 + LENGTH_BYTES_MAX], size_t len)
{
    size_t count = 1;

    if (len < 0x80) {
        field[0] = (uint8_t)len;
        return 1;
    }
    if (len > UINT32_MAX) {
        return 0;
    }
    while (count < LENGTH_BYTES_MAX && len >> (8 * count) != 0) {
        count++;
    }
    field[0] = (uint8_t)(0x80 | count);
    for (size_t i = 0; i < count; i++) {
        field[1 + i] = (uint8_t)(len >> (8 * (count - 1 - i)));
    }
    return 1 + count;
}

void schsm_tlv_put(struct schsm_tlv_writer *writer, uint32_t tag, const uint8_t *value, size_t len)
{
    uint8_t field[1 + LENGTH_BYTES_MAX];
    size_t field_len = length_field(field, len);

    if (field_len == 0) {
        writer->failed = true;
        return;
    }
    put_tag(writer, tag);
    schsm_tlv_put_raw(writer, field, field_len);
    schsm_tlv_put_raw(writer, value, len);
}

void schsm_tlv_put_byte(struct schsm_tlv_writer *writer, uint32_t tag, uint8_t value)
{
    schsm_tlv_put(writer, tag, &value, 1);
}

void schsm_tlv_put_text(struct schsm_tlv_writer *writer, uint32_t tag, const char *text)
{
    schsm_tlv_put(writer, tag, (const uint8_t *)text, strlen(text));
}

void schsm_tlv_put_number(struct schsm_tlv_writer *writer, struct schsm_view number)
{
    static const uint8_t zero = 0;
    size_t mark = schsm_tlv_begin(writer, 0x02);

    number = schsm_view_number(number);
    if (number.len == 0 || number.data[0] >= 0x80) {
        schsm_tlv_put_raw(writer, &zero, 1);
    }
    schsm_tlv_put_raw(writer, number.data, number.len);
    schsm_tlv_end(writer, mark);
}

void schsm_tlv_put_integer(struct schsm_tlv_writer *writer, uint32_t value)
{
    const uint8_t bytes[] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value };

    schsm_tlv_put_number(writer, (struct schsm_view){ bytes, sizeof(bytes) });
}

size_t schsm_tlv_begin(struct schsm_tlv_writer *writer, uint32_t tag)
{
    put_tag(writer, tag);
    return writer->len;
}

void schsm_tlv_end(struct schsm_tlv_writer *writer, size_t mark)
{
    uint8_t field[1 + LENGTH_BYTES_MAX];
    size_t content_len = writer->len - mark;
    size_t field_len = length_field(field, content_len);

    if (writer->failed || field_len == 0 || field_len > writer->capacity - writer->len) {
        writer->failed = true;
        return;
    }
    memmove(writer->out + mark + field_len, writer->out + mark, content_len);
    memcpy(writer->out + mark, field, field_len);
    writer->len += field_len;
}
