/* SPDX-License-Identifier: Apache-2.0 */
/* The devices that the configuration means, and their state. Nobody is logged in or out. */
#include "tool/doctor.h"

#include <stdio.h>
#include <string.h>

#include "keymgmt/context.h"

#define WHAT "device"

/* Where the setting that names another device stands. */
static void cure_selection(struct schsm_doctor *doctor)
{
    static const char *const keys[] = { "serial", "reader", "token" };
    char place[SCHSM_CONFIG_PLACE_MAX];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (schsm_tool_flag(doctor->tool, keys[i])) {
            schsm_doctor_cure(doctor, "plug that device in, or correct the option --%s", keys[i]);
            return;
        }
    }
    for (size_t i = 0; doctor->section != NULL && i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (schsm_config_line(doctor->file.path, doctor->section, keys[i]) > 0) {
            schsm_doctor_place(doctor, doctor->section, keys[i], place);
            schsm_doctor_cure(doctor, "plug that device in, or correct %s in %s", keys[i], place);
            return;
        }
    }
}

static int find_devices(struct schsm_doctor *doctor)
{
    const struct schsm_config *config = &doctor->tool->context.config;
    const struct schsm_device_selector selector = { .serial = config->serial,
                                                    .reader = config->reader,
                                                    .token = config->token };
    struct schsm_error err = SCHSM_ERROR_INIT;

    doctor->device_count = SCHSM_TOOL_DEVICES_MAX;
    if (schsm_registry_devices(doctor->tool->context.registry, &selector, doctor->devices,
                               &doctor->device_count, &err)) {
        return 1;
    }
    doctor->device_count = 0;
    /* That there is no service or no reader at all was told. */
    if (err.reason != SCHSM_REASON_NO_SERVICE &&
        (err.reason != SCHSM_REASON_NO_READER || config->reader != NULL)) {
        schsm_doctor_failure(doctor, WHAT, &err);
        if (err.reason == SCHSM_REASON_NO_DEVICE || err.reason == SCHSM_REASON_NO_READER) {
            cure_selection(doctor);
        }
    }
    return 0;
}

static void tell_tries(char *text, size_t size, const char *name, int tries)
{
    if (tries < 0) {
        (void)snprintf(text, size, "%s not told", name);
    } else {
        (void)snprintf(text, size, "%s %d %s", name, tries, tries == 1 ? "try" : "tries");
    }
}

static void tell_dkek(struct schsm_doctor *doctor, const char *name,
                      const struct schsm_device_info *info)
{
    if (info->dkek && info->dkek_outstanding > 0) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, "dkek",
                          "device %s: %u of %u shares of the DKEK are still to be imported: until "
                          "then no key can be backed up",
                          name, info->dkek_outstanding, info->dkek_shares);
        schsm_doctor_cure(doctor, "'sc-hsm dkek import-share FILE' for each share");
    }
}

static void tell_device(struct schsm_doctor *doctor, const char *name,
                        const struct schsm_device_info *info)
{
    char pin[48], so_pin[48];

    tell_tries(pin, sizeof(pin), "PIN", info->pin_tries);
    tell_tries(so_pin, sizeof(so_pin), "SO-PIN", info->so_pin_tries);
    schsm_doctor_find(doctor, SCHSM_FINDING_OK, WHAT, "%s %s: %s%s, %s%s%s", info->kind, name,
                      info->logged_in ? "logged in, " : "", pin, so_pin,
                      strcmp(info->kind, "PKCS#11 token") == 0 ? "" : ", ",
                      strcmp(info->kind, "PKCS#11 token") == 0 ? ""
                      : !info->dkek                            ? "no DKEK"
                      : info->dkek_outstanding > 0             ? "DKEK incomplete"
                                                               : "DKEK set up");
    if (info->so_pin_blocked) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, "so-pin",
                          "the SO-PIN of device %s is blocked, for ever: it cannot be initialised "
                          "again, nor its PIN unblocked",
                          name);
        schsm_doctor_cure(doctor, "take care of the PIN, and move the keys to another device");
    }
}

/* Whether the device can be used as it is; says what it lacks. */
static bool is_ready(struct schsm_doctor *doctor, const char *name,
                     const struct schsm_device_info *info)
{
    const struct schsm_config *config = &doctor->tool->context.config;
    bool stored = config->pin_source != NULL && schsm_pin_source_is_stored(config->pin_source);

    if (!info->initialised) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                          "device %s is not initialised: it has no PIN and no keys", name);
        schsm_doctor_cure(doctor, "initialise it: 'sc-hsm init'; 'sc-hsm help init' says more");
    } else if (info->pin_must_change) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, WHAT,
                          "device %s has a transport PIN, which has to be changed first", name);
        schsm_doctor_cure(doctor, "'sc-hsm pin change'");
    } else if (info->pin_tries == 0) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, "pin", "the PIN of device %s is blocked",
                          name);
        schsm_doctor_cure(doctor, "unblock it with the SO-PIN: 'sc-hsm pin unblock'");
    } else if (stored && info->pin_tries > 0 && info->pin_tries < config->min_pin_tries) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, "pin",
                          "the PIN of device %s has %d %s left, and a stored one is not tried with "
                          "fewer than %d (min-pin-tries)",
                          name, info->pin_tries, info->pin_tries == 1 ? "try" : "tries",
                          config->min_pin_tries);
        schsm_doctor_cure(doctor, "%s", schsm_doctor_remedy(SCHSM_REASON_PIN_TRIES_LOW));
    } else {
        return true;
    }
    return false;
}

void schsm_doctor_devices(struct schsm_doctor *doctor)
{
    size_t ready = 0;

    if (doctor->tool->context.registry == NULL || !find_devices(doctor)) {
        return;
    }
    if (doctor->device_count > 1 && doctor->tool->context.config.pool == SCHSM_POOL_OFF) {
        schsm_doctor_find(doctor, SCHSM_FINDING_WARNING, WHAT,
                          "%zu devices are connected, and no setting says which is meant",
                          doctor->device_count);
        schsm_doctor_cure(doctor, "name one by the setting serial or reader, or in every URI");
    }
    for (size_t i = 0; i < doctor->device_count; i++) {
        struct schsm_device *device = doctor->devices[i];
        struct schsm_error err = SCHSM_ERROR_INIT;
        char name[SCHSM_DEVICE_NAME_MAX];
        struct schsm_device_info info;

        schsm_device_called(device, name);
        if (!schsm_device_info(device, &info, &err)) {
            schsm_doctor_failure(doctor, WHAT, &err);
            continue;
        }
        if (is_ready(doctor, name, &info)) {
            doctor->devices[ready++] = device;
            tell_device(doctor, name, &info);
            tell_dkek(doctor, name, &info);
        }
    }
    doctor->device_count = ready;
}
