/* SPDX-License-Identifier: Apache-2.0 */
#include "key_format.h"

#include <stdlib.h>

#include <string.h>

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "format/curve.h"
#include "format/ecx.h"
#include "keymgmt/reference.h"
#include "text.h"

#define NUMBER_MAX SCHSM_MODULUS_MAX /* bytes of an RSA number, or of a point */

/* A public key in parts. */
struct parts {
    const struct schsm_curve *curve; /* NULL: RSA, or what follows */
    const struct schsm_ecx *ecx;     /* NULL: RSA or EC */
    uint8_t first[NUMBER_MAX];       /* e, or 04 || X || Y, or the key itself */
    size_t first_len;
    uint8_t second[NUMBER_MAX]; /* n */
    size_t second_len;
};

static int fail_crypto(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot take the public key apart");
}

static bool get_number(const EVP_PKEY *key, const char *name, uint8_t *out, size_t *len)
{
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, name, &number) && BN_num_bytes(number) <= NUMBER_MAX;

    *len = ok ? (size_t)BN_bn2bin(number, out) : 0;
    BN_free(number);
    return ok;
}

static int take_apart(const EVP_PKEY *key, struct parts *parts, struct schsm_error *err)
{
    char group[64];

    memset(parts, 0, sizeof(*parts));
    if (EVP_PKEY_is_a(key, "RSA")) {
        return get_number(key, OSSL_PKEY_PARAM_RSA_E, parts->first, &parts->first_len) &&
                       get_number(key, OSSL_PKEY_PARAM_RSA_N, parts->second, &parts->second_len)
                   ? 1
                   : fail_crypto(err);
    }
    parts->ecx = schsm_ecx_by_name(EVP_PKEY_get0_type_name(key));
    if (parts->ecx != NULL) {
        parts->first_len = sizeof(parts->first);
        return EVP_PKEY_get_raw_public_key(key, parts->first, &parts->first_len) == 1
                   ? 1
                   : fail_crypto(err);
    }
    if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                        NULL) ||
        !EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, parts->first,
                                         sizeof(parts->first), &parts->first_len)) {
        return fail_crypto(err);
    }
    parts->curve = schsm_curve_by_name(group);
    return parts->curve != NULL && parts->first_len == 1 + 2 * parts->curve->field_len
               ? 1
               : fail_crypto(err);
}

/* Their names elsewhere: RFC 8709 and RFC 8037. */
static const struct ecx_names {
    enum schsm_key_type type;
    const char *ssh; /* NULL: it has none */
    const char *jwk;
} ecx_names[] = {
    { SCHSM_KEY_ED25519, "ssh-ed25519", "Ed25519" },
    { SCHSM_KEY_ED448, NULL, "Ed448" }, /* OpenSSH has no "ssh-ed448" */
    { SCHSM_KEY_X25519, NULL, "X25519" },
    { SCHSM_KEY_X448, NULL, "X448" },
};

static const struct ecx_names *names_of_ecx(const struct schsm_ecx *ecx)
{
    const struct ecx_names *names = ecx_names;

    while (names->type != ecx->type) {
        names++;
    }
    return names;
}

/* The names of a curve elsewhere: RFC 5656 10.1; RFC 7518 6.2.1.1 and RFC 8812 3.1. */
static const struct curve_names {
    const char *curve;
    const char *ssh; /* NULL: it has none */
    const char *jwk;
} curve_names[] = {
    { "secp256r1", "nistp256", "P-256" },
    { "secp384r1", "nistp384", "P-384" },
    { "secp521r1", "nistp521", "P-521" },
    { "secp256k1", NULL, "secp256k1" },
};

static const struct curve_names *names_of(const struct schsm_curve *curve)
{
    for (size_t i = 0; i < sizeof(curve_names) / sizeof(curve_names[0]); i++) {
        if (strcmp(curve_names[i].curve, curve->name) == 0) {
            return &curve_names[i];
        }
    }
    return NULL;
}

static int fail_curve(const char *format, const struct schsm_curve *curve, const char *there_is,
                      struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                      "the format %s has no name for the curve %s; it has %s", format, curve->name,
                      there_is);
}

/* RFC 4251 section 5: a string is four bytes of length, and its bytes. */
static void put_string(BIO *out, const void *bytes, size_t len)
{
    const uint8_t length[] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                               (uint8_t)len };

    (void)BIO_write(out, length, sizeof(length));
    (void)BIO_write(out, bytes, (int)len);
}

/* An mpint: a string with a zero before a number whose top bit is set. */
static void put_mpint(BIO *out, const uint8_t *number, size_t len)
{
    uint8_t padded[NUMBER_MAX + 1] = { 0 };
    size_t zero = len > 0 && number[0] >= 0x80 ? 1 : 0;

    memcpy(padded + zero, number, len);
    put_string(out, padded, len + zero);
}

