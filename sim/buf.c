/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <string.h>

#include <openssl/crypto.h>

static bool make_room(struct sim_buf *buf, size_t len)
{
    if (buf->failed) {
        return false;
    }
    if (len <= buf->cap - buf->len) {
        return true;
    }
    size_t cap = buf->cap < 256 ? 256 : buf->cap;
    while (cap - buf->len < len) {
        if (cap > SIZE_MAX / 2) {
            buf->failed = true;
            return false;
        }
        cap *= 2;
    }
    /* clear_realloc, because buffers carry keys and PINs */
    uint8_t *grown = OPENSSL_clear_realloc(buf->data, buf->cap, cap);
    if (grown == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = grown;
    buf->cap = cap;
    return true;
}

uint8_t *sim_buf_reserve(struct sim_buf *buf, size_t len)
{
    if (!make_room(buf, len)) {
        return NULL;
    }
    uint8_t *start = buf->data + buf->len;
    buf->len += len;
    return start;
}

void sim_buf_put(struct sim_buf *buf, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    uint8_t *to = sim_buf_reserve(buf, len);
    if (to != NULL) {
        memcpy(to, data, len);
    }
}

void sim_buf_put_u8(struct sim_buf *buf, uint8_t value)
{
    sim_buf_put(buf, &value, 1);
}

void sim_buf_put_u16(struct sim_buf *buf, uint16_t value)
{
    uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };
    sim_buf_put(buf, bytes, sizeof(bytes));
}

void sim_buf_put_u32(struct sim_buf *buf, uint32_t value)
{
    sim_buf_put_u16(buf, (uint16_t)(value >> 16));
    sim_buf_put_u16(buf, (uint16_t)value);
}

struct sim_slice sim_buf_slice(const struct sim_buf *buf)
{
    return (struct sim_slice){ buf->data, buf->len };
}

void sim_buf_clear(struct sim_buf *buf)
{
    if (buf->data != NULL) {
        OPENSSL_cleanse(buf->data, buf->len);
    }
    buf->len = 0;
    buf->failed = false;
}

void sim_buf_free(struct sim_buf *buf)
{
    OPENSSL_clear_free(buf->data, buf->cap);
    *buf = (struct sim_buf){ 0 };
}

bool sim_slice_take(struct sim_slice *in, size_t len, struct sim_slice *out)
{
    if (in->len < len) {
        return false;
    }
    if (out != NULL) {
        *out = (struct sim_slice){ in->data, len };
    }
    if (len > 0) {
        in->data += len;
    }
    in->len -= len;
    return true;
}

bool sim_slice_u8(struct sim_slice *in, uint8_t *value)
{
    struct sim_slice bytes;
    if (!sim_slice_take(in, 1, &bytes)) {
        return false;
    }
    *value = bytes.data[0];
    return true;
}

bool sim_slice_u16(struct sim_slice *in, uint16_t *value)
{
    struct sim_slice bytes;
    if (!sim_slice_take(in, 2, &bytes)) {
        return false;
    }
    *value = (uint16_t)(bytes.data[0] << 8 | bytes.data[1]);
    return true;
}

bool sim_slice_u32(struct sim_slice *in, uint32_t *value)
{
    uint16_t high, low;
    if (in->len < 4 || !sim_slice_u16(in, &high) || !sim_slice_u16(in, &low)) {
        return false;
    }
    *value = (uint32_t)high << 16 | low;
    return true;
}

bool sim_slice_equal(struct sim_slice a, struct sim_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
