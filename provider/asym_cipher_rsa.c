/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSA encryption and decryption. As with signatures (signature.h), a twin of the default provider
 * keeps the parameters and does all that needs no device. Of a device key's decryption the device
 * does the private exponentiation, and we take the padding off in constant time.
 */
#include "implementations.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "digest.h"
#include "honoured.h"
#include "pkey.h"
#include "rsa_modulus.h"
#include "rsa_padding.h"
#include "trace.h"

/* OpenSSL 3.2 named this parameter; older ones may be asked for it by name all the same. */
#define IMPLICIT_REJECTION "implicit-rejection"

struct rsa_cipher {
    struct schsm_provider *prov;
    struct schsm_pkey *key; /* NULL before the first init */
    EVP_PKEY_CTX *twin;     /* NULL before init */
    bool on_device;         /* decryption with a device key; else the twin does it all */
    bool implicit_rejection;
    EVP_MD *md, *mgf1_md; /* as last used for OAEP, kept to save fetching */
};

static OSSL_FUNC_asym_cipher_newctx_fn rsa_newctx;
static OSSL_FUNC_asym_cipher_freectx_fn rsa_freectx;
static OSSL_FUNC_asym_cipher_dupctx_fn rsa_dupctx;
static OSSL_FUNC_asym_cipher_encrypt_init_fn rsa_encrypt_init;
static OSSL_FUNC_asym_cipher_encrypt_fn rsa_encrypt;
static OSSL_FUNC_asym_cipher_decrypt_init_fn rsa_decrypt_init;
static OSSL_FUNC_asym_cipher_decrypt_fn rsa_decrypt;
static OSSL_FUNC_asym_cipher_get_ctx_params_fn rsa_get_params;
static OSSL_FUNC_asym_cipher_gettable_ctx_params_fn rsa_gettable_params;
static OSSL_FUNC_asym_cipher_set_ctx_params_fn rsa_set_params;
static OSSL_FUNC_asym_cipher_settable_ctx_params_fn rsa_settable_params;

/* What the twin says of padding. */
struct rsa_parameters {
    int pad_mode;
    char md[SCHSM_DIGEST_NAME_MAX];
    char mgf1_md[SCHSM_DIGEST_NAME_MAX];
    void *label; /* the twin's */
    size_t label_len;
    unsigned int client_version;
    unsigned int negotiated_version;
};

static const struct schsm_pkey *key_of(const void *vctx)
{
    const struct rsa_cipher *ctx = vctx;

    return ctx != NULL ? ctx->key : NULL;
}

static struct rsa_cipher *new_context(void *provctx)
{
    struct rsa_cipher *ctx = OPENSSL_zalloc(sizeof(*ctx));

    if (ctx == NULL) {
        return NULL;
    }
    ctx->prov = provctx;
    ctx->implicit_rejection = true;
    return ctx;
}

static void *rsa_newctx(void *provctx)
{
    schsm_trace("asym_cipher_newctx", NULL);
    return new_context(provctx);
}

static void rsa_freectx(void *vctx)
{
    struct rsa_cipher *ctx = vctx;

    schsm_trace("asym_cipher_freectx", key_of(vctx));
    if (ctx == NULL) {
        return;
    }
    EVP_PKEY_CTX_free(ctx->twin);
    EVP_MD_free(ctx->md);
    EVP_MD_free(ctx->mgf1_md);
    schsm_pkey_free(ctx->key);
    OPENSSL_free(ctx);
}

static void *rsa_dupctx(void *vctx)
{
    const struct rsa_cipher *from = vctx;
    struct rsa_cipher *ctx = new_context(from->prov);

    schsm_trace("asym_cipher_dupctx", key_of(vctx));
    if (ctx == NULL) {
        return NULL;
    }
    ctx->on_device = from->on_device;
    ctx->implicit_rejection = from->implicit_rejection;
    if (from->key != NULL) {
        ctx->key = schsm_pkey_ref(from->key);
    }
    if (from->twin != NULL && (ctx->twin = EVP_PKEY_CTX_dup(from->twin)) == NULL) {
        rsa_freectx(ctx);
        return NULL;
    }
    return ctx;
}

