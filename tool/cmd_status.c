/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm status: the state of each device. */
#include "commands.h"

#include <stdio.h>

#include "output.h"

static bool not_initialised(const struct schsm_device_info *info)
{
    return !info->initialised;
}

static bool must_change(const struct schsm_device_info *info)
{
    return info->pin_must_change;
}

static bool verified(const struct schsm_device_info *info)
{
    return info->logged_in;
}

static bool blocked(const struct schsm_device_info *info)
{
    return info->pin_tries == 0;
}

static bool otherwise(const struct schsm_device_info *info)
{
    (void)info;
    return true;
}

/* The first row that fits a device is its PIN's state. */
static const struct pin_state {
    const char *name; /* in JSON */
    const char *text;
    bool (*fits)(const struct schsm_device_info *info);
} pin_states[] = {
    { "not-initialised", "not set", not_initialised },
    { "must-change", "transport PIN, must be changed before use", must_change },
    { "verified", "verified", verified },
    { "blocked", "blocked", blocked },
    { "unverified", "not verified", otherwise },
};

static const struct pin_state *pin_state(const struct schsm_device_info *info)
{
    const struct pin_state *state = pin_states;

    while (!state->fits(info)) {
        state++;
    }
    return state;
}

static bool version_known(const struct schsm_device_info *info)
{
    return info->version_major != 0 || info->version_minor != 0;
}

static json_t *version_json(const struct schsm_device_info *info)
{
    return version_known(info) ? json_sprintf("%u.%u", info->version_major, info->version_minor)
                               : json_null();
}

static json_t *dkek_json(const struct schsm_device_info *info)
{
    char kcv[2 * sizeof(info->dkek_kcv) + 1];
    bool complete = info->dkek && info->dkek_outstanding == 0;

    schsm_hex(info->dkek_kcv, sizeof(info->dkek_kcv), kcv);
    return json_pack("{s:b, s:i, s:i, s:o}", "exists", info->dkek ? 1 : 0, "shares",
                     (int)info->dkek_shares, "outstanding", (int)info->dkek_outstanding,
                     "key_check_value", complete ? json_string(kcv) : json_null());
}

static json_t *device_json(const struct schsm_device_info *info)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:b, s:{s:s, s:o}, s:{s:o, s:o}, s:o}", "kind",
                     info->kind, "serial", schsm_json_text(info->serial), "label",
                     schsm_json_text(info->label), "reader", schsm_json_text(info->reader),
                     "version", version_json(info), "initialised", info->initialised ? 1 : 0, "pin",
                     "state", pin_state(info)->name, "tries_left",
                     schsm_json_count(info->pin_tries), "so_pin", "tries_left",
                     schsm_json_count(info->so_pin_tries), "may_reset_pin",
                     version_known(info) ? json_boolean(info->so_pin_reset_allowed) : json_null(),
                     "dkek", dkek_json(info));
}

static void add_tries(struct schsm_table *table, const char *state, int tries)
{
    if (tries > 0) {
        schsm_table_addf(table, "%s%s%d %s left", state, state[0] != '\0' ? ", " : "", tries,
                         tries == 1 ? "try" : "tries");
    } else {
        schsm_table_add(table, state[0] != '\0' ? state : tries == 0 ? "blocked" : "unknown");
    }
}

static void add_dkek(struct schsm_table *table, const struct schsm_device_info *info)
{
    char kcv[2 * sizeof(info->dkek_kcv) + 1];

    schsm_hex(info->dkek_kcv, sizeof(info->dkek_kcv), kcv);
    if (!info->dkek) {
        schsm_table_add(table, "none");
    } else if (info->dkek_outstanding > 0) {
        schsm_table_addf(table, "%u of %u shares still to be imported", info->dkek_outstanding,
                         info->dkek_shares);
    } else {
        schsm_table_addf(table, "set up, key check value %s", kcv);
    }
}

static int print_text(const struct schsm_device_info *info, struct schsm_error *err)
{
    struct schsm_table table;

    schsm_table_init(&table, 2, NULL);
    schsm_table_add(&table, "Device:");
    schsm_table_add(&table, info->kind);
    schsm_table_add(&table, "Serial number:");
    schsm_table_add(&table, info->serial);
    schsm_table_add(&table, "Label:");
    schsm_table_add(&table, info->label[0] != '\0' ? info->label : "none");
    schsm_table_add(&table, "Reader:");
    schsm_table_add(&table, info->reader);
    schsm_table_add(&table, "Version:");
    if (version_known(info)) {
        schsm_table_addf(&table, "%u.%u", info->version_major, info->version_minor);
    } else {
        schsm_table_add(&table, "unknown while logged in");
    }
    schsm_table_add(&table, "Initialised:");
    schsm_table_add(&table, info->initialised ? "yes" : "no");
    schsm_table_add(&table, "PIN:");
    add_tries(&table, pin_state(info)->text, info->pin_tries);
    schsm_table_add(&table, "SO-PIN:");
    add_tries(&table, "", info->so_pin_tries);
    schsm_table_add(&table, "SO-PIN may reset the PIN:");
    schsm_table_add(&table, !version_known(info)         ? "unknown while logged in"
                            : info->so_pin_reset_allowed ? "yes"
                                                         : "no");
    schsm_table_add(&table, "DKEK:");
    add_dkek(&table, info);
    return schsm_table_print(&table, err);
}

static int run(struct schsm_tool *tool, struct schsm_error *err)
{
    const struct schsm_device_selector selector = { .serial = tool->context.config.serial,
                                                    .reader = tool->context.config.reader };
    struct schsm_device *devices[SCHSM_TOOL_DEVICES_MAX];
    size_t count = SCHSM_TOOL_DEVICES_MAX;
    json_t *array = json_array();
    int ok = schsm_registry_devices(tool->context.registry, &selector, devices, &count, err);

    for (size_t i = 0; ok && i < count; i++) {
        struct schsm_device_info info;

        ok = schsm_device_info(devices[i], &info, err);
        if (ok && tool->json) {
            ok = schsm_json_append(array, device_json(&info), err);
        } else if (ok) {
            (void)fputs(i > 0 ? "\n" : "", stdout);
            ok = print_text(&info, err);
        }
    }
    if (ok && tool->json) {
        ok = schsm_json_print(json_pack("{s:O}", "devices", array), err);
    }
    json_decref(array);
    return ok;
}

const struct schsm_command schsm_command_status = {
    .name = "status",
    .synopsis = "",
    .arguments_max = 0,
    .summary = "Show the state of the device: PINs, version, DKEK",
    .help =
        "Shows for each device: its serial number and label, the version of its software, whether "
        "it is "
        "initialised, the state of PIN and SO-PIN with the tries that are left, and the state of "
        "its "
        "device key encryption key (DKEK).\n"
        "No PIN is needed, no try is spent, and nobody is logged out. What the device tells only "
        "after somebody logged out, such as its version, is shown as unknown while somebody is "
        "logged in.\n",
    .run = run,
};
