/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The algorithms that have their digest in their name, for EVP_PKEY_sign_message_init() and its
 * kin of OpenSSL 3.4 and later: the message is hashed here; what has been hashed already is signed
 * by the init functions without "message". The digest cannot be chosen, nor the padding, which is
 * PKCS#1's for RSA.
 *
 * They have the default provider's names, as a program cannot know others. A software key that
 * comes here, since our provider is loaded first, is imported and served by its twin.
 */
#include "implementations.h"

#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "signature.h"
#include "trace.h"

static OSSL_FUNC_signature_sign_init_fn sign_init;
static OSSL_FUNC_signature_sign_fn sign;
static OSSL_FUNC_signature_sign_message_init_fn sign_message_init;
static OSSL_FUNC_signature_verify_init_fn verify_init;
static OSSL_FUNC_signature_verify_fn verify;
static OSSL_FUNC_signature_verify_message_init_fn verify_message_init;
static OSSL_FUNC_signature_verify_message_final_fn verify_message_final;
static OSSL_FUNC_signature_verify_recover_init_fn verify_recover_init;
static OSSL_FUNC_signature_set_ctx_params_fn set_params;
static OSSL_FUNC_signature_settable_ctx_params_fn settable_params;
static OSSL_FUNC_signature_gettable_ctx_params_fn rsa_gettable_params;
static OSSL_FUNC_signature_gettable_ctx_params_fn ecdsa_gettable_params;
static OSSL_FUNC_signature_query_key_types_fn rsa_key_types;
static OSSL_FUNC_signature_query_key_types_fn ecdsa_key_types;

/* The signature that the end of the message is to be compared with; all else is fixed. */
static int set_params(void *vctx, const OSSL_PARAM params[])
{
    struct schsm_signature *ctx = vctx;
    const OSSL_PARAM *p =
        params == NULL ? NULL : OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_SIGNATURE);

    if (p == NULL) {
        return 1;
    }
    schsm_trace("signature_set_ctx_params", ctx->key);
    OPENSSL_free(ctx->expected);
    ctx->expected = NULL;
    return OSSL_PARAM_get_octet_string(p, (void **)&ctx->expected, 0, &ctx->expected_len);
}

static const OSSL_PARAM *settable_params(void *vctx, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_SIGNATURE, NULL, 0),
        OSSL_PARAM_END,
    };

    schsm_trace("signature_settable_ctx_params", NULL);
    (void)vctx;
    (void)provctx;
    return settable;
}

/* --- what has been hashed already --- */

static int start(struct schsm_signature *ctx, void *vkey, bool for_signing,
                 int (*init)(EVP_PKEY_CTX *twin, const OSSL_PARAM params[]))
{
    const OSSL_PARAM digest[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)ctx->digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return schsm_signature_start(ctx, vkey, for_signing, init, digest);
}

static int sign_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_sign_init", vkey);
    return start(vctx, vkey, true, EVP_PKEY_sign_init_ex) && set_params(vctx, params);
}

static int verify_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_verify_init", vkey);
    return start(vctx, vkey, false, EVP_PKEY_verify_init_ex) && set_params(vctx, params);
}

static int verify_recover_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_verify_recover_init", vkey);
    return start(vctx, vkey, false, EVP_PKEY_verify_recover_init_ex) && set_params(vctx, params);
}

/* --- messages --- */

static int sign_message_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    struct schsm_signature *ctx = vctx;

    schsm_trace("signature_sign_message_init", vkey);
    return schsm_signature_digest_sign_init(ctx, ctx->digest, vkey, NULL) &&
           set_params(ctx, params);
}

static int verify_message_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    struct schsm_signature *ctx = vctx;

    schsm_trace("signature_verify_message_init", vkey);
    return schsm_signature_digest_verify_init(ctx, ctx->digest, vkey, NULL) &&
           set_params(ctx, params);
}

static int verify_message_final(void *vctx)
{
    struct schsm_signature *ctx = vctx;

    schsm_trace("signature_verify_message_final", ctx->key);
    if (ctx->expected == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "no signature was given to verify; set it with "
                                  "EVP_PKEY_CTX_set_signature()");
    }
    return schsm_signature_digest_verify_final(ctx, ctx->expected, ctx->expected_len);
}

