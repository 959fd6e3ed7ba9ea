/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape that the URIs of both schemes have in common (RFC 7512): attributes with
 * percent-encoded values, each once, behind a scheme; and how those that both have are set.
 */
#ifndef SCHSM_KEYMGMT_URI_ATTRIBUTES_H
#define SCHSM_KEYMGMT_URI_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "uri.h"

enum schsm_uri_value {
    SCHSM_URI_TEXT,  /* percent-decoded, without a zero byte */
    SCHSM_URI_BYTES, /* percent-decoded */
    SCHSM_URI_RAW    /* as it stands */
};

/* set gets the value with a terminator behind it; arg is the caller's. */
struct schsm_uri_attribute {
    const char *name;
    bool query;
    enum schsm_uri_value value;
    int (*set)(void *arg, const char *value, size_t len, struct schsm_error *err);
};

#define SCHSM_URI_ATTRIBUTES_MAX 32

struct schsm_uri_grammar {
    const char *scheme;
    const char *label; /* the attribute that a word by itself was meant for */
    const char *id;    /* and the one for hexadecimal digits; NULL: they are not written so */
    const struct schsm_uri_attribute *attributes;
    size_t count; /* at most SCHSM_URI_ATTRIBUTES_MAX */
};

/* Takes text apart and sets what it says; fails with SCHSM_REASON_URI as schsm_uri_parse does. */
int schsm_uri_read(const struct schsm_uri_grammar *grammar, const char *text, void *arg,
                   struct schsm_error *err);

/* A copy of a value that must not be empty, into *where. */
int schsm_uri_set_text(char **where, const char *value, struct schsm_error *err);

/* The PIN's source, or the PIN itself; fails where there is one already. */
int schsm_uri_set_pin_source(struct schsm_uri *uri, const char *value, struct schsm_error *err);
int schsm_uri_set_pin_value(struct schsm_uri *uri, const char *value, size_t len,
                            struct schsm_error *err);

/* Decodes percent-encoding; out has room for len + 1 bytes and gets a terminator. 0: malformed. */
int schsm_uri_percent_decode(const char *text, size_t len, char *out, size_t *out_len);

#endif
