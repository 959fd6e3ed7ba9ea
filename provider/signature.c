/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "honoured.h"
#include "trace.h"

void *schsm_signature_new(void *provctx, const struct schsm_signature_scheme *scheme)
{
    struct schsm_signature *ctx = OPENSSL_zalloc(sizeof(*ctx));

    if (ctx == NULL) {
        return NULL;
    }
    ctx->prov = provctx;
    ctx->scheme = scheme;
    return ctx;
}

static const struct schsm_pkey *key_of(const void *vctx)
{
    const struct schsm_signature *ctx = vctx;

    return ctx != NULL ? ctx->key : NULL;
}

static void drop_twin(struct schsm_signature *ctx)
{
    if (ctx->twin_digest != NULL) {
        EVP_MD_CTX_free(ctx->twin_digest);
    } else {
        EVP_PKEY_CTX_free(ctx->twin);
    }
    ctx->twin_digest = NULL;
    ctx->twin = NULL;
}

void schsm_signature_free(void *vctx)
{
    struct schsm_signature *ctx = vctx;

    schsm_trace("signature_freectx", key_of(vctx));
    if (ctx == NULL) {
        return;
    }
    drop_twin(ctx);
    EVP_MD_CTX_free(ctx->hash);
    EVP_MD_free(ctx->md);
    EVP_MD_free(ctx->mgf1_md);
    OPENSSL_clear_free(ctx->message, SCHSM_MESSAGE_MAX);
    OPENSSL_free(ctx->expected);
    schsm_pkey_free(ctx->key);
    OPENSSL_free(ctx);
}

static EVP_MD_CTX *copy_digest(const EVP_MD_CTX *from)
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();

    if (copy != NULL && !EVP_MD_CTX_copy_ex(copy, from)) {
        EVP_MD_CTX_free(copy);
        copy = NULL;
    }
    return copy;
}

/* Goes on keeping the message, or gives up where it becomes too long. */
static void keep_message(struct schsm_signature *ctx, const unsigned char *data, size_t data_len)
{
    if (!ctx->message_whole || data_len == 0) {
        return;
    }
    if (data_len > SCHSM_MESSAGE_MAX - ctx->message_len ||
        (ctx->message == NULL && (ctx->message = OPENSSL_zalloc(SCHSM_MESSAGE_MAX)) == NULL)) {
        ctx->message_whole = false;
        return;
    }
    memcpy(ctx->message + ctx->message_len, data, data_len);
    ctx->message_len += data_len;
}

void *schsm_signature_dup(void *vctx)
{
    const struct schsm_signature *from = vctx;
    struct schsm_signature *ctx = schsm_signature_new(from->prov, from->scheme);

    schsm_trace("signature_dupctx", key_of(vctx));
    if (ctx == NULL) {
        return NULL;
    }
    ctx->digest = from->digest;
    if (from->expected != NULL) {
        ctx->expected = OPENSSL_memdup(from->expected, from->expected_len);
        if (ctx->expected == NULL) {
            goto fail;
        }
        ctx->expected_len = from->expected_len;
    }
    ctx->on_device = from->on_device;
    ctx->message_whole = from->message_whole;
    keep_message(ctx, from->message, from->message_len);
    if (from->key != NULL) {
        ctx->key = schsm_pkey_ref(from->key);
    }
    if (from->twin_digest != NULL) {
        if ((ctx->twin_digest = copy_digest(from->twin_digest)) == NULL) {
            goto fail;
        }
        ctx->twin = EVP_MD_CTX_get_pkey_ctx(ctx->twin_digest);
    } else if (from->twin != NULL && (ctx->twin = EVP_PKEY_CTX_dup(from->twin)) == NULL) {
        goto fail;
    }
    if (from->hash != NULL && (ctx->hash = copy_digest(from->hash)) == NULL) {
        goto fail;
    }
    if (from->md != NULL && EVP_MD_up_ref(from->md)) {
        ctx->md = from->md;
    }
    if (from->mgf1_md != NULL && EVP_MD_up_ref(from->mgf1_md)) {
        ctx->mgf1_md = from->mgf1_md;
    }
    return ctx;
fail:
    schsm_signature_free(ctx);
    return NULL;
}

/* A NULL key means: the one from before. */
static int take_key(struct schsm_signature *ctx, struct schsm_pkey *key, bool sign,
                    const OSSL_PARAM params[])
{
    if (key != NULL) {
        schsm_pkey_ref(key);
        schsm_pkey_free(ctx->key);
        ctx->key = key;
    }
    if (ctx->key == NULL || ctx->key->pkey == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "a signature operation was started without a key");
    }
    ctx->on_device = sign && ctx->key->device != NULL;
    return !ctx->on_device || schsm_honoured(ctx->prov, params, ctx->scheme->settable);
}

