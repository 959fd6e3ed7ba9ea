/* SPDX-License-Identifier: Apache-2.0 */
/* The steps, one by one, each in the journal before and behind. */
#include "tool/ceremony.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tool/child.h"

/* --- asking --------------------------------------------------------------------------------- */

static volatile sig_atomic_t came; /* a signal that is to end us, at a question */

static void on_signal(int number)
{
    came = number;
}

/* Asks for a line, which a signal ends; none is lost that comes before there is anything to read.
 */
static bool ask_line(FILE *terminal, const char *question, char *line, size_t size)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = on_signal }, before[sizeof(ends) / sizeof(ends[0])];
    struct pollfd typed = { .fd = fileno(terminal), .events = POLLIN };
    sigset_t held, mask;
    bool answered;

    came = 0;
    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&held);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        (void)sigaddset(&held, ends[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &held, &mask);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        (void)sigaction(ends[i], &action, &before[i]);
    }
    (void)fprintf(terminal, "%s: ", question);
    (void)fflush(terminal);
    while (ppoll(&typed, 1, NULL, &mask) < 0 && errno == EINTR && came == 0) {
    }
    answered = came == 0 && fgets(line, (int)size, terminal) != NULL;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        (void)sigaction(ends[i], &before[i], NULL);
    }
    (void)sigprocmask(SIG_SETMASK, &mask, NULL);
    if (answered) {
        line[strcspn(line, "\r\n")] = '\0';
    }
    return answered;
}

int schsm_ceremony_ask(const char *question, char *line, size_t size, struct schsm_error *err)
{
    FILE *terminal = fopen("/dev/tty", "r+e");
    bool answered;

    if (terminal == NULL) {
        return schsm_fail(err, SCHSM_REASON_PIN_MISSING,
                          "there is no terminal to ask at: a ceremony is held before people; --yes "
                          "goes without them");
    }
    answered = ask_line(terminal, question, line, size);
    (void)fclose(terminal);
    return answered ||
           schsm_fail(err, SCHSM_REASON_CANCELLED, "the question was left without an answer");
}

/* --- a step --------------------------------------------------------------------------------- */

/* What became of a step. To be cleared. */
struct attempt {
    OSSL_LIB_CTX *libctx;
    size_t number; /* of the step, from 1 */
    char begun[SCHSM_TIME_TEXT_MAX];
    struct schsm_outcome outcome;
    json_t *facts, *files;
    struct schsm_error why; /* reason NONE: it is done */
    bool interrupted;
};

static void clear_attempt(struct attempt *attempt)
{
    schsm_outcome_clear(&attempt->outcome);
    json_decref(attempt->facts);
    json_decref(attempt->files);
}

/* A key that was made or changed is known by its public key. */
static int add_fingerprint(struct attempt *attempt, struct schsm_error *err)
{
    const char *type = json_string_value(json_object_get(attempt->facts, "type"));
    const char *uri = json_string_value(json_object_get(attempt->facts, "uri"));
    char digest[SCHSM_DIGEST_TEXT_MAX];

    if (type == NULL || uri == NULL || strcmp(type, "private") != 0) {
        return 1;
    }
    if (!schsm_ceremony_fingerprint(attempt->libctx, uri, digest, err)) {
        return 0;
    }
    return digest[0] == '\0' ||
           json_object_set_new(attempt->facts, "public_key_sha256", json_string(digest)) == 0 ||
           schsm_fail_memory(err);
}

static int run_command(const struct schsm_ceremony *ceremony, const struct schsm_plan_step *step,
                       struct attempt *attempt, struct schsm_error *err)
{
    json_t *words = schsm_plan_command(&ceremony->plan, step);
    int ok = words != NULL ? schsm_outcome_of_json(words, &attempt->outcome, err)
                           : schsm_fail_memory(err);

