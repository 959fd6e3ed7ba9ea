/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate_view.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#define DATE_LEN 10 /* of a time: year, month and day */

char *schsm_certificate_name(const X509_NAME *name)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes = NULL, *text = NULL;

    /* Letters of other alphabets stay readable; who prints them sees to those that are none. */
    if (out != NULL &&
        X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >=
            0) {
        long len = BIO_get_mem_data(out, &bytes);

        text = OPENSSL_strndup(len > 0 ? bytes : "", (size_t)len);
    }
    BIO_free(out);
    return text;
}

static bool write_time(const ASN1_TIME *time, char text[SCHSM_CERTIFICATE_TIME_MAX])
{
    struct tm parts;

    if (!ASN1_TIME_to_tm(time, &parts)) {
        return false;
    }
    (void)snprintf(text, SCHSM_CERTIFICATE_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ",
                   parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                   parts.tm_min, parts.tm_sec);
    return true;
}

static void read_times(X509 *certificate, struct schsm_certificate_view *view)
{
    const ASN1_TIME *begin = X509_get0_notBefore(certificate);
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    int seconds = 0, since_days = 0, since_seconds = 0;

    if (!write_time(begin, view->not_before) || !write_time(end, view->not_after) ||
        !ASN1_TIME_diff(&view->days, &seconds, NULL, end) ||
        !ASN1_TIME_diff(&since_days, &since_seconds, begin, NULL)) {
        view->state = SCHSM_CERTIFICATE_UNREADABLE;
    } else if (view->days < 0 || seconds < 0) {
        view->state = SCHSM_CERTIFICATE_EXPIRED;
    } else if (view->days < SCHSM_CERTIFICATE_SOON) {
        view->state = SCHSM_CERTIFICATE_ENDS_SOON;
    } else if (since_days < 0 || since_seconds < 0) {
        view->state = SCHSM_CERTIFICATE_NOT_YET;
    } else {
        view->state = SCHSM_CERTIFICATE_VALID;
    }
}

int schsm_certificate_view(X509 *certificate, struct schsm_certificate_view *view,
                           struct schsm_error *err)
{
    memset(view, 0, sizeof(*view));
    read_times(certificate, view);
    view->subject = schsm_certificate_name(X509_get_subject_name(certificate));
    view->issuer = schsm_certificate_name(X509_get_issuer_name(certificate));
    return view->subject != NULL && view->issuer != NULL ? 1 : schsm_fail_memory(err);
}

int schsm_certificate_view_read(OSSL_LIB_CTX *libctx, const uint8_t *der, size_t len,
                                struct schsm_certificate_view *view, struct schsm_error *err)
{
    X509 *certificate = X509_new_ex(libctx, NULL);
    const unsigned char *at = der;
    int ok = 1;

    memset(view, 0, sizeof(*view));
    if (certificate == NULL) {
        return schsm_fail_memory(err);
    }
    if (der != NULL && d2i_X509(&certificate, &at, (long)len) != NULL) {
        ok = schsm_certificate_view(certificate, view, err);
    }
    X509_free(certificate);
    ERR_clear_error(); /* what is no certificate was told */
    return ok;
}

void schsm_certificate_view_clear(struct schsm_certificate_view *view)
{
    OPENSSL_free(view->subject);
    OPENSSL_free(view->issuer);
    memset(view, 0, sizeof(*view));
}

void schsm_certificate_add_end(struct schsm_table *table, const struct schsm_certificate_view *view)
{
    enum schsm_table_mark mark = SCHSM_MARK_NONE;
    char note[64] = "";

    if (view->state == SCHSM_CERTIFICATE_EXPIRED) {
        (void)snprintf(note, sizeof(note), ", expired");
        mark = SCHSM_MARK_ERROR;
    } else if (view->state == SCHSM_CERTIFICATE_ENDS_SOON && view->days == 0) {
        (void)snprintf(note, sizeof(note), ", ends today");
        mark = SCHSM_MARK_WARNING;
    } else if (view->state == SCHSM_CERTIFICATE_ENDS_SOON) {
        (void)snprintf(note, sizeof(note), ", ends in %d %s", view->days,
                       view->days == 1 ? "day" : "days");
        mark = SCHSM_MARK_WARNING;
    } else if (view->state == SCHSM_CERTIFICATE_NOT_YET) {
        (void)snprintf(note, sizeof(note), ", not valid before %.*s", DATE_LEN, view->not_before);
        mark = SCHSM_MARK_WARNING;
    }
    if (view->state == SCHSM_CERTIFICATE_UNREADABLE) {
        schsm_table_add(table, "unreadable");
        mark = SCHSM_MARK_ERROR;
    } else {
        schsm_table_addf(table, "%.*s%s", DATE_LEN, view->not_after, note);
    }
    schsm_table_mark(table, mark);
}

bool schsm_certificate_json(json_t *object, const struct schsm_certificate_view *view)
{
    return json_object_set_new(object, "subject",
                               schsm_json_text(view->subject != NULL ? view->subject : "")) == 0 &&
           json_object_set_new(object, "issuer",
                               schsm_json_text(view->issuer != NULL ? view->issuer : "")) == 0 &&
           json_object_set_new(object, "not_before", schsm_json_text(view->not_before)) == 0 &&
           json_object_set_new(object, "not_after", schsm_json_text(view->not_after)) == 0;
}
