/* SPDX-License-Identifier: Apache-2.0 */
#include "private_op.h"

#include "latency.h"

uint16_t sim_private_op_begin(struct sim_card *card, uint8_t id, enum sim_key_kind kind,
                              uint8_t algorithm, struct sim_key **key)
{
    /* the device key signs requests and authenticates the device, nothing else */
    if (id == 0) {
        return SIM_SW_CONDITIONS;
    }
    *key = sim_keys_find(&card->state, id);
    if (*key == NULL) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (kind != SIM_KEY_NONE && (*key)->kind != kind) {
        return SIM_SW_NOT_SUPPORTED;
    }
    return sim_key_check(*key, algorithm);
}

uint16_t sim_private_op_count(struct sim_card *card, struct sim_key *key)
{
    sim_key_used(&card->state, key);
    if (!sim_card_commit(card)) {
        return SIM_SW_MEMORY_FAILURE;
    }
    sim_latency_add(card, SIM_OPERATION_USE, key);
    return SIM_SW_OK;
}
