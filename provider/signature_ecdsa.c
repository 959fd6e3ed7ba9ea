/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA: hashing on the host, the rest on the device. */
#include "signature.h"
#include "implementations.h"
#include "trace.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

static OSSL_FUNC_signature_newctx_fn ecdsa_newctx;
static OSSL_FUNC_signature_gettable_ctx_params_fn ecdsa_gettable_params;
static OSSL_FUNC_signature_settable_ctx_params_fn ecdsa_settable_params;

static int ecdsa_device_sign(void *vctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
                             const unsigned char *data, size_t data_len)
{
    struct schsm_signature *ctx = vctx;
    struct schsm_attempts attempts = { .count = 0, .hint = NULL };
    size_t digest_size, order_size = ((size_t)EVP_PKEY_get_bits(ctx->key->pkey) + 7) / 8;

    if (!schsm_signature_digest(ctx, &digest_size)) {
        return 0;
    }
    if (ctx->md != NULL && data_len != digest_size) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "%zu bytes are to be signed, but a %s digest has %zu", data_len,
                                  EVP_MD_get0_name(ctx->md), digest_size);
    }
    /*
     * Of a longer hash the leftmost bits count (SEC 1, 4.1.3). Whole bytes are cut here; the odd
     * bits of an order like P-521's are the signer's to drop, or they would be dropped twice.
     */
    if (data_len > order_size) {
        data_len = order_size;
    }
    schsm_attempts_add(&attempts, SCHSM_OP_ECDSA_SIGN, data, data_len);
    if (!schsm_signature_attempt_message(ctx, SCHSM_KEY_EC, SCHSM_PADDING_NONE, &attempts)) {
        attempts.hint = SCHSM_HINT_MESSAGE;
    }
    *sig_len = sig_size;
    return schsm_pkey_attempt(ctx->key, &attempts, sig, sig_len);
}

/* Of nonce-type (OpenSSL 3.2) there is one kind: the device takes a random number. */
static const OSSL_PARAM honoured[] = {
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
    OSSL_PARAM_size_t(OSSL_SIGNATURE_PARAM_DIGEST_SIZE, NULL),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, NULL, 0),
    OSSL_PARAM_END,
};

const struct schsm_signature_scheme schsm_signature_scheme_ecdsa = { "ECDSA", honoured,
                                                                     ecdsa_device_sign };

static void *ecdsa_newctx(void *provctx, const char *propq)
{
    schsm_trace_of("signature_newctx", "ECDSA");
    (void)propq; /* for the application's providers; in our own library context it says nothing */
    return schsm_signature_new(provctx, &schsm_signature_scheme_ecdsa);
}

static const OSSL_PARAM *ecdsa_gettable_params(void *vctx, void *provctx)
{
    schsm_trace_of("signature_gettable_ctx_params", "ECDSA");
    return schsm_signature_gettable_params(&schsm_signature_scheme_ecdsa, vctx, provctx);
}

static const OSSL_PARAM *ecdsa_settable_params(void *vctx, void *provctx)
{
    schsm_trace_of("signature_settable_ctx_params", "ECDSA");
    return schsm_signature_settable_params(&schsm_signature_scheme_ecdsa, vctx, provctx);
}

const OSSL_DISPATCH schsm_signature_ecdsa[] = {
    { OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))ecdsa_newctx },
    { OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))schsm_signature_free },
    { OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))schsm_signature_dup },
    { OSSL_FUNC_SIGNATURE_SIGN_INIT, (void (*)(void))schsm_signature_sign_init },
    { OSSL_FUNC_SIGNATURE_SIGN, (void (*)(void))schsm_signature_sign },
    { OSSL_FUNC_SIGNATURE_VERIFY_INIT, (void (*)(void))schsm_signature_verify_init },
    { OSSL_FUNC_SIGNATURE_VERIFY, (void (*)(void))schsm_signature_verify },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))schsm_signature_digest_sign_init },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, (void (*)(void))schsm_signature_digest_sign_update },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, (void (*)(void))schsm_signature_digest_sign_final },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (void (*)(void))schsm_signature_digest_sign },
    { OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, (void (*)(void))schsm_signature_digest_verify_init },
    { OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE,
      (void (*)(void))schsm_signature_digest_verify_update },
    { OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL,
      (void (*)(void))schsm_signature_digest_verify_final },
    { OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, (void (*)(void))schsm_signature_digest_verify },
    { OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, (void (*)(void))schsm_signature_get_params },
    { OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, (void (*)(void))ecdsa_gettable_params },
    { OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))schsm_signature_set_params },
    { OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))ecdsa_settable_params },
    { OSSL_FUNC_SIGNATURE_GET_CTX_MD_PARAMS, (void (*)(void))schsm_signature_get_md_params },
    { OSSL_FUNC_SIGNATURE_GETTABLE_CTX_MD_PARAMS,
      (void (*)(void))schsm_signature_gettable_md_params },
    { OSSL_FUNC_SIGNATURE_SET_CTX_MD_PARAMS, (void (*)(void))schsm_signature_set_md_params },
    { OSSL_FUNC_SIGNATURE_SETTABLE_CTX_MD_PARAMS,
      (void (*)(void))schsm_signature_settable_md_params },
    { 0, NULL }
};
