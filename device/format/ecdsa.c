/* SPDX-License-Identifier: Apache-2.0 */
#include "ecdsa.h"

#include <string.h>

#include "base/tlv.h"

/* Reads a DER INTEGER that is not negative, right aligned; false where it does not fit. */
static bool read_number(const struct schsm_tlv *number, uint8_t *out, size_t len)
{
    return number->tag == 0x02 && number->value.len > 0 && number->value.data[0] < 0x80 &&
           schsm_view_pad(number->value, out, len);
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
            read_number(&r, raw, field_len) && read_number(&s, raw + field_len, field_len)) {
            *raw_len = 2 * field_len;
            return 1;
        }
    }
    return schsm_fail_malformed(err, "the device's ECDSA signature");
}

int schsm_ecdsa_der(const uint8_t *raw, size_t raw_len, uint8_t *der, size_t *der_len,
                    struct schsm_error *err)
{
    const struct schsm_view r = { raw, raw_len / 2 }, s = { raw + r.len, r.len };
    struct schsm_tlv_writer writer;
    size_t mark;

    /* neither number of a signature is zero */
    if (raw_len % 2 != 0 || schsm_view_number(r).len == 0 || schsm_view_number(s).len == 0) {
        return schsm_fail_malformed(err, "the device's ECDSA signature");
    }
    schsm_tlv_write(&writer, der, *der_len);
    mark = schsm_tlv_begin(&writer, 0x30);
    schsm_tlv_put_number(&writer, r);
    schsm_tlv_put_number(&writer, s);
    schsm_tlv_end(&writer, mark);
    if (writer.failed) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer is too small for the signature");
    }
    *der_len = writer.len;
    return 1;
}
