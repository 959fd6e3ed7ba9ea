/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"

#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#define TAG_BIT_STRING 0x03
#define TAG_OID 0x06
#define TAG_SEQUENCE 0x30
#define TAG_SET 0x31
#define TAG_VERSION 0xA0    /* [0] of a certificate */
#define TAG_ATTRIBUTES 0xA0 /* [0] of a request */
#define TAG_EXTENSIONS 0xA3 /* [3] of a certificate */

#define DOCUMENT_MAX 65536 /* bytes; a device takes less */
#define NUMBER_LEN 20      /* RFC 5280, 4.1.2.2 */
#define SHA1_LEN 20
#define DAY (24L * 60 * 60)

/* Bits of KeyUsage (RFC 5280, 4.2.1.3). */
enum { DIGITAL_SIGNATURE = 0, KEY_ENCIPHERMENT = 2, KEY_CERT_SIGN = 5, CRL_SIGN = 6 };

static const uint8_t extension_request[] = {
    0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x0E
}; /* PKCS#9 */

/* A document as it comes to be; parts in DER are libcrypto's to free. */
struct draft {
    const struct schsm_issue *issue;
    EVP_PKEY *key;
    const struct schsm_signature_scheme *scheme;
    STACK_OF(X509_EXTENSION) * extensions;
    uint8_t *signature;
    size_t signature_len;
    uint8_t *bytes; /* DOCUMENT_MAX: what is to be signed, and then all */
    uint8_t *whole; /* likewise */
};

static int fail_libcrypto(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot encode the certificate's parts");
}

/* Appends what libcrypto encoded, and frees it. */
static bool put_encoded(struct schsm_tlv_writer *writer, unsigned char *der, int len)
{
    if (len > 0) {
        schsm_tlv_put_raw(writer, der, (size_t)len);
    }
    OPENSSL_free(der);
    return len > 0;
}

static bool put_name(struct schsm_tlv_writer *writer, X509_NAME *name)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);

    return put_encoded(writer, der, len);
}

/* The key as the device told it: as it is, which libcrypto could read. */
static void put_key(struct schsm_tlv_writer *writer, const struct schsm_issue *issue)
{
    schsm_tlv_put_raw(writer, issue->key->object.value, issue->key->object.value_len);
}

static bool put_extensions(struct schsm_tlv_writer *writer, const struct draft *draft)
{
    unsigned char *der = NULL;
    int len = i2d_X509_EXTENSIONS(draft->extensions, &der);

    return put_encoded(writer, der, len);
}

/* --- extensions ---------------------------------------------------------------------------- */

static bool add_extension(struct draft *draft, int nid, bool critical, void *value)
{
    X509_EXTENSION *extension = value != NULL ? X509V3_EXT_i2d(nid, critical, value) : NULL;

    bool ok = extension != NULL && X509v3_add_ext(&draft->extensions, extension, -1) != NULL;

    X509_EXTENSION_free(extension);
    return ok;
}

/* Critical where they are all that names the subject (RFC 5280, 4.2.1.6). */
static bool add_names(struct draft *draft)
{
    const struct schsm_issue *issue = draft->issue;

    return issue->names == NULL ||
           add_extension(draft, NID_subject_alt_name, X509_NAME_entry_count(issue->subject) == 0,
                         issue->names);
}

static bool add_constraints(struct draft *draft)
{
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
    bool ok;

    if (constraints != NULL) {
        constraints->ca = draft->issue->authority ? 0xFF : 0;
    }
    ok = add_extension(draft, NID_basic_constraints, true, constraints);
    BASIC_CONSTRAINTS_free(constraints);
    return ok;
}

static bool add_usage(struct draft *draft)
{
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    bool authority = draft->issue->authority, rsa = EVP_PKEY_is_a(draft->key, "RSA");
    bool ok = usage != NULL &&
              ASN1_BIT_STRING_set_bit(usage, authority ? KEY_CERT_SIGN : DIGITAL_SIGNATURE, 1) &&
              (!authority || ASN1_BIT_STRING_set_bit(usage, CRL_SIGN, 1)) &&
              (authority || !rsa || ASN1_BIT_STRING_set_bit(usage, KEY_ENCIPHERMENT, 1)) &&
              add_extension(draft, NID_key_usage, true, usage);

    ASN1_BIT_STRING_free(usage);
    return ok;
}

