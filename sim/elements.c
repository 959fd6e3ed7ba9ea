/* SPDX-License-Identifier: Apache-2.0 */
#include "elements.h"

#include <openssl/bn.h>

bool sim_element_put_number(struct sim_buf *out, const BIGNUM *number, size_t len)
{
    sim_buf_put_u16(out, (uint16_t)len);
    uint8_t *to = sim_buf_reserve(out, len);
    return to != NULL && BN_bn2binpad(number, to, (int)len) == (int)len;
}

void sim_element_put(struct sim_buf *out, struct sim_slice value)
{
    sim_buf_put_u16(out, (uint16_t)value.len);
    sim_buf_put(out, value.data, value.len);
}

bool sim_element_take(struct sim_slice *in, size_t max, struct sim_slice *value)
{
    uint16_t len;
    return sim_slice_u16(in, &len) && len <= max && sim_slice_take(in, len, value);
}

BIGNUM *sim_element_take_number(struct sim_slice *in, size_t max)
{
    struct sim_slice value;
    BIGNUM *number = sim_element_take(in, max, &value) ? BN_secure_new() : NULL;
    if (number != NULL && BN_bin2bn(value.data, (int)value.len, number) == NULL) {
        BN_clear_free(number);
        return NULL;
    }
    return number;
}
