/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

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
    { 0xE000, 0xF8FF },                         /* private use */
    { 0xFEFF, 0xFEFF },                         /* byte order mark */
    { 0xFFF9, 0xFFFB },                         /* interlinear annotation */
    { 0xFFFE, 0xFFFF },                         /* no characters */
    { 0xE0000, 0xE0FFF }, { 0xF0000, 0x10FFFF } /* tags, variation selectors, private use */
};

size_t schsm_utf8_decode(const char *text, uint32_t *character)
{
    const unsigned char *bytes = (const unsigned char *)text;
    static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = bytes[0] < 0x80             ? 1
                 : (bytes[0] & 0xE0) == 0xC0 ? 2
                 : (bytes[0] & 0xF0) == 0xE0 ? 3
                 : (bytes[0] & 0xF8) == 0xF0 ? 4
                                             : 0;
    uint32_t value = 0;

    if (len == 0) {
        return 0;
    }
    value = len == 1 ? bytes[0] : bytes[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xC0) != 0x80) { /* the terminator too */
            return 0;
        }
        value = value << 6 | (bytes[i] & 0x3F);
    }
    if (value < lowest[len] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        return 0;
    }
    *character = value;
    return len;
}

bool schsm_utf8_printable(uint32_t character)
{
    for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++) {
        if (character >= unprintable[i].first && character <= unprintable[i].last) {
            return false;
        }
    }
    return true;
}
