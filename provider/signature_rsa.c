/* SPDX-License-Identifier: Apache-2.0 */
/* RSA signatures: hashing and padding on the host, the private exponentiation on the device. */
#include "signature.h"
#include "implementations.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "rsa_modulus.h"
#include "rsa_padding.h"
#include "trace.h"

static OSSL_FUNC_signature_newctx_fn rsa_newctx;
static OSSL_FUNC_signature_verify_recover_init_fn rsa_verify_recover_init;
static OSSL_FUNC_signature_gettable_ctx_params_fn rsa_gettable_params;
static OSSL_FUNC_signature_settable_ctx_params_fn rsa_settable_params;

/* What the twin says of padding. */
struct rsa_parameters {
    int pad_mode;
    int salt_len;
    char mgf1[SCHSM_DIGEST_NAME_MAX];
};

static int read_parameters(const struct schsm_signature *ctx, struct rsa_parameters *rsa)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &rsa->pad_mode),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM pss_params[] = {
        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &rsa->salt_len),
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, rsa->mgf1,
                                         sizeof(rsa->mgf1)),
        OSSL_PARAM_construct_end(),
    };

    if (EVP_PKEY_CTX_get_params(ctx->twin, params) <= 0) {
        return 0;
    }
    return rsa->pad_mode != RSA_PKCS1_PSS_PADDING ||
           EVP_PKEY_CTX_get_params(ctx->twin, pss_params) > 0;
}

/* The least salt of an RSA-PSS key that has one; an unrestricted key has no such parameter. */
static int minimum_salt(const struct schsm_signature *ctx)
{
    int minimum = 0;

    ERR_set_mark();
    if (!EVP_PKEY_get_int_param(ctx->key->pkey, OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, &minimum)) {
        minimum = 0;
    }
    ERR_pop_to_mark();
    return minimum;
}

/* What is signed, in all the forms that a device may take it in. */
struct rsa_input {
    unsigned char *em; /* padded on the host */
    size_t em_len;
    enum schsm_padding padding; /* the device's own that gives the same; NONE: it has none */
    const unsigned char *data;  /* before that padding */
    size_t data_len;
    unsigned char info[SCHSM_RSA_PREFIX_MAX + EVP_MAX_MD_SIZE]; /* where data may point to */
    const char *hint;
};

static int pad_pkcs1(const struct schsm_signature *ctx, const unsigned char *data, size_t data_len,
                     struct rsa_input *input, struct schsm_error *err)
{
    size_t prefix_len = SCHSM_RSA_PREFIX_MAX;

    input->padding = SCHSM_PADDING_PKCS1;
    input->data = data;
    input->data_len = data_len;
    if (ctx->md != NULL) { /* else the caller made its own DigestInfo, or wants none */
        if (!schsm_rsa_digest_prefix(ctx->md, input->info, &prefix_len, err)) {
            return 0;
        }
        memcpy(input->info + prefix_len, data, data_len);
        input->data = input->info;
        input->data_len = prefix_len + data_len;
    }
    return schsm_rsa_pkcs1_pad(input->data, input->data_len, input->em, input->em_len, err);
}

/* The hashes that a device may be given for PSS: it goes by their length. */
static bool is_device_hash(const EVP_MD *md)
{
    return EVP_MD_is_a(md, "SHA1") || EVP_MD_is_a(md, "SHA256") || EVP_MD_is_a(md, "SHA384") ||
           EVP_MD_is_a(md, "SHA512");
}

static int pad_pss(struct schsm_signature *ctx, const struct rsa_parameters *rsa,
                   const unsigned char *data, size_t data_len, struct rsa_input *input,
                   struct schsm_error *err)
{
    size_t bits = (size_t)EVP_PKEY_get_bits(ctx->key->pkey), salt_len;

    if (ctx->md == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "PSS needs a digest, and none is set");
    }
    if (!schsm_digest_select(ctx->prov->libctx, rsa->mgf1, &ctx->mgf1_md)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "there is no digest \"%s\" for MGF1",
                          rsa->mgf1);
    }
    if (!schsm_rsa_pss_salt_len(rsa->salt_len, ctx->md, bits, minimum_salt(ctx), &salt_len, err)) {
        return 0;
    }
    if (salt_len == data_len && EVP_MD_is_a(ctx->md, EVP_MD_get0_name(ctx->mgf1_md)) &&
        is_device_hash(ctx->md)) {
        input->padding = SCHSM_PADDING_PSS;
        input->data = data;
        input->data_len = data_len;
    } else {
        input->hint = "or 40 and a SHA-1, SHA-256, SHA-384 or SHA-512 digest, the same for MGF1, "
                      "and a salt of its length (rsa_pss_saltlen:digest)";
    }
    return schsm_rsa_pss_pad(ctx->prov->libctx, ctx->md, ctx->mgf1_md, salt_len, data, bits,
                             input->em, input->em_len, err);
}

/* Bare data is a number, and must be below the modulus: the device would only say "wrong data". */
static int pad_none(const struct schsm_signature *ctx, const unsigned char *data, size_t data_len,
                    struct rsa_input *input, struct schsm_error *err)
{
    if (ctx->md != NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a digest cannot be signed without padding; choose pkcs1 or pss");
    }
    if (data_len != input->em_len) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "without padding exactly %zu bytes can be signed, not %zu", input->em_len,
                          data_len);
    }
    if (!schsm_rsa_below_modulus(ctx->key->pkey, data, data_len)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "the data to be signed is a number larger than the key's modulus");
    }
    memcpy(input->em, data, data_len);
    return 1;
}

