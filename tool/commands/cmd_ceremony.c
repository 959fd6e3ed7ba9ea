/* SPDX-License-Identifier: Apache-2.0 */
/* sc-hsm ceremony: runs a written plan step by step, and writes the record of it. */
#include "tool/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "keymgmt/file.h"
#include "tool/ask.h"
#include "tool/ceremony.h"
#include "tool/output.h"

#define PLAN_ENDING ".json"
#define RECORD_ENDING ".record.txt"

/* Where the record goes; the caller's to free. */
static char *record_path(const struct schsm_tool *tool, struct schsm_error *err)
{
    const char *given = schsm_tool_setting(tool, "record"), *plan = tool->arguments[0];
    size_t len = strlen(plan), ending = strlen(PLAN_ENDING);
    char *path = OPENSSL_zalloc(len + sizeof(RECORD_ENDING));

    if (given != NULL || path == NULL) {
        OPENSSL_free(path);
        path = given != NULL ? OPENSSL_strdup(given) : NULL;
    } else {
        if (len > ending && strcmp(plan + len - ending, PLAN_ENDING) == 0) {
            len -= ending;
        }
        (void)snprintf(path, len + sizeof(RECORD_ENDING), "%.*s" RECORD_ENDING, (int)len, plan);
    }
    if (path == NULL) {
        schsm_fail_memory(err);
    }
    return path;
}

/* --- the record ----------------------------------------------------------------------------- */

/* The record as text, the caller's to free(3); NULL where memory runs out. */
static char *record_text(const json_t *record)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    bool whole;

    if (out == NULL) {
        return NULL;
    }
    schsm_record_show(out, record);
    whole = ferror(out) == 0;
    if (fclose(out) != 0 || !whole) {
        free(text);
        text = NULL;
    }
    return text;
}

/* A device that was taken out meanwhile may come back for this. */
static json_t *ask_state(const struct schsm_ceremony *ceremony,
                         const struct schsm_plan_device *device, struct schsm_error *err)
{
    json_t *state = schsm_ceremony_device_state(ceremony->tool->context.libctx, device, err);
    char question[320], line[8];

    if (state == NULL || json_object_get(state, "absent") == NULL || ceremony->yes) {
        return state;
    }
    (void)snprintf(
        question, sizeof(question),
        "Device %s (%s) is to tell its state for the record: plug it in, and press Enter",
        device->serial, device->name);
    if (!schsm_ceremony_ask(question, line, sizeof(line), err)) {
        json_decref(state);
        return NULL;
    }
    json_decref(state);
    return schsm_ceremony_device_state(ceremony->tool->context.libctx, device, err);
}

static json_t *make_record(const struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    json_t *states = json_array(), *record = NULL;

    for (size_t i = 0; i < ceremony->plan.device_count; i++) {
        json_t *state = ask_state(ceremony, &ceremony->plan.devices[i], err);

        if (state == NULL) {
            goto done;
        }
        schsm_json_append(&states, state);
    }
    record = schsm_record_make(&ceremony->plan, &ceremony->journal, states);
    if (record == NULL) {
        schsm_fail_memory(err);
    }

done:
    json_decref(states);
    return record;
}

/* The journal knows the record before it is there, so that an end in between is noticed. */
static int write_record(struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    json_t *record = make_record(ceremony, err);
    char *text = record != NULL ? record_text(record) : NULL, digest[SCHSM_DIGEST_TEXT_MAX];
    int ok = 0;

    if (record == NULL) {
        return 0;
    }
    if (text == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    ok = schsm_ceremony_digest(ceremony->tool->context.libctx, text, strlen(text), digest, err) &&
         schsm_journal_add(&ceremony->journal, &ceremony->plan, SCHSM_JOURNAL_RECORD,
                           json_pack("{s:s}", "sha256", digest), err) &&
         schsm_file_write(ceremony->record, SCHSM_FILE_FOR_ALL, false, text, strlen(text), err) &&
         schsm_journal_remove(&ceremony->journal, err);
    if (ok && ceremony->tool->json) {
        ok = schsm_json_print(json_incref(record), err);
    } else if (ok) {
        ok = schsm_say(err, "The record is in %s: print it, and have it signed.", ceremony->record);
    }

done:
    free(text);
    json_decref(record);
    return ok;
}

/* Whether the record that is there is the journal's: then an earlier run had come to its very end.
 */
static int finish_earlier(struct schsm_ceremony *ceremony, bool *finished, struct schsm_error *err)
{
    const json_t *last =
        json_array_get(ceremony->journal.entries, json_array_size(ceremony->journal.entries) - 1);
    const char *digest = json_string_value(json_object_get(last, "sha256"));
    char there[SCHSM_DIGEST_TEXT_MAX];

    *finished = false;
    if (digest == NULL || access(ceremony->record, F_OK) != 0) {
        return 1;
    }
    if (!schsm_ceremony_file_digest(ceremony->tool->context.libctx, ceremony->record, there, err)) {
        return 0;
    }
    *finished = strcmp(there, digest) == 0;
    return !*finished || (schsm_journal_remove(&ceremony->journal, err) &&
                          schsm_say(err, "The record in %s is whole.", ceremony->record));
}

/* --- the ceremony --------------------------------------------------------------------------- */

static int confirm_begin(const struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "This is the plan, of %zu steps. Each of its commands asks for the PINs and "
                   "passwords that it needs.",
                   ceremony->plan.step_count);
    return schsm_tool_confirm_by(ceremony->tool, "word", "yes", text, err);
}

