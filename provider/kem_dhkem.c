/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHKEM (RFC 9180, 4.1) with EC, X25519 and X448 keys, as OpenSSL 3.2 and later have it: the KEM of
 * HPKE and of Encrypted Client Hello. Of a device key the device does the key agreement, and the
 * secret is extracted and expanded here. A decapsulation is one command, or two where the sender is
 * authenticated (4.1, AuthDecap); the device may have the sender's key as well.
 */
#include "implementations.h"

#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "agree.h"
#include "base/secret.h"
#include "kem.h"
#include "trace.h"

/* RFC 9180, 4: what labels begin with, and those of ExtractAndExpand. */
#define VERSION "HPKE-v1"
#define KEM_SUITE "KEM"
#define LABEL_EXTRACT "eae_prk"
#define LABEL_EXPAND "shared_secret"
#define TEXT_LEN(text) (sizeof(text) - 1)
#define PREFIX_LEN (TEXT_LEN(VERSION) + TEXT_LEN(KEM_SUITE) + 2) /* with the KEM's number */

/* RFC 9180, 7.1. */
struct scheme {
    const char *name; /* libcrypto's of the curve or the key type */
    unsigned int id;
    const char *digest;
};

static const struct scheme schemes[] = {
    { "prime256v1", 0x0010, "SHA256" }, { "secp384r1", 0x0011, "SHA384" },
    { "secp521r1", 0x0012, "SHA512" },  { "X25519", 0x0020, "SHA256" },
    { "X448", 0x0021, "SHA512" },
};

static OSSL_FUNC_kem_auth_encapsulate_init_fn dhkem_auth_encapsulate_init;
static OSSL_FUNC_kem_encapsulate_fn dhkem_encapsulate;
static OSSL_FUNC_kem_decapsulate_init_fn dhkem_decapsulate_init;
static OSSL_FUNC_kem_auth_decapsulate_init_fn dhkem_auth_decapsulate_init;
static OSSL_FUNC_kem_decapsulate_fn dhkem_decapsulate;
static OSSL_FUNC_kem_set_ctx_params_fn dhkem_set_params;
static OSSL_FUNC_kem_settable_ctx_params_fn dhkem_settable_params;

/* What both sides know: the public keys, in the order of kem_context. */
struct transcript {
    unsigned char *part[3]; /* the encapsulation, the recipient's key, and the sender's or NULL */
    size_t len[3];
};

static void clear_transcript(struct transcript *all)
{
    for (size_t i = 0; i < 3; i++) {
        OPENSSL_free(all->part[i]);
    }
}

static const struct scheme *scheme_of(const struct schsm_pkey *key)
{
    char group[64] = "";
    const char *name = key->type;

    if (strcmp(name, "EC") == 0) {
        ERR_set_mark(); /* explicit parameters have no name */
        name = EVP_PKEY_get_group_name(key->pkey, group, sizeof(group), NULL) ? group : "";
        ERR_pop_to_mark();
    }
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strcmp(name, schemes[i].name) == 0) {
            return &schemes[i];
        }
    }
    return NULL;
}

/* --- init --------------------------------------------------------------------------------------
 */

/* A seed of none is the same as no seed. */
static int keep_seed(struct schsm_kem *ctx, const OSSL_PARAM params[])
{
    const OSSL_PARAM *p =
        params == NULL ? NULL : OSSL_PARAM_locate_const(params, OSSL_KEM_PARAM_IKME);

    if (p == NULL) {
        return 1;
    }
    OPENSSL_clear_free(ctx->seed, ctx->seed_len);
    ctx->seed = NULL;
    ctx->seed_len = 0;
    return p->data == NULL || p->data_size == 0 ||
           OSSL_PARAM_get_octet_string(p, (void **)&ctx->seed, 0, &ctx->seed_len);
}

static int dhkem_set_params(void *vctx, const OSSL_PARAM params[])
{
    return schsm_kem_set_params(vctx, params) && keep_seed(vctx, params);
}