int schsm_signature_start(struct schsm_signature *ctx, void *vkey, bool sign,
                          int (*init)(EVP_PKEY_CTX *twin, const OSSL_PARAM params[]),
                          const OSSL_PARAM params[])
{
    if (ctx == NULL || !take_key(ctx, vkey, sign, params)) {
        return 0;
    }
    drop_twin(ctx);
    ctx->message_whole = false; /* a hash will come */
    ctx->twin = schsm_pkey_ctx(ctx->key);
    if (ctx->twin != NULL && init(ctx->twin, params) > 0) {
        return 1;
    }
    drop_twin(ctx);
    return 0;
}

int schsm_signature_sign_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_sign_init", vkey);
    return schsm_signature_start(vctx, vkey, true, EVP_PKEY_sign_init_ex, params);
}

int schsm_signature_verify_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    schsm_trace("signature_verify_init", vkey);
    return schsm_signature_start(vctx, vkey, false, EVP_PKEY_verify_init_ex, params);
}

int schsm_signature_digest(struct schsm_signature *ctx, size_t *size)
{
    char name[SCHSM_DIGEST_NAME_MAX] = "";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, name,
                                                             sizeof(name)),
                            OSSL_PARAM_construct_end() };

    *size = 0;
    if (EVP_PKEY_CTX_get_params(ctx->twin, params) <= 0) {
        return 0;
    }
    if (name[0] == '\0') {
        EVP_MD_free(ctx->md);
        ctx->md = NULL;
        return 1;
    }
    if (!schsm_digest_select(ctx->prov->libctx, name, &ctx->md)) {
        return 0;
    }
    *size = (size_t)EVP_MD_get_size(ctx->md);
    return 1;
}

int schsm_signature_attempt_message(const struct schsm_signature *ctx, enum schsm_key_type key_type,
                                    enum schsm_padding padding, struct schsm_attempts *attempts)
{
    for (int i = 0; ctx->md != NULL && i < SCHSM_OPERATION_COUNT; i++) {
        const struct schsm_operation_traits *traits =
            schsm_operation_traits((enum schsm_operation)i);

        if (traits->input == SCHSM_INPUT_MESSAGE && traits->key_type == key_type &&
            traits->padding == padding && EVP_MD_is_a(ctx->md, traits->digest)) {
            if (!ctx->message_whole) {
                return 0;
            }
            schsm_attempts_add(attempts, (enum schsm_operation)i, ctx->message, ctx->message_len);
        }
    }
    return 1;
}

static int no_operation(const struct schsm_signature *ctx)
{
    return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                              "the signature operation was not started with a key");
}

/* Answers a length query or checks the room for a signature; *query tells which it was. */
static int check_size(const struct schsm_signature *ctx, const unsigned char *sig, size_t *sig_len,
                      size_t sig_size, bool *query)
{
    size_t need = (size_t)EVP_PKEY_get_size(ctx->key->pkey);

    *query = sig == NULL;
    if (sig == NULL) {
        *sig_len = need;
        return 1;
    }
    if (sig_size < need) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the buffer of %zu bytes is too small for a signature of up to "
                                  "%zu bytes",
                                  sig_size, need);
    }
    return 1;
}

int schsm_signature_sign(void *vctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
                         const unsigned char *data, size_t data_len)
{
    struct schsm_signature *ctx = vctx;
    bool query;

    schsm_trace("signature_sign", key_of(vctx));
    if (ctx->twin == NULL) {
        return no_operation(ctx);
    }
    if (!ctx->on_device) {
        *sig_len = sig_size;
        return EVP_PKEY_sign(ctx->twin, sig, sig_len, data, data_len) > 0;
    }
    if (!check_size(ctx, sig, sig_len, sig_size, &query)) {
        return 0;
    }
    return query || ctx->scheme->device_sign(ctx, sig, sig_len, sig_size, data, data_len);
}

int schsm_signature_verify(void *vctx, const unsigned char *sig, size_t sig_len,
                           const unsigned char *data, size_t data_len)
{
    struct schsm_signature *ctx = vctx;

    schsm_trace("signature_verify", key_of(vctx));
    if (ctx->twin == NULL) {
        return no_operation(ctx);
    }
    return EVP_PKEY_verify(ctx->twin, sig, sig_len, data, data_len) > 0;
}

int schsm_signature_verify_recover(void *vctx, unsigned char *out, size_t *out_len, size_t out_size,
                                   const unsigned char *sig, size_t sig_len)
{
    struct schsm_signature *ctx = vctx;

    schsm_trace("signature_verify_recover", key_of(vctx));
    if (ctx->twin == NULL) {
        return no_operation(ctx);
    }
    *out_len = out_size;
    return EVP_PKEY_verify_recover(ctx->twin, out, out_len, sig, sig_len) > 0;
}

