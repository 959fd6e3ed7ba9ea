/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share; for jobs of the session. */
#ifndef SCHSM_HSM_HSM_PRIVATE_H
#define SCHSM_HSM_HSM_PRIVATE_H

#include "card/card_private.h"

/*
 * The SO-PIN (hsm_pin.c). _check_ fails where it is blocked, fewer than min_tries are left, or the
 * job sent it before and a try is gone since: to be called right before it is sent; _fail_ words
 * its refusal by the last command, and leaves the error of every other failure as it is. What is
 * worded is final.
 */
int schsm_card_check_so_pin(struct schsm_session *session, int min_tries, struct schsm_error *err);
int schsm_card_fail_so_pin(struct schsm_session *session, struct schsm_error *err);

/* Writes the token's label into file 2F03; the card is logged in. (hsm_label.c) */
int schsm_card_write_label(struct schsm_session *session, const char *label,
                           struct schsm_error *err);

#endif
