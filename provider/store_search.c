/* SPDX-License-Identifier: Apache-2.0 */
#include "store_search.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

void schsm_store_search_clear(struct schsm_store_search *search)
{
    X509_NAME_free(search->subject);
    X509_NAME_free(search->issuer);
    BN_free(search->serial);
    OPENSSL_free(search->alias);
    OPENSSL_free(search->digest);
    OPENSSL_free(search->fingerprint);
    memset(search, 0, sizeof(*search));
}

static int set_name(X509_NAME **name, const OSSL_PARAM *p)
{
    const void *der = NULL;
    const unsigned char *bytes = NULL;
    size_t len = 0;

    if (p == NULL) {
        return 1;
    }
    if (!OSSL_PARAM_get_octet_string_ptr(p, &der, &len)) {
        return 0;
    }
    X509_NAME_free(*name);
    bytes = der;
    *name = d2i_X509_NAME(NULL, &bytes, (long)len);
    return *name != NULL;
}

static int set_text(char **text, const OSSL_PARAM *p)
{
    if (p == NULL) {
        return 1;
    }
    OPENSSL_free(*text);
    *text = NULL;
    return OSSL_PARAM_get_utf8_string(p, text, 0);
}

static int set_bytes(unsigned char **bytes, size_t *len, const OSSL_PARAM *p)
{
    void *copy = NULL;

    if (p == NULL) {
        return 1;
    }
    if (!OSSL_PARAM_get_octet_string(p, &copy, 0, len)) {
        return 0;
    }
    OPENSSL_free(*bytes);
    *bytes = copy;
    return 1;
}

int schsm_store_search_set(const struct schsm_provider *prov, struct schsm_store_search *search,
                           const OSSL_PARAM params[])
{
    const OSSL_PARAM *serial = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_SERIAL);

    if (set_name(&search->subject, OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_SUBJECT)) &&
        set_name(&search->issuer, OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_ISSUER)) &&
        (serial == NULL || OSSL_PARAM_get_BN(serial, &search->serial)) &&
        set_text(&search->alias, OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_ALIAS)) &&
        set_text(&search->digest, OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_DIGEST)) &&
        set_bytes(&search->fingerprint, &search->fingerprint_len,
                  OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_FINGERPRINT))) {
        return 1;
    }
    return schsm_raise_reason(prov, SCHSM_REASON_ARGUMENT,
                              "what the store is to search for is malformed");
}

bool schsm_store_search_active(const struct schsm_store_search *search)
{
    return search->subject != NULL || search->issuer != NULL || search->serial != NULL ||
           search->alias != NULL || search->fingerprint != NULL;
}

/* The digest that a fingerprint of this length was made with, where nobody says which. */
static const char *digest_of_length(size_t len)
{
    static const struct {
        size_t len;
        const char *digest;
    } digests[] = {
        { 16, "MD5" },      { 20, "SHA1" },     { 28, "SHA2-224" },
        { 32, "SHA2-256" }, { 48, "SHA2-384" }, { 64, "SHA2-512" },
    };

    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        if (digests[i].len == len) {
            return digests[i].digest;
        }
    }
    return NULL;
}

/* One search over a list. */
struct filter {
    const struct schsm_provider *prov;
    const struct schsm_store_search *search;
    EVP_MD *md; /* NULL: no fingerprint is asked for */
};

static bool has_fingerprint(const struct filter *filter, const unsigned char *data, size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_len = 0;

    return EVP_Digest(data, len, digest, &digest_len, filter->md, NULL) &&
           digest_len == filter->search->fingerprint_len &&
           memcmp(digest, filter->search->fingerprint, digest_len) == 0;
}

static bool certificate_fits(const struct filter *filter, X509 *certificate,
                             const struct schsm_object *object)
{
    const struct schsm_store_search *search = filter->search;
    unsigned char *spki = NULL;
    bool fits = true;

    if (search->subject != NULL) {
        fits = X509_NAME_cmp(search->subject, X509_get_subject_name(certificate)) == 0;
    }
    if (search->issuer != NULL) {
        fits = fits && X509_NAME_cmp(search->issuer, X509_get_issuer_name(certificate)) == 0;
    }
    if (fits && search->serial != NULL) {
        BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);

        fits = serial != NULL && BN_cmp(serial, search->serial) == 0;
        BN_free(serial);
    }
    if (fits && filter->md != NULL) {
        int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);

        fits = has_fingerprint(filter, object->value, object->value_len) ||
               (len > 0 && has_fingerprint(filter, spki, (size_t)len));
        OPENSSL_free(spki);
    }
    return fits;
}

/* A certificate that cannot be parsed fits no search that looks into it. */
static bool parsed_certificate_fits(const struct filter *filter, const struct schsm_object *object)
{
    X509 *certificate = X509_new_ex(filter->prov->libctx, NULL);
    const unsigned char *der = object->value;
    bool fits = false;

    if (certificate != NULL && d2i_X509(&certificate, &der, (long)object->value_len) != NULL) {
        fits = certificate_fits(filter, certificate, object);
    }
    X509_free(certificate);
    return fits;
}

/* For schsm_match_list_filter. */
static int fits(void *arg, struct schsm_match *match, struct schsm_error *err)
{
    const struct filter *filter = arg;
    const struct schsm_store_search *search = filter->search;
    bool by_name = search->subject != NULL || search->issuer != NULL || search->serial != NULL;
    bool is_key =
        match->object.type == SCHSM_OBJECT_PRIVATE || match->object.type == SCHSM_OBJECT_PUBLIC;
    struct schsm_error unreadable = SCHSM_ERROR_INIT;
    int fit = 0;

    if (search->alias != NULL && strcmp(search->alias, match->object.label) != 0) {
        return 0;
    }
    if (!by_name && filter->md == NULL) {
        return 1;
    }
    if (match->object.type != SCHSM_OBJECT_CERTIFICATE && (by_name || !is_key)) {
        return 0;
    }
    if (!schsm_device_read(match->device, &match->object, NULL, &unreadable)) {
        if (unreadable.reason == SCHSM_REASON_NO_PUBLIC_KEY ||
            unreadable.reason == SCHSM_REASON_DEVICE_DATA) {
            return 0; /* there is nothing to compare */
        }
        *err = unreadable;
        return -1;
    }
    ERR_set_mark();
    fit = is_key ? has_fingerprint(filter, match->object.value, match->object.value_len)
                 : parsed_certificate_fits(filter, &match->object);
    ERR_pop_to_mark();
    return fit;
}

int schsm_store_search_filter(const struct schsm_provider *prov,
                              const struct schsm_store_search *search,
                              struct schsm_match_list *list, struct schsm_error *err)
{
    struct filter filter = { prov, search, NULL };
    int ok = 0;

    if (search->fingerprint != NULL) {
        const char *digest =
            search->digest != NULL ? search->digest : digest_of_length(search->fingerprint_len);

        ERR_set_mark();
        filter.md = digest != NULL ? EVP_MD_fetch(prov->libctx, digest, NULL) : NULL;
        ERR_pop_to_mark();
        if (filter.md == NULL) {
            return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                              "the fingerprint's digest %s is not known: name it, for instance "
                              "with -sha256",
                              digest != NULL ? digest : "");
        }
    }
    ok = schsm_match_list_filter(list, fits, &filter, err);
    EVP_MD_free(filter.md);
    return ok;
}
