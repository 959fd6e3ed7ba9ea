/* SPDX-License-Identifier: Apache-2.0 */
/* GENERATE SYMMETRIC KEY 00 48 NEWID SIZE: a new AES key in CC<id> (protocol section 6.3). */
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "commands.h"
#include "policy.h"

struct request {
    struct sim_policy policy;
};

static const struct sim_tlv_object request_objects[] = {
    SIM_POLICY_OBJECTS(struct request, policy),
    { 0 },
};

static const struct {
    uint8_t p2;
    size_t len; /* of the key in bytes */
} sizes[] = {
    { 0xB0, 16 },
    { 0xB1, 24 },
    { 0xB2, 32 },
};

static size_t key_len(uint8_t p2)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i].p2 == p2) {
            return sizes[i].len;
        }
    }
    return 0;
}

uint16_t sim_cmd_generate_symmetric_key(struct sim_card *card, const struct sim_apdu *apdu,
                                        struct sim_buf *out)
{
    struct request request = { 0 };
    struct sim_key key;
    uint8_t value[32];
    size_t len = key_len(apdu->p2);
    (void)out;
    if (len == 0) {
        return SIM_SW_NOT_SUPPORTED;
    }
    if (!sim_tlv_parse(apdu->data, request_objects, &request) ||
        !sim_policy_possible(&request.policy, &card->state)) {
        return SIM_SW_WRONG_DATA;
    }
    bool ok = RAND_priv_bytes(value, (int)len) == 1 &&
              sim_key_from_aes(&key, apdu->p1, (struct sim_slice){ value, len });
    OPENSSL_cleanse(value, sizeof(value));
    if (!ok) {
        return SIM_SW_INTERNAL;
    }
    sim_policy_apply(&request.policy, &key);
    sim_latency_add(card, SIM_OPERATION_GENERATE, &key);
    return sim_keys_store(&card->state, &key);
}
