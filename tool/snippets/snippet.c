/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/snippet.h"

#include <string.h>

#include <openssl/crypto.h>

static const struct format {
    const char *name;
    const char *open, *close; /* around the value */
    const char *escaped;      /* characters that get a prefix */
    const char *prefix;       /* NULL: the character itself, a second time */
    const char *refused;      /* what has no way to be written */
} formats[] = {
    /* In quotes no comment begins there and no variable either. */
    [SCHSM_QUOTE_OPENSSL] = { "openssl.cnf", "\"", "\"", "\\\"", "\\", "" },
    /* A variable begins with $, and nothing takes its meaning away. */
    [SCHSM_QUOTE_NGINX] = { "nginx", "\"", "\"", "\\\"", "\\", "$" },
    [SCHSM_QUOTE_APACHE] = { "Apache", "\"", "\"", "\\\"", "\\", "$" },
    /* What ends the quotes, a quote by itself, and the quote that begins them again. */
    [SCHSM_QUOTE_SHELL] = { "the shell", "'", "'", "'", "'\\'", "" },
    [SCHSM_QUOTE_LINE] = { "stunnel", "", "", "", "", "" },
    [SCHSM_QUOTE_POSTGRESQL] = { "PostgreSQL", "'", "'", "'\\", NULL, "" },
    [SCHSM_QUOTE_OPENVPN] = { "OpenVPN", "\"", "\"", "\\\"", "\\", "" },
    [SCHSM_QUOTE_SYSTEMD] = { "systemd", "\"", "\"", "\\\"", "\\", "" },
    [SCHSM_QUOTE_SYSTEMD_LINE] = { "systemd", "", "", "%", NULL, "" },
    [SCHSM_QUOTE_JAVASCRIPT] = { "polkit", "\"", "\"", "\\\"", "\\", "" },
};

/* Whether a value must be refused: nothing has a way to write a line's end, and what would come
 * back without its blanks is another value. */
static bool is_refused(const struct format *format, const char *text)
{
    size_t len = strlen(text);
    bool bare = format->open[0] == '\0';

    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F) {
            return true;
        }
    }
    return strpbrk(text, format->refused) != NULL ||
           (bare && (len == 0 || text[0] == ' ' || text[len - 1] == ' '));
}

const char *schsm_snippet_keep(struct schsm_snippet *snippet, char *text)
{
    if (text == NULL || snippet->count == SCHSM_SNIPPET_TEXTS_MAX) {
        OPENSSL_free(text);
        (void)schsm_fail_memory(&snippet->why);
        return "";
    }
    snippet->texts[snippet->count++] = text;
    return text;
}

const char *schsm_snippet_quote(struct schsm_snippet *snippet, enum schsm_quoting quoting,
                                const char *text)
{
    const struct format *format = &formats[quoting];
    char *quoted = NULL, *to = NULL;

    if (is_refused(format, text)) {
        if (snippet->why.reason == SCHSM_REASON_NONE) {
            (void)schsm_fail(&snippet->why, SCHSM_REASON_ARGUMENT,
                             "'%s' cannot be written in a configuration of %s: give it a plainer "
                             "name",
                             text, format->name);
        }
        return "";
    }
    quoted = OPENSSL_malloc(5 * strlen(text) + 3);
    to = quoted;
    if (to != NULL) {
        to = stpcpy(to, format->open);
        for (const char *c = text; *c != '\0'; c++) {
            const char itself[] = { *c, '\0' };

            if (strchr(format->escaped, *c) != NULL) {
                to = stpcpy(to, format->prefix != NULL ? format->prefix : itself);
            } else if (quoting == SCHSM_QUOTE_SYSTEMD && *c == '%') {
                to = stpcpy(to, "%");
            }
            to = stpcpy(to, itself);
        }
        (void)stpcpy(to, format->close);
    }
    return schsm_snippet_keep(snippet, quoted);
}

void schsm_snippet_clear(struct schsm_snippet *snippet)
{
    for (size_t i = 0; i < snippet->count; i++) {
        OPENSSL_free(snippet->texts[i]);
    }
    BIO_free(snippet->out);
    memset(snippet, 0, sizeof(*snippet));
}
