/* SPDX-License-Identifier: Apache-2.0 */
#include "key_policy.h"

#include <string.h>

#define TAG_USE_COUNT 0x90
#define TAG_ALGORITHMS 0x91
#define TAG_KEY_DOMAIN 0x92

#define UNLIMITED 0xFFFFFFFFu

int schsm_key_policy_put(struct schsm_tlv_writer *writer, const uint8_t *algorithms,
                         size_t algorithms_len, uint32_t use_count, int key_domain,
                         struct schsm_error *err)
{
    const uint8_t count[] = { (uint8_t)(use_count >> 24), (uint8_t)(use_count >> 16),
                              (uint8_t)(use_count >> 8), (uint8_t)use_count };

    if (use_count != 0) {
        schsm_tlv_put(writer, TAG_USE_COUNT, count, sizeof(count));
    }
    if (algorithms != NULL) {
        if (algorithms_len == 0 || algorithms_len > SCHSM_ALGORITHMS_MAX) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a key takes 1 to %d algorithms, not %zu",
                              SCHSM_ALGORITHMS_MAX, algorithms_len);
        }
        schsm_tlv_put(writer, TAG_ALGORITHMS, algorithms, algorithms_len);
    }
    if (key_domain >= 0) {
        if (key_domain > SCHSM_KEY_DOMAIN_MAX) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "there is no key domain %d", key_domain);
        }
        schsm_tlv_put_byte(writer, TAG_KEY_DOMAIN, (uint8_t)key_domain);
    }
    return 1;
}

void schsm_key_policy_read(const uint8_t *data, size_t len, struct schsm_key_policy *policy)
{
    struct schsm_tlv tlv;
    const uint8_t *value;

    memset(policy, 0, sizeof(*policy));
    policy->key_domain = -1;
    if (schsm_tlv_find(data, len, TAG_USE_COUNT, &tlv) && tlv.value.len == 4) {
        value = tlv.value.data;
        policy->uses_left = (uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 |
                            (uint32_t)value[2] << 8 | value[3];
        policy->limited = policy->uses_left != UNLIMITED;
        policy->known = true;
    }
    if (schsm_tlv_find(data, len, TAG_ALGORITHMS, &tlv)) {
        if (tlv.value.len > SCHSM_ALGORITHMS_MAX) {
            memset(policy, 0, sizeof(*policy)); /* cut off, it would say less than the card */
            policy->key_domain = -1;
            return;
        }
        policy->algorithms_len = tlv.value.len;
        if (tlv.value.len > 0) {
            memcpy(policy->algorithms, tlv.value.data, tlv.value.len);
        }
        policy->known = true;
    }
    if (schsm_tlv_find(data, len, TAG_KEY_DOMAIN, &tlv) && tlv.value.len == 1) {
        policy->key_domain = tlv.value.data[0];
        policy->known = true;
    }
    if (!policy->limited) {
        policy->uses_left = 0;
    }
    if (policy->known && policy->key_domain < 0) {
        policy->key_domain = 0; /* absent means the first */
    }
}
