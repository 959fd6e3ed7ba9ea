/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include <string.h>

#include "state.h"

bool sim_policy_possible(const struct sim_policy *policy, const struct sim_state *state)
{
    if (policy->domain.data == NULL) {
        return true;
    }
    uint8_t domain = policy->domain.data[0];
    if (domain < state->n_domains) {
        return state->domains[domain].created;
    }
    return domain == 0;
}

void sim_policy_apply(const struct sim_policy *policy, struct sim_key *key)
{
    struct sim_slice uses = policy->uses;
    key->uses_left = SIM_USES_UNLIMITED;
    if (uses.data != NULL) {
        sim_slice_u32(&uses, &key->uses_left);
    }
    key->names_domain = policy->domain.data != NULL;
    key->domain = key->names_domain ? policy->domain.data[0] : 0;
    key->n_algorithms = (uint8_t)policy->algorithms.len;
    if (key->n_algorithms > 0) {
        memcpy(key->algorithms, policy->algorithms.data, policy->algorithms.len);
    }
}

void sim_policy_put(const struct sim_key *key, struct sim_buf *out)
{
    if (key->uses_left != SIM_USES_UNLIMITED) {
        struct sim_buf uses = { 0 };
        sim_buf_put_u32(&uses, key->uses_left);
        sim_tlv_put_buf(out, SIM_TAG_USES, &uses);
        sim_buf_free(&uses);
    }
    sim_tlv_put(out, SIM_TAG_ALGORITHMS, key->algorithms, key->n_algorithms);
    sim_tlv_put(out, SIM_TAG_DOMAIN, &key->domain, 1);
}