static int start(struct rsa_cipher *ctx, struct schsm_pkey *key, bool decrypt,
                 int (*init)(EVP_PKEY_CTX *twin, const OSSL_PARAM params[]),
                 const OSSL_PARAM params[])
{
    if (ctx == NULL) {
        return 0;
    }
    if (key != NULL) { /* else the one from before */
        schsm_pkey_ref(key);
        schsm_pkey_free(ctx->key);
        ctx->key = key;
    }
    EVP_PKEY_CTX_free(ctx->twin);
    ctx->twin = NULL;
    if (ctx->key == NULL || ctx->key->pkey == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "encryption or decryption was started without a key");
    }
    ctx->on_device = decrypt && ctx->key->device != NULL;
    ctx->implicit_rejection = true;
    if ((ctx->twin = schsm_pkey_ctx(ctx->key)) == NULL) {
        return 0;
    }
    if (init(ctx->twin, NULL) > 0 && rsa_set_params(ctx, params)) {
        return 1;
    }
    EVP_PKEY_CTX_free(ctx->twin);
    ctx->twin = NULL;
    return 0;
}

static int rsa_encrypt_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("asym_cipher_encrypt_init", vkey);
    return start(vctx, vkey, false, EVP_PKEY_encrypt_init_ex, params);
}

static int rsa_decrypt_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("asym_cipher_decrypt_init", vkey);
    return start(vctx, vkey, true, EVP_PKEY_decrypt_init_ex, params);
}

static int no_operation(const struct rsa_cipher *ctx)
{
    return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                              "encryption or decryption was not started with a key");
}

static int rsa_encrypt(void *vctx, unsigned char *out, size_t *out_len, size_t out_size,
                       const unsigned char *in, size_t in_len)
{
    struct rsa_cipher *ctx = vctx;

    schsm_trace("asym_cipher_encrypt", key_of(vctx));
    if (ctx->twin == NULL) {
        return no_operation(ctx);
    }
    *out_len = out_size;
    return EVP_PKEY_encrypt(ctx->twin, out, out_len, in, in_len) > 0;
}

static int read_parameters(const struct rsa_cipher *ctx, struct rsa_parameters *rsa)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, &rsa->pad_mode),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, rsa->md,
                                         sizeof(rsa->md)),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, rsa->mgf1_md,
                                         sizeof(rsa->mgf1_md)),
        OSSL_PARAM_construct_octet_ptr(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, &rsa->label, 0),
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &rsa->client_version),
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION,
                                  &rsa->negotiated_version),
        OSSL_PARAM_construct_end(),
    };

    memset(rsa, 0, sizeof(*rsa));
    if (EVP_PKEY_CTX_get_params(ctx->twin, params) <= 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_CRYPTO,
                                  "the parameters of the decryption cannot be read");
    }
    if (rsa->label != NULL && OSSL_PARAM_modified(&params[3])) {
        rsa->label_len = params[3].return_size;
    }
    return 1;
}

/* in, filled up with zeros in front to the modulus's length, as a number below the modulus. */
static int make_block(const struct rsa_cipher *ctx, const unsigned char *in, size_t in_len,
                      const unsigned char *modulus, size_t size, unsigned char *block)
{
    if (in_len > size) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "%zu bytes are more than the key's %zu and no ciphertext for it",
                                  in_len, size);
    }
    memset(block, 0, size - in_len);
    if (in_len > 0) {
        memcpy(block + size - in_len, in, in_len);
    }
    if (memcmp(block, modulus, size) >= 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the data is a number larger than the key's modulus and no "
                                  "ciphertext for it");
    }
    return 1;
}

static int unpad_oaep(struct rsa_cipher *ctx, const struct rsa_parameters *rsa,
                      const unsigned char *em, size_t em_len, unsigned char *out, size_t *out_len,
                      struct schsm_error *err)
{
    const char *md = rsa->md[0] != '\0' ? rsa->md : "SHA1"; /* the scheme's default */
    const char *mgf1_md = rsa->mgf1_md[0] != '\0' ? rsa->mgf1_md : md;

    if (!schsm_digest_select(ctx->prov->libctx, md, &ctx->md) ||
        !schsm_digest_select(ctx->prov->libctx, mgf1_md, &ctx->mgf1_md)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "there is no digest \"%s\" or \"%s\" for OAEP", md, mgf1_md);
    }
    return schsm_rsa_oaep_unpad(ctx->md, ctx->mgf1_md, rsa->label, rsa->label_len, em, em_len, out,
                                out_len, err);
}

