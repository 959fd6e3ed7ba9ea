/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between generations of the device (protocol sections 1.2, 1.3 and 2.3). */
#ifndef SIM_PROFILE_H
#define SIM_PROFILE_H

#include "buf.h"

struct sim_profile {
    const char *name;
    struct sim_slice atr;
    size_t max_command;   /* bytes of a whole command APDU */
    size_t max_response;  /* bytes of response data and status word */
    size_t max_wrapped;   /* a longer RSA key is wrapped in its short form (section 14.5) */
    size_t capacity;      /* bytes for keys and files, see memory.h */
    uint8_t major, minor; /* version of the applet */
};

/* A device with the limits of none: what a card is unless told otherwise. */
extern const struct sim_profile sim_profile_default;

/* The profile with this name; NULL when there is none. */
const struct sim_profile *sim_profile_find(const char *name);

#endif