/* Whether the keys are of one kind, and of one that there is a DHKEM for; else what to return. */
static int keys_fit(const struct schsm_kem *ctx, const struct schsm_pkey *key,
                    const struct schsm_pkey *auth)
{
    if (key == NULL || key->pkey == NULL || (auth != NULL && auth->pkey == NULL)) {
        return 1; /* told by schsm_kem_start */
    }
    if (scheme_of(key) == NULL) {
        schsm_raise_reason(ctx->prov, SCHSM_REASON_UNSUPPORTED,
                           "key encapsulation (DHKEM) takes keys on P-256, P-384, P-521, X25519 "
                           "or X448, and this one is on none of them");
        return -2; /* EVP_PKEY_decapsulate_init(3): nothing for this type of key */
    }
    if (auth != NULL && (strcmp(auth->type, key->type) != 0 || scheme_of(auth) != scheme_of(key) ||
                         !auth->has_public)) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the sender's key is not one on the same curve as the "
                                  "recipient's");
    }
    return 1;
}

static int dhkem_decapsulate_init(void *vctx, void *vkey, const OSSL_PARAM params[])
{
    const struct schsm_pkey *key = vkey;
    int fit = key != NULL && key->device != NULL ? keys_fit(vctx, key, NULL) : 1;

    if (fit <= 0) {
        schsm_trace("kem_decapsulate_init", vkey);
        return fit;
    }
    return schsm_kem_decapsulate_init(vctx, vkey, params);
}

/* Where a device has neither of the keys that have to be private, the twin does it all. */
static int start_authenticated(struct schsm_kem *ctx, struct schsm_pkey *key,
                               struct schsm_pkey *auth, bool on_device,
                               int (*init)(EVP_PKEY_CTX *twin, EVP_PKEY *auth,
                                           const OSSL_PARAM params[]),
                               const OSSL_PARAM params[])
{
    int done = on_device ? keys_fit(ctx, key, auth) : 1;

    if (done <= 0 || !schsm_kem_start(ctx, key, auth, on_device)) {
        return done <= 0 ? done : 0;
    }
    if (!on_device) {
        done = auth != NULL ? init(ctx->twin, auth->pkey, params) : 0;
    } else {
        done = schsm_kem_honours(ctx, params) ? EVP_PKEY_encapsulate_init(ctx->twin, params) : 0;
    }
    if (done > 0 && !keep_seed(ctx, params)) {
        done = 0;
    }
    return done > 0 ? done : schsm_kem_give_up(ctx, done);
}

static int dhkem_auth_encapsulate_init(void *vctx, void *vkey, void *vauth,
                                       const OSSL_PARAM params[])
{
    const struct schsm_pkey *auth = vauth;

    schsm_trace("kem_auth_encapsulate_init", vkey);
    return start_authenticated(vctx, vkey, vauth, auth != NULL && auth->device != NULL,
                               EVP_PKEY_auth_encapsulate_init, params);
}

static int dhkem_auth_decapsulate_init(void *vctx, void *vkey, void *vauth,
                                       const OSSL_PARAM params[])
{
    const struct schsm_pkey *key = vkey;

    schsm_trace("kem_auth_decapsulate_init", vkey);
    return start_authenticated(vctx, vkey, vauth, key != NULL && key->device != NULL,
                               EVP_PKEY_auth_decapsulate_init, params);
}

/* --- the secret --------------------------------------------------------------------------------
 */

/* "HPKE-v1" || suite_id || label; returns what is behind it. */
static unsigned char *put_label(unsigned char *p, const struct scheme *scheme, const char *label,
                                size_t len)
{
    memcpy(p, VERSION KEM_SUITE, TEXT_LEN(VERSION KEM_SUITE));
    p += TEXT_LEN(VERSION KEM_SUITE);
    *p++ = (unsigned char)(scheme->id >> 8);
    *p++ = (unsigned char)scheme->id;
    memcpy(p, label, len);
    return p + len;
}

/* Room for key agreements with their label in front; *agreed is where they go. */
static struct schsm_secret *new_agreed(const struct schsm_kem *ctx, const struct scheme *scheme,
                                       size_t len, unsigned char **agreed)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_secret *secret =
        schsm_secret_alloc(PREFIX_LEN + TEXT_LEN(LABEL_EXTRACT) + len, agreed, &err);

    if (secret == NULL) {
        schsm_raise(ctx->prov, &err);
        return NULL;
    }
    *agreed = put_label(*agreed, scheme, LABEL_EXTRACT, TEXT_LEN(LABEL_EXTRACT));
    return secret;
}

