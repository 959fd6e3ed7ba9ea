/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a card know another device's key by its certificates (protocol reference sections 6.13,
 * 6.14, 15.4 and 16.3). For jobs of the session: what is selected is gone when others use the card.
 */
#ifndef SCHSM_HSM_HSM_TRUST_H
#define SCHSM_HSM_HSM_TRUST_H

#include "format/cvc_container.h"
#include "card/session.h"

/*
 * Shows the card the chain in a container with a key, as far as the card does not know it, and
 * selects the device key that signed the key's request. Fails with WRONG_KEY where the card knows
 * no root of that chain, BAD_INPUT where a certificate does not verify.
 */
int schsm_session_trust(struct schsm_session *session, const struct schsm_container *container,
                        struct schsm_error *err);

/* The content of a request's 67 element, as the card takes it: 7F21, 42 and 5F37. */
struct schsm_view schsm_request_content(const struct schsm_cvc_request *request);

#endif
