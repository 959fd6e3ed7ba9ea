/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv.h"

static bool take_tag(struct sim_slice *in, uint32_t *tag)
{
    uint8_t byte;
    if (!sim_slice_u8(in, &byte)) {
        return false;
    }
    *tag = byte;
    if ((byte & 0x1F) != 0x1F) {
        return true;
    }
    for (int more = 0; more < 2; more++) {
        if (!sim_slice_u8(in, &byte)) {
            return false;
        }
        *tag = *tag << 8 | byte;
        if ((byte & 0x80) == 0) {
            return true;
        }
    }
    return false;
}

static bool take_length(struct sim_slice *in, size_t *len)
{
    uint8_t byte;
    if (!sim_slice_u8(in, &byte)) {
        return false;
    }
    *len = byte;
    if (byte < 0x80) {
        return true;
    }
    /* 80 would be the indefinite form; three length bytes are more than any APDU carries */
    if (byte < 0x81 || byte > 0x83) {
        return false;
    }
    *len = 0;
    for (int n = byte & 0x7F; n > 0; n--) {
        if (!sim_slice_u8(in, &byte)) {
            return false;
        }
        *len = *len << 8 | byte;
    }
    return true;
}

bool sim_tlv_next(struct sim_slice *in, uint32_t *tag, struct sim_slice *value)
{
    size_t len;
    return take_tag(in, tag) && take_length(in, &len) && sim_slice_take(in, len, value);
}

bool sim_tlv_parse(struct sim_slice in, const struct sim_tlv_object *objects, void *into)
{
    while (in.len > 0) {
        uint32_t tag;
        struct sim_slice value;
        const struct sim_tlv_object *object = objects;
        if (!sim_tlv_next(&in, &tag, &value)) {
            return false;
        }
        while (object->tag != 0 && object->tag != tag) {
            object++;
        }
        struct sim_slice *to = (struct sim_slice *)(void *)((char *)into + object->offset);
        if (object->tag == 0 || to->data != NULL || value.len < object->min ||
            value.len > object->max) {
            return false;
        }
        *to = value;
    }
    return true;
}

void sim_tlv_put(struct sim_buf *out, uint32_t tag, const void *value, size_t len)
{
    if (len > 0xFFFFFF) {
        out->failed = true;
        return;
    }
    if (tag > 0xFFFF) {
        sim_buf_put_u8(out, (uint8_t)(tag >> 16));
    }
    if (tag > 0xFF) {
        sim_buf_put_u8(out, (uint8_t)(tag >> 8));
    }
    sim_buf_put_u8(out, (uint8_t)tag);
    if (len < 0x80) {
        sim_buf_put_u8(out, (uint8_t)len);
    } else if (len < 0x100) {
        sim_buf_put_u8(out, 0x81);
        sim_buf_put_u8(out, (uint8_t)len);
    } else if (len < 0x10000) {
        sim_buf_put_u8(out, 0x82);
        sim_buf_put_u16(out, (uint16_t)len);
    } else {
        sim_buf_put_u8(out, 0x83);
        sim_buf_put_u8(out, (uint8_t)(len >> 16));
        sim_buf_put_u16(out, (uint16_t)len);
    }
    sim_buf_put(out, value, len);
}

void sim_tlv_put_buf(struct sim_buf *out, uint32_t tag, const struct sim_buf *value)
{
    if (value->failed) {
        out->failed = true;
    } else {
        sim_tlv_put(out, tag, value->data, value->len);
    }
}
