/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key ceremony: a written plan whose steps are run one by one before witnesses, and the record of
 * it. ceremony/ has one file for each part: the plan, what a step's command told, the journal that
 * is written as it goes, the record that comes out of it, and the run.
 */
#ifndef SCHSM_TOOL_CEREMONY_H
#define SCHSM_TOOL_CEREMONY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "format/types.h"
#include "tool.h"

#define SCHSM_DIGEST_TEXT_MAX 65 /* SHA-256 in hex digits, with terminator */

/* --- the plan ------------------------------------------------------------------------------- */

#define SCHSM_PLAN_STEPS_MAX 200
#define SCHSM_PLAN_DEVICES_MAX 16
#define SCHSM_PLAN_PEOPLE_MAX 32
#define SCHSM_PLAN_WORDS_MAX 64 /* of one command */
#define SCHSM_PLAN_FILES_MAX 32 /* of one step */

struct schsm_plan_device {
    const char *name;                  /* as the plan has it between braces */
    char serial[SCHSM_SERIAL_MAX + 1]; /* "": still to be chosen */
};

/* Each text is printable, and whole. */
struct schsm_plan_step {
    const char *title;
    const char *say; /* NULL: nothing */
    const char *words[SCHSM_PLAN_WORDS_MAX];
    size_t word_count; /* 0: no command */
    const char *files[SCHSM_PLAN_FILES_MAX];
    size_t file_count;
};

/* Always to be cleared. */
struct schsm_plan {
    json_t *json; /* has the texts */
    char digest[SCHSM_DIGEST_TEXT_MAX];
    const char *path, *title;
    struct schsm_plan_device devices[SCHSM_PLAN_DEVICES_MAX];
    size_t device_count;
    const char *people[SCHSM_PLAN_PEOPLE_MAX];
    size_t people_count;
    struct schsm_plan_step *steps;
    size_t step_count;
};

/*
 * Reads a plan and checks all of it: each member and its type, that every text can be shown, that
 * every command is one of this tool's with options that it has, and that no secret is in it. Runs
 * nothing. Fails with BAD_INPUT, FILE or ARGUMENT; the sentence names the step and the place as
 * JSON pointer (RFC 6901).
 */
int schsm_plan_read(OSSL_LIB_CTX *libctx, const char *path, struct schsm_plan *plan,
                    struct schsm_error *err);
void schsm_plan_clear(struct schsm_plan *plan);

/* The device of that name, or NULL. */
struct schsm_plan_device *schsm_plan_device(struct schsm_plan *plan, const char *name, size_t len);

/* Whether it can be a device's serial number, in a command as in a URI. */
bool schsm_plan_serial_ok(const char *serial);

/* A word with the serial numbers in it; OPENSSL_malloc'ed for the caller, NULL where memory runs
 * out. {serial} stays: it is for PIN sources. */
char *schsm_plan_expand(const struct schsm_plan *plan, const char *word);

/* The words of a step's command with the serial numbers in them: an array, empty where it has none.
 * A new reference, NULL where memory runs out. */
json_t *schsm_plan_command(const struct schsm_plan *plan, const struct schsm_plan_step *step);

/* Whether the words, serial numbers in place, are a command that a plan may have. Runs nothing. */
int schsm_plan_check_command(const char *const *words, size_t count, struct schsm_error *err);

/* --- what a command told -------------------------------------------------------------------- */

/*
 * What of a document of --json may stand in a record: members with known names alone, so no content
 * and no secret gets there. A new reference, NULL where memory runs out.
 */
json_t *schsm_ceremony_facts(const json_t *told);

/* Facts as lines "name: value" for people. */
void schsm_ceremony_show_facts(FILE *out, const json_t *facts, size_t indent);

/* Text for people, every character printable, broken into lines of 80 columns between words;
 * the first begins at column indent, the others at hang. */
