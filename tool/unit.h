/* SPDX-License-Identifier: Apache-2.0 */
/* A systemd service as its unit file and the drop-ins beside it describe it: the settings that
 * decide what a program of it sees. */
#ifndef SCHSM_TOOL_UNIT_H
#define SCHSM_TOOL_UNIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct schsm_unit_setting {
    char *key;
    char *value;
};

struct schsm_unit {
    char *name; /* with its ending */
    struct schsm_unit_setting *settings;
    size_t count;
};

/* Asks systemd, or with a folder reads NAME.service and NAME.service.d/ in it. *unit is to be
 * cleared by the caller, also after a failure: UNSUPPORTED where there is no systemd, NOT_FOUND
 * where there is no such unit. */
int schsm_unit_read(struct schsm_unit *unit, const char *name, const char *folder,
                    struct schsm_error *err);
void schsm_unit_clear(struct schsm_unit *unit);

/* The last value of a setting; NULL: it is not set. */
const char *schsm_unit_get(const struct schsm_unit *unit, const char *key);

/* The next value of a setting that may be given several times; *at is 0 at first. NULL at the end.
 */
const char *schsm_unit_next(const struct schsm_unit *unit, const char *key, size_t *at);

/* Gives this process the unit's environment, and nothing of its own. */
int schsm_unit_take_environment(const struct schsm_unit *unit, struct schsm_error *err);

/* Gives this process the unit's root directory, groups and user. Fails where it may not. */
int schsm_unit_take_rights(const struct schsm_unit *unit, struct schsm_error *err);

#endif
