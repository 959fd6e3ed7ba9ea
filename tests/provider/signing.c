/* SPDX-License-Identifier: Apache-2.0 */
#include "signing.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

OSSL_LIB_CTX *signing_libctx;
const unsigned char signing_message[25] = "the message to be signed";
const struct options plain = { NULL, NULL, NONE, NULL };

static int set_options(EVP_PKEY_CTX *ctx, const struct options *options)
{
    OSSL_PARAM params[5], *p = params;
    int number = options->salt_number;

    if (options->pad != NULL) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, (char *)options->pad,
                                                0);
    }
    if (options->salt != NULL) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN,
                                                (char *)options->salt, 0);
    } else if (number != NONE) {
        *p++ = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &number);
    }
    if (options->mgf1 != NULL) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST,
                                                (char *)options->mgf1, 0);
    }
    *p = OSSL_PARAM_construct_end();
    return p == params || EVP_PKEY_CTX_set_params(ctx, params) > 0;
}

struct result digest_sign(EVP_PKEY *key, const char *md, const struct options *options)
{
    struct result result;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID,
                                                              result.aid, sizeof(result.aid)),
                            OSSL_PARAM_construct_end() };

    memset(&result, 0, sizeof(result));
    if (EVP_DigestSignInit_ex(ctx, &pctx, md, signing_libctx, NULL, key, NULL) > 0 &&
        set_options(pctx, options)) {
        if (EVP_PKEY_CTX_get_params(pctx, params) > 0) {
            result.aid_len = params[0].return_size;
        }
        ERR_clear_error(); /* some paddings have no identifier, and say so */
        result.sig_len = sizeof(result.sig);
        result.ok =
            EVP_DigestSignUpdate(ctx, signing_message, 5) > 0 &&
            EVP_DigestSignUpdate(ctx, signing_message + 5, sizeof(signing_message) - 5) > 0 &&
            EVP_DigestSignFinal(ctx, result.sig, &result.sig_len) > 0;
    }
    EVP_MD_CTX_free(ctx);
    return result;
}

int digest_verify(EVP_PKEY *key, const char *md, const struct options *options,
                  const struct result *result)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    int ok = EVP_DigestVerifyInit_ex(ctx, &pctx, md, signing_libctx, NULL, key, NULL) > 0 &&
             set_options(pctx, options) &&
             EVP_DigestVerify(ctx, result->sig, result->sig_len, signing_message,
                              sizeof(signing_message)) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}

int raw_sign(EVP_PKEY *key, const char *md, const char *pad, const unsigned char *data, size_t len,
             unsigned char *sig, size_t *sig_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(signing_libctx, key, NULL);
    OSSL_PARAM params[3], *p = params;
    int ok;

    if (pad != NULL) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, (char *)pad, 0);
    }
    if (md != NULL) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)md, 0);
    }
    *p = OSSL_PARAM_construct_end();
    *sig_len = 600;
    ok = EVP_PKEY_sign_init_ex(ctx, params) > 0 && EVP_PKEY_sign(ctx, sig, sig_len, data, len) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

int raw_verify(EVP_PKEY *key, const unsigned char *data, size_t len, const unsigned char *sig,
               size_t sig_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(signing_libctx, key, NULL);
    int ok = EVP_PKEY_verify_init(ctx) > 0 && EVP_PKEY_verify(ctx, sig, sig_len, data, len) == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}