/* I2OSP(len, 2) || label || kem_context; the caller frees it. */
static unsigned char *new_info(const struct scheme *scheme, const struct transcript *all,
                               size_t secret_len, size_t *len)
{
    unsigned char *info = NULL, *p;

    *len = 2 + PREFIX_LEN + TEXT_LEN(LABEL_EXPAND) + all->len[0] + all->len[1] + all->len[2];
    if ((info = OPENSSL_malloc(*len)) == NULL) {
        return NULL;
    }
    info[0] = (unsigned char)(secret_len >> 8);
    info[1] = (unsigned char)secret_len;
    p = put_label(info + 2, scheme, LABEL_EXPAND, TEXT_LEN(LABEL_EXPAND));
    for (size_t i = 0; i < 3; i++) {
        if (all->part[i] != NULL) {
            memcpy(p, all->part[i], all->len[i]);
            p += all->len[i];
        }
    }
    return info;
}

/* ExtractAndExpand (4.1): LabeledExtract without a salt, and LabeledExpand, are one HKDF. */
static int extract_and_expand(const struct schsm_kem *ctx, const struct scheme *scheme,
                              const struct schsm_secret *agreed, const struct transcript *all,
                              unsigned char *secret, size_t secret_len)
{
    size_t info_len = 0;
    unsigned char *info = new_info(scheme, all, secret_len, &info_len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)scheme->digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)schsm_secret_data(agreed),
                                          schsm_secret_len(agreed)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, info_len),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(ctx->prov->libctx, OSSL_KDF_NAME_HKDF, NULL);
    EVP_KDF_CTX *kdf_ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    int ok =
        info != NULL && kdf_ctx != NULL && EVP_KDF_derive(kdf_ctx, secret, secret_len, params) > 0;

    EVP_KDF_CTX_free(kdf_ctx);
    EVP_KDF_free(kdf);
    OPENSSL_free(info);
    if (!ok) {
        OPENSSL_cleanse(secret, secret_len);
        schsm_raise_reason(ctx->prov, SCHSM_REASON_CRYPTO,
                           "libcrypto could not derive the secret of a key encapsulation");
    }
    return ok;
}

/* The public keys behind the encapsulation. */
static int read_public_keys(const struct schsm_kem *ctx, struct transcript *all)
{
    all->part[1] = schsm_agree_public(ctx->key->pkey, &all->len[1]);
    if (ctx->auth != NULL) {
        all->part[2] = schsm_agree_public(ctx->auth->pkey, &all->len[2]);
    }
    if (all->part[1] == NULL || (ctx->auth != NULL && all->part[2] == NULL)) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_CRYPTO,
                                  "the keys of the key encapsulation have no public part that can "
                                  "be used");
    }
    return 1;
}

/* 7.1.4: every public key is validated. libcrypto has checked that the point is on the curve. */
static int is_valid(const struct schsm_kem *ctx, EVP_PKEY *key)
{
    EVP_PKEY_CTX *check = EVP_PKEY_CTX_new_from_pkey(ctx->prov->libctx, key, NULL);
    int ok = check != NULL && EVP_PKEY_public_check(check) == 1;

    EVP_PKEY_CTX_free(check);
    return ok;
}

/* --- decapsulation -----------------------------------------------------------------------------
 */