static int pad(struct schsm_signature *ctx, const unsigned char *data, size_t data_len,
               struct rsa_input *input, struct schsm_error *err)
{
    struct rsa_parameters rsa = { 0, 0, "" };
    size_t digest_size;

    if (!schsm_signature_digest(ctx, &digest_size) || !read_parameters(ctx, &rsa)) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "the signature's parameters cannot be read");
    }
    if (ctx->md != NULL && data_len != digest_size) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "%zu bytes are to be signed, but a %s digest has %zu", data_len,
                          EVP_MD_get0_name(ctx->md), digest_size);
    }
    switch (rsa.pad_mode) {
    case RSA_PKCS1_PADDING:
        return pad_pkcs1(ctx, data, data_len, input, err);
    case RSA_PKCS1_PSS_PADDING:
        return pad_pss(ctx, &rsa, data, data_len, input, err);
    case RSA_NO_PADDING:
        return pad_none(ctx, data, data_len, input, err);
    case RSA_X931_PADDING:
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "X9.31 padding is not offered for keys on a device; use pkcs1 or pss");
    default:
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "padding mode %d is not offered for signatures", rsa.pad_mode);
    }
}

static int rsa_device_sign(void *vctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
                           const unsigned char *data, size_t data_len)
{
    struct schsm_signature *ctx = vctx;
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_attempts attempts = { .count = 0, .hint = NULL };
    struct rsa_input input = { .em_len = (size_t)EVP_PKEY_get_size(ctx->key->pkey) };
    int ok = 0;

    input.em = OPENSSL_malloc(input.em_len);
    if (input.em == NULL) {
        return 0;
    }
    if (!pad(ctx, data, data_len, &input, &err)) {
        schsm_raise(ctx->prov, &err);
        goto end;
    }
    schsm_attempts_add(&attempts, SCHSM_OP_RSA_SIGN, input.em, input.em_len);
    if (input.padding != SCHSM_PADDING_NONE) {
        if (input.data_len > 0) {
            schsm_attempts_add(&attempts,
                               input.padding == SCHSM_PADDING_PSS ? SCHSM_OP_RSA_PSS_SIGN
                                                                  : SCHSM_OP_RSA_PKCS1_SIGN,
                               input.data, input.data_len);
        }
        if (!schsm_signature_attempt_message(ctx, SCHSM_KEY_RSA, input.padding, &attempts)) {
            input.hint = SCHSM_HINT_MESSAGE;
        }
    }
    attempts.hint = input.hint;
    *sig_len = sig_size;
    ok = schsm_pkey_attempt(ctx->key, &attempts, sig, sig_len);
end:
    OPENSSL_clear_free(input.em, input.em_len);
    return ok;
}

static const OSSL_PARAM honoured[] = {
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_PROPERTIES, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
    OSSL_PARAM_END,
};

const struct schsm_signature_scheme schsm_signature_scheme_rsa = { "RSA", honoured,
                                                                   rsa_device_sign };

static void *rsa_newctx(void *provctx, const char *propq)
{
    schsm_trace_of("signature_newctx", "RSA");
    (void)propq; /* for the application's providers; in our own library context it says nothing */
    return schsm_signature_new(provctx, &schsm_signature_scheme_rsa);
}

static int rsa_verify_recover_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_verify_recover_init", vkey);
    return schsm_signature_start(vctx, vkey, false, EVP_PKEY_verify_recover_init_ex, params);
}

static const OSSL_PARAM *rsa_gettable_params(void *vctx, void *provctx)
{
    schsm_trace_of("signature_gettable_ctx_params", "RSA");
    return schsm_signature_gettable_params(&schsm_signature_scheme_rsa, vctx, provctx);
}

static const OSSL_PARAM *rsa_settable_params(void *vctx, void *provctx)
{
    schsm_trace_of("signature_settable_ctx_params", "RSA");
    return schsm_signature_settable_params(&schsm_signature_scheme_rsa, vctx, provctx);
}

const OSSL_DISPATCH schsm_signature_rsa[] = {
    { OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))rsa_newctx },
    { OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))schsm_signature_free },
    { OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))schsm_signature_dup },
    { OSSL_FUNC_SIGNATURE_SIGN_INIT, (void (*)(void))schsm_signature_sign_init },
    { OSSL_FUNC_SIGNATURE_SIGN, (void (*)(void))schsm_signature_sign },
    { OSSL_FUNC_SIGNATURE_VERIFY_INIT, (void (*)(void))schsm_signature_verify_init },
    { OSSL_FUNC_SIGNATURE_VERIFY, (void (*)(void))schsm_signature_verify },
    { OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT, (void (*)(void))rsa_verify_recover_init },
    { OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, (void (*)(void))schsm_signature_verify_recover },
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
    { OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, (void (*)(void))rsa_gettable_params },
    { OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))schsm_signature_set_params },
    { OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))rsa_settable_params },
    { OSSL_FUNC_SIGNATURE_GET_CTX_MD_PARAMS, (void (*)(void))schsm_signature_get_md_params },
    { OSSL_FUNC_SIGNATURE_GETTABLE_CTX_MD_PARAMS,
      (void (*)(void))schsm_signature_gettable_md_params },
    { OSSL_FUNC_SIGNATURE_SET_CTX_MD_PARAMS, (void (*)(void))schsm_signature_set_md_params },
    { OSSL_FUNC_SIGNATURE_SETTABLE_CTX_MD_PARAMS,
      (void (*)(void))schsm_signature_settable_md_params },
    { 0, NULL }
};