/* The step may be done although its end was not written down: nobody else than people can tell. */
static int ask_for_seen(struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    char line[16];

    if (ceremony->yes) {
        return 1;
    }
    if (!schsm_ceremony_ask("Type again to run this step once more, or done where you have seen "
                            "that it is done",
                            line, sizeof(line), err)) {
        return 0;
    }
    ceremony->seen = strcmp(line, "done") == 0;
    return ceremony->seen || strcmp(line, "again") == 0 ||
           schsm_fail(err, SCHSM_REASON_CANCELLED, "nothing was done: that was neither");
}

static int confirm_again(struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    const struct schsm_plan *plan = &ceremony->plan;
    const struct schsm_journal *journal = &ceremony->journal;
    char done[64] = "None of its steps is done.", next[512] = "Its record is still to be written.";

    if (journal->done > 0) {
        (void)snprintf(done, sizeof(done), "Steps 1 to %zu of %zu are done.", journal->done,
                       plan->step_count);
    }
    if (journal->done < plan->step_count) {
        (void)snprintf(next, sizeof(next), "It goes on with step %zu, %s.%s", journal->done + 1,
                       plan->steps[journal->done].title,
                       journal->under_way
                           ? " That step was under way when the ceremony was interrupted, and is "
                             "run once more from its beginning: see first how far it came."
                           : "");
    }
    schsm_ceremony_show(ceremony->out, 0, 0, "This ceremony has begun before. %s %s", done, next);
    return journal->under_way ? ask_for_seen(ceremony, err)
                              : schsm_tool_confirm_by(ceremony->tool, "word", "yes",
                                                      "This goes on with the ceremony.", err);
}

static json_t *begun_json(const struct schsm_plan *plan)
{
    char now[SCHSM_TIME_TEXT_MAX];
    json_t *devices = json_object();

    for (size_t i = 0; i < plan->device_count; i++) {
        if (json_object_set_new(devices, plan->devices[i].name,
                                json_string(plan->devices[i].serial)) != 0) {
            json_decref(devices);
            return NULL;
        }
    }
    schsm_ceremony_now(now);
    return json_pack("{s:s, s:s, s:s, s:o}", "tool", SCHSM_TOOL_NAME " " SC_HSM_VERSION, "openssl",
                     OpenSSL_version(OPENSSL_VERSION), "begun", now, "devices", devices);
}

static int begin(struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    if (!schsm_ceremony_choose_devices(ceremony, err)) {
        return 0;
    }
    schsm_ceremony_show_plan(ceremony);
    return confirm_begin(ceremony, err) &&
           schsm_journal_add(&ceremony->journal, &ceremony->plan, SCHSM_JOURNAL_BEGUN,
                             begun_json(&ceremony->plan), err);
}

static int go_on(struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    if (schsm_tool_flag(ceremony->tool, "device")) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "--device: the ceremony has begun, and its devices are chosen");
    }
    schsm_ceremony_show_plan(ceremony);
    return confirm_again(ceremony, err);
}

