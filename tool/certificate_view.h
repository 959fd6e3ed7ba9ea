/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of a certificate: whose it is, who issued it, and how long it is good for.
 */
#ifndef SCHSM_TOOL_CERTIFICATE_VIEW_H
#define SCHSM_TOOL_CERTIFICATE_VIEW_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "output.h"

#define SCHSM_CERTIFICATE_SOON 30     /* days before its end from which on it is time to renew it */
#define SCHSM_CERTIFICATE_TIME_MAX 80 /* with terminator */

enum schsm_certificate_state {
    SCHSM_CERTIFICATE_UNREADABLE, /* its times, or all of it */
    SCHSM_CERTIFICATE_EXPIRED,
    SCHSM_CERTIFICATE_ENDS_SOON,
    SCHSM_CERTIFICATE_NOT_YET,
    SCHSM_CERTIFICATE_VALID,
};

struct schsm_certificate_view {
    char *subject, *issuer;                      /* RFC 4514; may hold anything. NULL: unreadable */
    char not_before[SCHSM_CERTIFICATE_TIME_MAX]; /* UTC as in ISO 8601, "" where unreadable */
    char not_after[SCHSM_CERTIFICATE_TIME_MAX];  /* likewise */
    int days;                                    /* until its end; negative: since */
    enum schsm_certificate_state state;
};

/*
 * Reads a certificate in DER, which may be anything; *view is always to be cleared. What of it is
 * unreadable is no failure. Fails where memory runs out.
 */
int schsm_certificate_view_read(OSSL_LIB_CTX *libctx, const uint8_t *der, size_t len,
                                struct schsm_certificate_view *view, struct schsm_error *err);

/* The same of a certificate that was read. */
int schsm_certificate_view(X509 *certificate, struct schsm_certificate_view *view,
                           struct schsm_error *err);
void schsm_certificate_view_clear(struct schsm_certificate_view *view);

/* A distinguished name as text; OPENSSL_malloc'ed for the caller, NULL where that fails. */
char *schsm_certificate_name(const X509_NAME *name);

/* Adds a cell with the end and what is to be minded about it, in colour. */
void schsm_certificate_add_end(struct schsm_table *table,
                               const struct schsm_certificate_view *view);

/* Adds subject, issuer, not_before and not_after to a document; false where memory ran out. */
bool schsm_certificate_json(json_t *object, const struct schsm_certificate_view *view);

#endif
