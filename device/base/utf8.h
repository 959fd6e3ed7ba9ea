/* SPDX-License-Identifier: Apache-2.0 */
/* Characters of text that may hold anything: from a device, a file, a URI. */
#ifndef SCHSM_BASE_UTF8_H
#define SCHSM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of the UTF-8 character at text, NUL terminated, and the character; 0 where there is
 * none (RFC 3629, section 4). */
size_t schsm_utf8_decode(const char *text, uint32_t *character);

/* Whether it can be shown: false for what steers a terminal, has no glyph, changes the order or the
 * line of what follows, and for what everybody may give a meaning of their own. */
bool schsm_utf8_printable(uint32_t character);

#endif