static int hold(struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    bool found = false, finished = false;
    int ok =
        schsm_journal_open(ceremony->record, &ceremony->plan, &ceremony->journal, &found, err) &&
        finish_earlier(ceremony, &finished, err);

    if (!ok || finished) {
        return ok;
    }
    if (!schsm_file_check_place(ceremony->record, false, err)) {
        return schsm_fail_context(err, "a record is never written over");
    }
    return (found ? go_on(ceremony, err) : begin(ceremony, err)) &&
           schsm_ceremony_run(ceremony, err) && write_record(ceremony, err);
}

static int run_ceremony(struct schsm_tool *tool, struct schsm_error *err)
{
    FILE *terminal = tool->json ? fopen("/dev/tty", "we") : NULL;
    struct schsm_ceremony ceremony = { .tool = tool,
                                       .journal = { .fd = -1 },
                                       .out = tool->json ? terminal : stdout,
                                       .yes = schsm_tool_flag(tool, "yes") };
    char *record = record_path(tool, err);
    int ok = 0;

    ceremony.record = record;
    if (record == NULL) {
        goto done;
    }
    if (strcmp(tool->arguments[0], "-") == 0 || schsm_file_is_stdout(record)) {
        schsm_fail(err, SCHSM_REASON_ARGUMENT,
                   "plan and record are files: the plan is read again to go on, and the record has "
                   "its journal beside it");
        goto done;
    }
    ok = schsm_plan_read(tool->context.libctx, tool->arguments[0], &ceremony.plan, err) &&
         hold(&ceremony, err);

done:
    schsm_journal_close(&ceremony.journal);
    schsm_plan_clear(&ceremony.plan);
    OPENSSL_free(record);
    if (terminal != NULL) {
        (void)fclose(terminal);
    }
    return ok;
}

static const struct schsm_option ceremony_options[] = {
    { "record", '\0', false, "FILE",
      "write the record to this file; default: the plan's name with .record.txt", NULL },
    { "device", '\0', true, "NAME=SERIAL",
      "the plan's device of that name is this one; where the plan leaves it open, and nobody is to "
      "be asked",
      NULL },
    { "yes", 'y', false, NULL, "do not wait for people between the steps, nor ask to go on", NULL },
    SCHSM_OPTIONS_END,
};

const struct schsm_command schsm_command_ceremony = {
    .name = "ceremony",
    .synopsis = "PLAN",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Run a written plan step by step, and write a record to be signed",
    .help =
        "Holds a key ceremony: reads the plan, checks and shows all of it, asks whether to go on, "
        "and runs it step by step before everybody who is there. What each step did goes into the "
        "record, a text of 80 columns with lines for signatures; with --json it is printed as JSON "
        "as well. PINs and passwords are typed, or come from where a command of the plan says; "
        "none is in the plan, in the record, or in the journal.\n"
        "PLAN is a file of JSON: an object with \"title\", \"devices\", \"people\" and \"steps\". "
        "A "
        "device has a name and its serial number, or null where it is chosen when the ceremony "
        "begins. A step has a \"title\" and any of these: \"say\", what people are to do before "
        "they press Enter; \"run\", the words of one command of this tool, in which {NAME} stands "
        "for the serial number of the device of that name; \"files\", whose SHA-256 are recorded. "
        "What is misspelt anywhere in it is told before anything runs.\n"
        " {\"title\": \"A key\", \"devices\": {\"first\": null}, \"people\": [\"Alice\", "
        "\"Bob\"],\n"
        "  \"steps\": [{\"title\": \"Make the key\", \"say\": \"Plug in the device.\",\n"
        "    \"run\": [\"keygen\", \"--serial\", \"{first}\", \"--type\", \"ec:P-384\", \"--id\", "
        "\"10\"]}]}\n"
        "The record tells the tool and the library by version, the plan by its SHA-256, of each "
        "step its command, its times and what came of it: serial numbers, key references, labels, "
        "SHA-256 of public keys, key check values; and in the end, when everybody is logged out of "
        "the devices, the state of each of them, with what attests its keys.\n"
        "A step that fails ends the run, and loses nothing: the journal, a file beside the record, "
        "has what is done, and the same command goes on behind it, also after Ctrl-C and a loss of "
        "power. A step that was under way is run once more, unless those who are present have seen "
        "that it is done, and the record tells it. A plan that was changed meanwhile is refused. "
        "When the record is whole, the journal goes.\n"
        " sc-hsm ceremony root-ca.json\n"
        " sc-hsm ceremony root-ca.json --record /media/safe/root-ca.txt\n",
    .options = ceremony_options,
    .by_itself = true,
    .run = run_ceremony,
};
