/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Custodians at the terminal, one after the other, each with a part of a split password
 * (keymgmt/password_shares.h). What they read and type is cleared from the screen before the next
 * one comes, and goes nowhere but to the terminal.
 */
#ifndef SCHSM_TOOL_CUSTODIAN_H
#define SCHSM_TOOL_CUSTODIAN_H

#include "keymgmt/password_shares.h"
#include "tool.h"

/*
 * Shows each custodian the share, and waits until it was written down. what: what the password is
 * for. Fails with PIN_MISSING where there is no terminal, CANCELLED at end of input.
 */
int schsm_custodians_show(const char *what, unsigned int threshold, unsigned int total,
                          const struct schsm_password_share *shares, struct schsm_error *err);

/*
 * Asks `count` custodians for their shares; shares[] is filled. What cannot be a share is asked for
 * again. Fails likewise.
 */
int schsm_custodians_ask(const char *what, unsigned int count, struct schsm_password_share *shares,
                         struct schsm_error *err);

#endif
