/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <string.h>

/* Answers to reset (section 1.2). */
static const uint8_t atr_first[] = { 0x3B, 0xFE, 0x18, 0x00, 0x00, 0x81, 0x31, 0xFE,
                                     0x45, 0x80, 0x31, 0x81, 0x54, 0x48, 0x53, 0x4D,
                                     0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0xFA };
static const uint8_t atr_jcop3[] = { 0x3B, 0xDE, 0x18, 0xFF, 0x81, 0x91, 0xFE, 0x1F,
                                     0xC3, 0x80, 0x31, 0x81, 0x54, 0x48, 0x53, 0x4D,
                                     0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0x1C };
static const uint8_t atr_jcop4[] = { 0x3B, 0xDE, 0x96, 0xFF, 0x81, 0x91, 0xFE, 0x1F,
                                     0xC3, 0x80, 0x31, 0x81, 0x54, 0x48, 0x53, 0x4D,
                                     0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0x92 };

/*
 * Without a limit of its own: extended length of 65535 bytes each way. Wrapped keys keep to the
 * 1500 bytes that OpenSC has room for, and the answer to reset is the one that every client knows.
 */
const struct sim_profile sim_profile_default = {
    .name = "default",
    .atr = { atr_first, sizeof(atr_first) },
    .max_command = 65536 + 8,
    .max_response = 65535,
    .max_wrapped = 1500,
    .capacity = (size_t)1024 * 1024,
    .major = 3,
    .minor = 5,
};

/* 76 KB of memory for objects (section 1.3); sizes of APDUs: section 2.3. */
static const struct sim_profile profiles[] = {
    {
        .name = "jcop3",
        .atr = { atr_jcop3, sizeof(atr_jcop3) },
        .max_command = 1232,
        .max_response = 1232,
        .max_wrapped = 1232 - 2,
        .capacity = (size_t)76 * 1024,
        .major = 3,
        .minor = 5,
    },
    {
        .name = "jcop4",
        .atr = { atr_jcop4, sizeof(atr_jcop4) },
        .max_command = 1454,
        .max_response = 1454,
        .max_wrapped = 1454 - 2,
        .capacity = (size_t)76 * 1024,
        .major = 4,
        .minor = 1,
    },
    {
        /* the small buffers are the SD interface's; the card behind it is a JCOP 3 */
        .name = "microsd",
        .atr = { atr_jcop3, sizeof(atr_jcop3) },
        .max_command = 478,
        .max_response = 506,
        .max_wrapped = 1232 - 2,
        .capacity = (size_t)76 * 1024,
        .major = 3,
        .minor = 5,
    },
};

const struct sim_profile *sim_profile_find(const char *name)
{
    if (strcmp(name, sim_profile_default.name) == 0) {
        return &sim_profile_default;
    }
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            return &profiles[i];
        }
    }
    return NULL;
}
