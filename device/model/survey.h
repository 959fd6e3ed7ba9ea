/* SPDX-License-Identifier: Apache-2.0 */
/* What a search for devices saw and did not take, for the sentence that says so. */
#ifndef SCHSM_MODEL_SURVEY_H
#define SCHSM_MODEL_SURVEY_H

#include <stdbool.h>

#include "device.h"

struct schsm_survey {
    char seen[400];                   /* what was found but does not fit */
    bool more;                        /* seen has no room left, and says so */
    char empty[SCHSM_READER_MAX + 1]; /* without a card, worth telling where nothing was found */
    struct schsm_error trouble;       /* why a card could not be looked at */
};

/* Adds to the list of what is there; format takes the two strings. What has no room is told to be
 * "and more". */
void schsm_survey_note(struct schsm_survey *survey, const char *format, const char *a,
                       const char *b) __attribute__((format(printf, 2, 0)));

#endif