static int unpad(struct rsa_cipher *ctx, const struct rsa_parameters *rsa,
                 const unsigned char *rejection_key, const unsigned char *em, size_t em_len,
                 unsigned char *out, size_t *out_len, struct schsm_error *err)
{
    switch (rsa->pad_mode) {
    case RSA_PKCS1_PADDING:
        return schsm_rsa_pkcs1_unpad(ctx->prov->libctx, em, em_len, rejection_key, out, out_len,
                                     err);
    case RSA_PKCS1_OAEP_PADDING:
        return unpad_oaep(ctx, rsa, em, em_len, out, out_len, err);
    case RSA_PKCS1_WITH_TLS_PADDING:
        *out_len = SCHSM_TLS_PREMASTER_SIZE;
        return schsm_rsa_tls_unpad(ctx->prov->libctx, em, em_len, rsa->client_version,
                                   rsa->negotiated_version, out, err);
    default: /* RSA_NO_PADDING, see check_parameters */
        memcpy(out, em, em_len);
        *out_len = em_len;
        return 1;
    }
}

/* All that can be refused is refused before the device is asked. */
static int check_parameters(const struct rsa_cipher *ctx, const struct rsa_parameters *rsa)
{
    switch (rsa->pad_mode) {
    case RSA_PKCS1_WITH_TLS_PADDING:
        if (rsa->client_version == 0) {
            return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                      "TLS padding needs the version that the client offered");
        }
        return 1;
    case RSA_PKCS1_PADDING:
    case RSA_PKCS1_OAEP_PADDING:
    case RSA_NO_PADDING:
        return 1;
    default:
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_UNSUPPORTED,
                                  "padding mode %d is not offered for decryption; use pkcs1, oaep "
                                  "or none",
                                  rsa->pad_mode);
    }
}

static int decrypt_on_device(struct rsa_cipher *ctx, const struct rsa_parameters *rsa,
                             unsigned char *out, size_t *out_len, const unsigned char *in,
                             size_t in_len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    unsigned char rejection_key[SCHSM_REJECTION_KEY_SIZE];
    bool reject = ctx->implicit_rejection && rsa->pad_mode == RSA_PKCS1_PADDING;
    size_t size, em_len;
    unsigned char *modulus = schsm_rsa_modulus(ctx->key->pkey, &size);
    unsigned char *block = modulus == NULL ? NULL : OPENSSL_malloc(size);
    unsigned char *em = block == NULL ? NULL : OPENSSL_malloc(size);
    int ok = 0;

    if (em == NULL || !make_block(ctx, in, in_len, modulus, size, block)) {
        goto end;
    }
    /* Before the device answers: nothing that may fail shall come between it and the padding. */
    if (reject && !schsm_rsa_rejection_key(ctx->prov->libctx, modulus, size, block, size,
                                           rejection_key, &err)) {
        schsm_raise(ctx->prov, &err);
        goto end;
    }
    em_len = size;
    if (!schsm_pkey_operate(ctx->key, SCHSM_OP_RSA_DECRYPT, block, size, em, &em_len)) {
        goto end;
    }
    if (em_len != size) {
        schsm_raise_reason(ctx->prov, SCHSM_REASON_DEVICE,
                           "the device answered %zu bytes to a decryption, not %zu", em_len, size);
        goto end;
    }
    ok = unpad(ctx, rsa, reject ? rejection_key : NULL, em, size, out, out_len, &err);
    if (!ok) {
        schsm_raise(ctx->prov, &err);
    }
end:
    OPENSSL_cleanse(rejection_key, sizeof(rejection_key));
    OPENSSL_clear_free(em, em == NULL ? 0 : size);
    OPENSSL_free(block);
    OPENSSL_free(modulus);
    return ok;
}

static int rsa_decrypt(void *vctx, unsigned char *out, size_t *out_len, size_t out_size,
                       const unsigned char *in, size_t in_len)
{
    struct rsa_cipher *ctx = vctx;
    struct rsa_parameters rsa;
    size_t need;

    schsm_trace("asym_cipher_decrypt", key_of(vctx));
    if (ctx->twin == NULL) {
        return no_operation(ctx);
    }
    if (!ctx->on_device) {
        *out_len = out_size;
        return EVP_PKEY_decrypt(ctx->twin, out, out_len, in, in_len) > 0;
    }
    if (!read_parameters(ctx, &rsa)) {
        return 0;
    }
    /* Room for the longest message is asked for, lest a short buffer tell of a message's length. */
    need = rsa.pad_mode == RSA_PKCS1_WITH_TLS_PADDING ? SCHSM_TLS_PREMASTER_SIZE
                                                      : (size_t)EVP_PKEY_get_size(ctx->key->pkey);
    if (out == NULL) {
        *out_len = need;
        return 1;
    }
    if (out_size < need) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the buffer of %zu bytes is too small; decryption with this key "
                                  "needs %zu",
                                  out_size, need);
    }
    return check_parameters(ctx, &rsa) && decrypt_on_device(ctx, &rsa, out, out_len, in, in_len);
}