/* One call for both: libcrypto has but one function for a hash and for a whole message. */
static int sign(void *vctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
                const unsigned char *data, size_t data_len)
{
    const struct schsm_signature *ctx = vctx;

    return ctx->twin_digest != NULL
               ? schsm_signature_digest_sign(vctx, sig, sig_len, sig_size, data, data_len)
               : schsm_signature_sign(vctx, sig, sig_len, sig_size, data, data_len);
}

static int verify(void *vctx, const unsigned char *sig, size_t sig_len, const unsigned char *data,
                  size_t data_len)
{
    const struct schsm_signature *ctx = vctx;

    return ctx->twin_digest != NULL
               ? schsm_signature_digest_verify(vctx, sig, sig_len, data, data_len)
               : schsm_signature_verify(vctx, sig, sig_len, data, data_len);
}

/* --- RSA and ECDSA --- */

static const OSSL_PARAM *rsa_gettable_params(void *vctx, void *provctx)
{
    schsm_trace_of("signature_gettable_ctx_params", "RSA");
    return schsm_signature_gettable_params(&schsm_signature_scheme_rsa, vctx, provctx);
}

static const OSSL_PARAM *ecdsa_gettable_params(void *vctx, void *provctx)
{
    schsm_trace_of("signature_gettable_ctx_params", "ECDSA");
    return schsm_signature_gettable_params(&schsm_signature_scheme_ecdsa, vctx, provctx);
}

/* By the names of the key managements in provider.c. */
static const char **rsa_key_types(void)
{
    static const char *types[] = { "RSA", "SC-HSM-RSA", NULL };

    schsm_trace_of("signature_query_key_types", "RSA");
    return types;
}

static const char **ecdsa_key_types(void)
{
    static const char *types[] = { "EC", "SC-HSM-EC", NULL };

    schsm_trace_of("signature_query_key_types", "ECDSA");
    return types;
}

static void *new_context(void *provctx, const struct schsm_signature_scheme *scheme,
                         const char *digest)
{
    struct schsm_signature *ctx = schsm_signature_new(provctx, scheme);

    schsm_trace_of("signature_newctx", digest);
    if (ctx != NULL) {
        ctx->digest = digest;
    }
    return ctx;
}

/* clang-format off */
#define RECOVER_rsa                                                                                \
    { OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT, (void (*)(void))verify_recover_init },              \
    { OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, (void (*)(void))schsm_signature_verify_recover },
#define RECOVER_ecdsa

/* They differ in what newctx puts into the context. */
#define ALGORITHM(symbol, type, md, names)                                                         \
    static OSSL_FUNC_signature_newctx_fn symbol##_newctx;                                          \
    static void *symbol##_newctx(void *provctx, const char *propq)                                 \
    {                                                                                              \
        (void)propq; /* for the application's providers */                                         \
        return new_context(provctx, &schsm_signature_scheme_##type, md);                           \
    }                                                                                              \
                                                                                                   \
    const OSSL_DISPATCH schsm_signature_##symbol[] = {                                             \
        { OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))symbol##_newctx },                           \
        { OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))schsm_signature_free },                     \
        { OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))schsm_signature_dup },                       \
        { OSSL_FUNC_SIGNATURE_SIGN_INIT, (void (*)(void))sign_init },                              \
        { OSSL_FUNC_SIGNATURE_SIGN, (void (*)(void))sign },                                        \
        { OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT, (void (*)(void))sign_message_init },              \
        { OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_UPDATE,                                                 \
          (void (*)(void))schsm_signature_digest_sign_update },                                    \
        { OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_FINAL,                                                  \
          (void (*)(void))schsm_signature_digest_sign_final },                                     \
        { OSSL_FUNC_SIGNATURE_VERIFY_INIT, (void (*)(void))verify_init },                          \
        { OSSL_FUNC_SIGNATURE_VERIFY, (void (*)(void))verify },                                    \
        { OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_INIT, (void (*)(void))verify_message_init },          \
        { OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_UPDATE,                                               \
          (void (*)(void))schsm_signature_digest_verify_update },                                  \
        { OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_FINAL, (void (*)(void))verify_message_final },        \
        RECOVER_##type                                                                             \
        { OSSL_FUNC_SIGNATURE_QUERY_KEY_TYPES, (void (*)(void))type##_key_types },                 \
        { OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, (void (*)(void))schsm_signature_get_params },        \
        { OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, (void (*)(void))type##_gettable_params },       \
        { OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))set_params },                        \
        { OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))settable_params },              \
        { 0, NULL }                                                                                \
    };

SCHSM_MESSAGE_ALGORITHMS(ALGORITHM)
/* clang-format on */

#endif
