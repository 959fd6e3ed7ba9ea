/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-CBC with a key on a device. Data goes there in pieces, one command each; what does not fill a
 * block waits for the next call, and where padding is to be taken off so does the last block, as
 * with the default provider's.
 */
#include "skey.h"

#ifdef OSSL_OP_SKEYMGMT

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "constant_time.h"
#include "implementations.h"
#include "trace.h"

#define BLOCK SCHSM_AES_BLOCK
#define NAME "SC-HSM-AES-CBC"

struct schsm_cipher {
    struct schsm_provider *prov;
    size_t key_len;         /* bytes */
    struct schsm_skey *key; /* NULL: not initialised */
    bool encrypt;
    bool pad;
    bool has_iv;
    bool ended;              /* done, or broken off: no more data without a new beginning */
    uint8_t first_iv[BLOCK]; /* what it was initialised with */
    uint8_t iv[BLOCK];       /* for the data that follows */
    uint8_t held[BLOCK];     /* a part of a block, or the last one */
    size_t held_len;
};

static OSSL_FUNC_cipher_freectx_fn cipher_freectx;
static OSSL_FUNC_cipher_dupctx_fn cipher_dupctx;
static OSSL_FUNC_cipher_encrypt_init_fn cipher_encrypt_init;
static OSSL_FUNC_cipher_decrypt_init_fn cipher_decrypt_init;
static OSSL_FUNC_cipher_encrypt_skey_init_fn cipher_encrypt_skey_init;
static OSSL_FUNC_cipher_decrypt_skey_init_fn cipher_decrypt_skey_init;
static OSSL_FUNC_cipher_update_fn cipher_update;
static OSSL_FUNC_cipher_final_fn cipher_final;
static OSSL_FUNC_cipher_cipher_fn cipher_cipher;
static OSSL_FUNC_cipher_gettable_params_fn cipher_gettable_params;
static OSSL_FUNC_cipher_get_ctx_params_fn cipher_get_ctx_params;
static OSSL_FUNC_cipher_gettable_ctx_params_fn cipher_gettable_ctx_params;
static OSSL_FUNC_cipher_set_ctx_params_fn cipher_set_ctx_params;
static OSSL_FUNC_cipher_settable_ctx_params_fn cipher_settable_ctx_params;

static void *new_cipher(void *provctx, size_t bits)
{
    struct schsm_cipher *ctx = OPENSSL_zalloc(sizeof(*ctx));

    if (ctx != NULL) {
        ctx->prov = provctx;
        ctx->key_len = bits / 8;
        ctx->pad = true;
    }
    return ctx;
}

static void cipher_freectx(void *vctx)
{
    struct schsm_cipher *ctx = vctx;

    schsm_trace_of("cipher_freectx", NAME);
    if (ctx != NULL) {
        schsm_skey_free(ctx->key);
        OPENSSL_clear_free(ctx, sizeof(*ctx));
    }
}

static void *cipher_dupctx(void *vctx)
{
    const struct schsm_cipher *ctx = vctx;
    struct schsm_cipher *copy = OPENSSL_memdup(ctx, sizeof(*ctx));

    schsm_trace_skey("cipher_dupctx", ctx->key);
    if (copy != NULL && ctx->key != NULL && (copy->key = schsm_skey_dup(ctx->key)) == NULL) {
        OPENSSL_clear_free(copy, sizeof(*copy));
        copy = NULL;
    }
    return copy;
}

/* --- beginning ------------------------------------------------------------------------------- */

static int set_key(struct schsm_cipher *ctx, const struct schsm_skey *key)
{
    unsigned int bits = schsm_loaded_secret_bits(key->secret);
    struct schsm_skey *copy = NULL;

    if (bits != 0 && bits != 8 * ctx->key_len) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "%s has %u bits: its cipher is SC-HSM-AES-%u-CBC",
                                  schsm_loaded_secret_name(key->secret), bits, bits);
    }
    if ((copy = schsm_skey_dup(key)) == NULL) {
        return 0;
    }
    schsm_skey_free(ctx->key);
    ctx->key = copy;
    return 1;
}

