/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share; for jobs of the session. */
#ifndef SCHSM_HSM_HSM_PRIVATE_H
#define SCHSM_HSM_HSM_PRIVATE_H

#include "card/card_private.h"

/* Fails with ARGUMENT where no key can have this reference. */
static inline int schsm_hsm_check_key_ref(int key_ref, struct schsm_error *err)
{
    return (key_ref >= 1 && key_ref <= SCHSM_KEY_REF_MAX) ||
           schsm_fail(err, SCHSM_REASON_ARGUMENT, "%d is no key reference", key_ref);
}

/* Fails with UNSUPPORTED, for good, where the label is built in: file 2F03 is no file there, and to
 * write or delete it does harm (19.5). (hsm_label.c) */
int schsm_card_check_labels(struct schsm_session *session, struct schsm_error *err);

/* Writes the token's label into file 2F03; the card is logged in. (hsm_label.c) */
int schsm_card_write_label(struct schsm_session *session, const char *label,
                           struct schsm_error *err);

#endif
