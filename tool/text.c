/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

static char *copy(const char *text, bool printable)
{
    const char *p = text;
    char *out = OPENSSL_malloc(strlen(text) * strlen(REPLACEMENT) + 1);
    size_t n = 0;

    while (out != NULL && *p != '\0') {
        uint32_t character = 0;
        size_t len = schsm_utf8_decode(p, &character);

        if (len == 0 || (printable && !schsm_utf8_printable(character))) {
            memcpy(out + n, REPLACEMENT, strlen(REPLACEMENT));
            n += strlen(REPLACEMENT);
        } else {
            memcpy(out + n, p, len);
            n += len;
        }
        p += len > 0 ? len : 1;
    }
    if (out != NULL) {
        out[n] = '\0';
    }
    return out;
}

char *schsm_text_printable(const char *text)
{
    return copy(text, true);
}

char *schsm_text_valid(const char *text)
{
    return copy(text, false);
}
