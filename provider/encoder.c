/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoders: one for each form of output, all with the same functions, which find the form in their
 * context.
 *
 * libcrypto chooses an encoder by the key's type, before it looks at the key, and asks no second
 * one where the first declines. So a software key of ours, or a public part, comes here as well. It
 * is encoded by the default provider in just the form that was asked for. There is a form without a
 * structure's name for each output, which libcrypto finds first where nobody names a structure:
 * which one is meant then the default provider decides.
 */
#include "encoder.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/params.h>

#include "implementations.h"
#include "trace.h"

static OSSL_FUNC_encoder_freectx_fn encoder_freectx;
static OSSL_FUNC_encoder_settable_ctx_params_fn encoder_settable_ctx_params;
static OSSL_FUNC_encoder_set_ctx_params_fn encoder_set_ctx_params;
static OSSL_FUNC_encoder_encode_fn encoder_encode;

static void *new_encoder(void *provctx, const char *output, const char *structure)
{
    struct schsm_encoder *encoder = OPENSSL_zalloc(sizeof(*encoder));

    schsm_trace_of("encoder_newctx", structure != NULL ? structure : output);
    if (encoder != NULL) {
        encoder->prov = provctx;
        encoder->output = output;
        encoder->structure = structure;
    }
    return encoder;
}

static void encoder_freectx(void *ctx)
{
    struct schsm_encoder *encoder = ctx;

    schsm_trace("encoder_freectx", NULL);
    if (encoder != NULL) {
        OSSL_PARAM_free(encoder->params);
        OPENSSL_free(encoder);
    }
}

static const OSSL_PARAM *encoder_settable_ctx_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_CIPHER, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_END,
    };

    schsm_trace("encoder_settable_ctx_params", NULL);
    (void)provctx;
    return settable;
}

/* Kept for the default provider's encoder, which knows what it cannot do. */
static int encoder_set_ctx_params(void *ctx, const OSSL_PARAM params[])
{
    struct schsm_encoder *encoder = ctx;
    OSSL_PARAM *merged = NULL, *kept = NULL;

    schsm_trace("encoder_set_ctx_params", NULL);
    if (params == NULL || params->key == NULL) {
        return 1;
    }
    if ((merged = OSSL_PARAM_merge(encoder->params, params)) == NULL) {
        return 0;
    }
    kept = OSSL_PARAM_dup(merged);
    OPENSSL_free(merged);
    if (kept == NULL) {
        return 0;
    }
    OSSL_PARAM_free(encoder->params);
    encoder->params = kept;
    return 1;
}

int schsm_encode_on_host(const struct schsm_encoder *encoder, const struct schsm_pkey *key,
                         int selection, BIO *out, OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    OSSL_ENCODER_CTX *ctx = OSSL_ENCODER_CTX_new_for_pkey(key->pkey, selection, encoder->output,
                                                          encoder->structure, NULL);
    int ok = ctx != NULL &&
             (encoder->params == NULL || OSSL_ENCODER_CTX_set_params(ctx, encoder->params)) &&
             (cb == NULL || OSSL_ENCODER_CTX_set_passphrase_cb(ctx, cb, cbarg)) &&
             OSSL_ENCODER_to_bio(ctx, out);

    OSSL_ENCODER_CTX_free(ctx);
    return ok;
}

/* What a private part has no place in: the public part alone is written, or nothing. */
static bool is_public_form(const struct schsm_encoder *encoder)
{
    return (encoder->structure != NULL &&
            strcmp(encoder->structure, "SubjectPublicKeyInfo") == 0) ||
           strcmp(encoder->output, "blob") == 0;
}

static int encoder_encode(void *ctx, OSSL_CORE_BIO *cout, const void *obj_raw,
                          const OSSL_PARAM obj_abstract[], int selection,
                          OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    const struct schsm_encoder *encoder = ctx;
    const struct schsm_pkey *key = obj_raw;
    BIO *out = NULL;
    int ok = 0;

    schsm_trace("encoder_encode", obj_raw);
    if (obj_abstract != NULL || key == NULL || key->pkey == NULL) {
        return 0;
    }
    out = BIO_new_from_core_bio(encoder->prov->libctx, cout);
    if (out == NULL) {
        return 0;
    }
    if (key->device != NULL && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 &&
        !is_public_form(encoder)) {
        ok = schsm_encode_reference(encoder, key, out);
    } else {
        ok = schsm_encode_on_host(encoder, key, selection, out, cb, cbarg);
    }
    BIO_free(out);
    return ok;
}

/* clang-format off */
#define FORM(symbol, output, structure)                                                            \
    static OSSL_FUNC_encoder_newctx_fn symbol##_newctx;                                            \
    static void *symbol##_newctx(void *provctx)                                                    \
    {                                                                                              \
        return new_encoder(provctx, output, structure);                                            \
    }                                                                                              \
                                                                                                   \
    const OSSL_DISPATCH schsm_encoder_##symbol[] = {                                               \
        { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))symbol##_newctx },                             \
        { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_freectx },                            \
        { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))encoder_settable_ctx_params },    \
        { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))encoder_set_ctx_params },              \
        { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))encoder_encode },                              \
        { 0, NULL }                                                                                \
    };

SCHSM_ENCODER_FORMS(FORM)
SCHSM_ENCODER_FORMS_EC(FORM)
/* clang-format on */
