/* SPDX-License-Identifier: Apache-2.0 */
/* The record, made of the plan, the journal and what the devices tell in the end. */
#include "tool/ceremony.h"

#include <string.h>

#include "tool/output.h"

#define SEPARATOR 80 /* columns */

/* --- for programs --------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

static bool is_entry(const json_t *entry, const char *kind, size_t step)
{
    return strcmp(text_of(entry, "kind"), kind) == 0 &&
           json_integer_value(json_object_get(entry, "step")) == (json_int_t)step;
}

/* Copies of the members that are there. */
static int copy_members(json_t *to, const json_t *from, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(from, names[i]);

        if (value != NULL && json_object_set(to, names[i], value) != 0) {
            return 0;
        }
    }
    return 1;
}

/* One attempt at a step: how it ended, or that nothing tells it. */
static json_t *attempt_json(const json_t *entry, bool ended)
{
    static const char *const members[] = { "begun", "ended", "outcome", "error" };
    json_t *attempt = json_object();

    if (!ended) {
        json_decref(attempt);
        return json_pack("{s:s, s:s}", "begun", text_of(entry, "begun"), "outcome",
                         SCHSM_STEP_INTERRUPTED);
    }
    if (attempt != NULL &&
        !copy_members(attempt, entry, members, sizeof(members) / sizeof(members[0]))) {
        json_decref(attempt);
        attempt = NULL;
    }
    return attempt;
}

/* Adds the attempts at a step and what the last of them told. */
static int add_attempts(json_t *step, const struct schsm_journal *journal, size_t number)
{
    static const char *const members[] = { "facts", "messages", "files" };
    json_t *attempts = json_array();
    int ok = attempts != NULL;

    for (size_t i = 0; ok && i < json_array_size(journal->entries); i++) {
        const json_t *entry = json_array_get(journal->entries, i);
        const json_t *next = json_array_get(journal->entries, i + 1);
        bool ended = is_entry(entry, SCHSM_JOURNAL_STEP, number);

        if (!ended && (!is_entry(entry, SCHSM_JOURNAL_STEP_BEGUN, number) ||
                       is_entry(next, SCHSM_JOURNAL_STEP, number))) {
            continue;
        }
        ok = json_array_append_new(attempts, attempt_json(entry, ended)) == 0 &&
             (strcmp(text_of(entry, "outcome"), SCHSM_STEP_DONE) != 0 ||
              copy_members(step, entry, members, sizeof(members) / sizeof(members[0])));
    }
    ok = ok && json_object_set(step, "attempts", attempts) == 0;
    json_decref(attempts);
    return ok;
}

