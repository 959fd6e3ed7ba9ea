/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of other programs' configuration, filled in for a key and this machine. Every value that
 * is put in goes through the quoting of its format; what a format has no way to write is refused.
 */
#ifndef SCHSM_TOOL_SNIPPET_H
#define SCHSM_TOOL_SNIPPET_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/bio.h>

#include "base/error.h"

#define SCHSM_SNIPPET_TEXTS_MAX 32
#define SCHSM_SNIPPET_CREDENTIAL "sc-hsm-pin"
#define SCHSM_SNIPPET_PIN_FILE "/etc/ssl/private/sc-hsm.pin"

/* What is known; texts that are NULL are not. All are borrowed but those in texts. */
struct schsm_snippet {
    const char *module;     /* the provider's path; NULL: where OpenSSL looks for it */
    const char *serial;     /* the device's */
    const char *token;      /* its label where it is a PKCS#11 token */
    const char *pkcs11;     /* the module that has it */
    const char *pin_source; /* as written in openssl.cnf */
    const char *pin_file;   /* where root keeps the PIN */
    const char *service;    /* a systemd service without its ending; NULL: none */
    const char *user;       /* who uses the device */
    const char *key;        /* path of the reference file */
    const char *certificate;
    const char *write_key; /* how the reference file is made; NULL: it is there */
    const char *write_certificate;

    BIO *out;
    struct schsm_error why; /* the first failure; reason NONE: all went well */
    char *texts[SCHSM_SNIPPET_TEXTS_MAX];
    size_t count;
};

/* How a format writes a value. */
enum schsm_quoting {
    SCHSM_QUOTE_OPENSSL,
    SCHSM_QUOTE_NGINX,
    SCHSM_QUOTE_APACHE,
    SCHSM_QUOTE_SHELL, /* HAProxy's as well */
    SCHSM_QUOTE_LINE,  /* the rest of the line, as it is: stunnel */
    SCHSM_QUOTE_POSTGRESQL,
    SCHSM_QUOTE_OPENVPN,
    SCHSM_QUOTE_SYSTEMD,      /* a whole word in quotes */
    SCHSM_QUOTE_SYSTEMD_LINE, /* the rest of the line */
    SCHSM_QUOTE_JAVASCRIPT,
};

/* The text as this format writes it, the snippet's; "" after a failure, which is kept in why. */
const char *schsm_snippet_quote(struct schsm_snippet *snippet, enum schsm_quoting quoting,
                                const char *text);

/* Keeps an allocated text, NULL for exhausted memory, and gives it back, or "". */
const char *schsm_snippet_keep(struct schsm_snippet *snippet, char *text);

void schsm_snippet_clear(struct schsm_snippet *snippet);

/* One kind of configuration. */
struct schsm_snippet_kind {
    const char *name;
    const char *summary;
    void (*write)(struct schsm_snippet *snippet);
};

extern const struct schsm_snippet_kind schsm_snippet_kinds[]; /* ends with a NULL name */

void schsm_snippet_openssl(struct schsm_snippet *snippet);
void schsm_snippet_polkit(struct schsm_snippet *snippet);
void schsm_snippet_systemd(struct schsm_snippet *snippet);

#endif