void schsm_ceremony_show(FILE *out, size_t indent, size_t hang, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "name            text", the text printable and broken likewise. name: short. */
void schsm_ceremony_show_row(FILE *out, const char *name, const char *text);

/* A command of this tool as a shell would be given it, from column indent on. */
void schsm_ceremony_show_command(FILE *out, const json_t *words, size_t indent);

/* --- commands ------------------------------------------------------------------------------- */

/* How a command of ours ended. To be cleared. */
struct schsm_outcome {
    json_t *told;     /* its document; NULL: it told none */
    json_t *messages; /* texts of warnings and notes, an array */
    char *error;      /* why it failed, by its own word; NULL: it did not tell */
    enum schsm_reason reason;
    int status; /* as a shell has it */
    int signal; /* that ended it, or is to end us; 0: none */
};

/*
 * Runs a command of this tool in a process of its own, at the same terminal, and reads what it
 * tells. Keys at the terminal end the command and not us. Fails only where it cannot be run.
 */
int schsm_outcome_of(const char *const *words, size_t count, struct schsm_outcome *outcome,
                     struct schsm_error *err);

/* The same with words in an array of JSON. */
int schsm_outcome_of_json(const json_t *words, struct schsm_outcome *outcome,
                          struct schsm_error *err);
void schsm_outcome_clear(struct schsm_outcome *outcome);

/* All that a device tells of its state, its keys and what proves them; where it is not there, why.
 * NULL with err. */
json_t *schsm_ceremony_device_state(OSSL_LIB_CTX *libctx, const struct schsm_plan_device *device,
                                    struct schsm_error *err);

/* --- digests -------------------------------------------------------------------------------- */

int schsm_ceremony_digest(OSSL_LIB_CTX *libctx, const void *data, size_t len,
                          char digest[SCHSM_DIGEST_TEXT_MAX], struct schsm_error *err);

/* The digest of the public key that a URI names, as SubjectPublicKeyInfo; "" where it has none. */
int schsm_ceremony_fingerprint(OSSL_LIB_CTX *libctx, const char *uri,
                               char digest[SCHSM_DIGEST_TEXT_MAX], struct schsm_error *err);

/* The digest of a regular file. One that is so short that its digest would give it away is refused.
 */
int schsm_ceremony_file_digest(OSSL_LIB_CTX *libctx, const char *path,
                               char digest[SCHSM_DIGEST_TEXT_MAX], struct schsm_error *err);

/* --- the journal ---------------------------------------------------------------------------- */

#define SCHSM_TIME_TEXT_MAX 32

/* "2026-11-30 20:01:12 +0000" */
void schsm_ceremony_now(char text[SCHSM_TIME_TEXT_MAX]);

/* To be closed. */
struct schsm_journal {
    char *path;
    int fd;
    bool ours;       /* nobody else has it */
    json_t *entries; /* an array: the beginning, then what became of each step */
    size_t done;     /* steps */
    bool under_way;  /* the next one was interrupted, and nothing tells how far it came */
};

/*
 * Opens the journal beside a record, for this process alone, and reads what an earlier run left: a
 * line that is not whole was cut off by a loss of power, and goes. *found: whether there is
 * anything; the devices of the plan are those that were chosen then. Fails where it is that of
 * another plan.
 */
int schsm_journal_open(const char *record, struct schsm_plan *plan, struct schsm_journal *journal,
                       bool *found, struct schsm_error *err);
void schsm_journal_close(struct schsm_journal *journal);

/* Writes an entry, which it takes over, NULL for exhausted memory, so that it outlasts a loss of
 * power. kind: static. */
int schsm_journal_add(struct schsm_journal *journal, const struct schsm_plan *plan,
                      const char *kind, json_t *entry, struct schsm_error *err);

/* Deletes it: all is in the record. */
int schsm_journal_remove(struct schsm_journal *journal, struct schsm_error *err);

/* Kinds of entries. */
#define SCHSM_JOURNAL_BEGUN "begun"           /* tool, openssl, devices, at */
#define SCHSM_JOURNAL_STEP_BEGUN "step begun" /* step, at */
#define SCHSM_JOURNAL_STEP "step"             /* step, begun, ended, outcome, what it told */
#define SCHSM_JOURNAL_RECORD "record"         /* sha256: of the record that is written */

#define SCHSM_STEP_DONE "done"
#define SCHSM_STEP_FAILED "failed"
#define SCHSM_STEP_INTERRUPTED "interrupted"

/* --- the record ----------------------------------------------------------------------------- */

/* The record of a ceremony whose steps are all done, for programs; states: of the devices. NULL
 * where memory runs out. */
json_t *schsm_record_make(const struct schsm_plan *plan, const struct schsm_journal *journal,
                          const json_t *states);

/* The same for people: plain text of 80 columns, to be printed and signed. */
void schsm_record_show(FILE *out, const json_t *record);

/* What a step told: its facts, messages and files. out may be NULL, and nothing is shown. */
void schsm_record_show_told(FILE *out, const json_t *step);

/* --- the run -------------------------------------------------------------------------------- */

struct schsm_ceremony {
    struct schsm_tool *tool;
    struct schsm_plan plan;
    struct schsm_journal journal;
    const char *record; /* its file */
    FILE *out;          /* where people read; NULL: nowhere */
    bool yes;           /* nobody is asked whether to go on */
    bool seen;          /* people saw that the step that was under way is done */
};

/* Chooses the devices that the plan leaves open: as --device says, else by asking for the serial
 * number of one that is there. */
int schsm_ceremony_choose_devices(struct schsm_ceremony *ceremony, struct schsm_error *err);

/* Shows all steps. */
void schsm_ceremony_show_plan(const struct schsm_ceremony *ceremony);

/* A line typed at the terminal, without its end. Fails with PIN_MISSING where there is none, with
 * CANCELLED where nobody answers. */
int schsm_ceremony_ask(const char *question, char *line, size_t size, struct schsm_error *err);

/* Runs the steps that are not done. The sentence of a failure tells how to go on. */
int schsm_ceremony_run(struct schsm_ceremony *ceremony, struct schsm_error *err);

#endif
