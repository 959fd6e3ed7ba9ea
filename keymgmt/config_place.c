/* SPDX-License-Identifier: Apache-2.0 */
/* Where something stands in a configuration file: libcrypto reads it and forgets the lines. */
#include "config_file.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "file.h"

#define FILE_MAX                                                                                   \
    ((size_t)1024 * 1024) /* bytes; a longer one has no lines that a person would look for */

/* Takes away blanks at both ends. */
static const char *trim(const char *text, size_t *len)
{
    while (*len > 0 && isspace((unsigned char)*text)) {
        text++;
        (*len)--;
    }
    while (*len > 0 && isspace((unsigned char)text[*len - 1])) {
        (*len)--;
    }
    return text;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    text = trim(text, &len);
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

/* Whether the line is the head of a section; *ours whether of this one. */
static bool is_head(const char *line, size_t len, const char *section, bool *ours)
{
    const char *end;

    line = trim(line, &len);
    end = len > 0 && *line == '[' ? memchr(line, ']', len) : NULL;
    if (end == NULL) {
        return false;
    }
    *ours = is_word(line + 1, (size_t)(end - line) - 1, section);
    return true;
}

static bool is_setting(const char *line, size_t len, const char *name)
{
    const char *equals = memchr(line, '=', len);

    return equals != NULL && is_word(line, (size_t)(equals - line), name);
}

/* The last line that fits counts, as libcrypto takes the last value. */
static size_t find_line(const char *content, size_t len, const char *section, const char *name)
{
    size_t number = 0, found = 0;
    bool inside = strcmp(section, "default") == 0;

    for (size_t at = 0; at < len;) {
        const char *line = content + at;
        const char *end = memchr(line, '\n', len - at);
        size_t line_len = end != NULL ? (size_t)(end - line) : len - at;

        number++;
        at += line_len + 1;
        if (is_head(line, line_len, section, &inside)) {
            found = inside && name == NULL && found == 0 ? number : found;
        } else if (inside && name != NULL && is_setting(line, line_len, name)) {
            found = number;
        }
    }
    return found;
}

size_t schsm_config_line(const char *path, const char *section, const char *name)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    uint8_t *content = NULL;
    size_t len = 0, line = 0;

    if (schsm_file_read(path, FILE_MAX, &content, &len, &ignored)) {
        line = find_line((const char *)content, len, section, name);
    }
    OPENSSL_clear_free(content, len);
    return line;
}

void schsm_config_place(const char *path, const char *section, const char *name,
                        char place[SCHSM_CONFIG_PLACE_MAX])
{
    size_t line = schsm_config_line(path, section, name);
    int len = snprintf(place, SCHSM_CONFIG_PLACE_MAX, "[%s] of %s", section, path);

    if (line > 0 && len > 0 && len < SCHSM_CONFIG_PLACE_MAX) {
        (void)snprintf(place + len, SCHSM_CONFIG_PLACE_MAX - (size_t)len, ", line %zu", line);
    }
}
