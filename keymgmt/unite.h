/* SPDX-License-Identifier: Apache-2.0 */
/* One thing that several devices have. */
#ifndef SCHSM_KEYMGMT_UNITE_H
#define SCHSM_KEYMGMT_UNITE_H

#include "find.h"

/*
 * Where there is a pool: of keys with the same public part, and of certificates with the same
 * content, that are on several devices, only the first stays in the list. What cannot be read
 * stays. Two on one device stay two. For whoever loads what a URI names, not for who deletes it.
 */
void schsm_match_list_unite(const struct schsm_context *context, struct schsm_match_list *list);

#endif