/* A device key's message is hashed here, as the twin would keep the digest to itself. */
static int start_hash(struct schsm_signature *ctx, const OSSL_PARAM params[])
{
    size_t size;

    if (!schsm_signature_digest(ctx, &size)) {
        return 0;
    }
    if (ctx->md == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "no digest was given for the signature");
    }
    if (ctx->hash == NULL && (ctx->hash = EVP_MD_CTX_new()) == NULL) {
        return 0;
    }
    ctx->message_len = 0;
    ctx->message_whole = true;
    return EVP_DigestInit_ex2(ctx->hash, ctx->md, params);
}

static int digest_start(struct schsm_signature *ctx, const char *md_name, void *vkey,
                        const OSSL_PARAM params[], bool sign)
{
    EVP_PKEY *pkey = NULL;
    int ok;

    if (ctx == NULL || !take_key(ctx, vkey, sign, params)) {
        return 0;
    }
    /* Without a new key the twin is started anew as it is, and keeps its parameters. */
    if (vkey != NULL || ctx->twin_digest == NULL) {
        drop_twin(ctx);
        pkey = ctx->key->pkey;
        if ((ctx->twin_digest = EVP_MD_CTX_new()) == NULL) {
            return 0;
        }
    }
    if (sign) {
        ok = EVP_DigestSignInit_ex(ctx->twin_digest, &ctx->twin, md_name, ctx->prov->libctx, NULL,
                                   pkey, params);
    } else {
        ok = EVP_DigestVerifyInit_ex(ctx->twin_digest, &ctx->twin, md_name, ctx->prov->libctx, NULL,
                                     pkey, params);
    }
    if (ok > 0 && (!ctx->on_device || start_hash(ctx, params))) {
        return 1;
    }
    drop_twin(ctx);
    return 0;
}

int schsm_signature_digest_sign_init(void *vctx, const char *md_name, void *vkey,
                                     const OSSL_PARAM params[])
{
    schsm_trace("signature_digest_sign_init", vkey);
    return digest_start(vctx, md_name, vkey, params, true);
}

static int sign_update(void *vctx, const unsigned char *data, size_t data_len)
{
    struct schsm_signature *ctx = vctx;

    if (ctx->twin_digest == NULL) {
        return no_operation(ctx);
    }
    if (!ctx->on_device) {
        return EVP_DigestSignUpdate(ctx->twin_digest, data, data_len) > 0;
    }
    keep_message(ctx, data, data_len);
    return EVP_DigestUpdate(ctx->hash, data, data_len);
}

int schsm_signature_digest_sign_update(void *vctx, const unsigned char *data, size_t data_len)
{
    schsm_trace("signature_digest_sign_update", key_of(vctx));
    return sign_update(vctx, data, data_len);
}

static int sign_final(void *vctx, unsigned char *sig, size_t *sig_len, size_t sig_size)
{
    struct schsm_signature *ctx = vctx;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_len;
    bool query;

    if (ctx->twin_digest == NULL) {
        return no_operation(ctx);
    }
    if (!ctx->on_device) {
        *sig_len = sig_size;
        return EVP_DigestSignFinal(ctx->twin_digest, sig, sig_len) > 0;
    }
    if (!check_size(ctx, sig, sig_len, sig_size, &query)) {
        return 0;
    }
    return query || (EVP_DigestFinal_ex(ctx->hash, digest, &digest_len) &&
                     ctx->scheme->device_sign(ctx, sig, sig_len, sig_size, digest, digest_len));
}

int schsm_signature_digest_sign_final(void *vctx, unsigned char *sig, size_t *sig_len,
                                      size_t sig_size)
{
    schsm_trace("signature_digest_sign_final", key_of(vctx));
    return sign_final(vctx, sig, sig_len, sig_size);
}

int schsm_signature_digest_sign(void *vctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
                                const unsigned char *data, size_t data_len)
{
    schsm_trace("signature_digest_sign", key_of(vctx));
    return (sig == NULL || sign_update(vctx, data, data_len)) &&
           sign_final(vctx, sig, sig_len, sig_size);
}

int schsm_signature_digest_verify_init(void *vctx, const char *md_name, void *vkey,
                                       const OSSL_PARAM params[])
{
    schsm_trace("signature_digest_verify_init", vkey);
    return digest_start(vctx, md_name, vkey, params, false);
}

static int verify_update(void *vctx, const unsigned char *data, size_t data_len)
{
    struct schsm_signature *ctx = vctx;

    if (ctx->twin_digest == NULL) {
        return no_operation(ctx);
    }
    return EVP_DigestVerifyUpdate(ctx->twin_digest, data, data_len) > 0;
}

int schsm_signature_digest_verify_update(void *vctx, const unsigned char *data, size_t data_len)
{
    schsm_trace("signature_digest_verify_update", key_of(vctx));
    return verify_update(vctx, data, data_len);
}

