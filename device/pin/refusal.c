/* SPDX-License-Identifier: Apache-2.0 */
#include "refusal.h"

#include <stdio.h>

#define FEW 2

/* "1 try is left", "fewer than 3 tries are left" */
static const char *tries_text(int tries, char *text, size_t size)
{
    if (tries >= 0) {
        (void)snprintf(text, size, "%d %s left", tries, tries == 1 ? "try is" : "tries are");
    } else {
        (void)snprintf(text, size, "%s",
                       tries == SCHSM_TRIES_FEW
                           ? "fewer than 3 tries are left"
                           : "the device does not tell how many tries are left");
    }
    return text;
}

static int set_tries(struct schsm_error *err, int tries)
{
    if (err != NULL) {
        err->tries_left = tries >= 0 ? tries : -1;
    }
    return 0;
}

int schsm_refuse_blocked(struct schsm_error *err, const char *device, const char *remedy)
{
    schsm_fail(err, SCHSM_REASON_PIN_BLOCKED, "the PIN of device %s is blocked: unblock it with %s",
               device, remedy);
    return set_tries(err, 0);
}

int schsm_refuse_uninitialised(struct schsm_error *err, const char *device, const char *remedy)
{
    return schsm_fail(err, SCHSM_REASON_NOT_INITIALISED,
                      "device %s is not initialised and has no PIN yet: initialise it with %s",
                      device, remedy);
}

int schsm_refuse_must_change(struct schsm_error *err, const char *device, const char *condition)
{
    return schsm_fail(err, SCHSM_REASON_PIN_MUST_CHANGE, "device %s %s", device, condition);
}

int schsm_refuse_missing(struct schsm_error *err, const char *device, const char *object,
                         bool by_option)
{
    return schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                      "device %s needs its PIN%s%s, and none was given: %s", device,
                      object != NULL ? " for " : "", object != NULL ? object : "",
                      by_option ? "give it with --pin-source"
                                : "set pin-source in the configuration, or add ?pin-source=prompt "
                                  "to the URI");
}

int schsm_refuse_pad(struct schsm_error *err, const char *where, bool by_option)
{
    return schsm_fail(err, SCHSM_REASON_PIN_SOURCE,
                      by_option ? "%s has no PIN pad, but pin-source is pinpad: use "
                                  "--pin-source prompt"
                                : "%s has no PIN pad, but pin-source=pinpad asks for one: use "
                                  "pin-source=prompt",
                      where);
}

/* What to do where too few tries are left; the tool's options have nothing that permits them. */
static const char *few_tries_remedy(int tries, bool by_option, char *text, size_t size)
{
    if (by_option) {
        return "use --pin-source prompt to type it";
    }
    (void)snprintf(text, size,
                   "use pin-source=prompt to type it, or set min-pin-tries to %d in the "
                   "configuration",
                   tries);
    return text;
}

int schsm_check_tries(struct schsm_error *err, const char *device, int tries, int min_tries,
                      const char *left_undone, bool by_option)
{
    int known = tries == SCHSM_TRIES_FEW ? FEW : tries;
    char remedy[96];

    if (known < 0 || known >= min_tries) {
        return 1;
    }
    if (tries >= 0) {
        schsm_fail(err, SCHSM_REASON_PIN_TRIES_LOW, "only %d PIN %s left on device %s, so %s: %s",
                   tries, tries == 1 ? "try is" : "tries are", device, left_undone,
                   few_tries_remedy(tries, by_option, remedy, sizeof(remedy)));
    } else {
        schsm_fail(err, SCHSM_REASON_PIN_TRIES_LOW,
                   "fewer than %d PIN tries are left on device %s, so %s: %s", FEW + 1, device,
                   left_undone, few_tries_remedy(FEW, by_option, remedy, sizeof(remedy)));
    }
    return set_tries(err, tries);
}

int schsm_check_pin_length(struct schsm_error *err, const char *device, size_t len, size_t min,
                           size_t max)
{
    if (len >= min && len <= max) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_PIN_LENGTH,
                      "the PIN given for device %s does not have %zu to %zu characters and was not "
                      "tried",
                      device, min, max);
}

int schsm_refuse_known_wrong(struct schsm_error *err, const char *device, int tries)
{
    if (tries >= 0) {
        schsm_fail(err, SCHSM_REASON_PIN_KNOWN_WRONG,
                   "device %s refused this PIN before, with %d %s left then, so it was not tried "
                   "again: give the right PIN",
                   device, tries, tries == 1 ? "try" : "tries");
    } else {
        schsm_fail(err, SCHSM_REASON_PIN_KNOWN_WRONG,
                   "device %s refused this PIN before, so it was not tried again: give the right "
                   "PIN",
                   device);
    }
    return set_tries(err, tries);
}

int schsm_refuse_wrong(struct schsm_error *err, const char *device, int tries, const char *remedy)
{
    char text[64];

    if (tries == 0) {
        schsm_fail(err, SCHSM_REASON_PIN_INCORRECT,
                   "the PIN is wrong, and the PIN of device %s is now blocked: unblock it with %s",
                   device, remedy);
    } else {
        schsm_fail(err, SCHSM_REASON_PIN_INCORRECT, "the PIN is wrong for device %s; %s", device,
                   tries_text(tries, text, sizeof(text)));
    }
    return set_tries(err, tries);
}
