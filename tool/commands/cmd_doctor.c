/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm doctor: looks at everything between a program and its key. */
#include "tool/commands.h"

#include <stdio.h>

#include "tool/doctor.h"
#include "tool/output.h"

#define FILES_MAX 256

static const char *const levels[] = {
    [SCHSM_FINDING_OK] = "ok",
    [SCHSM_FINDING_WARNING] = "warning",
    [SCHSM_FINDING_ERROR] = "error",
};

/* The areas in order, each told as soon as it was looked at. */
static void (*const areas[])(struct schsm_doctor *doctor) = {
    schsm_doctor_versions,   schsm_doctor_configuration, schsm_doctor_settings,
    schsm_doctor_log_file,   schsm_doctor_module,        schsm_doctor_service,
    schsm_doctor_devices,    schsm_doctor_pin,           schsm_doctor_certificates,
    schsm_doctor_references, schsm_doctor_signature,
};

/* Prints the findings that are new; *told is how many were printed. */
static int tell(const struct schsm_doctor *doctor, size_t *told, struct schsm_error *err)
{
    for (; !doctor->tool->json && *told < doctor->count; ++*told) {
        const struct schsm_finding *finding = &doctor->findings[*told];

        if (!schsm_say(err, "%-8s %s: %s", levels[finding->level], finding->what,
                       finding->sentence) ||
            (finding->cure != NULL && !schsm_say(err, "%-8s cure: %s", "", finding->cure))) {
            return 0;
        }
    }
    (void)fflush(stdout);
    return 1;
}

static size_t count_level(const struct schsm_doctor *doctor, enum schsm_finding_level level)
{
    size_t count = 0;

    for (size_t i = 0; i < doctor->count; i++) {
        count += doctor->findings[i].level == level;
    }
    return count;
}

static int print_findings_json(const struct schsm_doctor *doctor, struct schsm_error *err)
{
    json_t *array = json_array();

    for (size_t i = 0; i < doctor->count; i++) {
        const struct schsm_finding *finding = &doctor->findings[i];

        schsm_json_append(
            &array, json_pack("{s:s, s:s, s:o, s:o}", "level", levels[finding->level], "what",
                              finding->what, "sentence", schsm_json_text(finding->sentence), "cure",
                              schsm_json_text(finding->cure != NULL ? finding->cure : "")));
    }
    return schsm_json_print(
        json_pack("{s:b, s:I, s:I, s:o}", "well", count_level(doctor, SCHSM_FINDING_ERROR) == 0,
                  "errors", (json_int_t)count_level(doctor, SCHSM_FINDING_ERROR), "warnings",
                  (json_int_t)count_level(doctor, SCHSM_FINDING_WARNING), "findings", array),
        err);
}

static int examine(struct schsm_doctor *doctor, struct schsm_error *err)
{
    const char *service = schsm_tool_setting(doctor->tool, "service");
    const char *units = schsm_tool_setting(doctor->tool, "units");
    size_t told = 0;

    if (service == NULL && units != NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "--units needs --service beside it");
    }
    if (service != NULL && !schsm_doctor_unit(doctor, service, units)) {
        return tell(doctor, &told, err);
    }
    for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]) && !doctor->failed; i++) {
        areas[i](doctor);
        if (!tell(doctor, &told, err)) {
            return 0;
        }
    }
    return doctor->failed ? schsm_fail_memory(err) : 1;
}

static int run_doctor(struct schsm_tool *tool, struct schsm_error *err)
{
    struct schsm_doctor doctor = { .tool = tool };
    size_t errors;
    int ok = 0;

    if (!examine(&doctor, err) || (tool->json && !print_findings_json(&doctor, err))) {
        goto done;
    }
    errors = count_level(&doctor, SCHSM_FINDING_ERROR);
    tool->exit_status = 1;
    ok = errors == 0 ||
         schsm_fail(err, SCHSM_REASON_DEVICE, "%zu %s: do what the cure says, and look again",
                    errors, errors == 1 ? "thing is not well" : "things are not well");

done:
    schsm_doctor_clear(&doctor);
    return ok;
}

static const struct schsm_option doctor_options[] = {
    { "service", '\0', false, "NAME",
      "look as this systemd service does: its user, environment and root directory; as root",
      NULL },
    { "units", '\0', false, "FOLDER",
      "read the service's unit file and drop-ins in this folder, rather than ask systemd", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_doctor = {
    .name = "doctor",
    .synopsis = "[FILE]...",
    .arguments_min = 0,
    .arguments_max = FILES_MAX,
    .summary = "Look at the whole set-up, and say what to do",
    .help =
        "Looks at everything between a program and its key: OpenSSL, the openssl.cnf in force and "
        "each setting in it, the provider's module, the PC/SC service and its readers, the "
        "devices, where the PIN comes from, the certificates on the devices, and each FILE, a key "
        "reference file. For each thing it prints one line, ok, warning or error, and below it "
        "what to do. The exit status is 0 where there is no error.\n"
        "In the end OpenSSL makes one signature, where the configuration or --pin-source has a "
        "PIN: at most one try of it is spent, and none where fewer are left than min-pin-tries. "
        "Keys with a use counter are left alone.\n"
        "With --service it looks through the eyes of that service; what it finds then is what the "
        "service would. PINs that systemd hands out as credentials are there while the service "
        "runs.\n"
        " sc-hsm doctor\n"
        " sc-hsm doctor /etc/ssl/private/web.pem\n"
        " sudo sc-hsm doctor --service nginx\n",
    .options = doctor_options,
    .by_itself = true,
    .run = run_doctor,
};
