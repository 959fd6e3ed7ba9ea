/* SPDX-License-Identifier: Apache-2.0 */
/* The device that a run is about, and the login to it. */
#ifndef SCHSM_TOOL_TARGET_H
#define SCHSM_TOOL_TARGET_H

#include "model/device.h"
#include "tool.h"

/* Makes the registry of devices anew, as the configuration is now. No device that an earlier one
 * gave may be in use. */
int schsm_tool_registry(struct schsm_tool *tool, struct schsm_error *err);

/* The device's serial number, NUL terminated; SCHSM_TOOL_NO_SERIAL where it has none. */
int schsm_tool_serial(struct schsm_device *device, char serial[SCHSM_SERIAL_MAX + 1],
                      struct schsm_error *err);

/*
 * The one device that --reader and --serial leave. serial is filled in, NUL terminated,
 * with SCHSM_TOOL_NO_SERIAL where the device has none. Fails with
 * NO_DEVICE and the like, or DEVICE_AMBIGUOUS with the candidates.
 */
int schsm_tool_device(struct schsm_tool *tool, struct schsm_device **device,
                      char serial[SCHSM_SERIAL_MAX + 1], struct schsm_error *err);

/*
 * How to log in to the device: with --pin-source, or what the configuration has in its place
 * (configured.h), else on the reader's PIN pad, else by asking at the terminal. A PIN that worked
 * is kept for this run. *login lives as long as tool; object, which may be NULL, is what for.
 * Without a source this asks the device how many tries are left, and fails where no PIN can help.
 */
int schsm_tool_login(struct schsm_tool *tool, struct schsm_device *device, const char *object,
                     struct schsm_login *login, struct schsm_error *err);

/* The same for a device beside the one that was looked for: a configured PIN is that one's alone.
 */
int schsm_tool_login_second(struct schsm_tool *tool, struct schsm_device *device,
                            const char *object, struct schsm_login *login, struct schsm_error *err);

#define SCHSM_TO_PIN_SOURCE "to-pin-source" /* the option of commands with two devices */

/* The same for a second device of this run: with what --to-pin-source tells, else likewise. *source
 * is the caller's to free, and NULL without that option; *login lives as long as both. */
int schsm_tool_login_there(struct schsm_tool *tool, struct schsm_device *device,
                           struct schsm_pin_source **source, struct schsm_login *login,
                           struct schsm_error *err);

#endif
