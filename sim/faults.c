/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "card.h"

enum {
    MAX_DELAY_MS = 600000,
    MAX_WORDS = 6, /* of a line */
};

static void put_text(struct sim_buf *answer, const char *text)
{
    sim_buf_put(answer, text, strlen(text));
}

static void put_error(struct sim_buf *answer, const char *problem, const char *detail)
{
    put_text(answer, "error: ");
    put_text(answer, problem);
    put_text(answer, detail);
    put_text(answer, "\n");
}

/* --- what is done at once -------------------------------------------------------------------- */

static void do_remove(struct sim_faults *faults, struct sim_card *card, struct sim_buf *answer)
{
    (void)card;
    faults->removed = true;
    put_text(answer, "ok\n");
}

static void do_insert(struct sim_faults *faults, struct sim_card *card, struct sim_buf *answer)
{
    (void)card;
    faults->removed = false;
    put_text(answer, "ok\n");
}

static void do_reset(struct sim_faults *faults, struct sim_card *card, struct sim_buf *answer)
{
    (void)faults;
    sim_card_reset(card);
    put_text(answer, "ok\n");
}

static void do_clear(struct sim_faults *faults, struct sim_card *card, struct sim_buf *answer)
{
    (void)card;
    faults->n = 0;
    faults->hurried = true;
    put_text(answer, "ok\n");
}

static void do_list(struct sim_faults *faults, struct sim_card *card, struct sim_buf *answer)
{
    (void)card;
    put_text(answer, faults->removed ? "removed\n" : "inserted\n");
    for (size_t i = 0; i < faults->n; i++) {
        const struct sim_fault *fault = &faults->list[i];
        char part[64];
        put_text(answer, fault->word->name);
        if (fault->word->argument != NULL) {
            (void)snprintf(part, sizeof(part), fault->word->base == 16 ? " %04X" : " %u",
                           fault->value);
            put_text(answer, part);
        }
        if (fault->ins >= 0) {
            (void)snprintf(part, sizeof(part), " ins=%02X", (unsigned)fault->ins);
            put_text(answer, part);
        }
        if (fault->word->counts_writes) {
            (void)snprintf(part, sizeof(part), " writes=%u", fault->writes);
            put_text(answer, part);
        }
        (void)snprintf(part, sizeof(part), " skip=%u count=%u\n", fault->skip, fault->count);
        put_text(answer, part);
    }
    put_text(answer, "ok\n");
}

static void do_help(struct sim_faults *faults, struct sim_card *card, struct sim_buf *answer)
{
    (void)faults;
    (void)card;
    for (size_t i = 0; i < sim_n_fault_words; i++) {
        const struct sim_fault_word *word = &sim_fault_words[i];
        char line[160];
        (void)snprintf(line, sizeof(line), "%s%s%s%s%s: %s\n", word->name,
                       word->argument == NULL ? "" : " ",
                       word->argument == NULL ? "" : word->argument,
                       word->now != NULL ? "" : " [ins=II] [skip=N] [count=N]",
                       word->counts_writes ? " [writes=N]" : "", word->help);
        put_text(answer, line);
    }
    put_text(answer, "ok\n");
}

/* --- what befalls commands ------------------------------------------------------------------- */

static void befall_delay(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    mishap->delay_ms += fault->value;
}

static void befall_status(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    mishap->status_before = (uint16_t)fault->value;
}

static void befall_status_after(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    mishap->status_after = (uint16_t)fault->value;
}

static void befall_truncate(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    mishap->most = fault->value;
}

static void befall_shorten(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    mishap->most_data = fault->value;
}

static void befall_garbage(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    (void)fault;
    mishap->random_answer = true;
}

static void befall_corrupt(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    (void)fault;
    mishap->random_data = true;
}

static void befall_remove_before(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    (void)fault;
    mishap->remove_before = true;
}

static void befall_remove_after(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    (void)fault;
    mishap->remove_after = true;
}

static void cut_power(struct sim_mishap *mishap, const struct sim_fault *fault,
                      enum sim_power_cut moment)
{
    mishap->power_cut = (int)moment;
    mishap->power_writes = fault->writes;
}

static void befall_kill_before(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    cut_power(mishap, fault, SIM_POWER_CUT_BEFORE);
}

static void befall_kill_during(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    cut_power(mishap, fault, SIM_POWER_CUT_DURING);
}

static void befall_kill_after(struct sim_mishap *mishap, const struct sim_fault *fault)
{
    cut_power(mishap, fault, SIM_POWER_CUT_AFTER);
}

