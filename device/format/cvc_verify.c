/* SPDX-License-Identifier: Apache-2.0 */
#include "cvc.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "cvc_request.h"
#include "ecdsa.h"
#include "ecx.h"

#define ROLE_MASK 0xC0 /* of the first byte of the authorisation field (section 11.3) */

/* Section 11.2: the last two bytes of id-TA. */
static const struct scheme {
    const char *digest;
    uint8_t oid[2];
    bool pss;
} schemes[] = {
    { "SHA1", { 1, 1 }, false },   { "SHA256", { 1, 2 }, false }, { "SHA1", { 1, 3 }, true },
    { "SHA256", { 1, 4 }, true },  { "SHA512", { 1, 5 }, false }, { "SHA512", { 1, 6 }, true },
    { "SHA1", { 2, 1 }, false },   { "SHA224", { 2, 2 }, false }, { "SHA256", { 2, 3 }, false },
    { "SHA384", { 2, 4 }, false }, { "SHA512", { 2, 5 }, false },
};

/* Keys on Edwards curves hash in their own way. */
static const struct scheme eddsa = { NULL, { 0, 0 }, false };

static const struct scheme *find_scheme(const struct schsm_cvc_key *signer)
{
    const struct schsm_ecx *ecx = schsm_ecx_by_type(signer->type);
    struct schsm_view oid = signer->oid;

    if (ecx != NULL) {
        return ecx->signature_len > 0 ? &eddsa : NULL;
    }
    for (size_t i = 0; oid.len >= 2 && i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (schemes[i].oid[0] == oid.data[oid.len - 2] &&
            schemes[i].oid[1] == oid.data[oid.len - 1]) {
            return &schemes[i];
        }
    }
    return NULL;
}

/* 1: verifies, 0: does not, negative: libcrypto could not tell. */
static int verify_with(OSSL_LIB_CTX *library, EVP_PKEY *key, const struct scheme *scheme,
                       const uint8_t *message, size_t message_len, const uint8_t *signature,
                       size_t signature_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding = NULL;
    int result = -1;

    (void)ERR_set_mark();
    if (context == NULL ||
        EVP_DigestVerifyInit_ex(context, &padding, scheme->digest, library, NULL, key, NULL) != 1) {
        goto end;
    }
    if (scheme->pss && (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) != 1 ||
                        EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_AUTO) != 1)) {
        goto end;
    }
    result = EVP_DigestVerify(context, signature, signature_len, message, message_len) == 1;
end:
    (void)ERR_pop_to_mark(); /* our own error says it */
    EVP_MD_CTX_free(context);
    return result;
}

static int bad_signature(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_WRONG_KEY, "the signature does not verify");
}

/*
 * The Pico HSM writes both halves of an EdDSA signature here as big endian numbers, though not in
 * answer to SIGN; true EdDSA again.
 */
static void turn_halves(const uint8_t *signature, size_t len, uint8_t *out)
{
    size_t half = len / 2;

    for (size_t i = 0; i < half; i++) {
        out[i] = signature[half - 1 - i];
        out[half + i] = signature[len - 1 - i];
    }
}

int schsm_cvc_verify(const struct schsm_cvc_key *signer, const struct schsm_curve *inherited,
                     const uint8_t *message, size_t message_len, const uint8_t *signature,
                     size_t signature_len, struct schsm_error *err)
{
    const struct scheme *scheme = find_scheme(signer);
    const struct schsm_ecx *ecx = schsm_ecx_by_type(signer->type);
    uint8_t *spki = NULL, der[SCHSM_ECDSA_DER_MAX], turned[SCHSM_ECX_SIGNATURE_MAX];
    const uint8_t *at;
    size_t spki_len = 0;
    OSSL_LIB_CTX *library = NULL;
    EVP_PKEY *key = NULL;
    int ok = 0, result;

    if (scheme == NULL) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "the signature algorithm is unknown");
    }
    if (!schsm_cvc_public_key(signer, inherited, &spki, &spki_len, err)) {
        return 0;
    }
    at = spki;
    library = OSSL_LIB_CTX_new();
    if (library != NULL) {
        key = d2i_PUBKEY_ex(NULL, &at, (long)spki_len, library, NULL);
    }
    if (key == NULL) {
        ok = schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto does not take the signer's key");
        goto end;
    }
    if (signer->type == SCHSM_KEY_EC) {
        size_t len = sizeof(der);

        /* r and s are as long as X and Y, and neither is zero */
        if (signature_len != signer->point.len - 1 ||
            !schsm_ecdsa_der(signature, signature_len, der, &len, NULL)) {
            ok = bad_signature(err);
            goto end;
        }
        signature = der;
        signature_len = len;
    }
    if (ecx != NULL) {
        if (signature_len != ecx->signature_len) {
            ok = bad_signature(err);
            goto end;
        }
        turn_halves(signature, signature_len, turned);
        signature = turned;
    }
    result = verify_with(library, key, scheme, message, message_len, signature, signature_len);
    if (result < 0) {
        ok = schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not verify with %s",
                        scheme->digest != NULL ? scheme->digest : "EdDSA");
    } else {
        ok = result == 1 ? 1 : bad_signature(err);
    }
