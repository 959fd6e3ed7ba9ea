/* SPDX-License-Identifier: Apache-2.0 */
#include "ecdsa.h"

#include <string.h>

#include "tlv.h"

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
