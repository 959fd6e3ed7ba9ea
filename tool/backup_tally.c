/* SPDX-License-Identifier: Apache-2.0 */
#include "backup_tally.h"

#include <stdio.h>
#include <string.h>

void schsm_tally_init(struct schsm_tally *tally, const struct schsm_tool *tool)
{
    memset(tally, 0, sizeof(*tally));
    tally->tool = tool;
    tally->failures = json_array();
}

void schsm_tally_clear(struct schsm_tally *tally)
{
    json_decref(tally->failures);
    tally->failures = NULL;
}

void schsm_tally_tell(const struct schsm_tally *tally, const char *name, const char *what)
{
    if (!tally->tool->json && schsm_say(NULL, "%s: %s", name, what)) {
        (void)fflush(stdout); /* long runs show how far they are */
    }
}

void schsm_tally_fail(struct schsm_tally *tally, const char *name, const char *what,
                      const char *reason)
{
    if (tally->failed++ == 0) {
        (void)snprintf(tally->first, sizeof(tally->first), "%s: %s", name, reason);
    }
    schsm_json_append(&tally->failures, json_pack("{s:o, s:o}", "object", schsm_json_text(name),
                                                  "reason", schsm_json_text(reason)));
    if (!tally->tool->json && schsm_say(NULL, "%s: %s: %s", name, what, reason)) {
        (void)fflush(stdout);
    }
}

int schsm_tally_end(const struct schsm_tally *tally, const char *outcome, struct schsm_error *err)
{
    if (tally->failed == 0) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_FILE, "%zu %s %s%s: %s", tally->failed,
                      tally->failed == 1 ? "object" : "objects", outcome,
                      tally->failed == 1 ? "" : ", as told above, the first", tally->first);
}
