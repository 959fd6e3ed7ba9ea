/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <openssl/crypto.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Characters without a glyph that change how others are shown, or break a line. */
static const struct range {
    uint32_t first, last;
} unprintable[] = {
    { 0x0000, 0x001F },   { 0x007F, 0x009F },   /* controls */
    { 0x00AD, 0x00AD },                         /* soft hyphen */
    { 0x061C, 0x061C },                         /* Arabic letter mark */
    { 0x180E, 0x180E },                         /* Mongolian vowel separator */
    { 0x200B, 0x200F },                         /* zero width, direction marks */
    { 0x2028, 0x202E },                         /* line separators, embeddings, overrides */
    { 0x2060, 0x206F },                         /* invisible operators, isolates */
    { 0xFEFF, 0xFEFF },                         /* byte order mark */
    { 0xFFF9, 0xFFFB },                         /* interlinear annotation */
    { 0xFFFE, 0xFFFF },                         /* no characters */
    { 0xE0000, 0xE0FFF }, { 0xF0000, 0x10FFFF } /* tags, variation selectors, private use */
};

/* RFC 3629, section 4. Returns the length of the sequence at text, 0 if it is none. */
static size_t decode(const unsigned char *text, uint32_t *character)
{
    static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = text[0] < 0x80             ? 1
                 : (text[0] & 0xE0) == 0xC0 ? 2
                 : (text[0] & 0xF0) == 0xE0 ? 3
                 : (text[0] & 0xF8) == 0xF0 ? 4
                                            : 0;
    uint32_t value = 0;

    if (len == 0) {
        return 0;
    }
    value = len == 1 ? text[0] : text[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xC0) != 0x80) { /* the terminator too */
            return 0;
        }
        value = value << 6 | (text[i] & 0x3F);
    }
    if (value < lowest[len] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        return 0;
    }
    *character = value;
    return len;
}

static bool is_printable(uint32_t character)
{
    for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++) {
        if (character >= unprintable[i].first && character <= unprintable[i].last) {
            return false;
        }
    }
    return true;
}

static char *copy(const char *text, bool printable)
{
    const unsigned char *p = (const unsigned char *)text;
    char *out = OPENSSL_malloc(strlen(text) * strlen(REPLACEMENT) + 1);
    size_t n = 0;

    while (out != NULL && *p != '\0') {
        uint32_t character = 0;
        size_t len = decode(p, &character);

        if (len == 0 || (printable && !is_printable(character))) {
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