end:
    EVP_PKEY_free(key);
    OSSL_LIB_CTX_free(library);
    OPENSSL_free(spki);
    return ok;
}

static const char *text(struct schsm_view name)
{
    return name.len == 0 ? "" : (const char *)name.data;
}

bool schsm_cvc_has_role(const struct schsm_cvc *cvc, enum schsm_cvc_role role)
{
    return cvc->role.len > 0 && (cvc->role.data[0] & ROLE_MASK) == (uint8_t)role;
}

/* Whether issuer made this certificate. curve is the issuer's and becomes the certificate's. */
static int verify_issued(const struct schsm_cvc *issuer, const struct schsm_cvc *cvc,
                         enum schsm_cvc_role role, const struct schsm_curve **curve,
                         struct schsm_error *err)
{
    if (!schsm_view_equal(cvc->car, issuer->chr)) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY, "issued by %.*s, not by %.*s",
                          (int)cvc->car.len, text(cvc->car), (int)issuer->chr.len,
                          text(issuer->chr));
    }
    if (!schsm_cvc_has_role(cvc, role)) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY, "the certificate has another role");
    }
    if (!schsm_cvc_verify(&issuer->key, *curve, cvc->body.data, cvc->body.len, cvc->signature.data,
                          cvc->signature.len, err)) {
        return 0;
    }
    return cvc->key.type != SCHSM_KEY_EC || schsm_cvc_curve(&cvc->key, *curve, curve, err);
}

int schsm_cvc_verify_device(const struct schsm_cvc *root, const uint8_t *file, size_t len,
                            struct schsm_cvc *device, const struct schsm_curve **curve,
                            struct schsm_error *err)
{
    struct schsm_cvc issuer;
    const struct schsm_cvc *above = root;

    *curve = NULL;
    if (root->key.type == SCHSM_KEY_EC && !schsm_cvc_curve(&root->key, NULL, curve, err)) {
        return schsm_fail_context(err, "root certificate");
    }
    if (!schsm_cvc_parse_chain(file, len, device, &issuer, err)) {
        return 0;
    }
    /* Without a second certificate the root itself must have signed (section 12). */
    if (issuer.whole.len > 0) {
        if (!verify_issued(root, &issuer, SCHSM_CVC_ISSUER, curve, err)) {
            return schsm_fail_context(err, "device issuer's certificate");
        }
        above = &issuer;
    }
    if (!verify_issued(above, device, SCHSM_CVC_DEVICE, curve, err)) {
        return schsm_fail_context(err, "device certificate");
    }
    return 1;
}

int schsm_cvc_verify_request(const struct schsm_cvc_request *request,
                             const struct schsm_cvc *device, const struct schsm_curve *device_curve,
                             struct schsm_error *err)
{
    const struct schsm_cvc *inner = &request->cvc;
    const struct schsm_ecx *ecx = schsm_ecx_by_type(inner->key.type);

    if (request->outer_car.len == strlen(SCHSM_CVC_IMPORTED) &&
        memcmp(request->outer_car.data, SCHSM_CVC_IMPORTED, request->outer_car.len) == 0) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "the key was imported from a file, and no device vouches for it");
    }
    if (!schsm_view_equal(request->outer_car, device->chr)) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY, "the key was made by device %.*s, not %.*s",
                          (int)request->outer_car.len, text(request->outer_car),
                          (int)device->chr.len, text(device->chr));
    }
    if (!schsm_cvc_verify(&device->key, device_curve, request->outer_signed.data,
                          request->outer_signed.len, request->outer_signature.data,
                          request->outer_signature.len, err)) {
        return schsm_fail_context(err, "the device's signature over the request");
    }
    if (ecx != NULL && ecx->signature_len == 0) {
        return 1; /* such a key signs nothing; there are zeros in that place */
    }
    if (!schsm_cvc_verify(&inner->key, NULL, inner->body.data, inner->body.len,
                          inner->signature.data, inner->signature.len, err)) {
        return schsm_fail_context(err, "the key's own signature over the request");
    }
    return 1;
}
