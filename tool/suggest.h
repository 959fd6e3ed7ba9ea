/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody meant who wrote a name that there is not. */
#ifndef SCHSM_TOOL_SUGGEST_H
#define SCHSM_TOOL_SUGGEST_H

#include <stddef.h>

#define SCHSM_SUGGEST_MAX                                                                          \
    32 /* characters of a name that is compared; longer ones are near none                         \
        */

/* The nearest of the names that were shown so far. */
struct schsm_suggestion {
    const char *name; /* NULL: none was near */
    size_t len, distance;
};

#define SCHSM_SUGGESTION_INIT                                                                      \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/*
 * Shows a name that there is: it becomes the suggestion where its first len characters are nearer
 * to what was written than all before, and near at all: one slip in a short word, up to three in a
 * long one. A slip is a character that is missing, too many, or another, or two that changed
 * places. known is not copied.
 */
void schsm_suggest(struct schsm_suggestion *meant, const char *written, const char *known,
                   size_t len);

#define SCHSM_SUGGESTION_TEXT_MAX (SCHSM_SUGGEST_MAX + 24)

/* For a sentence: "did you mean 'NAME'? " with these marks around the name, or "". */
void schsm_suggestion_text(const struct schsm_suggestion *meant, const char *before,
                           const char *after, char text[SCHSM_SUGGESTION_TEXT_MAX]);

#endif
