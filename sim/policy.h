/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of a key (protocol section 8.2): how often and for what it may be used, and the key
 * domain that it belongs to. It is given when the key is made and never changes.
 */
#ifndef SIM_POLICY_H
#define SIM_POLICY_H

#include "keys.h"
#include "tlv.h"

enum {
    SIM_TAG_USES = 0x90,
    SIM_TAG_ALGORITHMS = 0x91,
    SIM_TAG_DOMAIN = 0x92,
    SIM_TAG_REFERENCE = 0x93,
};

/* The objects of a request for a new key; `data` NULL where absent. */
struct sim_policy {
    struct sim_slice uses, algorithms, domain;
    struct sim_slice reference; /* accepted, not used */
};

/* Lines for sim_tlv_parse(): `member` is the struct sim_policy within `type`. */
#define SIM_POLICY_OBJECTS(type, member)                                                           \
    { SIM_TAG_USES, 4, 4, offsetof(type, member.uses) },                                           \
        { SIM_TAG_ALGORITHMS, 0, SIM_MAX_ALGORITHMS, offsetof(type, member.algorithms) },          \
        { SIM_TAG_DOMAIN, 1, 1, offsetof(type, member.domain) },                                   \
    {                                                                                              \
        SIM_TAG_REFERENCE, 1, 1, offsetof(type, member.reference)                                  \
    }

/*
 * Whether a key can have this policy on this card: a key domain that is named must have been
 * created. Domain 0 may be named on a device that has no domains at all.
 */
bool sim_policy_possible(const struct sim_policy *policy, const struct sim_state *state);

/* Give the policy to a new key. */
void sim_policy_apply(const struct sim_policy *policy, struct sim_key *key);

/* Append the present policy of a key as objects 90, 91 and 92; 90 only if it has a counter. */
void sim_policy_put(const struct sim_key *key, struct sim_buf *out);

#endif
