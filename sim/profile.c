/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <string.h>

#include "apdu.h"
#include "commands.h"
#include "personalise.h"
#include "pico.h"
#include "state.h"

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

/* Applets since 3.0, those before 2.0 (section 1.3), and the Pico HSM (section 19). */
static const struct sim_device device_modern = {
    .commands = sim_commands,
    .max_rsa_bits = 4096,
    .max_curve_bits = 521,
    .options = SIM_ALL_OPTIONS,
    .key_domains = true,
    .not_ready = SIM_SW_REFERENCE_NOT_FOUND,
};

static const struct sim_device device_first = {
    .commands = sim_commands_first,
    .fci = SIM_FCI_FIRST,
    .max_rsa_bits = 2048,
    .max_curve_bits = 320,
    .options = SIM_OPT_RESET_RETRY_COUNTER,
    .not_ready = SIM_SW_NOT_USABLE, /* section 5.1 */
};

static const struct sim_device device_pico = {
    .commands = sim_commands_pico,
    .any_class = true,
    .starts_without_applet = true,
    .outlives_reset = true,
    .answers_without_le = true,
    .so_pin_logs_in = true,
    .hides_status = true,
};

/*
 * Without a limit of its own: extended length of 65535 bytes each way. Wrapped keys keep to the
 * 1500 bytes that OpenSC has room for, and the answer to reset is the one that every client knows.
 */
const struct sim_profile sim_profile_default = {
    .name = "default",
    .atr = { atr_first, sizeof(atr_first) },
    .max_command = 65536 + 8,
    .max_response = 65535,
    .wrapped = { .max = 1500, .pads_always = true },
    .capacity = (size_t)1024 * 1024,
    .major = 3,
    .minor = 5,
    .device = &device_modern,
    .personalise = sim_personalise,
};

/* 76 KB of memory for objects (section 1.3); sizes of APDUs: section 2.3. */
static const struct sim_profile profiles[] = {
    {
        .name = "jcop3",
        .atr = { atr_jcop3, sizeof(atr_jcop3) },
        .max_command = 1232,
        .max_response = 1232,
        .wrapped = { .max = 1232 - 2, .pads_always = true },
        .capacity = (size_t)76 * 1024,
        .major = 3,
        .minor = 5,
        .device = &device_modern,
        .personalise = sim_personalise,
    },
    {
        .name = "jcop4",
        .atr = { atr_jcop4, sizeof(atr_jcop4) },
        .max_command = 1454,
        .max_response = 1454,
        .wrapped = { .max = 1454 - 2, .pads_always = true },
        .capacity = (size_t)76 * 1024,
        .major = 4,
        .minor = 1,
        .device = &device_modern,
        .personalise = sim_personalise,
    },
    {
        /* the small buffers are the SD interface's; the card behind it is a JCOP 3 */
        .name = "microsd",
        .atr = { atr_jcop3, sizeof(atr_jcop3) },
        .max_command = 478,
        .max_response = 506,
        .wrapped = { .max = 1232 - 2, .pads_always = true },
        .capacity = (size_t)76 * 1024,
        .major = 3,
        .minor = 5,
        .device = &device_modern,
        .personalise = sim_personalise,
    },
    {
        /* applet 1.2 on JCOP 2.4.1r3 */
        .name = "hsm12",
        .atr = { atr_first, sizeof(atr_first) },
        .max_command = 1462,
        .max_response = 1462,
        .wrapped = { .max = 1462 - 2, .pads_always = true },
        .capacity = (size_t)76 * 1024,
        .major = 1,
        .minor = 2,
        .device = &device_first,
        .personalise = sim_personalise,
    },
    {
        .name = "pico",
        /* firmware v6.6: its buffer has 2048 bytes, and an answer may be a whole file */
        .atr = { atr_first, sizeof(atr_first) },
        .max_command = 2048,
        .max_response = 65535,
        .wrapped = { .max = 0, .lean = true },
        .capacity = (size_t)1024 * 1024,
        .major = 6,
        .minor = 6,
        .device = &device_pico,
        .personalise = sim_pico_personalise,
    },
    {
        /* after the maker's online step: a name of its own, certified */
        .name = "pico-provisioned",
        .atr = { atr_first, sizeof(atr_first) },
        .max_command = 2048,
        .max_response = 65535,
        .wrapped = { .max = 0, .lean = true },
        .capacity = (size_t)1024 * 1024,
        .major = 6,
        .minor = 6,
        .device = &device_pico,
        .personalise = sim_pico_personalise_provisioned,
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
