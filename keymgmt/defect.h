/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with an object on a device, and what is left of one, in words. */
#ifndef SCHSM_KEYMGMT_DEFECT_H
#define SCHSM_KEYMGMT_DEFECT_H

#include "find.h"

/* What an orphan is: "description of a key"; static text, never NULL. */
const char *schsm_orphan_text(const struct schsm_object *orphan);

#define SCHSM_DEFECT_TEXT_MAX 768

/* One sentence on the defect of the match's object, which has one: the object, what cannot be read,
 * and the URI to delete it by. text has room for SCHSM_DEFECT_TEXT_MAX bytes. */
void schsm_defect_text(const struct schsm_match *match, char text[SCHSM_DEFECT_TEXT_MAX]);

/*
 * Moves a copy without value of each object with a defect from list to defects, and what is none of
 * `types` (or-ed) out of the list. For whoever looked for orphans as well, to name those that are
 * damaged.
 */
int schsm_defects_split(struct schsm_match_list *list, unsigned int types,
                        struct schsm_match_list *defects, struct schsm_error *err);

/* Whether it is the device or this process that failed, rather than one object: only then a loop
 * over objects ends. */
bool schsm_failure_is_general(const struct schsm_error *err);

#endif