    json_decref(words);
    if (!ok) {
        return 0;
    }
    if (attempt->outcome.status != 0) {
        attempt->interrupted = attempt->outcome.signal != 0;
        return schsm_fail(
            &attempt->why,
            attempt->outcome.error != NULL ? attempt->outcome.reason : SCHSM_REASON_CANCELLED, "%s",
            attempt->outcome.error != NULL ? attempt->outcome.error : "the command was ended");
    }
    if (attempt->outcome.told == NULL) {
        return 1;
    }
    attempt->facts = schsm_ceremony_facts(attempt->outcome.told);
    return attempt->facts != NULL ? add_fingerprint(attempt, err) : schsm_fail_memory(err);
}

static int look_at_files(const struct schsm_plan_step *step, struct attempt *attempt,
                         struct schsm_error *err)
{
    for (size_t i = 0; i < step->file_count; i++) {
        char digest[SCHSM_DIGEST_TEXT_MAX];

        if (!schsm_ceremony_file_digest(attempt->libctx, step->files[i], digest, &attempt->why)) {
            return 0;
        }
        if (json_array_append_new(attempt->files, json_pack("{s:s, s:s}", "file", step->files[i],
                                                            "sha256", digest)) != 0) {
            return schsm_fail_memory(err);
        }
    }
    return 1;
}

static void show_step(const struct schsm_ceremony *ceremony, size_t number)
{
    const struct schsm_plan_step *step = &ceremony->plan.steps[number - 1];
    json_t *words = schsm_plan_command(&ceremony->plan, step);

    schsm_ceremony_show(ceremony->out, 0, 4, "%zu. %s", number, step->title);
    if (step->say != NULL) {
        schsm_ceremony_show(ceremony->out, 4, 4, "%s", step->say);
    }
    schsm_ceremony_show_command(ceremony->out, words, 4);
    for (size_t i = 0; i < step->file_count; i++) {
        schsm_ceremony_show(ceremony->out, 4, 8, "SHA-256 of %s", step->files[i]);
    }
    json_decref(words);
}

static void show_blank(const struct schsm_ceremony *ceremony)
{
    if (ceremony->out != NULL) {
        (void)fputc('\n', ceremony->out);
        (void)fflush(ceremony->out);
    }
}

/* A step that was interrupted, and that people found to be done. */
static int take_for_done(const struct schsm_plan_step *step, struct attempt *attempt,
                         struct schsm_error *err)
{
    attempt->outcome.messages =
        json_pack("[s]", "nothing tells how this step ended; those who are present saw that it is "
                         "done");
    return attempt->outcome.messages != NULL ? look_at_files(step, attempt, err)
                                             : schsm_fail_memory(err);
}

/* What people do, then what the command does, then what the files are. False where the step is not
 * done: attempt->why tells it, unless err does. */
static bool attempt_step(const struct schsm_ceremony *ceremony, const struct schsm_plan_step *step,
                         struct attempt *attempt, struct schsm_error *err)
{
    char line[8];

    if (step->say != NULL && !ceremony->yes &&
        !schsm_ceremony_ask("Press Enter when this is done", line, sizeof(line), &attempt->why)) {
        attempt->interrupted = attempt->why.reason == SCHSM_REASON_CANCELLED;
        attempt->outcome.status = came != 0 ? SCHSM_SHELL_SIGNAL + came : 0;
        return false;
    }
    return (step->word_count == 0 || run_command(ceremony, step, attempt, err)) &&
           look_at_files(step, attempt, err);
}

static int write_down(struct schsm_ceremony *ceremony, const struct attempt *attempt,
                      struct schsm_error *err)
{
    bool done = attempt->why.reason == SCHSM_REASON_NONE;
    char ended[SCHSM_TIME_TEXT_MAX];
    json_t *entry;

    schsm_ceremony_now(ended);
    entry = json_pack("{s:i, s:s, s:s, s:s, s:s*, s:O*, s:O*, s:O*}", "step", (int)attempt->number,
                      "begun", attempt->begun, "ended", ended, "outcome",
                      done                   ? SCHSM_STEP_DONE
                      : attempt->interrupted ? SCHSM_STEP_INTERRUPTED
                                             : SCHSM_STEP_FAILED,
                      "error", done ? NULL : attempt->why.text, "facts", attempt->facts, "messages",
                      attempt->outcome.messages, "files", attempt->files);
    return schsm_journal_add(&ceremony->journal, &ceremony->plan, SCHSM_JOURNAL_STEP, entry, err);
}

