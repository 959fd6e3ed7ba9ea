/* SPDX-License-Identifier: Apache-2.0 */
#include "kem.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "honoured.h"
#include "trace.h"

void *schsm_kem_new(void *provctx)
{
    struct schsm_kem *ctx = OPENSSL_zalloc(sizeof(*ctx));

    schsm_trace("kem_newctx", NULL);
    if (ctx != NULL) {
        ctx->prov = provctx;
    }
    return ctx;
}

void schsm_kem_free(void *vctx)
{
    struct schsm_kem *ctx = vctx;

    schsm_trace("kem_freectx", ctx != NULL ? ctx->key : NULL);
    if (ctx == NULL) {
        return;
    }
    EVP_PKEY_CTX_free(ctx->twin);
    OPENSSL_clear_free(ctx->seed, ctx->seed_len);
    schsm_pkey_free(ctx->key);
    schsm_pkey_free(ctx->auth);
    OPENSSL_free(ctx);
}

int schsm_kem_start(struct schsm_kem *ctx, struct schsm_pkey *key, struct schsm_pkey *auth,
                    bool on_device)
{
    schsm_kem_give_up(ctx, 0);
    if (key == NULL || key->pkey == NULL || (auth != NULL && auth->pkey == NULL)) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "a key encapsulation was started without a key");
    }
    schsm_pkey_ref(key);
    schsm_pkey_free(ctx->key);
    ctx->key = key;
    schsm_pkey_free(ctx->auth);
    ctx->auth = auth == NULL ? NULL : schsm_pkey_ref(auth);
    ctx->on_device = on_device;
    return (ctx->twin = schsm_pkey_ctx(key)) != NULL;
}

int schsm_kem_give_up(struct schsm_kem *ctx, int result)
{
    EVP_PKEY_CTX_free(ctx->twin);
    ctx->twin = NULL;
    return result;
}

int schsm_kem_encapsulate_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    struct schsm_kem *ctx = vctx;
    int done = 0;

    schsm_trace("kem_encapsulate_init", vkey);
    if (schsm_kem_start(ctx, vkey, NULL, false)) {
        done = EVP_PKEY_encapsulate_init(ctx->twin, params);
    }
    return done > 0 ? done : schsm_kem_give_up(ctx, done);
}

int schsm_kem_decapsulate_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    struct schsm_kem *ctx = vctx;
    const struct schsm_pkey *key = vkey;
    int done = 0;

    schsm_trace("kem_decapsulate_init", vkey);
    if (schsm_kem_start(ctx, vkey, NULL, key != NULL && key->device != NULL)) {
        if (!ctx->on_device) {
            done = EVP_PKEY_decapsulate_init(ctx->twin, params);
        } else if (schsm_kem_honours(ctx, params)) {
            done = EVP_PKEY_encapsulate_init(ctx->twin, params);
        }
    }
    return done > 0 ? done : schsm_kem_give_up(ctx, done);
}

/* "ikme", the seed of the sender's ephemeral key, means nothing to a recipient: so has the default
 * provider it. */
static const OSSL_PARAM honoured[] = {
    OSSL_PARAM_utf8_string(OSSL_KEM_PARAM_OPERATION, NULL, 0),
#ifdef OSSL_KEM_PARAM_IKME
    OSSL_PARAM_octet_string(OSSL_KEM_PARAM_IKME, NULL, 0),
#endif
    OSSL_PARAM_END,
};

int schsm_kem_honours(const struct schsm_kem *ctx, const OSSL_PARAM params[])
{
    return schsm_honoured(ctx->prov, params, honoured);
}

int schsm_kem_set_params(void *vctx, const OSSL_PARAM params[])
{
    struct schsm_kem *ctx = vctx;

    if (params == NULL || params->key == NULL) {
        return 1;
    }
    schsm_trace("kem_set_ctx_params", ctx->key);
    if (ctx->twin == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the key encapsulation was not started with a key");
    }
    return (!ctx->on_device || schsm_kem_honours(ctx, params)) &&
           EVP_PKEY_CTX_set_params(ctx->twin, params) > 0;
}

int schsm_kem_sizes(const struct schsm_kem *ctx, size_t *wrapped, size_t *secret)
{
    int done = 0;

    ERR_set_mark();
    done = EVP_PKEY_encapsulate(ctx->twin, NULL, wrapped, NULL, secret);
    ERR_pop_to_mark();
    if (done <= 0) {
        schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                           "no operation was chosen for the key encapsulation: set the parameter "
                           "'" OSSL_KEM_PARAM_OPERATION "' to %s",
                           ctx->key->type[0] == 'R' ? "RSASVE" : "DHKEM");
    }
    return done;
}

bool schsm_kem_may_decapsulate(const struct schsm_kem *ctx, unsigned char *secret,
                               size_t *secret_len, const unsigned char *in, size_t in_len,
                               size_t *need, int *done)
{
    size_t wrapped_len = 0;

    if (ctx->twin == NULL) {
        *done = schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                   "the decapsulation was not started with a key");
        return false;
    }
    if (!ctx->on_device) {
        *done = EVP_PKEY_decapsulate(ctx->twin, secret, secret_len, in, in_len);
        return false;
    }
    if ((*done = schsm_kem_sizes(ctx, &wrapped_len, need)) <= 0) {
        return false;
    }
    if (secret == NULL) {
        *secret_len = *need;
        return false;
    }
    if (secret_len != NULL && *secret_len < *need) {
        *done = schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                   "the buffer of %zu bytes is too small for a secret of %zu",
                                   *secret_len, *need);
        return false;
    }
    if (in_len != wrapped_len) {
        *done = schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                   "%zu bytes are no encapsulation for this key: one has %zu",
                                   in_len, wrapped_len);
        return false;
    }
    return true;
}

const OSSL_PARAM *schsm_kem_host_table(const struct schsm_provider *prov, const char *name,
                                       const OSSL_PARAM *(*get)(const EVP_KEM *))
{
    EVP_KEM *host = EVP_KEM_fetch(prov->libctx, name, NULL);
    const OSSL_PARAM *params = host == NULL ? NULL : get(host);

    EVP_KEM_free(host);
    return params;
}
