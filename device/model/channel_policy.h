/* SPDX-License-Identifier: Apache-2.0 */
/* Which commands that carry secrets are sent through a secure channel (protocol reference section
 * 17). */
#ifndef SCHSM_MODEL_CHANNEL_POLICY_H
#define SCHSM_MODEL_CHANNEL_POLICY_H

#include "format/roots.h"

enum schsm_channel_mode {
    SCHSM_CHANNEL_OFF,
    SCHSM_CHANNEL_AUTO,   /* where the device offers it */
    SCHSM_CHANNEL_REQUIRE /* or not at all, and only to a device that a known root vouches for */
};

struct schsm_channel_policy {
    enum schsm_channel_mode mode;
    const struct schsm_roots *roots; /* besides the built-in ones; NULL: none */
};

#endif