/* Standard base64 without line breaks. */
static char *base64(const uint8_t *bytes, size_t len)
{
    char *text = OPENSSL_malloc((len + 2) / 3 * 4 + 1);

    if (text != NULL) {
        (void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    }
    return text;
}

static int write_ssh(const struct parts *parts, const struct schsm_match *match, BIO *out,
                     struct schsm_error *err)
{
    BIO *blob = BIO_new(BIO_s_mem());
    char name[32] = "ssh-rsa";
    char *text = NULL, *comment = NULL, *bytes = NULL;
    int ok = 0;

    if (blob == NULL) {
        return schsm_fail_memory(err);
    }
    if (parts->curve != NULL) {
        const struct curve_names *names = names_of(parts->curve);

        if (names == NULL || names->ssh == NULL) {
            fail_curve("ssh", parts->curve, "P-256, P-384 and P-521", err);
            goto done;
        }
        BIO_snprintf(name, sizeof(name), "ecdsa-sha2-%s", names->ssh);
        put_string(blob, name, strlen(name));
        put_string(blob, names->ssh, strlen(names->ssh));
        put_string(blob, parts->first, parts->first_len);
    } else if (parts->ecx != NULL) {
        const struct ecx_names *names = names_of_ecx(parts->ecx);

        if (names->ssh == NULL) {
            schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "the format ssh has no %s keys",
                       parts->ecx->name);
            goto done;
        }
        BIO_snprintf(name, sizeof(name), "%s", names->ssh);
        put_string(blob, name, strlen(name));
        put_string(blob, parts->first, parts->first_len);
    } else {
        put_string(blob, name, strlen(name));
        put_mpint(blob, parts->first, parts->first_len);
        put_mpint(blob, parts->second, parts->second_len);
    }
    size_t len = (size_t)BIO_get_mem_data(blob, &bytes);

    text = base64((const uint8_t *)bytes, len);
    comment = schsm_text_printable(match->object.label);
    if (text == NULL || comment == NULL) {
        schsm_fail_memory(err);
        goto done;
    }
    BIO_printf(out, "%s %s%s%s\n", name, text, comment[0] != '\0' ? " " : "", comment);
    ok = 1;

done:
    OPENSSL_free(text);
    OPENSSL_free(comment);
    BIO_free(blob);
    return ok;
}

/* RFC 7515 section 2: base64url without padding. */
static json_t *base64url(const uint8_t *bytes, size_t len)
{
    char *text = base64(bytes, len);
    json_t *value = NULL;

    if (text != NULL) {
        for (char *c = text; (c = strpbrk(c, "+/")) != NULL; c++) {
            *c = *c == '+' ? '-' : '_';
        }
        text[strcspn(text, "=")] = '\0';
        value = json_string(text);
    }
    OPENSSL_free(text);
    return value;
}

static int write_jwk(const struct parts *parts, BIO *out, struct schsm_error *err)
{
    json_t *json = NULL;
    char *text = NULL;

    if (parts->curve != NULL) {
        const struct curve_names *names = names_of(parts->curve);
        size_t field = parts->curve->field_len;

        if (names == NULL) {
            return fail_curve("jwk", parts->curve, "P-256, P-384, P-521 and secp256k1", err);
        }
        json = json_pack("{s:s, s:s, s:o, s:o}", "kty", "EC", "crv", names->jwk, "x",
                         base64url(parts->first + 1, field), "y",
                         base64url(parts->first + 1 + field, field));
    } else if (parts->ecx != NULL) {
        json = json_pack("{s:s, s:s, s:o}", "kty", "OKP", "crv", names_of_ecx(parts->ecx)->jwk, "x",
                         base64url(parts->first, parts->first_len));
    } else {
        json = json_pack("{s:s, s:o, s:o}", "kty", "RSA", "n",
                         base64url(parts->second, parts->second_len), "e",
                         base64url(parts->first, parts->first_len));
    }
    text = json != NULL ? json_dumps(json, JSON_INDENT(2)) : NULL;
    json_decref(json);
    if (text == NULL) {
        return schsm_fail_memory(err);
    }
    BIO_printf(out, "%s\n", text);
    free(text);
    return 1;
}

static int write_reference(const struct schsm_match *match, BIO *out, struct schsm_error *err)
{
    char *uri = schsm_match_uri(match, false, err);
    int ok = uri != NULL && schsm_reference_write(uri, &match->object, out, err);

    OPENSSL_free(uri);
    return ok;
}

static int write_in_parts(struct schsm_tool *tool, const struct schsm_match *match, bool ssh,
                          BIO *out, struct schsm_error *err)
{
    const unsigned char *p = match->object.value;
    EVP_PKEY *key =
        d2i_PUBKEY_ex(NULL, &p, (long)match->object.value_len, tool->context.libctx, NULL);
    struct parts parts = { 0 };
    int ok = key != NULL ? take_apart(key, &parts, err) : fail_crypto(err);

    EVP_PKEY_free(key);
    if (!ok) {
        return 0;
    }
    return ssh ? write_ssh(&parts, match, out, err) : write_jwk(&parts, out, err);
}

int schsm_key_format_check(const char *format, struct schsm_error *err)
{
    static const char *const formats[] = { "pem", "der", "ssh", "jwk", "reference" };

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(format, formats[i]) == 0) {
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "--format: '%.40s' is none of pem, der, ssh, jwk, reference", format);
}

int schsm_key_format(struct schsm_tool *tool, const struct schsm_match *match, const char *format,
                     uint8_t **text, size_t *len, struct schsm_error *err)
{
    const struct schsm_object *object = &match->object;
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    int ok = 1;

    *text = NULL;
    *len = 0;
    if (out == NULL) {
        return schsm_fail_memory(err);
    }
    if (!schsm_key_format_check(format, err)) {
        ok = 0;
    } else if (strcmp(format, "pem") == 0) {
        (void)PEM_write_bio(out, PEM_STRING_PUBLIC, "", object->value, (long)object->value_len);
    } else if (strcmp(format, "der") == 0) {
        (void)BIO_write(out, object->value, (int)object->value_len);
    } else if (strcmp(format, "ssh") == 0 || strcmp(format, "jwk") == 0) {
        ok = write_in_parts(tool, match, strcmp(format, "ssh") == 0, out, err);
    } else {
        ok = write_reference(match, out, err);
    }
    if (ok) {
        *len = (size_t)BIO_get_mem_data(out, &bytes);
        *text = *len > 0 ? OPENSSL_memdup(bytes, *len) : NULL;
        ok = *text != NULL ? 1 : schsm_fail_memory(err);
    }
    BIO_free(out);
    return ok;
}
