/* SPDX-License-Identifier: Apache-2.0 */
/* What a run over many objects tells of each as it goes, and of its failures at the end. */
#ifndef SCHSM_TOOL_BACKUP_TALLY_H
#define SCHSM_TOOL_BACKUP_TALLY_H

#include <jansson.h>

#include "output.h"
#include "tool.h"

struct schsm_tally {
    const struct schsm_tool *tool;
    size_t failed;
    char first[SCHSM_LABEL_MAX + 512]; /* the first failure: "key 'web' (..): why" */
    json_t *failures;                  /* [{ "object", "reason" }]; NULL: memory ran out */
};

/* To be cleared. */
void schsm_tally_init(struct schsm_tally *tally, const struct schsm_tool *tool);
void schsm_tally_clear(struct schsm_tally *tally);

/* A line for people, as it happens: "key 'web': saved". Programs read the document at the end. */
void schsm_tally_tell(const struct schsm_tally *tally, const char *name, const char *what);

/* Counts a failure, and tells it. */
void schsm_tally_fail(struct schsm_tally *tally, const char *name, const char *what,
                      const char *reason);

/* Fails with FILE where something failed: "2 objects could not be saved: key 'web': why; and ..".
 * outcome: "could not be saved". */
int schsm_tally_end(const struct schsm_tally *tally, const char *outcome, struct schsm_error *err);

#endif
