/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm pin change, pin unblock, so-pin change. */
#include "tool/commands.h"

#include <stdio.h>

#include "model/device.h"
#include "tool/ask.h"
#include "tool/configured.h"
#include "tool/output.h"
#include "tool/so_pin.h"
#include "tool/target.h"
#include "tool/tell.h"

/* The tries that are left after a success, and what was done. */
static int report_pin(struct schsm_tool *tool, struct schsm_device *device, const char *serial,
                      const char *done, struct schsm_error *err)
{
    struct schsm_device_info info;

    if (!tool->json) {
        printf("%s of device %s.\n", done, serial);
        return 1;
    }
    return schsm_device_info(device, &info, err) &&
           schsm_json_print(json_pack("{s:o, s:o, s:o}", "serial", schsm_json_serial(serial),
                                      "pin_tries_left", schsm_json_count(info.pin_tries),
                                      "so_pin_tries_left", schsm_json_count(info.so_pin_tries)),
                            err);
}

/* Whom to ask, and whether there is any sense in asking. *configured: where the configuration has
 * the present PIN, no option gives another and a person need not type it; else NULL. */
static int prepare_change(struct schsm_tool *tool, struct schsm_device *device,
                          struct schsm_pin_source **configured, struct schsm_login *login,
                          struct schsm_pin_prospect *prospect, struct schsm_device_info *info,
                          struct schsm_error *err)
{
    prospect->tries_left = -1;
    if (!schsm_device_info(device, info, err)) {
        return 0;
    }
    if (!info->pin_must_change) { /* a transport PIN is in no configuration */
        *configured = schsm_tool_configured_pin(tool, device, false);
    }
    if (*configured != NULL && schsm_pin_source_is_pinpad(*configured)) {
        *configured = NULL; /* which sends no PIN here */
    }
    login->min_pin_tries = *configured != NULL ? tool->context.config.min_pin_tries
                                               : schsm_tool_min_tries(tool, "pin-source");
    login->by_option = true;
    return info->pin_must_change || schsm_device_prepare_login(device, login, prospect, err);
}

/* What is stored is wrong from now on, and costs a try where it is used next. */
static void remind_of_configured(const struct schsm_tool *tool,
                                 const struct schsm_pin_source *configured)
{
    if (configured != NULL && schsm_pin_source_is_stored(configured)) {
        schsm_tell_note(tool,
                        "pin-source in %s still gives the old PIN: write the new one there before "
                        "a program uses it",
                        tool->origins.pin);
    }
}

static int run_pin_change(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_secret *old_pin = NULL, *new_pin = NULL;
    struct schsm_pin_source *configured = NULL;
    struct schsm_device *device = NULL;
    struct schsm_pin_prospect prospect = { 0 };
    struct schsm_login login = { 0 };
    struct schsm_device_info info;
    char serial[SCHSM_SERIAL_MAX + 1];
    int ok = 0;

    if (!schsm_tool_device(tool, &device, serial, err) ||
        !prepare_change(tool, device, &configured, &login, &prospect, &info, err)) {
        return 0;
    }
    const struct schsm_question question = { .what = info.pin_must_change ? "transport PIN" : "PIN",
                                             .device = serial,
                                             .tries_left = prospect.tries_left,
                                             .min = info.pin.min,
                                             .max = info.pin.max };

    ok = (configured != NULL ? schsm_tool_secret_from(configured, &question, &old_pin, err)
                             : schsm_tool_secret(tool, "pin-source", &question, &old_pin, err)) &&
         schsm_tool_new_pin(tool, "new-pin-source", "new PIN", serial, &info.pin, &new_pin, err) &&
         schsm_device_change_pin(device, old_pin, new_pin, login.min_pin_tries, err) &&
         report_pin(tool, device, serial,
                    info.pin_must_change ? "Replaced the transport PIN" : "Changed the PIN", err);
    if (ok) {
        remind_of_configured(tool, configured);
    }
    schsm_secret_free(old_pin);
    schsm_secret_free(new_pin);
    return ok;
}

static const struct schsm_option pin_change_options[] = {
    { .name = "new-pin-source",
      .argument = "SRC",
      .summary = "take the new PIN from file:PATH, env:NAME, fd:N or prompt" },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_pin_change = {
    .name = "pin change",
    .synopsis = "",
    .summary = "Change the PIN, or replace a transport PIN",
    .help = "Changes the user PIN. Needs the present PIN (--pin-source, else the configuration's "
            "pin-source, else typed) and the new one (--new-pin-source, or typed twice), which has "
            "6 to 16 characters, on a PKCS#11 token as "
            "many as that wants. A wrong present PIN costs a try.\n"
            "A device that comes with a transport PIN works only after that was changed here.\n"
            " sc-hsm pin change\n"
            " sc-hsm pin change --pin-source file:old --new-pin-source file:new\n",
    .options = pin_change_options,
    .run = run_pin_change,
};

/* Refuses before anybody is asked what the device would refuse. */
static int check_unblock(const struct schsm_device_info *info, bool keep_pin, const char *serial,
                         struct schsm_error *err)
{
    if (!schsm_tool_check_so_pin(info->so_pin_set, info->so_pin_blocked, serial, err)) {
        return 0;
    }
    if (info->unblocking == SCHSM_UNBLOCK_NEVER) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "device %s was initialised so that the SO-PIN cannot unblock its PIN: it "
                          "can only be initialised anew, which erases everything on it",
                          serial);
    }
    if (!keep_pin && info->unblocking == SCHSM_UNBLOCK_KEEPS) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "device %s was initialised so that the SO-PIN can unblock its PIN but "
                          "not set another one: use --keep-pin",
                          serial);
    }
    if (keep_pin && info->unblocking == SCHSM_UNBLOCK_SETS) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "device %s gets a new PIN where its SO-PIN unblocks it, and cannot keep "
                          "the old one: leave --keep-pin out",
                          serial);
    }
    return 1;
}

