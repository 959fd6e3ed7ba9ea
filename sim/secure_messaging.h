/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secure messaging with the keys of chip authentication: AES-128 in CBC mode and CMAC (protocol
 * section 17).
 */
#ifndef SIM_SECURE_MESSAGING_H
#define SIM_SECURE_MESSAGING_H

#include "apdu.h"
#include "buf.h"

enum {
    SIM_SM_KEY_LEN = 16,
    SIM_SM_NONCE_LEN = 8,
    SIM_SM_MAC_LEN = 8,
};

/* id-CA-ECDH-AES-CBC-CMAC-128, the one protocol of this card. */
extern const struct sim_slice sim_sm_protocol;

/* A channel between host and card. */
struct sim_sm {
    bool is_active;
    unsigned epoch; /* changes with every channel that begins or ends */
    uint8_t enc[SIM_SM_KEY_LEN], mac[SIM_SM_KEY_LEN];
    uint8_t counter[SIM_SM_KEY_LEN]; /* of commands and responses */
};

/*
 * Begin a channel with the keys that follow from the shared secret (the x coordinate) and the
 * card's nonce; an earlier one is over. False, without a channel, when libcrypto fails.
 */
bool sim_sm_start(struct sim_sm *sm, struct sim_slice secret,
                  const uint8_t nonce[SIM_SM_NONCE_LEN]);

/* End the channel, if there is one, and wipe its keys. */
void sim_sm_end(struct sim_sm *sm);

/*
 * The token by which the card proves that it has the keys: over the host's ephemeral point. False
 * when libcrypto fails.
 */
bool sim_sm_token(const struct sim_sm *sm, struct sim_slice point, uint8_t token[SIM_SM_MAC_LEN]);

/*
 * Check a protected command and undo its protection: `plain` gets the command that was meant,
 * whose data goes to `data`. Status word: 9000; 6987 objects missing, which includes a command
 * without data and Le; 6988 objects wrong. The caller ends the channel on the latter two.
 */
uint16_t sim_sm_unwrap(struct sim_sm *sm, const struct sim_apdu *apdu, struct sim_apdu *plain,
                       struct sim_buf *data);

/*
 * Protect an answer to a command of this INS: `data` is replaced by the protected form, with the
 * status word in it. False when libcrypto fails.
 */
bool sim_sm_wrap(struct sim_sm *sm, uint8_t ins, uint16_t sw, struct sim_buf *data);

#endif
