/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm delete: any object. */
#include "tool/commands.h"

#include "tool/object.h"

static const char *consequences(const struct schsm_object *object)
{
    switch (object->type) {
    case SCHSM_OBJECT_PRIVATE:
        return "The private key, its description and its certificate or request are gone then. "
               "Nothing brings the key back but a backup of it that was made before";
    case SCHSM_OBJECT_SECRET:
        return "Nothing brings the key, and what is encrypted under it, back but a backup of the "
               "key that was made before";
    case SCHSM_OBJECT_CERTIFICATE:
        return !object->authority ? SCHSM_CERTIFICATE_LOSS : "";
    default:
        return "";
    }
}

static int run_delete(struct schsm_tool *tool, struct schsm_error *err)
{
    char serial[SCHSM_SERIAL_MAX + 1];
    struct schsm_match match = { 0 };
    int ok =
        schsm_tool_removable(tool, tool->arguments[0], SCHSM_OBJECT_ANY, &match, serial, err) &&
        schsm_object_delete(tool, &match, serial, consequences(&match.object), err);

    schsm_match_clear(&match);
    return ok;
}

static const struct schsm_option delete_options[] = { SCHSM_OPTION_YES, SCHSM_OPTIONS_END };

const struct schsm_command schsm_command_delete = {
    .name = "delete",
    .synopsis = "URI",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Delete a key, certificate or data object",
    .help =
        "Deletes the one object that URI names, such as sc-hsm:id=10;type=private, or shorter "
        "label=web. What goes is said first, and has to be confirmed by typing the device's "
        "serial number. There is no way back.\n"
        "A key goes with its description and its certificate or request. Where a key and its "
        "certificate both fit, type=private and type=cert tell them apart. A deletion that was "
        "interrupted is finished by the same command; an orphan of 'list --all' is named by its "
        "handle.\n"
        " sc-hsm delete 'id=10;type=private'\n"
        " sc-hsm --pin-source file:pin delete label=note --yes\n",
    .options = delete_options,
    .run = run_delete,
};
