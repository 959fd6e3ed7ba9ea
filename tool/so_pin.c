/* SPDX-License-Identifier: Apache-2.0 */
#include "so_pin.h"

#include <string.h>

#include "hsm/hsm_pin.h"
#include "ask.h"

int schsm_tool_so_pin(struct schsm_tool *tool, const char *option, const char *what,
                      const char *serial, int tries_left, bool twice, struct schsm_secret **so_pin,
                      struct schsm_error *err)
{
    const struct schsm_question question = { .what = what,
                                             .device = serial,
                                             .tries_left = tries_left,
                                             .twice = twice,
                                             .min = SCHSM_HSM_SO_PIN_DIGITS,
                                             .max = SCHSM_HSM_SO_PIN_DIGITS };
    struct schsm_secret *digits = NULL;

    *so_pin = NULL;
    if (schsm_tool_secret(tool, option, &question, &digits, err)) {
        *so_pin = schsm_hsm_so_pin_parse(digits, err);
    }
    schsm_secret_free(digits);
    return *so_pin != NULL;
}

int schsm_tool_new_pin(struct schsm_tool *tool, const char *option, const char *what,
                       const char *serial, struct schsm_secret **pin, struct schsm_error *err)
{
    const struct schsm_question question = { .what = what,
                                             .device = serial,
                                             .tries_left = -1,
                                             .twice = true,
                                             .min = SCHSM_USER_PIN_MIN,
                                             .max = SCHSM_USER_PIN_MAX };

    return schsm_tool_secret(tool, option, &question, pin, err);
}

int schsm_tool_min_tries(const struct schsm_tool *tool, const char *option)
{
    const char *source = schsm_tool_setting(tool, option);

    return source == NULL || strcmp(source, "prompt") == 0 ? 0 : tool->context.config.min_pin_tries;
}

int schsm_tool_check_so_pin(const struct schsm_hsm_status *status, const char *serial,
                            struct schsm_error *err)
{
    if (status->so_pin_blocked) {
        return schsm_fail(err, SCHSM_REASON_PIN_BLOCKED,
                          "the SO-PIN of device %s is blocked: the device can never be initialised "
                          "nor its PIN be unblocked again",
                          serial);
    }
    if (!status->so_pin_set) {
        return schsm_fail(err, SCHSM_REASON_NOT_INITIALISED,
                          "device %s was never initialised and has no SO-PIN: initialise it with "
                          "'" SCHSM_TOOL_NAME " init'",
                          serial);
    }
    return 1;
}
