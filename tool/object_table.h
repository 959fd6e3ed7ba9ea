/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of devices as tables for people. */
#ifndef SCHSM_TOOL_OBJECT_TABLE_H
#define SCHSM_TOOL_OBJECT_TABLE_H

#include "keymgmt/find.h"
#include "tool.h"

/* Reads the contents of public data objects, which alone tell their sizes; what the device does not
 * give is a defect of that object. */
int schsm_object_read_sizes(struct schsm_match_list *list, struct schsm_error *err);

/*
 * Prints a table of the objects, what belongs to one key side by side, and behind it one of what
 * their certificates say. policies: one for each match, which get a column where one says more than
 * usual; NULL: they were not asked for.
 */
int schsm_object_table_print(const struct schsm_tool *tool, const struct schsm_match_list *list,
                             const struct schsm_key_policy *policies, struct schsm_error *err);

#endif