/* A new beginning; without an IV with the one before. */
static int begin(struct schsm_cipher *ctx, bool encrypt, const unsigned char *iv, size_t iv_len,
                 const OSSL_PARAM params[])
{
    if (iv != NULL) {
        if (iv_len != BLOCK) {
            return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                      "an initialisation vector of AES-CBC has %u bytes, not %zu",
                                      BLOCK, iv_len);
        }
        memcpy(ctx->first_iv, iv, BLOCK);
        ctx->has_iv = true;
    }
    memcpy(ctx->iv, ctx->first_iv, BLOCK);
    OPENSSL_cleanse(ctx->held, sizeof(ctx->held));
    ctx->held_len = 0;
    ctx->encrypt = encrypt;
    ctx->ended = false;
    return cipher_set_ctx_params(ctx, params);
}

/* Without a key, as all of OpenSSL's ciphers are initialised once more with the one before. */
static int begin_again(struct schsm_cipher *ctx, bool encrypt, const unsigned char *key,
                       const unsigned char *iv, size_t iv_len, const OSSL_PARAM params[])
{
    return key != NULL ? schsm_skey_refuse_bytes(ctx->prov)
                       : begin(ctx, encrypt, iv, iv_len, params);
}

static int cipher_encrypt_init(void *vctx, const unsigned char *key, size_t key_len,
                               const unsigned char *iv, size_t iv_len, const OSSL_PARAM params[])
{
    struct schsm_cipher *ctx = vctx;

    (void)key_len;
    schsm_trace_skey("cipher_encrypt_init", ctx->key);
    return begin_again(ctx, true, key, iv, iv_len, params);
}

static int cipher_decrypt_init(void *vctx, const unsigned char *key, size_t key_len,
                               const unsigned char *iv, size_t iv_len, const OSSL_PARAM params[])
{
    struct schsm_cipher *ctx = vctx;

    (void)key_len;
    schsm_trace_skey("cipher_decrypt_init", ctx->key);
    return begin_again(ctx, false, key, iv, iv_len, params);
}

static int cipher_encrypt_skey_init(void *vctx, void *skey, const unsigned char *iv, size_t iv_len,
                                    const OSSL_PARAM params[])
{
    schsm_trace_skey("cipher_encrypt_skey_init", skey);
    return (skey == NULL || set_key(vctx, skey)) && begin(vctx, true, iv, iv_len, params);
}

static int cipher_decrypt_skey_init(void *vctx, void *skey, const unsigned char *iv, size_t iv_len,
                                    const OSSL_PARAM params[])
{
    schsm_trace_skey("cipher_decrypt_skey_init", skey);
    return (skey == NULL || set_key(vctx, skey)) && begin(vctx, false, iv, iv_len, params);
}

/* --- data ------------------------------------------------------------------------------------- */

/* Whole blocks to the device and back; in is changed, and apart from out. */
static int crypt_blocks(struct schsm_cipher *ctx, uint8_t *in, size_t len, uint8_t *out)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_login login;
    const struct schsm_secret_key key = schsm_skey_operand(ctx->key, &login);

    if (!schsm_secret_key_cbc(&key, ctx->encrypt, ctx->iv, in, len, out, &err)) {
        ctx->ended = true; /* how far it came nobody can tell */
        return schsm_raise(ctx->prov, &err);
    }
    return 1;
}

static int may_go_on(const struct schsm_cipher *ctx)
{
    if (ctx->key == NULL) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "no key was set for AES-CBC: EVP_CipherInit_SKEY sets one");
    }
    if (!ctx->has_iv) { /* the default provider takes zero, which is wrong for whoever forgot it */
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                  "no initialisation vector was set for AES-CBC");
    }
    return !ctx->ended || schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                                             "this encryption or decryption is done, or was broken "
                                             "off: initialise it once more");
}