/* What was done is not lost, and how to go on. */
static int fail_step(const struct schsm_ceremony *ceremony, const struct attempt *attempt,
                     struct schsm_error *err)
{
    const char *title = ceremony->plan.steps[attempt->number - 1].title;

    ceremony->tool->exit_status = attempt->outcome.status;
    schsm_fail_as(err, &attempt->why);
    return schsm_fail_context(
        err,
        "step %zu (%s) %s, and is run again when the same command is given, which goes on behind "
        "the steps that are done (%s)",
        attempt->number, title, attempt->interrupted ? "was interrupted" : "failed",
        ceremony->journal.path);
}

/* seen: it is done, as people saw. */
static int run_step(struct schsm_ceremony *ceremony, size_t number, bool seen,
                    struct schsm_error *err)
{
    const struct schsm_plan_step *step = &ceremony->plan.steps[number - 1];
    struct attempt attempt = { .libctx = ceremony->tool->context.libctx,
                               .number = number,
                               .files = json_array(),
                               .why = SCHSM_ERROR_INIT };
    struct schsm_error broken = SCHSM_ERROR_INIT; /* what is no fault of the step */
    int ok = 0;

    schsm_ceremony_now(attempt.begun);
    show_blank(ceremony);
    show_step(ceremony, number);
    show_blank(ceremony);
    if (attempt.files == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    if (!schsm_journal_add(&ceremony->journal, &ceremony->plan, SCHSM_JOURNAL_STEP_BEGUN,
                           json_pack("{s:i, s:s}", "step", (int)number, "begun", attempt.begun),
                           err)) {
        goto done;
    }
    if (seen) {
        (void)take_for_done(step, &attempt, &broken);
    } else {
        (void)attempt_step(ceremony, step, &attempt, &broken);
    }
    if (broken.reason != SCHSM_REASON_NONE) {
        schsm_fail_as(&attempt.why, &broken);
    }
    if (!write_down(ceremony, &attempt, err)) {
        goto done;
    }
    schsm_record_show_told(
        ceremony->out,
        json_array_get(ceremony->journal.entries, json_array_size(ceremony->journal.entries) - 1));
    ok = attempt.why.reason == SCHSM_REASON_NONE || fail_step(ceremony, &attempt, err);
    if (ok && attempt.outcome.signal != 0) {
        ceremony->tool->exit_status = SCHSM_SHELL_SIGNAL + attempt.outcome.signal;
        ok = schsm_fail(err, SCHSM_REASON_CANCELLED,
                        "the ceremony was interrupted behind step %zu, which is done; the same "
                        "command goes on",
                        number);
    }

done:
    clear_attempt(&attempt);
    return ok;
}

int schsm_ceremony_run(struct schsm_ceremony *ceremony, struct schsm_error *err)
{
    for (size_t i = ceremony->journal.done; i < ceremony->plan.step_count; i++) {
        if (!run_step(ceremony, i + 1, ceremony->seen && i == ceremony->journal.done, err)) {
            return 0;
        }
    }
    return 1;
}

void schsm_ceremony_show_plan(const struct schsm_ceremony *ceremony)
{
    const struct schsm_plan *plan = &ceremony->plan;

    schsm_ceremony_show(ceremony->out, 0, 4, "%s", plan->title);
    for (size_t i = 0; i < plan->device_count; i++) {
        schsm_ceremony_show(ceremony->out, 0, 4, "Device %s: %s", plan->devices[i].name,
                            plan->devices[i].serial);
    }
    for (size_t i = 0; i < plan->people_count; i++) {
        schsm_ceremony_show(ceremony->out, 0, 4, "Present: %s", plan->people[i]);
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        show_blank(ceremony);
        show_step(ceremony, i + 1);
    }
    show_blank(ceremony);
}
