/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm verify-pin, logout: who is logged in. */
#include "tool/commands.h"

#include "tool/output.h"
#include "tool/target.h"

/* The tries are told only while nobody is logged in; whoever was before stays so. */
static int count_tries(struct schsm_device *device, bool was_logged_in, int *tries,
                       struct schsm_error *err)
{
    struct schsm_device_info info;

    *tries = -1;
    if (was_logged_in) {
        return 1;
    }
    if (!schsm_device_logout(device, err) || !schsm_device_info(device, &info, err)) {
        return 0;
    }
    *tries = info.pin_tries;
    return 1;
}

static int say_verified(const struct schsm_tool *tool, const char *serial, int tries,
                        struct schsm_error *err)
{
    if (tool->json) {
        return schsm_json_print(json_pack("{s:o, s:s, s:o}", "serial", schsm_json_serial(serial),
                                          "pin", "correct", "tries_left", schsm_json_count(tries)),
                                err);
    }
    if (tries < 0) {
        return schsm_say(err,
                         "The PIN is that of device %s, which does not tell its tries while "
                         "somebody is logged in.",
                         serial);
    }
    return schsm_say(err, "The PIN is that of device %s; it has %d tries.", serial, tries);
}

static int run_verify_pin(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;
    struct schsm_device_info before;
    struct schsm_login login;
    int tries = -1;

    return schsm_tool_device(tool, &device, serial, err) &&
           schsm_device_info(device, &before, err) &&
           schsm_tool_login(tool, device, NULL, &login, err) &&
           schsm_device_login(device, &login, err) &&
           count_tries(device, before.logged_in, &tries, err) &&
           say_verified(tool, serial, tries, err);
}

const struct schsm_command schsm_command_verify_pin = {
    .name = "verify-pin",
    .synopsis = "",
    .summary = "Prove the PIN, and tell the tries that are left",
    .help = "Sends the PIN once to the device, and tells whether it is the right one and how many "
            "tries are left; a right one gives the device all its tries back. The exit status is 4 "
            "where it is wrong or blocked. Afterwards nobody is logged in who was not before.\n"
            "A PIN of --pin-source is not sent where too few tries are left (min-pin-tries), nor "
            "one that cannot be right by its length.\n"
            " sc-hsm verify-pin --pin-source file:/etc/sc-hsm/pin\n",
    .run = run_verify_pin,
};

static int run_logout(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_device *device = NULL;

    if (!schsm_tool_device(tool, &device, serial, err) || !schsm_device_logout(device, err)) {
        return 0;
    }
    return tool->json ? schsm_json_print(json_pack("{s:o, s:b}", "serial",
                                                   schsm_json_serial(serial), "logged_in", 0),
                                         err)
                      : schsm_say(err, "Nobody is logged in to device %s any more.", serial);
}

const struct schsm_command schsm_command_logout = {
    .name = "logout",
    .synopsis = "",
    .summary = "Log out every program from the device",
    .help = "A device keeps whoever proved the PIN logged in until it is pulled out or reset, also "
            "behind the end of the program. This logs out all that use the device; those that keep "
            "the PIN (cache-pin) log in again at their next use.\n",
    .run = run_logout,
};
