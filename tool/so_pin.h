/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that take PINs of the device itself have in common. */
#ifndef SCHSM_TOOL_SO_PIN_H
#define SCHSM_TOOL_SO_PIN_H

#include "base/secret.h"
#include "model/device.h"
#include "tool.h"

/*
 * An SO-PIN as the device takes it, from the source that the option (NULL: none) names, else asked
 * at the terminal. form: the device's, hexadecimal digits become bytes. what: "SO-PIN", "new
 * SO-PIN". twice: a new one, which is to be typed twice. tries_left: -1 for unknown.
 */
int schsm_tool_so_pin(struct schsm_tool *tool, const char *option, const char *what,
                      const char *serial, const struct schsm_pin_form *form, int tries_left,
                      bool twice, struct schsm_secret **so_pin, struct schsm_error *err);

/* A new user PIN, likewise. */
int schsm_tool_new_pin(struct schsm_tool *tool, const char *option, const char *what,
                       const char *serial, const struct schsm_pin_form *form,
                       struct schsm_secret **pin, struct schsm_error *err);

/* How many tries a PIN from this option must not go below: none for a person who types it. */
int schsm_tool_min_tries(const struct schsm_tool *tool, const char *option);

/* Fails where the SO-PIN of a device was never set, or is blocked for ever. */
int schsm_tool_check_so_pin(bool set, bool blocked, const char *serial, struct schsm_error *err);

#endif
