/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nobody gave by an option: the settings of the provider's section in the openssl.cnf in
 * force, and above them variables of the environment.
 *
 * The device is one setting (serial, reader, token), and so is where the PIN comes from
 * (pin-source, pin): who gives one of them by an option, or in the environment, has said all of it.
 */
#ifndef SCHSM_TOOL_CONFIGURED_H
#define SCHSM_TOOL_CONFIGURED_H

#include "model/device.h"
#include "tool.h"

/*
 * Fills the run's configuration with what is found, and makes the registry of devices for it. Fails
 * (CONFIG) on a file that is there and cannot be read, and on a setting that the tool would read
 * were its name or value right; the sentence names the place.
 */
int schsm_tool_configure(struct schsm_tool *tool, struct schsm_error *err);

/* Whether an option was given that overrules this setting. */
bool schsm_tool_overruled(const struct schsm_tool *tool, const char *key);

/*
 * The configured source of the PIN, where it is this device's and can be read here, else NULL: then
 * somebody is to be asked. Why it cannot be read is said once on standard error. second: of a
 * device that was not the one looked for, which has the same PIN only where the source tells
 * devices apart. The source is the tool's.
 */
struct schsm_pin_source *schsm_tool_configured_pin(struct schsm_tool *tool,
                                                   struct schsm_device *device, bool second);

/* Adds to the sentence of a failure which setting led to it, and where that stands. */
void schsm_tool_blame(const struct schsm_tool *tool, struct schsm_error *err);

void schsm_tool_origins_clear(struct schsm_origins *origins);

#endif
