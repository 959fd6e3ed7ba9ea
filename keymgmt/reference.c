/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <limits.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

static const char magic[] = "sc-hsm key v1";

struct key_reference {
    ASN1_UTF8STRING *magic;
    ASN1_UTF8STRING *uri;
    ASN1_TYPE *spki; /* kept as bytes: decoding it here would call every provider's decoders */
};

/* clang-format off */
ASN1_SEQUENCE(KEY_REFERENCE) = {
    ASN1_SIMPLE(struct key_reference, magic, ASN1_UTF8STRING),
    ASN1_SIMPLE(struct key_reference, uri, ASN1_UTF8STRING),
    ASN1_EXP_OPT(struct key_reference, spki, ASN1_ANY, 0),
} static_ASN1_SEQUENCE_END_name(struct key_reference, KEY_REFERENCE)
/* clang-format on */

void schsm_reference_clear(struct schsm_reference *reference)
{
    OPENSSL_free(reference->uri);
    OPENSSL_free(reference->spki);
    memset(reference, 0, sizeof(*reference));
}

/* Looks at the first element alone, so that foreign data costs next to nothing. */
/* Of any version: what follows the text is another one, or a longer one, where ours ends in 1. */
#define VERSION_AT (sizeof(magic) - 2)

static int has_magic(const uint8_t *der, size_t len)
{
    const unsigned char *p = der;
    long content = 0;
    int tag = 0;
    int class = 0;

    ERR_set_mark();
    int form = len > LONG_MAX ? 0x80 : ASN1_get_object(&p, &content, &tag, &class, (long)len);
    ERR_pop_to_mark();
    return form == V_ASN1_CONSTRUCTED && tag == V_ASN1_SEQUENCE && class == V_ASN1_UNIVERSAL &&
           (size_t)content >= 2 + sizeof(magic) - 1 && p[0] == V_ASN1_UTF8STRING &&
           p[1] >= sizeof(magic) - 1 && memcmp(p + 2, magic, VERSION_AT) == 0;
}

/* Copies the decoded parts out; 0 if one is not as it should be. */
static int take_reference_parts(const struct key_reference *decoded,
                                struct schsm_reference *reference)
{
    const unsigned char *uri = ASN1_STRING_get0_data(decoded->uri);
    int uri_len = ASN1_STRING_length(decoded->uri);

    if (uri_len <= 0 || memchr(uri, '\0', (size_t)uri_len) != NULL) {
        return 0;
    }
    reference->uri = OPENSSL_strndup((const char *)uri, (size_t)uri_len);
    if (reference->uri == NULL) {
        return 0;
    }
    if (decoded->spki != NULL) {
        const ASN1_STRING *bytes = decoded->spki->value.sequence;

        if (decoded->spki->type != V_ASN1_SEQUENCE || ASN1_STRING_length(bytes) <= 0) {
            return 0;
        }
        reference->spki_len = (size_t)ASN1_STRING_length(bytes);
        reference->spki = OPENSSL_memdup(ASN1_STRING_get0_data(bytes), reference->spki_len);
        return reference->spki != NULL;
    }
    return 1;
}

static int is_this_version(const struct key_reference *decoded)
{
    return ASN1_STRING_length(decoded->magic) == (int)sizeof(magic) - 1 &&
           memcmp(ASN1_STRING_get0_data(decoded->magic), magic, sizeof(magic) - 1) == 0;
}

enum schsm_reference_kind schsm_reference_decode(const uint8_t *der, size_t len,
                                                 struct schsm_reference *reference,
                                                 struct schsm_error *err)
{
    enum schsm_reference_kind kind = SCHSM_REFERENCE_MALFORMED;
    const unsigned char *p = der;

    memset(reference, 0, sizeof(*reference));
    if (!has_magic(der, len)) {
        return SCHSM_REFERENCE_NONE;
    }
    ERR_set_mark();
    struct key_reference *decoded =
        (struct key_reference *)ASN1_item_d2i(NULL, &p, (long)len, ASN1_ITEM_rptr(KEY_REFERENCE));
    ERR_pop_to_mark();

    if (decoded != NULL && is_this_version(decoded) && take_reference_parts(decoded, reference)) {
        kind = SCHSM_REFERENCE_OK;
    } else {
        schsm_reference_clear(reference);
        schsm_fail(err, SCHSM_REASON_REFERENCE_FILE,
                   "the SC-HSM key reference is damaged or of a newer version; write it again, for "
                   "example with 'openssl pkey -in sc-hsm:id=ID -out FILE'");
    }
    ASN1_item_free((ASN1_VALUE *)decoded, ASN1_ITEM_rptr(KEY_REFERENCE));
    return kind;
}

int schsm_reference_encode(const char *uri, const uint8_t *spki, size_t spki_len, uint8_t **der,
                           size_t *len, struct schsm_error *err)
{
    struct key_reference *reference =
        (struct key_reference *)ASN1_item_new(ASN1_ITEM_rptr(KEY_REFERENCE));
    unsigned char *out = NULL;
    int out_len = 0;

    if (reference == NULL || !ASN1_STRING_set(reference->magic, magic, sizeof(magic) - 1) ||
        !ASN1_STRING_set(reference->uri, uri, -1)) {
        goto done;
    }
    if (spki != NULL) {
        ASN1_STRING *bytes = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

        reference->spki = ASN1_TYPE_new();
        if (reference->spki == NULL || bytes == NULL || spki_len > INT_MAX ||
            !ASN1_STRING_set(bytes, spki, (int)spki_len)) {
            ASN1_STRING_free(bytes);
            goto done;
        }
        ASN1_TYPE_set(reference->spki, V_ASN1_SEQUENCE, bytes);
    }
    out_len = ASN1_item_i2d((ASN1_VALUE *)reference, &out, ASN1_ITEM_rptr(KEY_REFERENCE));

done:
    ASN1_item_free((ASN1_VALUE *)reference, ASN1_ITEM_rptr(KEY_REFERENCE));
    if (out_len <= 0) {
        return schsm_fail_memory(err);
    }
    *der = out;
    *len = (size_t)out_len;
    return 1;
}
