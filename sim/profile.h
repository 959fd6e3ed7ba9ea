/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between generations of the device (protocol sections 1.2, 1.3 and 2.3). */
#ifndef SIM_PROFILE_H
#define SIM_PROFILE_H

#include "buf.h"

struct sim_card;
struct sim_command;
struct sim_state;

/* How wrapped keys are written (section 14). */
struct sim_wrapped_form {
    size_t max;       /* an RSA key whose blob with all its parts is longer gets the short form */
    bool lean;        /* numbers without leading zeros, and no `a` where the field implies it */
    bool pads_always; /* a whole block where the plaintext is aligned already */
};

/* How a device describes itself and its files to SELECT (section 3.3). */
enum sim_fci {
    SIM_FCI_PRESENT, /* options, type and version in tag 85 */
    SIM_FCI_FIRST,   /* applets before 2.0: nothing but the version */
};

/* What a family of devices can do, and its ways. */
struct sim_device {
    const struct sim_command *commands; /* ends with a handler NULL */
    enum sim_fci fci;
    unsigned max_rsa_bits, max_curve_bits;
    uint16_t options;   /* of INITIALIZE DEVICE that it knows */
    bool key_domains;   /* key domains and key policies: since 3.0 */
    uint16_t not_ready; /* what VERIFY says of a device that was never initialised */

    /* ways of the Pico HSM (section 19) */
    bool any_class;             /* CLA means nothing but secure messaging */
    bool starts_without_applet; /* nothing is selected after power-on */
    bool outlives_reset;        /* a reset by the reader is not noticed */
    bool answers_without_le;    /* what was not asked for waits, or comes unasked */
    bool so_pin_logs_in;        /* either PIN authenticates */
    bool hides_status;          /* outside of a secure channel every answer in it is 9000 */
};

struct sim_profile {
    const char *name;
    struct sim_slice atr;
    size_t max_command;  /* bytes of a whole command APDU */
    size_t max_response; /* bytes of response data and status word */
    struct sim_wrapped_form wrapped;
    size_t capacity;      /* bytes for keys and files, see memory.h */
    uint8_t major, minor; /* version of the applet */

    const struct sim_device *device;
    bool (*personalise)(struct sim_state *state, const char *serial); /* makes a new card */
};

/* A device with the limits of none: what a card is unless told otherwise. */
extern const struct sim_profile sim_profile_default;

/* The profile with this name; NULL when there is none. */
const struct sim_profile *sim_profile_find(const char *name);

#endif