static int check_room(const struct schsm_cipher *ctx, const unsigned char *out, size_t room,
                      size_t needed)
{
    return (out != NULL && room >= needed) ||
           schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                              "the output has no room for %zu bytes", needed);
}

/* What has not been to the device yet: what was held back, and behind it the program's. */
struct input {
    uint8_t carried[BLOCK];
    size_t carried_len;
    const unsigned char *in;
    size_t len;
};

static void take(struct input *input, uint8_t *to, size_t len)
{
    memcpy(to, input->in, len);
    input->in += len;
    input->len -= len;
}

/* The next len bytes of whole blocks. The output may be written over the input: so as much is
 * carried on as the output will be ahead of it. */
static void take_piece(struct input *input, uint8_t *piece, size_t len)
{
    size_t carried = input->carried_len;

    memcpy(piece, input->carried, carried);
    take(input, piece + carried, len - carried);
    input->carried_len = carried < input->len ? carried : input->len;
    take(input, input->carried, input->carried_len);
}

/* As many whole blocks, in pieces; the rest is held. */
static int update_blocks(struct schsm_cipher *ctx, unsigned char *out, size_t whole,
                         struct input *input)
{
    size_t size = whole < SCHSM_CIPHER_MAX ? whole : SCHSM_CIPHER_MAX;
    uint8_t *piece = OPENSSL_malloc(size);
    int ok = piece != NULL;

    for (size_t done = 0; ok && done < whole;) {
        size_t len = whole - done < size ? whole - done : size;

        take_piece(input, piece, len);
        ok = crypt_blocks(ctx, piece, len, out + done);
        done += len;
    }
    OPENSSL_clear_free(piece, size);
    if (!ok) {
        OPENSSL_cleanse(out, whole);
        return 0;
    }
    memcpy(ctx->held, input->carried, input->carried_len);
    ctx->held_len = input->carried_len + input->len;
    take(input, ctx->held + input->carried_len, input->len);
    return 1;
}

static int cipher_update(void *vctx, unsigned char *out, size_t *out_len, size_t room,
                         const unsigned char *in, size_t in_len)
{
    struct schsm_cipher *ctx = vctx;
    struct input input = { .carried_len = ctx->held_len, .in = in, .len = in_len };
    size_t total = ctx->held_len + in_len, whole = total - total % BLOCK;

    schsm_trace_skey("cipher_update", ctx->key);
    *out_len = 0;
    if (!may_go_on(ctx)) {
        return 0;
    }
    if (in_len == 0) {
        return 1;
    }
    if (!ctx->encrypt && ctx->pad && whole == total) {
        whole -= BLOCK;
    }
    if (whole == 0) {
        memcpy(ctx->held + ctx->held_len, in, in_len);
        ctx->held_len = total;
        return 1;
    }
    memcpy(input.carried, ctx->held, ctx->held_len);
    if (!check_room(ctx, out, room, whole) || !update_blocks(ctx, out, whole, &input)) {
        return 0;
    }
    *out_len = whole;
    return 1;
}

/* The length of what is before the padding; more than BLOCK where there is none. Without a branch:
 * how long it took must not tell more than the answer does. */
static size_t before_padding(const uint8_t block[BLOCK])
{
    size_t pad = block[BLOCK - 1];
    size_t bad = schsm_ct_is_zero(pad) | schsm_ct_less(BLOCK, pad);

    for (size_t i = 0; i < BLOCK; i++) {
        bad |= schsm_ct_less(i, pad) & ~schsm_ct_equal(block[BLOCK - 1 - i], pad);
    }
    return schsm_ct_select(bad, BLOCK + 1, BLOCK - pad);
}