static json_t *step_json(const struct schsm_plan *plan, const struct schsm_journal *journal,
                         size_t index)
{
    const struct schsm_plan_step *step = &plan->steps[index];
    json_t *json = json_pack("{s:i, s:s, s:s*, s:o}", "step", (int)index + 1, "title", step->title,
                             "say", step->say, "command", schsm_plan_command(plan, step));

    if (json != NULL && !add_attempts(json, journal, index + 1)) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

static json_t *steps_json(const struct schsm_plan *plan, const struct schsm_journal *journal)
{
    json_t *steps = json_array();

    for (size_t i = 0; steps != NULL && i < plan->step_count; i++) {
        if (json_array_append_new(steps, step_json(plan, journal, i)) != 0) {
            json_decref(steps);
            steps = NULL;
        }
    }
    return steps;
}

/* state: what the device told in the end, in the order of the plan. */
static json_t *devices_json(const struct schsm_plan *plan, const json_t *states)
{
    static const char *const members[] = { "kind", "version", "label" };
    json_t *devices = json_array();

    for (size_t i = 0; devices != NULL && i < plan->device_count; i++) {
        json_t *device = json_pack("{s:s, s:s}", "name", plan->devices[i].name, "serial",
                                   plan->devices[i].serial);

        if (device == NULL ||
            !copy_members(device, json_array_get(states, i), members,
                          sizeof(members) / sizeof(members[0])) ||
            json_array_append(devices, device) != 0) {
            json_decref(devices);
            devices = NULL;
        }
        json_decref(device);
    }
    return devices;
}

static json_t *people_json(const struct schsm_plan *plan)
{
    json_t *people = json_array();

    for (size_t i = 0; people != NULL && i < plan->people_count; i++) {
        if (json_array_append_new(people, json_string(plan->people[i])) != 0) {
            json_decref(people);
            people = NULL;
        }
    }
    return people;
}

json_t *schsm_record_make(const struct schsm_plan *plan, const struct schsm_journal *journal,
                          const json_t *states)
{
    const json_t *begun = json_array_get(journal->entries, 0);
    char now[SCHSM_TIME_TEXT_MAX];

    schsm_ceremony_now(now);
    return json_pack("{s:s, s:{s:o, s:s}, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:O}", "title",
                     plan->title, "plan", "file", schsm_json_text(plan->path), "sha256",
                     plan->digest, "tool", text_of(begun, "tool"), "openssl",
                     text_of(begun, "openssl"), "begun", text_of(begun, "begun"), "ended", now,
                     "devices", devices_json(plan, states), "people", people_json(plan), "steps",
                     steps_json(plan, journal), "state", states);
}

/* --- for people ----------------------------------------------------------------------------- */

static void show_heading(FILE *out, const char *text)
{
    char line[SEPARATOR + 1];

    memset(line, '-', SEPARATOR);
    line[SEPARATOR] = '\0';
    (void)fprintf(out, "\n%s\n%s\n%s\n", line, text, line);
}

static void show_devices(FILE *out, const json_t *devices)
{
    for (size_t i = 0; i < json_array_size(devices); i++) {
        const json_t *device = json_array_get(devices, i);
        char text[512];

        (void)snprintf(text, sizeof(text), "%s: %s%s%s %s", text_of(device, "name"),
                       text_of(device, "serial"), text_of(device, "kind")[0] != '\0' ? ", " : "",
                       text_of(device, "kind"), text_of(device, "version"));
        schsm_ceremony_show_row(out, i == 0 ? "Devices:" : "", text);
    }
}

static void show_head(FILE *out, const json_t *record)
{
    const json_t *plan = json_object_get(record, "plan");
    const json_t *people = json_object_get(record, "people");

    schsm_ceremony_show(out, 0, 0, "Record of a key ceremony: %s", text_of(record, "title"));
    (void)fputc('\n', out);
    schsm_ceremony_show_row(out, "Begun:", text_of(record, "begun"));
    schsm_ceremony_show_row(out, "Ended:", text_of(record, "ended"));
    schsm_ceremony_show_row(out, "Plan:", text_of(plan, "file"));
    schsm_ceremony_show_row(out, "  SHA-256:", text_of(plan, "sha256"));
    schsm_ceremony_show_row(out, "Tool:", text_of(record, "tool"));
    schsm_ceremony_show_row(out, "Library:", text_of(record, "openssl"));
    show_devices(out, json_object_get(record, "devices"));
    for (size_t i = 0; i < json_array_size(people); i++) {
        schsm_ceremony_show_row(out, i == 0 ? "Present:" : "",
                                json_string_value(json_array_get(people, i)));
    }
}

static void show_attempts(FILE *out, const json_t *attempts)
{
    for (size_t i = 0; i < json_array_size(attempts); i++) {
        const json_t *attempt = json_array_get(attempts, i);
        const char *ended = text_of(attempt, "ended"), *error = text_of(attempt, "error");

        schsm_ceremony_show(out, 4, 8, "%s%s%s: %s%s%s", text_of(attempt, "begun"),
                            ended[0] != '\0' ? " to " : "", ended, text_of(attempt, "outcome"),
                            error[0] != '\0' ? ": " : "", error);
    }
}

void schsm_record_show_told(FILE *out, const json_t *step)
{
    const json_t *messages = json_object_get(step, "messages");
    const json_t *files = json_object_get(step, "files");

    schsm_ceremony_show_facts(out, json_object_get(step, "facts"), 6);
    for (size_t i = 0; i < json_array_size(messages); i++) {
        schsm_ceremony_show(out, 6, 8, "note: %s", json_string_value(json_array_get(messages, i)));
    }
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);

        schsm_ceremony_show(out, 6, 8, "file %s, SHA-256: %s", text_of(file, "file"),
                            text_of(file, "sha256"));
    }
}

static void show_step(FILE *out, const json_t *step)
{
    (void)fputc('\n', out);
    schsm_ceremony_show(out, 0, 4, "%" JSON_INTEGER_FORMAT ". %s",
                        json_integer_value(json_object_get(step, "step")), text_of(step, "title"));
    if (text_of(step, "say")[0] != '\0') {
        schsm_ceremony_show(out, 4, 4, "%s", text_of(step, "say"));
    }
    schsm_ceremony_show_command(out, json_object_get(step, "command"), 4);
    show_attempts(out, json_object_get(step, "attempts"));
    schsm_record_show_told(out, step);
}

static void show_signatures(FILE *out, const json_t *people)
{
    show_heading(out, "Signatures");
    (void)fputs("\nWe were present, and saw what this record tells.\n\n\n"
                "Place: _______________________________   Date: ______________________________\n",
                out);
    for (size_t i = 0; i < json_array_size(people); i++) {
        (void)fputs("\n\n\n______________________________________________\n", out);
        schsm_ceremony_show(out, 0, 4, "%s", json_string_value(json_array_get(people, i)));
    }
}

void schsm_record_show(FILE *out, const json_t *record)
{
    const json_t *steps = json_object_get(record, "steps");
    const json_t *devices = json_object_get(record, "devices");

    show_head(out, record);
    show_heading(out, "Steps");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        show_step(out, json_array_get(steps, i));
    }
    if (json_array_size(devices) > 0) {
        show_heading(out, "The devices at the end");
    }
    for (size_t i = 0; i < json_array_size(devices); i++) {
        (void)fputc('\n', out);
        schsm_ceremony_show(out, 0, 4, "%s:", text_of(json_array_get(devices, i), "name"));
        schsm_ceremony_show_facts(out, json_array_get(json_object_get(record, "state"), i), 2);
    }
    show_signatures(out, json_object_get(record, "people"));
}
