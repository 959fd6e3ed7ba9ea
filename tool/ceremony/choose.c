/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices a ceremony is held with, where the plan leaves that open. */
#include "tool/ceremony.h"

#include <string.h>

static int take_option(struct schsm_plan *plan, const char *value, struct schsm_error *err)
{
    size_t len = strcspn(value, "=");
    struct schsm_plan_device *device = schsm_plan_device(plan, value, len);
    const char *serial = value[len] == '=' ? value + len + 1 : "";

    if (device == NULL || !schsm_plan_serial_ok(serial)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          device == NULL ? "--device %.60s: the plan has no device of that name"
                                         : "--device %.60s: NAME=SERIAL is wanted",
                          value);
    }
    if (device->serial[0] != '\0' && strcmp(device->serial, serial) != 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--device %.60s: '%s' is device %s already",
                          value, device->name, device->serial);
    }
    (void)snprintf(device->serial, sizeof(device->serial), "%s", serial);
    return 1;
}

static int check_different(const struct schsm_plan *plan, struct schsm_error *err)
{
    for (size_t i = 0; i < plan->device_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(plan->devices[i].serial, plan->devices[k].serial) == 0) {
                return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%s and %s are both device %s",
                                  plan->devices[k].name, plan->devices[i].name,
                                  plan->devices[i].serial);
            }
        }
    }
    return 1;
}

static void show_there(const struct schsm_ceremony *ceremony, const json_t *devices)
{
    schsm_ceremony_show(ceremony->out, 0, 0, "Devices that are there:");
    for (size_t i = 0; i < json_array_size(devices); i++) {
        json_t *facts = schsm_ceremony_facts(json_array_get(devices, i));
        const char *serial = json_string_value(json_object_get(facts, "serial"));
        const char *kind = json_string_value(json_object_get(facts, "kind"));
        const char *label = json_string_value(json_object_get(facts, "label"));

        schsm_ceremony_show(
            ceremony->out, 2, 4, "%s (%s%s%s)", serial != NULL ? serial : SCHSM_TOOL_NO_SERIAL,
            kind != NULL ? kind : "unknown", label != NULL ? ", " : "", label != NULL ? label : "");
        json_decref(facts);
    }
    if (ceremony->out != NULL) {
        (void)fflush(ceremony->out);
    }
}

static bool is_there(const json_t *devices, const char *serial)
{
    for (size_t i = 0; i < json_array_size(devices); i++) {
        const char *there =
            json_string_value(json_object_get(json_array_get(devices, i), "serial"));

        if (there != NULL && strcmp(there, serial) == 0) {
            return true;
        }
    }
    return false;
}

static int ask_for(const json_t *devices, struct schsm_plan *plan, struct schsm_plan_device *device,
                   struct schsm_error *err)
{
    char question[320], line[SCHSM_SERIAL_MAX + 2];

    (void)snprintf(question, sizeof(question), "Serial number of the device '%s'", device->name);
    for (;;) {
        if (!schsm_ceremony_ask(question, line, sizeof(line), err)) {
            return 0;
        }
        if (schsm_plan_serial_ok(line) && is_there(devices, line)) {
            memcpy(device->serial, line, strlen(line) + 1); /* as long as it may be */
            return check_different(plan, err);
        }
        (void)snprintf(question, sizeof(question),
                       "That is none of them. Serial number of the device '%s'", device->name);
    }
}

static int ask_for_all(struct schsm_ceremony *ceremony, const json_t *devices,
                       struct schsm_error *err)
{
    struct schsm_plan *plan = &ceremony->plan;

    show_there(ceremony, devices);
    for (size_t i = 0; i < plan->device_count; i++) {
        if (plan->devices[i].serial[0] == '\0' && !ask_for(devices, plan, &plan->devices[i], err)) {
            return 0;
        }
    }
    return 1;
}

int schsm_ceremony_choose_devices(struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    static const char *const words[] = { "status" };
    struct schsm_plan *plan = &ceremony->plan;
    const char *values[SCHSM_TOOL_SETTINGS_MAX];
    size_t count = schsm_tool_settings(ceremony->tool, "device", values, SCHSM_TOOL_SETTINGS_MAX);
    struct schsm_outcome outcome;
    const char *open = NULL;
    int ok = 1;

    for (size_t i = 0; ok && i < count; i++) {
        ok = take_option(plan, values[i], err);
    }
    for (size_t i = 0; ok && i < plan->device_count && open == NULL; i++) {
        open = plan->devices[i].serial[0] == '\0' ? plan->devices[i].name : NULL;
    }
    if (!ok || open == NULL) {
        return ok && check_different(plan, err);
    }
    if (ceremony->yes) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "the plan leaves open which device '%s' is, and --yes has nobody asked: "
                          "--device %s=SERIAL says it",
                          open, open);
    }
    ok = schsm_outcome_of(words, 1, &outcome, err);
    if (ok && json_array_size(json_object_get(outcome.told, "devices")) == 0) {
        ok = schsm_fail(err, SCHSM_REASON_NO_DEVICE, "device '%s' is to be chosen: %s", open,
                        outcome.error != NULL ? outcome.error : "there is none");
    }
    ok = ok && ask_for_all(ceremony, json_object_get(outcome.told, "devices"), err);
    schsm_outcome_clear(&outcome);
    return ok;
}