/* The last block, padded. */
static int finish_encryption(struct schsm_cipher *ctx, unsigned char *out, size_t *out_len,
                             size_t room)
{
    size_t more = BLOCK - ctx->held_len;

    if (!check_room(ctx, out, room, BLOCK)) {
        return 0;
    }
    memset(ctx->held + ctx->held_len, (int)more, more);
    if (!crypt_blocks(ctx, ctx->held, BLOCK, out)) {
        return 0;
    }
    *out_len = BLOCK;
    return 1;
}

/* The last block, which was held back. */
static int finish_decryption(struct schsm_cipher *ctx, unsigned char *out, size_t *out_len,
                             size_t room)
{
    uint8_t block[BLOCK];
    size_t len = BLOCK;
    int ok = 0;

    if (ctx->held_len != BLOCK) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_BAD_INPUT,
                                  "the ciphertext does not end with a whole block");
    }
    if (!check_room(ctx, out, room, BLOCK)) {
        return 0;
    }
    if (crypt_blocks(ctx, ctx->held, BLOCK, block)) {
        len = ctx->pad ? before_padding(block) : BLOCK;
        ok = len <= BLOCK || schsm_raise_reason(ctx->prov, SCHSM_REASON_BAD_INPUT,
                                                "there is no padding at the end: another key "
                                                "encrypted it, or without padding, or it was "
                                                "changed");
    }
    if (ok) {
        memcpy(out, block, len);
        *out_len = len;
    }
    OPENSSL_cleanse(block, sizeof(block));
    return ok;
}

static int cipher_final(void *vctx, unsigned char *out, size_t *out_len, size_t room)
{
    struct schsm_cipher *ctx = vctx;
    int ok = 1;

    schsm_trace_skey("cipher_final", ctx->key);
    *out_len = 0;
    if (!may_go_on(ctx)) {
        return 0;
    }
    if (ctx->pad && ctx->encrypt) {
        ok = finish_encryption(ctx, out, out_len, room);
    } else if (!ctx->encrypt && (ctx->pad || ctx->held_len == BLOCK)) {
        ok = finish_decryption(ctx, out, out_len, room);
    } else if (ctx->held_len > 0) {
        ok = schsm_raise_reason(ctx->prov, SCHSM_REASON_BAD_INPUT,
                                "without padding the data must be a multiple of %u bytes", BLOCK);
    }
    if (ok) {
        OPENSSL_cleanse(ctx->held, sizeof(ctx->held));
        ctx->held_len = 0;
        ctx->ended = true;
    }
    return ok;
}

/* EVP_Cipher: whole blocks, without padding, and nothing is held back. */
static int cipher_cipher(void *vctx, unsigned char *out, size_t *out_len, size_t room,
                         const unsigned char *in, size_t in_len)
{
    struct schsm_cipher *ctx = vctx;
    struct input input = { .in = in, .len = in_len };

    schsm_trace_skey("cipher_cipher", ctx->key);
    *out_len = 0;
    if (!may_go_on(ctx)) {
        return 0;
    }
    if (in_len % BLOCK != 0 || ctx->held_len > 0) {
        return schsm_raise_reason(ctx->prov, SCHSM_REASON_BAD_INPUT,
                                  "EVP_Cipher takes whole blocks of %u bytes", BLOCK);
    }
    if (in_len > 0 &&
        (!check_room(ctx, out, room, in_len) || !update_blocks(ctx, out, in_len, &input))) {
        return 0;
    }
    *out_len = in_len;
    return 1;
}

/* --- parameters ------------------------------------------------------------------------------- */

