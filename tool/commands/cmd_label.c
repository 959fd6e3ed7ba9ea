/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm label: the name that PKCS#11 programs show for the device. */
#include "tool/commands.h"

#include "hsm/hsm_label.h"
#include "tool/output.h"
#include "tool/target.h"

static int run_label(struct schsm_tool *tool, struct schsm_error *err)
{
    const char *label = tool->arguments[0];
    struct schsm_device *device = NULL;
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_login login;

    if (!schsm_hsm_check_label(label, err) || !schsm_tool_device(tool, &device, serial, err) ||
        !schsm_hsm_check_labels(device, err) ||
        !schsm_tool_login(tool, device, "its label", &login, err) ||
        !schsm_hsm_set_label(device, label, &login, err)) {
        return 0;
    }
    if (tool->json) {
        return schsm_json_print(json_pack("{s:o, s:o}", "serial", schsm_json_serial(serial),
                                          "label", schsm_json_text(label)),
                                err);
    }
    return schsm_say(err, "Device %s is now labelled %s.", serial, label);
}

const struct schsm_command schsm_command_label = {
    .name = "label",
    .synopsis = "TEXT",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Name the device",
    .help = "Sets the device's label, 1 to 32 bytes of UTF-8, by which PKCS#11 programs show and "
            "choose it (pkcs11:token=TEXT). Needs the PIN. Keys are not touched; what names the "
            "device by its old label has to be changed.\n"
            " sc-hsm label \"Web server 1\"\n",
    .run = run_label,
};