static int rsa_get_params(void *vctx, OSSL_PARAM params[])
{
    struct rsa_cipher *ctx = vctx;
    OSSL_PARAM *p;

    schsm_trace("asym_cipher_get_ctx_params", key_of(vctx));
    if (params == NULL || params->key == NULL || ctx->twin == NULL) {
        return 1;
    }
    if (EVP_PKEY_CTX_get_params(ctx->twin, params) <= 0) {
        return 0;
    }
    p = OSSL_PARAM_locate(params, IMPLICIT_REJECTION);
    return p == NULL || !ctx->on_device || OSSL_PARAM_set_uint(p, ctx->implicit_rejection);
}

/* What decryption on the device does. */
static const OSSL_PARAM honoured[] = {
    OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST_PROPS, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST_PROPS, NULL, 0),
    OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
    OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, NULL),
    OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, NULL),
    OSSL_PARAM_uint(IMPLICIT_REJECTION, NULL),
    OSSL_PARAM_END,
};

static int rsa_set_params(void *vctx, const OSSL_PARAM params[])
{
    struct rsa_cipher *ctx = vctx;
    const OSSL_PARAM *p;
    unsigned int flag;

    if (params == NULL || params->key == NULL) {
        return 1;
    }
    schsm_trace("asym_cipher_set_ctx_params", key_of(vctx));
    if (ctx->twin == NULL) {
        return no_operation(ctx);
    }
    if (ctx->on_device && !schsm_honoured(ctx->prov, params, honoured)) {
        return 0;
    }
    if ((p = OSSL_PARAM_locate_const(params, IMPLICIT_REJECTION)) != NULL) {
        if (!OSSL_PARAM_get_uint(p, &flag)) {
            return 0;
        }
        ctx->implicit_rejection = flag != 0;
    }
    return EVP_PKEY_CTX_set_params(ctx->twin, params) > 0;
}

/* The default provider's table: static there, it outlives the algorithm fetched here. */
static const OSSL_PARAM *host_table(const struct schsm_provider *prov,
                                    const OSSL_PARAM *(*get)(const EVP_ASYM_CIPHER *))
{
    EVP_ASYM_CIPHER *host = EVP_ASYM_CIPHER_fetch(prov->libctx, "RSA", NULL);
    const OSSL_PARAM *params = host == NULL ? NULL : get(host);

    EVP_ASYM_CIPHER_free(host);
    return params;
}

static const OSSL_PARAM *rsa_gettable_params(void *vctx, void *provctx)
{
    static const OSSL_PARAM table[] = {
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_octet_ptr(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, NULL),
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, NULL),
        OSSL_PARAM_uint(IMPLICIT_REJECTION, NULL),
        OSSL_PARAM_END,
    };
    const struct rsa_cipher *ctx = vctx;

    schsm_trace("asym_cipher_gettable_ctx_params", key_of(vctx));
    return ctx != NULL && ctx->on_device ? table
                                         : host_table(provctx, EVP_ASYM_CIPHER_gettable_ctx_params);
}

static const OSSL_PARAM *rsa_settable_params(void *vctx, void *provctx)
{
    const struct rsa_cipher *ctx = vctx;

    schsm_trace("asym_cipher_settable_ctx_params", key_of(vctx));
    return ctx != NULL && ctx->on_device ? honoured
                                         : host_table(provctx, EVP_ASYM_CIPHER_settable_ctx_params);
}

const OSSL_DISPATCH schsm_asym_cipher_rsa[] = {
    { OSSL_FUNC_ASYM_CIPHER_NEWCTX, (void (*)(void))rsa_newctx },
    { OSSL_FUNC_ASYM_CIPHER_FREECTX, (void (*)(void))rsa_freectx },
    { OSSL_FUNC_ASYM_CIPHER_DUPCTX, (void (*)(void))rsa_dupctx },
    { OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT, (void (*)(void))rsa_encrypt_init },
    { OSSL_FUNC_ASYM_CIPHER_ENCRYPT, (void (*)(void))rsa_encrypt },
    { OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, (void (*)(void))rsa_decrypt_init },
    { OSSL_FUNC_ASYM_CIPHER_DECRYPT, (void (*)(void))rsa_decrypt },
    { OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, (void (*)(void))rsa_get_params },
    { OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS, (void (*)(void))rsa_gettable_params },
    { OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, (void (*)(void))rsa_set_params },
    { OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, (void (*)(void))rsa_settable_params },
    { 0, NULL }
};