static int verify_final(void *vctx, const unsigned char *sig, size_t sig_len)
{
    struct schsm_signature *ctx = vctx;

    if (ctx->twin_digest == NULL) {
        return no_operation(ctx);
    }
    return EVP_DigestVerifyFinal(ctx->twin_digest, sig, sig_len) > 0;
}

int schsm_signature_digest_verify_final(void *vctx, const unsigned char *sig, size_t sig_len)
{
    schsm_trace("signature_digest_verify_final", key_of(vctx));
    return verify_final(vctx, sig, sig_len);
}

int schsm_signature_digest_verify(void *vctx, const unsigned char *sig, size_t sig_len,
                                  const unsigned char *data, size_t data_len)
{
    schsm_trace("signature_digest_verify", key_of(vctx));
    return verify_update(vctx, data, data_len) && verify_final(vctx, sig, sig_len);
}

int schsm_signature_get_params(void *vctx, OSSL_PARAM params[])
{
    struct schsm_signature *ctx = vctx;

    schsm_trace("signature_get_ctx_params", key_of(vctx));
    if (params == NULL || params->key == NULL || ctx->twin == NULL) {
        return 1;
    }
    return EVP_PKEY_CTX_get_params(ctx->twin, params) > 0;
}

int schsm_signature_set_params(void *vctx, const OSSL_PARAM params[])
{
    struct schsm_signature *ctx = vctx;

    schsm_trace("signature_set_ctx_params", key_of(vctx));
    if (params == NULL || params->key == NULL) {
        return 1;
    }
    if (ctx->twin == NULL) {
        return no_operation(ctx);
    }
    return (!ctx->on_device || schsm_honoured(ctx->prov, params, ctx->scheme->settable)) &&
           EVP_PKEY_CTX_set_params(ctx->twin, params) > 0;
}

/* The tables are static in the default provider, which outlives the algorithm fetched here. */
static const OSSL_PARAM *table(const struct schsm_provider *prov, const char *name,
                               const OSSL_PARAM *(*get)(const EVP_SIGNATURE *))
{
    EVP_SIGNATURE *signature = EVP_SIGNATURE_fetch(prov->libctx, name, NULL);
    const OSSL_PARAM *params = signature == NULL ? NULL : get(signature);

    EVP_SIGNATURE_free(signature);
    return params;
}

const OSSL_PARAM *schsm_signature_gettable_params(const struct schsm_signature_scheme *scheme,
                                                  void *vctx, void *provctx)
{
    const struct schsm_signature *ctx = vctx;

    if (ctx != NULL && ctx->twin != NULL) {
        return EVP_PKEY_CTX_gettable_params(ctx->twin);
    }
    return table(provctx, scheme->name, EVP_SIGNATURE_gettable_ctx_params);
}

const OSSL_PARAM *schsm_signature_settable_params(const struct schsm_signature_scheme *scheme,
                                                  void *vctx, void *provctx)
{
    const struct schsm_signature *ctx = vctx;

    if (ctx != NULL && ctx->on_device) {
        return scheme->settable;
    }
    if (ctx != NULL && ctx->twin != NULL) {
        return EVP_PKEY_CTX_settable_params(ctx->twin);
    }
    return table(provctx, scheme->name, EVP_SIGNATURE_settable_ctx_params);
}

/* Where the message is being hashed; NULL where it is not. */
static EVP_MD_CTX *hashing(const struct schsm_signature *ctx)
{
    return ctx->on_device ? ctx->hash : ctx->twin_digest;
}

int schsm_signature_get_md_params(void *vctx, OSSL_PARAM params[])
{
    EVP_MD_CTX *md = hashing(vctx);

    schsm_trace("signature_get_ctx_md_params", key_of(vctx));
    return md != NULL && EVP_MD_CTX_get_params(md, params) > 0;
}

const OSSL_PARAM *schsm_signature_gettable_md_params(void *vctx)
{
    EVP_MD_CTX *md = hashing(vctx);

    schsm_trace("signature_gettable_ctx_md_params", key_of(vctx));
    return md == NULL ? NULL : EVP_MD_CTX_gettable_params(md);
}

int schsm_signature_set_md_params(void *vctx, const OSSL_PARAM params[])
{
    EVP_MD_CTX *md = hashing(vctx);

    schsm_trace("signature_set_ctx_md_params", key_of(vctx));
    return md != NULL && EVP_MD_CTX_set_params(md, params) > 0;
}

const OSSL_PARAM *schsm_signature_settable_md_params(void *vctx)
{
    EVP_MD_CTX *md = hashing(vctx);

    schsm_trace("signature_settable_ctx_md_params", key_of(vctx));
    return md == NULL ? NULL : EVP_MD_CTX_settable_params(md);
}