const struct sim_fault_word sim_fault_words[] = {
    { "remove", NULL, "pull the card out of its reader",
      "Pulls the card out of its reader, also in the middle of a command.", 0, 0, 0, false,
      do_remove, NULL },
    { "insert", NULL, "put it back", "Puts it back.", 0, 0, 0, false, do_insert, NULL },
    { "reset", NULL, "log everybody out, which the reader does not notice",
      "The card loses power for a moment, which the reader does not notice: nobody is logged in "
      "any more.",
      0, 0, 0, false, do_reset, NULL },
    { "delay", "MS", "wait before executing",
      "Waits so many milliseconds before the command is executed, or until \"clear\".", 0,
      MAX_DELAY_MS, 10, false, NULL, befall_delay },
    { "status", "SW", "answer this status word instead of executing",
      "Does not execute the command, and answers this status word, four hexadecimal digits.", 1,
      0xFFFF, 16, false, NULL, befall_status },
    { "status-after", "SW", "execute, then answer this status word",
      "Executes the command, and answers this status word instead of what came out.", 1, 0xFFFF, 16,
      false, NULL, befall_status_after },
    { "truncate", "N", "leave N bytes of the answer",
      "Executes the command, and leaves so many bytes of the answer, at least one; the status word "
      "at its end goes first.",
      1, 65535, 10, false, NULL, befall_truncate },
    { "shorten", "N", "leave N bytes of the answer's data",
      "Executes the command, and leaves so many bytes of the answer's data, and its status word.",
      0, 65535, 10, false, NULL, befall_shorten },
    { "garbage", NULL, "answer as many random bytes",
      "Executes the command, and answers as many random bytes, status word included.", 0, 0, 0,
      false, NULL, befall_garbage },
    { "corrupt", NULL, "answer random data with the true status word",
      "Executes the command, and answers random bytes in place of its data, with the true status "
      "word.",
      0, 0, 0, false, NULL, befall_corrupt },
    { "remove-before", NULL, "pull the card instead of executing",
      "Pulls the card when the command has come, before it is executed.", 0, 0, 0, false, NULL,
      befall_remove_before },
    { "remove-after", NULL, "execute, then pull the card instead of answering",
      "Pulls the card when the command was executed, before it is answered.", 0, 0, 0, false, NULL,
      befall_remove_after },
    { "kill-before", NULL, "die before the new state is written",
      "Ends the program, as by signal 9, when the command was executed and nothing is written.", 0,
      0, 0, true, NULL, befall_kill_before },
    { "kill-during", NULL, "die when it is written beside the old one",
      "The same when the new state is written beside the old one, whose place it has not taken.", 0,
      0, 0, true, NULL, befall_kill_during },
    { "kill-after", NULL, "die when it is written, without answering",
      "The same when the new state is in place, and nothing is answered.", 0, 0, 0, true, NULL,
      befall_kill_after },
    { "list", NULL, "show what is in store",
      "Shows whether the card is in its reader, and what waits for commands.", 0, 0, 0, false,
      do_list, NULL },
    { "clear", NULL, "let all go well from now on",
      "Forgets everything that waits, and ends a delay that has begun.", 0, 0, 0, false, do_clear,
      NULL },
    { "help", NULL, "print this", "Explains these words.", 0, 0, 0, false, do_help, NULL },
};
const size_t sim_n_fault_words = sizeof(sim_fault_words) / sizeof(sim_fault_words[0]);

/* --- the lines ------------------------------------------------------------------------------- */

static bool parse_number(const char *text, unsigned base, unsigned most, unsigned *number)
{
    char *end = NULL;
    if (text[strspn(text, base == 16 ? "0123456789abcdefABCDEF" : "0123456789")] != '\0') {
        return false;
    }
    errno = 0;
    unsigned long long value = strtoull(text, &end, (int)base);
    if (end == text || errno != 0 || value > most) {
        return false;
    }
    *number = (unsigned)value;
    return true;
}

/* ins=II, skip=N, count=N or writes=N */
static bool parse_setting(struct sim_fault *fault, const char *text)
{
    unsigned ins;
    if (strncmp(text, "ins=", 4) == 0 && parse_number(text + 4, 16, 0xFF, &ins)) {
        fault->ins = (int)ins;
        return true;
    }
    if (strncmp(text, "skip=", 5) == 0) {
        return parse_number(text + 5, 10, UINT_MAX, &fault->skip);
    }
    if (fault->word->counts_writes && strncmp(text, "writes=", 7) == 0) {
        return parse_number(text + 7, 10, UINT_MAX, &fault->writes);
    }
    return strncmp(text, "count=", 6) == 0 && parse_number(text + 6, 10, UINT_MAX, &fault->count) &&
           fault->count > 0;
}