/* The sender's ephemeral public key; NULL with an error raised. */
static EVP_PKEY *read_encapsulation(const struct schsm_kem *ctx, const unsigned char *in,
                                    size_t in_len)
{
    EVP_PKEY *key = EVP_PKEY_new();
    int ok = 0;

    ERR_set_mark();
    ok = key != NULL && EVP_PKEY_copy_parameters(key, ctx->key->pkey) > 0 &&
         EVP_PKEY_set1_encoded_public_key(key, in, in_len) > 0 && is_valid(ctx, key);
    ERR_pop_to_mark();
    if (!ok) {
        schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                           "the data is no encapsulation for this key: it is no public key on "
                           "the same curve");
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static int decapsulate_on_device(const struct schsm_kem *ctx, const unsigned char *in,
                                 size_t in_len, unsigned char *secret, size_t secret_len)
{
    const struct scheme *scheme = scheme_of(ctx->key);
    EVP_PKEY *ephemeral = read_encapsulation(ctx, in, in_len);
    size_t size = schsm_agree_size(ctx->key->pkey), point_len = 0;
    unsigned char *point = ephemeral == NULL ? NULL : schsm_agree_public(ephemeral, &point_len);
    unsigned char *agreed = NULL;
    struct schsm_secret *both = NULL;
    struct transcript all = { { NULL, NULL, NULL }, { in_len, 0, 0 } };
    int ok = 0;

    if (ephemeral == NULL || scheme == NULL || size == 0) {
        goto end;
    }
    if (point == NULL || (all.part[0] = OPENSSL_memdup(in, in_len)) == NULL) {
        schsm_raise_reason(ctx->prov, SCHSM_REASON_OUT_OF_MEMORY, "out of memory");
        goto end;
    }
    if (!read_public_keys(ctx, &all) ||
        (both = new_agreed(ctx, scheme, ctx->auth != NULL ? 2 * size : size, &agreed)) == NULL) {
        goto end;
    }
    ok = schsm_agree(ctx->key, point, point_len, agreed, size) &&
         (ctx->auth == NULL ||
          schsm_agree(ctx->key, all.part[2], all.len[2], agreed + size, size)) &&
         extract_and_expand(ctx, scheme, both, &all, secret, secret_len);
end:
    schsm_secret_free(both);
    clear_transcript(&all);
    OPENSSL_free(point);
    EVP_PKEY_free(ephemeral);
    return ok;
}

static int dhkem_decapsulate(void *vctx, unsigned char *secret, size_t *secret_len,
                             const unsigned char *in, size_t in_len)
{
    struct schsm_kem *ctx = vctx;
    size_t need = 0;
    int done = 0;

    schsm_trace("kem_decapsulate", ctx->key);
    if (!schsm_kem_may_decapsulate(ctx, secret, secret_len, in, in_len, &need, &done)) {
        return done;
    }
    if (!decapsulate_on_device(ctx, in, in_len, secret, need)) {
        return 0;
    }
    if (secret_len != NULL) {
        *secret_len = need;
    }
    return 1;
}

/* --- encapsulation by a sender whose key is on the device --------------------------------------
 */

/* DeriveKeyPair (7.1.3) of the seed, where there is one; NULL with an error raised. */
static EVP_PKEY *make_ephemeral(const struct schsm_kem *ctx, const struct scheme *scheme)
{
    EVP_PKEY_CTX *gen = EVP_PKEY_CTX_new_from_name(ctx->prov->libctx, ctx->key->type, NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[3], *p = params;

    if (strcmp(ctx->key->type, "EC") == 0) {
        *p++ =
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)scheme->name, 0);
    }
    if (ctx->seed != NULL) {
        *p++ =
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DHKEM_IKM, ctx->seed, ctx->seed_len);
    }
    *p = OSSL_PARAM_construct_end();
    if (gen == NULL || EVP_PKEY_keygen_init(gen) <= 0 ||
        EVP_PKEY_CTX_set_params(gen, params) <= 0 || EVP_PKEY_generate(gen, &key) <= 0) {
        schsm_raise_reason(ctx->prov, SCHSM_REASON_CRYPTO,
                           "libcrypto could not make an ephemeral key for the encapsulation%s",
                           ctx->seed != NULL ? ": the seed may be too short" : "");
        key = NULL;
    }
    EVP_PKEY_CTX_free(gen);
    return key;
}

/* On the host; exactly size bytes. */
static int agree_on_host(const struct schsm_kem *ctx, EVP_PKEY *ephemeral, unsigned char *secret,
                         size_t size)
{
    EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new_from_pkey(ctx->prov->libctx, ephemeral, NULL);
    size_t len = size;
    int ok = derive != NULL && EVP_PKEY_derive_init(derive) > 0 &&
             EVP_PKEY_derive_set_peer(derive, ctx->key->pkey) > 0 &&
             EVP_PKEY_derive(derive, secret, &len) > 0 && len == size;

    EVP_PKEY_CTX_free(derive);
    return ok ||
           schsm_raise_reason(ctx->prov, SCHSM_REASON_CRYPTO,
                              "the recipient's key is none that a secret can be agreed on with");
}

