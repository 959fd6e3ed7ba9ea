/* SPDX-License-Identifier: Apache-2.0 */
/* What is derived from the key encryption key of a key domain (protocol section 13.2). */
#ifndef SIM_KEK_H
#define SIM_KEK_H

#include "state.h"

enum { SIM_KCV_LEN = 8 };

/* The two keys that a wrapped key is protected with: SHA-256(KEK ‖ 00000001 and 00000002). */
enum sim_kek_use {
    SIM_KEK_ENCRYPT = 1,
    SIM_KEK_MAC = 2,
};

/* Whether the domain exists and its key encryption key is complete. */
bool sim_kek_is_ready(const struct sim_domain *domain);

/* Key check value: first bytes of SHA-256(KEK); false when libcrypto fails. */
bool sim_kek_check_value(const struct sim_domain *domain, uint8_t kcv[SIM_KCV_LEN]);

/* AES-256 key for `use`; false when libcrypto fails. The caller cleanses `key`. */
bool sim_kek_derive(const struct sim_domain *domain, enum sim_kek_use use,
                    uint8_t key[SIM_KEK_LEN]);

#endif
