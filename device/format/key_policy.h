/* SPDX-License-Identifier: Apache-2.0 */
/* A key's policy as the card has it: the objects 90, 91 and 92 (protocol reference section 8.2). */
#ifndef SCHSM_FORMAT_KEY_POLICY_H
#define SCHSM_FORMAT_KEY_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "types.h"
#include "base/error.h"
#include "base/tlv.h"

/*
 * Appends the objects for a key to be made. algorithms NULL: no list is written, everything is
 * allowed. use_count 0: not written, unlimited. key_domain negative: not written, the first. Fails
 * with ARGUMENT for more than SCHSM_ALGORITHMS_MAX algorithms, an empty list, or a domain above
 * 255.
 */
int schsm_key_policy_put(struct schsm_tlv_writer *writer, const uint8_t *algorithms,
                         size_t algorithms_len, uint32_t use_count, int key_domain,
                         struct schsm_error *err);

/*
 * Reads the objects among the siblings in data. known becomes true where at least one was there,
 * and stays false where a list is longer than any card's.
 */
void schsm_key_policy_read(const uint8_t *data, size_t len, struct schsm_key_policy *policy);

#endif
