/* SPDX-License-Identifier: Apache-2.0 */
#include "survey.h"

#include <stdio.h>
#include <string.h>

void schsm_survey_note(struct schsm_survey *survey, const char *format, const char *a,
                       const char *b)
{
    static const char more[] = " and more";
    size_t used = strlen(survey->seen);
    char item[sizeof(survey->seen)];

    if (survey->more) {
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(item, sizeof(item), format, a, b);
#pragma GCC diagnostic pop
    survey->more = used > 0 && used + 2 + strlen(item) + sizeof(more) > sizeof(survey->seen);
    (void)snprintf(survey->seen + used, sizeof(survey->seen) - used, "%s%s",
                   survey->more ? more
                   : used > 0   ? ", "
                                : "",
                   survey->more ? "" : item);
}