static int encapsulate_on_device(const struct schsm_kem *ctx, unsigned char *out, size_t out_len,
                                 unsigned char *secret, size_t secret_len)
{
    const struct scheme *scheme = scheme_of(ctx->key);
    size_t size = schsm_agree_size(ctx->key->pkey);
    EVP_PKEY *ephemeral = NULL;
    unsigned char *agreed = NULL;
    struct schsm_secret *both = NULL;
    struct transcript all = { { NULL, NULL, NULL }, { 0, 0, 0 } };
    int ok = 0;

    if (scheme == NULL || size == 0 || !read_public_keys(ctx, &all) ||
        (ephemeral = make_ephemeral(ctx, scheme)) == NULL) {
        goto end;
    }
    all.part[0] = schsm_agree_public(ephemeral, &all.len[0]);
    if (all.part[0] == NULL || all.len[0] != out_len) {
        schsm_raise_reason(ctx->prov, SCHSM_REASON_OUT_OF_MEMORY, "out of memory");
        goto end;
    }
    if ((both = new_agreed(ctx, scheme, 2 * size, &agreed)) == NULL) {
        goto end;
    }
    ok = agree_on_host(ctx, ephemeral, agreed, size) &&
         schsm_agree(ctx->auth, all.part[1], all.len[1], agreed + size, size) &&
         extract_and_expand(ctx, scheme, both, &all, secret, secret_len);
    if (ok) {
        memcpy(out, all.part[0], out_len);
    }
end:
    schsm_secret_free(both);
    clear_transcript(&all);
    EVP_PKEY_free(ephemeral);
    return ok;
}

static int dhkem_encapsulate(void *vctx, unsigned char *out, size_t *out_len, unsigned char *secret,
                             size_t *secret_len)
{
    struct schsm_kem *ctx = vctx;
    size_t wrapped_len = 0, need = 0;
    int done = 0;

    schsm_trace("kem_encapsulate", ctx->key);
    if (ctx->twin == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the encapsulation was not started with a key");
    }
    if (!ctx->on_device || out == NULL) {
        return EVP_PKEY_encapsulate(ctx->twin, out, out_len, secret, secret_len);
    }
    if ((done = schsm_kem_sizes(ctx, &wrapped_len, &need)) <= 0) {
        return done;
    }
    if ((out_len != NULL && *out_len < wrapped_len) || (secret_len != NULL && *secret_len < need)) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "the buffers are too small for an encapsulation of %zu bytes "
                                  "and a secret of %zu",
                                  wrapped_len, need);
    }
    if (!encapsulate_on_device(ctx, out, wrapped_len, secret, need)) {
        return 0;
    }
    if (out_len != NULL) {
        *out_len = wrapped_len;
    }
    if (secret_len != NULL) {
        *secret_len = need;
    }
    return 1;
}

/* EC keys and the others have the same parameters. */
static const OSSL_PARAM *dhkem_settable_params(void *vctx, void *provctx)
{
    schsm_trace("kem_settable_ctx_params", NULL);
    (void)vctx;
    return schsm_kem_host_table(provctx, "EC", EVP_KEM_settable_ctx_params);
}

/* As with the default provider, a context cannot be copied. */
const OSSL_DISPATCH schsm_kem_dhkem[] = {
    { OSSL_FUNC_KEM_NEWCTX, (void (*)(void))schsm_kem_new },
    { OSSL_FUNC_KEM_FREECTX, (void (*)(void))schsm_kem_free },
    { OSSL_FUNC_KEM_ENCAPSULATE_INIT, (void (*)(void))schsm_kem_encapsulate_init },
    { OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT, (void (*)(void))dhkem_auth_encapsulate_init },
    { OSSL_FUNC_KEM_ENCAPSULATE, (void (*)(void))dhkem_encapsulate },
    { OSSL_FUNC_KEM_DECAPSULATE_INIT, (void (*)(void))dhkem_decapsulate_init },
    { OSSL_FUNC_KEM_AUTH_DECAPSULATE_INIT, (void (*)(void))dhkem_auth_decapsulate_init },
    { OSSL_FUNC_KEM_DECAPSULATE, (void (*)(void))dhkem_decapsulate },
    { OSSL_FUNC_KEM_SET_CTX_PARAMS, (void (*)(void))dhkem_set_params },
    { OSSL_FUNC_KEM_SETTABLE_CTX_PARAMS, (void (*)(void))dhkem_settable_params },
    { 0, NULL }
};

#endif