static int get_params(OSSL_PARAM params[], size_t bits)
{
    static const char *const off[] = { OSSL_CIPHER_PARAM_AEAD, OSSL_CIPHER_PARAM_CUSTOM_IV,
                                       OSSL_CIPHER_PARAM_CTS, OSSL_CIPHER_PARAM_TLS1_MULTIBLOCK,
                                       OSSL_CIPHER_PARAM_HAS_RAND_KEY };
    const struct {
        const char *name;
        size_t value;
    } sizes[] = { { OSSL_CIPHER_PARAM_KEYLEN, bits / 8 },
                  { OSSL_CIPHER_PARAM_BLOCK_SIZE, BLOCK },
                  { OSSL_CIPHER_PARAM_IVLEN, BLOCK } };
    OSSL_PARAM *p = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_MODE);
    int ok = p == NULL || OSSL_PARAM_set_uint(p, EVP_CIPH_CBC_MODE);

    for (size_t i = 0; ok && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        p = OSSL_PARAM_locate(params, sizes[i].name);
        ok = p == NULL || OSSL_PARAM_set_size_t(p, sizes[i].value);
    }
    for (size_t i = 0; ok && i < sizeof(off) / sizeof(off[0]); i++) {
        p = OSSL_PARAM_locate(params, off[i]);
        ok = p == NULL || OSSL_PARAM_set_int(p, 0);
    }
    return ok;
}

static const OSSL_PARAM *cipher_gettable_params(void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_MODE, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_BLOCK_SIZE, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, NULL),
        OSSL_PARAM_int(OSSL_CIPHER_PARAM_AEAD, NULL),
        OSSL_PARAM_int(OSSL_CIPHER_PARAM_CUSTOM_IV, NULL),
        OSSL_PARAM_int(OSSL_CIPHER_PARAM_CTS, NULL),
        OSSL_PARAM_int(OSSL_CIPHER_PARAM_TLS1_MULTIBLOCK, NULL),
        OSSL_PARAM_int(OSSL_CIPHER_PARAM_HAS_RAND_KEY, NULL),
        OSSL_PARAM_END,
    };

    (void)provctx;
    schsm_trace_of("cipher_gettable_params", NAME);
    return gettable;
}

/* By the kind of parameter: what does not fit it would leave an error behind. */
static int give_iv(OSSL_PARAM params[], const char *name, const uint8_t iv[BLOCK])
{
    OSSL_PARAM *p = OSSL_PARAM_locate(params, name);

    if (p == NULL) {
        return 1;
    }
    return p->data_type == OSSL_PARAM_OCTET_PTR ? OSSL_PARAM_set_octet_ptr(p, iv, BLOCK)
                                                : OSSL_PARAM_set_octet_string(p, iv, BLOCK);
}

static int cipher_get_ctx_params(void *vctx, OSSL_PARAM params[])
{
    const struct schsm_cipher *ctx = vctx;
    OSSL_PARAM *p = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_KEYLEN);
    int ok = p == NULL || OSSL_PARAM_set_size_t(p, ctx->key_len);

    schsm_trace_skey("cipher_get_ctx_params", ctx->key);
    p = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_IVLEN);
    ok = ok && (p == NULL || OSSL_PARAM_set_size_t(p, BLOCK));
    p = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_PADDING);
    ok = ok && (p == NULL || OSSL_PARAM_set_uint(p, ctx->pad ? 1 : 0));
    p = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_NUM);
    ok = ok && (p == NULL || OSSL_PARAM_set_uint(p, 0));
    return ok && give_iv(params, OSSL_CIPHER_PARAM_IV, ctx->first_iv) &&
           give_iv(params, OSSL_CIPHER_PARAM_UPDATED_IV, ctx->iv);
}

static const OSSL_PARAM *cipher_gettable_ctx_params(void *vctx, void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, NULL),
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_PADDING, NULL),
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_NUM, NULL),
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_IV, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_UPDATED_IV, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vctx;
    (void)provctx;
    schsm_trace_of("cipher_gettable_ctx_params", NAME);
    return gettable;
}