static const struct sim_fault_word *find_word(const char *name)
{
    for (size_t i = 0; i < sim_n_fault_words; i++) {
        if (strcmp(sim_fault_words[i].name, name) == 0) {
            return &sim_fault_words[i];
        }
    }
    return NULL;
}

/* At most MAX_WORDS, and one more to show that there are too many. */
static size_t split(char *line, char *words[MAX_WORDS + 1])
{
    size_t n = 0;
    char *rest = NULL;
    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL && n <= MAX_WORDS;
         word = strtok_r(NULL, " \t\r", &rest)) {
        words[n++] = word;
    }
    return n;
}

void sim_faults_line(struct sim_faults *faults, struct sim_card *card, const char *line,
                     struct sim_buf *answer)
{
    char copy[SIM_MAX_FAULT_LINE];
    char *words[MAX_WORDS + 1];
    if (strlen(line) >= sizeof(copy)) {
        put_error(answer, "that line is too long", "");
        return;
    }
    memcpy(copy, line, strlen(line) + 1);
    size_t n = split(copy, words), at = 1;
    struct sim_fault fault = { .word = n == 0 ? NULL : find_word(words[0]), .ins = -1, .count = 1 };
    if (fault.word == NULL) {
        put_error(answer, "\"help\" lists the words that are known, and this is none: ", line);
        return;
    }
    if (fault.word->argument != NULL &&
        (n < 2 || !parse_number(words[at++], fault.word->base, fault.word->most, &fault.value) ||
         fault.value < fault.word->least)) {
        put_error(answer, fault.word->name, " needs a number, as \"help\" tells");
        return;
    }
    for (; at < n; at++) {
        if (fault.word->now != NULL || !parse_setting(&fault, words[at])) {
            put_error(answer, "not understood: ", words[at]);
            return;
        }
    }
    if (fault.word->now != NULL) {
        fault.word->now(faults, card, answer);
    } else if (faults->n == SIM_MAX_FAULTS) {
        put_error(answer, "the list is full; \"clear\" empties it", "");
    } else {
        faults->list[faults->n++] = fault;
        put_text(answer, "ok\n");
    }
}

/* --- the commands ---------------------------------------------------------------------------- */

static void say(const struct sim_fault *fault, const uint8_t *command)
{
    (void)fprintf(stderr, "! %s befalls %02X%02X%02X%02X\n", fault->word->name, command[0],
                  command[1], command[2], command[3]);
}

void sim_faults_next(struct sim_faults *faults, const uint8_t *command, size_t len,
                     struct sim_mishap *mishap)
{
    size_t kept = 0;
    *mishap = (struct sim_mishap){ .most = SIZE_MAX, .most_data = SIZE_MAX };
    if (len < 4) {
        return;
    }
    for (size_t i = 0; i < faults->n; i++) {
        struct sim_fault *fault = &faults->list[i];
        if (fault->ins < 0 || fault->ins == command[1]) {
            if (fault->skip > 0) {
                fault->skip--;
            } else {
                say(fault, command);
                fault->word->befall(mishap, fault);
                fault->count--;
            }
        }
        if (fault->count > 0) {
            faults->list[kept++] = *fault;
        }
    }
    faults->n = kept;
}

static void randomise(struct sim_buf *response, size_t len)
{
    if (len > response->len || RAND_bytes(response->data, (int)len) != 1) {
        response->failed = true;
    }
}

void sim_faults_transmit(const struct sim_mishap *mishap, struct sim_card *card,
                         const uint8_t *command, size_t len, struct sim_buf *response)
{
    sim_buf_clear(response);
    if (mishap->status_before != 0) {
        sim_buf_put_u16(response, mishap->status_before);
        return;
    }
    if (mishap->power_cut != SIM_POWER_CUT_NONE) {
        card->store->power_cut = (enum sim_power_cut)mishap->power_cut;
        card->store->power_writes = mishap->power_writes;
    }
    sim_card_transmit(card, command, len, response);
    if (mishap->power_cut != SIM_POWER_CUT_NONE) {
        sim_store_cut_power(); /* there was nothing to write */
    }
    size_t data_len = response->len < 2 ? 0 : response->len - 2;
    if (data_len > mishap->most_data) {
        memmove(response->data + mishap->most_data, response->data + data_len, 2);
        data_len = mishap->most_data;
        response->len = data_len + 2;
    }
    if (mishap->random_answer) {
        randomise(response, response->len);
    } else if (mishap->random_data) {
        randomise(response, data_len);
    }
    if (mishap->status_after != 0) {
        sim_buf_clear(response);
        sim_buf_put_u16(response, mishap->status_after);
    }
    if (response->len > mishap->most) {
        response->len = mishap->most;
    }
}
