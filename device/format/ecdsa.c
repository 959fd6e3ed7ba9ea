/* SPDX-License-Identifier: Apache-2.0 */
#include "ecdsa.h"

#include <string.h>

#include "base/tlv.h"

/* Writes a DER INTEGER that is not negative, right aligned; false where it does not fit. */
static int put_number(const struct schsm_tlv *number, uint8_t *out, size_t len)
{
    struct schsm_view value = number->value;

    if (number->tag != 0x02 || value.len == 0 || value.data[0] >= 0x80) {
        return 0;
    }
    while (value.len > 0 && value.data[0] == 0) {
        value.data++;
        value.len--;
    }
    if (value.len > len) {
        return 0;
    }
    memset(out, 0, len - value.len);
    if (value.len > 0) {
        memcpy(out + len - value.len, value.data, value.len);
    }
    return 1;
}

int schsm_ecdsa_raw(const uint8_t *der, size_t der_len, size_t field_len, uint8_t *raw,
                    size_t *raw_len, struct schsm_error *err)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv sequence, r, s;

    if (field_len > *raw_len / 2) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer is too small for the signature");
    }
    if (schsm_tlv_first(der, der_len, &sequence) && sequence.tag == 0x30 &&
        sequence.whole.len == der_len) {
        schsm_tlv_read(&reader, sequence.value.data, sequence.value.len);
        if (schsm_tlv_next(&reader, &r) && schsm_tlv_next(&reader, &s) && reader.left == 0 &&
            put_number(&r, raw, field_len) && put_number(&s, raw + field_len, field_len)) {
            *raw_len = 2 * field_len;
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the device's ECDSA signature is malformed");
}

/* Appends a number as INTEGER; false where it is zero, which no signature has. */
static int put_integer(struct schsm_tlv_writer *writer, const uint8_t *number, size_t len)
{
    static const uint8_t zero = 0;
    size_t mark;

    while (len > 0 && *number == 0) {
        number++;
        len--;
    }
    if (len == 0) {
        return 0;
    }
    mark = schsm_tlv_begin(writer, 0x02);
    if (*number >= 0x80) {
        schsm_tlv_put_raw(writer, &zero, 1);
    }
    schsm_tlv_put_raw(writer, number, len);
    schsm_tlv_end(writer, mark);
    return 1;
}

int schsm_ecdsa_der(const uint8_t *raw, size_t raw_len, uint8_t *der, size_t *der_len,
                    struct schsm_error *err)
{
    struct schsm_tlv_writer writer;
    size_t mark, half = raw_len / 2;

    schsm_tlv_write(&writer, der, *der_len);
    mark = schsm_tlv_begin(&writer, 0x30);
    if (raw_len % 2 != 0 || !put_integer(&writer, raw, half) ||
        !put_integer(&writer, raw + half, half)) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the device's ECDSA signature is malformed");
    }
    schsm_tlv_end(&writer, mark);
    if (writer.failed) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer is too small for the signature");
    }
    *der_len = writer.len;
    return 1;
}