static int cipher_set_ctx_params(void *vctx, const OSSL_PARAM params[])
{
    struct schsm_cipher *ctx = vctx;
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_PADDING);
    unsigned int pad = 0;
    size_t len = 0;

    schsm_trace_skey("cipher_set_ctx_params", ctx->key);
    if (p != NULL) {
        if (!OSSL_PARAM_get_uint(p, &pad)) {
            return 0;
        }
        ctx->pad = pad != 0;
    }
    p = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_KEYLEN);
    return p == NULL || (OSSL_PARAM_get_size_t(p, &len) && len == ctx->key_len) ||
           schsm_raise_reason(ctx->prov, SCHSM_REASON_ARGUMENT,
                              "the keys of this cipher have %zu bytes", ctx->key_len);
}

static const OSSL_PARAM *cipher_settable_ctx_params(void *vctx, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_PADDING, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, NULL),
        OSSL_PARAM_END,
    };

    (void)vctx;
    (void)provctx;
    schsm_trace_of("cipher_settable_ctx_params", NAME);
    return settable;
}

/* clang-format off */
#define CIPHER(bits)                                                                               \
    static OSSL_FUNC_cipher_newctx_fn cipher_newctx_##bits;                                        \
    static OSSL_FUNC_cipher_get_params_fn cipher_get_params_##bits;                                \
                                                                                                   \
    static void *cipher_newctx_##bits(void *provctx)                                               \
    {                                                                                              \
        schsm_trace_of("cipher_newctx", "SC-HSM-AES-" #bits "-CBC");                               \
        return new_cipher(provctx, bits);                                                          \
    }                                                                                              \
                                                                                                   \
    static int cipher_get_params_##bits(OSSL_PARAM params[])                                       \
    {                                                                                              \
        schsm_trace_of("cipher_get_params", "SC-HSM-AES-" #bits "-CBC");                           \
        return get_params(params, bits);                                                           \
    }                                                                                              \
                                                                                                   \
    const OSSL_DISPATCH schsm_cipher_aes_##bits##_cbc[] = {                                        \
        { OSSL_FUNC_CIPHER_NEWCTX, (void (*)(void))cipher_newctx_##bits },                         \
        { OSSL_FUNC_CIPHER_FREECTX, (void (*)(void))cipher_freectx },                              \
        { OSSL_FUNC_CIPHER_DUPCTX, (void (*)(void))cipher_dupctx },                                \
        { OSSL_FUNC_CIPHER_ENCRYPT_INIT, (void (*)(void))cipher_encrypt_init },                    \
        { OSSL_FUNC_CIPHER_DECRYPT_INIT, (void (*)(void))cipher_decrypt_init },                    \
        { OSSL_FUNC_CIPHER_ENCRYPT_SKEY_INIT, (void (*)(void))cipher_encrypt_skey_init },          \
        { OSSL_FUNC_CIPHER_DECRYPT_SKEY_INIT, (void (*)(void))cipher_decrypt_skey_init },          \
        { OSSL_FUNC_CIPHER_UPDATE, (void (*)(void))cipher_update },                                \
        { OSSL_FUNC_CIPHER_FINAL, (void (*)(void))cipher_final },                                  \
        { OSSL_FUNC_CIPHER_CIPHER, (void (*)(void))cipher_cipher },                                \
        { OSSL_FUNC_CIPHER_GET_PARAMS, (void (*)(void))cipher_get_params_##bits },                 \
        { OSSL_FUNC_CIPHER_GETTABLE_PARAMS, (void (*)(void))cipher_gettable_params },              \
        { OSSL_FUNC_CIPHER_GET_CTX_PARAMS, (void (*)(void))cipher_get_ctx_params },                \
        { OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS, (void (*)(void))cipher_gettable_ctx_params },      \
        { OSSL_FUNC_CIPHER_SET_CTX_PARAMS, (void (*)(void))cipher_set_ctx_params },                \
        { OSSL_FUNC_CIPHER_SETTABLE_CTX_PARAMS, (void (*)(void))cipher_settable_ctx_params },      \
        { 0, NULL },                                                                               \
    };

CIPHER(128)
CIPHER(192)
CIPHER(256)
/* clang-format on */

#endif