/* SHA-1 of the key's bits (RFC 5280, 4.2.1.2): a name, no protection. */
static bool add_key_identifier(struct draft *draft)
{
    const struct schsm_object *object = &draft->issue->key->object;
    const unsigned char *der = object->value, *bits = NULL;
    X509_PUBKEY *key = X509_PUBKEY_new_ex(draft->issue->context->libctx, NULL);
    ASN1_OCTET_STRING *identifier = ASN1_OCTET_STRING_new();
    uint8_t hash[SHA1_LEN];
    int len = 0;
    bool ok = key != NULL && identifier != NULL &&
              d2i_X509_PUBKEY(&key, &der, (long)object->value_len) != NULL &&
              X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, key) &&
              EVP_Q_digest(draft->issue->context->libctx, "SHA1", NULL, bits, (size_t)len, hash,
                           NULL) == 1 &&
              ASN1_OCTET_STRING_set(identifier, hash, sizeof(hash)) &&
              add_extension(draft, NID_subject_key_identifier, false, identifier);

    ASN1_OCTET_STRING_free(identifier);
    X509_PUBKEY_free(key);
    return ok;
}

/* --- what is to be signed ------------------------------------------------------------------ */

/* CertificationRequestInfo (RFC 2986, 4.1) */
static bool put_request(struct schsm_tlv_writer *writer, struct draft *draft)
{
    size_t info = schsm_tlv_begin(writer, TAG_SEQUENCE), attributes;

    schsm_tlv_put_integer(writer, 0);
    if (!add_names(draft) || !put_name(writer, draft->issue->subject)) {
        return false;
    }
    put_key(writer, draft->issue);
    attributes = schsm_tlv_begin(writer, TAG_ATTRIBUTES);
    if (draft->extensions != NULL) {
        size_t attribute = schsm_tlv_begin(writer, TAG_SEQUENCE), set;

        schsm_tlv_put(writer, TAG_OID, extension_request, sizeof(extension_request));
        set = schsm_tlv_begin(writer, TAG_SET);
        if (!put_extensions(writer, draft)) {
            return false;
        }
        schsm_tlv_end(writer, set);
        schsm_tlv_end(writer, attribute);
    }
    schsm_tlv_end(writer, attributes);
    schsm_tlv_end(writer, info);
    return true;
}

static bool put_time(struct schsm_tlv_writer *writer, time_t now, unsigned int days)
{
    ASN1_TIME *time = X509_time_adj_ex(NULL, (int)days, 0, &now);
    unsigned char *der = NULL;
    int len = time != NULL ? i2d_ASN1_TIME(time, &der) : -1;

    ASN1_TIME_free(time);
    return put_encoded(writer, der, len);
}

/* TBSCertificate (RFC 5280, 4.1) */
static bool put_certificate(struct schsm_tlv_writer *writer, struct draft *draft)
{
    const struct schsm_view algorithm = schsm_signature_algorithm(draft->scheme);
    size_t body = schsm_tlv_begin(writer, TAG_SEQUENCE), part;
    uint8_t number[NUMBER_LEN];
    time_t now = time(NULL);

    if (RAND_bytes_ex(draft->issue->context->libctx, number, sizeof(number), 0) != 1 ||
        !add_constraints(draft) || !add_usage(draft) || !add_key_identifier(draft) ||
        !add_names(draft)) {
        return false;
    }
    number[0] = (uint8_t)((number[0] & 0x7F) | 0x40); /* positive, and of this length */
    part = schsm_tlv_begin(writer, TAG_VERSION);
    schsm_tlv_put_integer(writer, 2);
    schsm_tlv_end(writer, part);
    schsm_tlv_put_number(writer, (struct schsm_view){ number, sizeof(number) });
    schsm_tlv_put_raw(writer, algorithm.data, algorithm.len);
    if (!put_name(writer, draft->issue->subject)) {
        return false;
    }
    part = schsm_tlv_begin(writer, TAG_SEQUENCE);
    if (!put_time(writer, now, 0) || !put_time(writer, now, draft->issue->days)) {
        return false;
    }
    schsm_tlv_end(writer, part);
    if (!put_name(writer, draft->issue->subject)) {
        return false;
    }
    put_key(writer, draft->issue);
    part = schsm_tlv_begin(writer, TAG_EXTENSIONS);
    if (!put_extensions(writer, draft)) {
        return false;
    }
    schsm_tlv_end(writer, part);
    schsm_tlv_end(writer, body);
    return true;
}

/* --- the whole ----------------------------------------------------------------------------- */

static void clear_draft(struct draft *draft)
{
    EVP_PKEY_free(draft->key);
    sk_X509_EXTENSION_pop_free(draft->extensions, X509_EXTENSION_free);
    OPENSSL_free(draft->signature);
    OPENSSL_free(draft->bytes);
    OPENSSL_free(draft->whole);
}

static int begin_draft(const struct schsm_issue *issue, struct draft *draft,
                       struct schsm_error *err)
{
    const unsigned char *der = issue->key->object.value;

