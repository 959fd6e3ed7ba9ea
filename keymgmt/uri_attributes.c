/* SPDX-License-Identifier: Apache-2.0 */
#include "uri_attributes.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/hex.h"

#define SHOWN_MAX 40 /* characters of what a URI has in a wrong place */

int schsm_uri_percent_decode(const char *text, size_t len, char *out, size_t *out_len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '%') {
            out[n++] = text[i];
            continue;
        }
        int high = i + 1 < len ? schsm_hex_digit(text[i + 1]) : -1;
        int low = i + 2 < len ? schsm_hex_digit(text[i + 2]) : -1;

        if (high < 0 || low < 0) {
            return 0;
        }
        out[n++] = (char)(unsigned char)(high * 16 + low);
        i += 2;
    }
    out[n] = '\0';
    *out_len = n;
    return 1;
}

int schsm_uri_set_text(char **where, const char *value, struct schsm_error *err)
{
    if (*value == '\0') {
        return schsm_fail(err, SCHSM_REASON_URI, "the value is empty");
    }
    *where = OPENSSL_strdup(value);
    return *where != NULL ? 1 : schsm_fail_memory(err);
}

static int is_first_pin(const struct schsm_uri *uri, struct schsm_error *err)
{
    return uri->pin_source == NULL ||
           schsm_fail(err, SCHSM_REASON_URI, "give pin-source or pin-value, not both");
}

int schsm_uri_set_pin_source(struct schsm_uri *uri, const char *value, struct schsm_error *err)
{
    if (!is_first_pin(uri, err)) {
        return 0;
    }
    uri->pin_source = schsm_pin_source_parse(value, err);
    return uri->pin_source != NULL;
}

int schsm_uri_set_pin_value(struct schsm_uri *uri, const char *value, size_t len,
                            struct schsm_error *err)
{
    struct schsm_secret *pin = NULL;

    if (!is_first_pin(uri, err)) {
        return 0;
    }
    pin = schsm_secret_new(value, len, err);
    if (pin != NULL) {
        uri->pin_source = schsm_pin_source_from_secret(pin, err);
    }
    schsm_secret_free(pin);
    return uri->pin_source != NULL;
}

static int set_attribute(const struct schsm_uri_attribute *attribute, const char *value, size_t len,
                         void *arg, struct schsm_error *err)
{
    char *text = OPENSSL_zalloc(len + 1);
    size_t text_len = len;
    int ok = 0;

    if (text == NULL) {
        return schsm_fail_memory(err);
    }
    if (attribute->value == SCHSM_URI_RAW) {
        memcpy(text, value, len);
        ok = attribute->set(arg, text, len, err);
    } else if (!schsm_uri_percent_decode(value, len, text, &text_len)) {
        ok = schsm_fail(err, SCHSM_REASON_URI, "%s: bad percent-encoding", attribute->name);
    } else if (attribute->value == SCHSM_URI_TEXT && memchr(text, '\0', text_len) != NULL) {
        ok = schsm_fail(err, SCHSM_REASON_URI, "%s: the value contains a zero byte",
                        attribute->name);
    } else {
        ok = attribute->set(arg, text, text_len, err);
    }
    OPENSSL_clear_free(text, len + 1);
    if (!ok && err != NULL && err->reason != SCHSM_REASON_OUT_OF_MEMORY) {
        err->reason = SCHSM_REASON_URI;
    }
    return ok;
}

/* A word by itself was meant for a label, or for an id where it is hexadecimal digits. */
static int fail_bare_word(const struct schsm_uri_grammar *grammar, const char *word, size_t len,
                          struct schsm_error *err)
{
    size_t digits = strspn(word, "0123456789abcdefABCDEF");
    int shown = (int)(len < SHOWN_MAX ? len : SHOWN_MAX);

    if (grammar->id != NULL && digits >= len && len % 2 == 0) {
        return schsm_fail(err, SCHSM_REASON_URI,
                          "'%.*s' is no attribute: did you mean %s=%.*s or %s=%.*s?", shown, word,
                          grammar->id, shown, word, grammar->label, shown, word);
    }
    return schsm_fail(err, SCHSM_REASON_URI, "'%.*s' is no attribute: did you mean %s=%.*s?", shown,
                      word, grammar->label, shown, word);
}

static size_t find_attribute(const struct schsm_uri_grammar *grammar, bool query, const char *name,
                             size_t name_len)
{
    size_t i = 0;

    while (i < grammar->count && (grammar->attributes[i].query != query ||
                                  strlen(grammar->attributes[i].name) != name_len ||
                                  memcmp(grammar->attributes[i].name, name, name_len) != 0)) {
        i++;
    }
    return i;
}

/* Parses NAME=VALUE pairs between text and end; seen has a bit for each attribute met. */
static int parse_pairs(const struct schsm_uri_grammar *grammar, const char *text, const char *end,
                       bool query, unsigned int *seen, void *arg, struct schsm_error *err)
{
    char separator = query ? '&' : ';';

    while (text < end) {
        const char *next = memchr(text, separator, (size_t)(end - text));
        const char *stop = next != NULL ? next : end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        size_t name_len = (size_t)((equals != NULL ? equals : stop) - text);
        size_t i = find_attribute(grammar, query, text, name_len);

        if (i == grammar->count && equals == NULL && !query && name_len > 0) {
            return fail_bare_word(grammar, text, name_len, err);
        }
        if (i == grammar->count) {
            return schsm_fail(err, SCHSM_REASON_URI, "unknown %s attribute '%.*s'",
                              query ? "query" : "path",
                              (int)(name_len < SHOWN_MAX ? name_len : SHOWN_MAX), text);
        }
        if (equals == NULL) {
            return schsm_fail(err, SCHSM_REASON_URI, "attribute '%s' has no value",
                              grammar->attributes[i].name);
        }
        if ((*seen & (1u << i)) != 0) {
            return schsm_fail(err, SCHSM_REASON_URI, "attribute '%s' is given twice",
                              grammar->attributes[i].name);
        }
        *seen |= 1u << i;
        if (!set_attribute(&grammar->attributes[i], equals + 1, (size_t)(stop - equals - 1), arg,
                           err)) {
            return 0;
        }
        text = next != NULL ? next + 1 : end;
    }
    return 1;
}

int schsm_uri_read(const struct schsm_uri_grammar *grammar, const char *text, void *arg,
                   struct schsm_error *err)
{
    size_t len = strlen(text), scheme = strlen(grammar->scheme);
    unsigned int seen = 0;

    if (len > SCHSM_URI_MAX) {
        return schsm_fail(err, SCHSM_REASON_URI, "the %s: URI is longer than %d characters",
                          grammar->scheme, SCHSM_URI_MAX);
    }
    if (OPENSSL_strncasecmp(text, grammar->scheme, scheme) != 0 || text[scheme] != ':') {
        return schsm_fail(err, SCHSM_REASON_URI, "the URI does not begin with '%s:'",
                          grammar->scheme);
    }
    const char *path = text + scheme + 1;
    const char *query = strchr(path, '?');
    const char *path_end = query != NULL ? query : text + len;

    if (!parse_pairs(grammar, path, path_end, false, &seen, arg, err) ||
        (query != NULL && !parse_pairs(grammar, query + 1, text + len, true, &seen, arg, err))) {
        return schsm_fail_context(err, "bad %s: URI", grammar->scheme);
    }
    return 1;
}
