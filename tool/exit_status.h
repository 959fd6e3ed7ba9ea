/* SPDX-License-Identifier: Apache-2.0 */
/* How a run ends, for scripts. */
#ifndef SCHSM_TOOL_EXIT_STATUS_H
#define SCHSM_TOOL_EXIT_STATUS_H

#include <stddef.h>

#include "base/error.h"

enum schsm_exit {
    SCHSM_EXIT_DONE = 0,
    SCHSM_EXIT_FAILED = 1,
    SCHSM_EXIT_USAGE = 2,
    SCHSM_EXIT_NO_DEVICE = 3,
    SCHSM_EXIT_PIN = 4
};

enum schsm_exit schsm_exit_status(enum schsm_reason reason);

/* The meaning of an exit status, for the help; NULL past the last one. */
const char *schsm_exit_text(size_t status);

#endif