    memset(draft, 0, sizeof(*draft));
    draft->issue = issue;
    if (der == NULL) {
        return schsm_fail(err, SCHSM_REASON_NO_PUBLIC_KEY,
                          "the device does not tell the key's public part, which has to be in it");
    }
    draft->key =
        d2i_PUBKEY_ex(NULL, &der, (long)issue->key->object.value_len, issue->context->libctx, NULL);
    if (draft->key == NULL) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "libcrypto does not know this kind of key");
    }
    draft->scheme = schsm_signature_scheme(issue, draft->key, err);
    draft->bytes = OPENSSL_malloc(DOCUMENT_MAX);
    draft->whole = OPENSSL_malloc(DOCUMENT_MAX);
    if (draft->bytes == NULL || draft->whole == NULL) {
        return schsm_fail_memory(err);
    }
    return draft->scheme != NULL;
}

/* Signs what was written, and makes the document of both: the three parts of every signed one. */
static int finish(struct draft *draft, const struct schsm_tlv_writer *body, uint8_t **der,
                  size_t *len, struct schsm_error *err)
{
    const struct schsm_view algorithm = schsm_signature_algorithm(draft->scheme);
    struct schsm_tlv_writer writer;
    uint8_t *bits = NULL;
    size_t mark;

    if (body->failed) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "these are too many names");
    }
    if (!schsm_signature_make(draft->issue, draft->key, draft->scheme, body->out, body->len,
                              &draft->signature, &draft->signature_len, err)) {
        return 0;
    }
    bits = OPENSSL_malloc(draft->signature_len + 1);
    if (bits == NULL) {
        return schsm_fail_memory(err);
    }
    bits[0] = 0; /* unused bits */
    memcpy(bits + 1, draft->signature, draft->signature_len);
    schsm_tlv_write(&writer, draft->whole, DOCUMENT_MAX);
    mark = schsm_tlv_begin(&writer, TAG_SEQUENCE);
    schsm_tlv_put_raw(&writer, body->out, body->len);
    schsm_tlv_put_raw(&writer, algorithm.data, algorithm.len);
    schsm_tlv_put(&writer, TAG_BIT_STRING, bits, draft->signature_len + 1);
    schsm_tlv_end(&writer, mark);
    OPENSSL_free(bits);
    if (writer.failed) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "these are too many names");
    }
    *der = OPENSSL_memdup(draft->whole, writer.len);
    *len = writer.len;
    return *der != NULL ? 1 : schsm_fail_memory(err);
}

static int fail_unverified(uint8_t **der, struct schsm_error *err)
{
    OPENSSL_free(*der);
    *der = NULL;
    return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                      "what the device signed does not verify with the key's public part: the key "
                      "under this reference is another one");
}

int schsm_issue_request(const struct schsm_issue *issue, uint8_t **der, size_t *len,
                        struct schsm_error *err)
{
    OSSL_LIB_CTX *libctx = issue->context->libctx;
    struct schsm_tlv_writer writer;
    X509_REQ *request = NULL;
    struct draft draft;
    int ok = 0;

    *der = NULL;
    if (!begin_draft(issue, &draft, err)) {
        goto done;
    }
    schsm_tlv_write(&writer, draft.bytes, DOCUMENT_MAX);
    if (!put_request(&writer, &draft)) {
        fail_libcrypto(err);
        goto done;
    }
    if (finish(&draft, &writer, der, len, err)) {
        const unsigned char *at = *der;

        request = X509_REQ_new_ex(libctx, NULL);
        ok = (request != NULL && d2i_X509_REQ(&request, &at, (long)*len) != NULL &&
              X509_REQ_verify_ex(request, draft.key, libctx, NULL) == 1) ||
             fail_unverified(der, err);
    }

done:
    X509_REQ_free(request);
    clear_draft(&draft);
    ERR_clear_error();
    return ok;
}

int schsm_issue_self_signed(const struct schsm_issue *issue, uint8_t **der, size_t *len,
                            struct schsm_error *err)
{
    struct schsm_tlv_writer writer;
    X509 *certificate = NULL;
    struct draft draft;
    int ok = 0;

    *der = NULL;
    if (!begin_draft(issue, &draft, err)) {
        goto done;
    }
    schsm_tlv_write(&writer, draft.bytes, DOCUMENT_MAX);
    if (!put_certificate(&writer, &draft)) {
        fail_libcrypto(err);
        goto done;
    }
    if (finish(&draft, &writer, der, len, err)) {
        const unsigned char *at = *der;

        certificate = X509_new_ex(issue->context->libctx, NULL);
        ok = (certificate != NULL && d2i_X509(&certificate, &at, (long)*len) != NULL &&
              X509_verify(certificate, draft.key) == 1) ||
             fail_unverified(der, err);
    }

done:
    X509_free(certificate);
    clear_draft(&draft);
    ERR_clear_error();
    return ok;
}