static int run_pin_unblock(struct schsm_tool *tool, struct schsm_error *err)
{
    bool keep_pin = schsm_tool_flag(tool, "keep-pin");
    struct schsm_secret *so_pin = NULL, *new_pin = NULL;
    struct schsm_device *device = NULL;
    struct schsm_device_info info;
    char serial[SCHSM_SERIAL_MAX + 1];
    int ok = 0;

    if (keep_pin && schsm_tool_setting(tool, "new-pin-source") != NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--keep-pin keeps the PIN, and --new-pin-source brings a new one: leave "
                          "one of them out");
    }
    if (!schsm_tool_device(tool, &device, serial, err) || !schsm_device_info(device, &info, err) ||
        !check_unblock(&info, keep_pin, serial, err)) {
        return 0;
    }
    ok = schsm_tool_so_pin(tool, "so-pin-source", "SO-PIN", serial, &info.so_pin, info.so_pin_tries,
                           false, &so_pin, err) &&
         (keep_pin || schsm_tool_new_pin(tool, "new-pin-source", "new PIN", serial, &info.pin,
                                         &new_pin, err)) &&
         schsm_device_unblock_pin(device, so_pin, new_pin,
                                  schsm_tool_min_tries(tool, "so-pin-source"), err) &&
         report_pin(tool, device, serial,
                    keep_pin ? "Unblocked the PIN and left it as it was"
                             : "Unblocked the PIN and set the new one",
                    err);
    schsm_secret_free(so_pin);
    schsm_secret_free(new_pin);
    return ok;
}

static const struct schsm_option pin_unblock_options[] = {
    { .name = "new-pin-source",
      .argument = "SRC",
      .summary = "take the new PIN from file:PATH, env:NAME, fd:N or prompt" },
    { .name = "keep-pin", .summary = "give the PIN its tries back and leave it as it is" },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_pin_unblock = {
    .name = "pin unblock",
    .synopsis = "",
    .summary = "Unblock the PIN with the SO-PIN",
    .help =
        "Gives a blocked PIN its tries back. Needs the SO-PIN (--so-pin-source, or typed as 16 "
        "hexadecimal digits), and sets a new PIN (--new-pin-source, or typed twice) unless "
        "--keep-pin is given. Keys and certificates stay.\n"
        "A device can be initialised so that the SO-PIN may not do this; 'sc-hsm status' tells. "
        "The SO-PIN has 15 tries: when all are spent on wrong ones, the device can never be "
        "initialised nor its PIN be unblocked again. The right SO-PIN gives them back.\n"
        "A PKCS#11 token always gets a new PIN, its first one too. Its SO-PIN is no digits but "
        "text, typed or stored as it is.\n"
        " sc-hsm pin unblock\n"
        " sc-hsm pin unblock --keep-pin --so-pin-source file:so-pin\n",
    .options = pin_unblock_options,
    .run = run_pin_unblock,
};

static int run_so_pin_change(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_secret *old_pin = NULL, *new_pin = NULL;
    struct schsm_device *device = NULL;
    struct schsm_device_info info;
    char serial[SCHSM_SERIAL_MAX + 1];
    int ok = 0;

    if (!schsm_tool_device(tool, &device, serial, err) || !schsm_device_info(device, &info, err) ||
        !schsm_tool_check_so_pin(info.so_pin_set, info.so_pin_blocked, serial, err)) {
        return 0;
    }
    ok = schsm_tool_so_pin(tool, "so-pin-source", "SO-PIN", serial, &info.so_pin, info.so_pin_tries,
                           false, &old_pin, err) &&
         schsm_tool_so_pin(tool, "new-so-pin-source", "new SO-PIN", serial, &info.so_pin, -1, true,
                           &new_pin, err) &&
         schsm_device_change_so_pin(device, old_pin, new_pin,
                                    schsm_tool_min_tries(tool, "so-pin-source"), err) &&
         report_pin(tool, device, serial, "Changed the SO-PIN", err);
    schsm_secret_free(old_pin);
    schsm_secret_free(new_pin);
    return ok;
}

static const struct schsm_option so_pin_change_options[] = {
    { .name = "new-so-pin-source",
      .argument = "SRC",
      .summary = "take the new SO-PIN from file:PATH, env:NAME, fd:N or prompt" },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_so_pin_change = {
    .name = "so-pin change",
    .synopsis = "",
    .summary = "Change the SO-PIN",
    .help = "Changes the SO-PIN, which initialises the device and unblocks its PIN. Both the "
            "present one (--so-pin-source) and the new one (--new-so-pin-source) are 16 "
            "hexadecimal digits; digits from 0 to 9 alone are understood by every program.\n"
            "Keep the new one safe: nobody can set it without knowing it, and a device whose "
            "SO-PIN is lost, or blocked after 15 wrong ones, can never be initialised again.\n"
            " sc-hsm so-pin change\n",
    .options = so_pin_change_options,
    .run = run_so_pin_change,
};
