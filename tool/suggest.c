/* SPDX-License-Identifier: Apache-2.0 */
#include "suggest.h"

#include <stdio.h>
#include <string.h>

#define LINE (SCHSM_SUGGEST_MAX + 1)

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The number of slips between two words of at most SCHSM_SUGGEST_MAX characters: the edit distance
 * with transpositions of neighbours ("optimal string alignment"). */
static size_t slips(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t lines[3]
                [LINE]; /* of what begins a, against all that begins b: now, and the two before */
    size_t *now = lines[0], *before = lines[1], *earlier = lines[2];

    for (size_t k = 0; k <= b_len; k++) {
        now[k] = k;
        before[k] = 0;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t *spare = earlier;

        earlier = before;
        before = now;
        now = spare;
        now[0] = i;
        for (size_t k = 1; k <= b_len; k++) {
            now[k] =
                least(before[k - 1] + (a[i - 1] != b[k - 1]), least(before[k], now[k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
                now[k] = least(now[k], earlier[k - 2] + 1);
            }
        }
    }
    return now[b_len];
}

void schsm_suggest(struct schsm_suggestion *meant, const char *written, const char *known,
                   size_t len)
{
    size_t written_len = strlen(written);
    size_t most = written_len < 5 ? 1 : written_len < 8 ? 2 : 3;
    size_t distance = 0;

    if (written_len < 2 || written_len > SCHSM_SUGGEST_MAX || len > SCHSM_SUGGEST_MAX) {
        return;
    }
    distance = slips(written, written_len, known, len);
    if (distance <= most && (meant->name == NULL || distance < meant->distance)) {
        *meant = (struct schsm_suggestion){ known, len, distance };
    }
}

void schsm_suggestion_text(const struct schsm_suggestion *meant, const char *before,
                           const char *after, char text[SCHSM_SUGGESTION_TEXT_MAX])
{
    text[0] = '\0';
    if (meant->name != NULL) {
        (void)snprintf(text, SCHSM_SUGGESTION_TEXT_MAX, "did you mean %s%.*s%s? ", before,
                       (int)meant->len, meant->name, after);
    }
}
