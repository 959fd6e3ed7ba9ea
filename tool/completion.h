/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may come next on a command line, for the shells' completion. A line of the answer is a word,
 * and behind a tab what it is; or `:files` or `:folders`, with behind a tab what stands before the
 * name in the same word. The command line is read by the parser of all command lines, so that
 * tables and rules are the same.
 */
#ifndef SCHSM_TOOL_COMPLETION_H
#define SCHSM_TOOL_COMPLETION_H

#include "tool.h"

struct schsm_completion {
    struct schsm_tool *said; /* what the words before tell */
    const char *word;        /* that is completed */
    size_t taken;            /* so many of its bytes stand before the value: `--out=` */
};

/* Answers for these words, of which the last one, which may be "", is completed. */
int schsm_complete(const char *const *words, size_t count, struct schsm_error *err);

/* Offers a value, where it goes on from what was typed; summary: NULL, or what it is. */
void schsm_completion_offer(const struct schsm_completion *completion, const char *value,
                            const char *summary);

/* Leaves the rest to the shell: names of files or folders. */
void schsm_completion_offer_files(const struct schsm_completion *completion, bool folders);

/* Offers the commands' first words; group not NULL: the second words behind this one. */
void schsm_completion_offer_commands(const struct schsm_completion *completion, const char *group);

/* Offers values for an option, or with option NULL for a command's argument of that name. */
void schsm_completion_offer_values(struct schsm_completion *completion,
                                   const struct schsm_option *option, const char *argument);

enum schsm_completion_question {
    SCHSM_COMPLETION_SERIALS,
    SCHSM_COMPLETION_READERS,
    SCHSM_COMPLETION_TOKENS,
    SCHSM_COMPLETION_OBJECTS
};

/*
 * Offers what the devices answer: in a process of its own, which is not waited for longer than
 * SC_HSM_COMPLETION_WAIT says, 2 seconds by default, and which then comes to its end by itself, so
 * that no command is broken off. No PIN is used, whatever is configured. types: of objects, or-ed.
 */
void schsm_completion_ask(struct schsm_completion *completion,
                          enum schsm_completion_question question, unsigned int types);

#endif
