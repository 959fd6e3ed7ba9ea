/* SPDX-License-Identifier: Apache-2.0 */
#include "stand_in.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "provider/implementations.h"
#include "provider/pkey.h"

unsigned int stand_in_operations;
bool stand_in_broken, stand_in_busy;
const char *stand_in_permitted = "";
static bool import_to_device;
static OSSL_PROVIDER *default_provider, *stand_in_provider;

struct schsm_key {
    EVP_PKEY *pair;
};

/* RSA without padding; signing and decrypting are one operation. */
static int exponentiate(EVP_PKEY_CTX *ctx, const uint8_t *in, size_t in_len, uint8_t *out,
                        size_t *out_len)
{
    return EVP_PKEY_decrypt_init(ctx) > 0 &&
           EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0 &&
           EVP_PKEY_decrypt(ctx, out, out_len, in, in_len) > 0;
}

/* As the key of another kind of use might be restricted (RSA-PSS), it is made anew as plain RSA. */
static EVP_PKEY *plain_rsa(OSSL_LIB_CTX *libctx, EVP_PKEY *key)
{
    OSSL_PARAM *params = NULL;
    EVP_PKEY *plain = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, "RSA", NULL);

    if (EVP_PKEY_todata(key, OSSL_KEYMGMT_SELECT_KEYPAIR, &params) > 0 &&
        EVP_PKEY_fromdata_init(ctx) > 0) {
        EVP_PKEY_fromdata(ctx, &plain, OSSL_KEYMGMT_SELECT_KEYPAIR, params);
    }
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    return plain;
}

static int agree(OSSL_LIB_CTX *libctx, EVP_PKEY *pair, const uint8_t *in, size_t in_len,
                 uint8_t *out, size_t *out_len)
{
    EVP_PKEY *peer = EVP_PKEY_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, pair, NULL);
    int ok = EVP_PKEY_copy_parameters(peer, pair) > 0 &&
             EVP_PKEY_set1_encoded_public_key(peer, in, in_len) > 0 &&
             EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
             EVP_PKEY_derive(ctx, out, out_len) > 0;

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return ok;
}

/* EdDSA: the message itself. */
static int sign_pure(OSSL_LIB_CTX *libctx, EVP_PKEY *pair, const uint8_t *in, size_t in_len,
                     uint8_t *out, size_t *out_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = EVP_DigestSignInit_ex(ctx, NULL, NULL, libctx, NULL, pair, NULL) > 0 &&
             EVP_DigestSign(ctx, out, out_len, in, in_len) > 0;

    EVP_MD_CTX_free(ctx);
    return ok;
}

/* Signs a hash, or a DigestInfo, as a device with padding of its own would. */
static int sign(EVP_PKEY_CTX *ctx, enum schsm_padding padding, const char *digest,
                const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len)
{
    const char *by_length = in_len == 20   ? "SHA1"
                            : in_len == 32 ? "SHA256"
                            : in_len == 48 ? "SHA384"
                                           : "SHA512";
    OSSL_PARAM params[4], *p = params;

    if (padding == SCHSM_PADDING_PSS) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, (char *)"pss", 0);
        *p++ =
            OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, (char *)"digest", 0);
        digest = by_length;
    }
    if (digest != NULL) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)digest, 0);
    }
    *p = OSSL_PARAM_construct_end();
    return EVP_PKEY_sign_init_ex(ctx, params) > 0 &&
           EVP_PKEY_sign(ctx, out, out_len, in, in_len) > 0;
}

static int operate(struct schsm_key *key, enum schsm_operation operation, const uint8_t *in,
                   size_t in_len, uint8_t *out, size_t *out_len, struct schsm_error *err)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    EVP_PKEY *pair = key->pair, *plain = NULL;
    EVP_PKEY_CTX *ctx;
    const struct schsm_operation_traits *traits = schsm_operation_traits(operation);
    unsigned char hash[EVP_MAX_MD_SIZE];
    int ok = 0;

    stand_in_operations++;
    if (stand_in_permitted[0] != 0 && strchr(stand_in_permitted, traits->algorithm) == NULL) {
        OSSL_LIB_CTX_free(libctx);
        return schsm_fail(err, SCHSM_REASON_NOT_PERMITTED, "the stand-in does not permit this");
    }
    if (EVP_PKEY_is_a(pair, "RSA-PSS")) {
        pair = plain = plain_rsa(libctx, pair);
    }
    ctx = EVP_PKEY_CTX_new_from_pkey(libctx, pair, NULL);
    if (!stand_in_broken) {
        switch (traits->input) {
        case SCHSM_INPUT_BLOCK:
            ok = in_len == (size_t)EVP_PKEY_get_size(pair) &&
                 exponentiate(ctx, in, in_len, out, out_len);
            break;
        case SCHSM_INPUT_POINT:
            ok = agree(libctx, pair, in, in_len, out, out_len);
            break;
        case SCHSM_INPUT_MESSAGE:
            ok = EVP_Q_digest(libctx, traits->digest, NULL, in, in_len, hash, &in_len) &&
                 sign(ctx, traits->padding, traits->digest, hash, in_len, out, out_len);
            break;
        case SCHSM_INPUT_DIGEST_INFO:
        case SCHSM_INPUT_HASH:
            ok = in_len <= ((size_t)EVP_PKEY_get_bits(pair) + 7) / 8 &&
                 sign(ctx, traits->padding, NULL, in, in_len, out, out_len);
            break;
        case SCHSM_INPUT_PURE_MESSAGE:
            ok = sign_pure(libctx, pair, in, in_len, out, out_len);
            break;
        case SCHSM_INPUT_ECX_PUBLIC:
            ok = agree(libctx, pair, in, in_len, out, out_len);
            break;
        case SCHSM_INPUT_CIPHER_BLOCKS:
        case SCHSM_INPUT_CIPHER_TEXT:
        case SCHSM_INPUT_INFO:
            break; /* of secret keys, which no provider's key is */
        }
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(plain);
    OSSL_LIB_CTX_free(libctx);
    return ok ? 1 : schsm_fail(err, SCHSM_REASON_DEVICE, "the stand-in for a device failed");
}

int schsm_key_operate(struct schsm_key *key, enum schsm_operation operation, const uint8_t *in,
                      size_t in_len, uint8_t *out, size_t *out_len, struct schsm_error *err)
{
    int done = 0;

    stand_in_busy = true;
    done = operate(key, operation, in, in_len, out, out_len, err);
    stand_in_busy = false;
    return done;
}

void schsm_key_free(struct schsm_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pair);
    }
    OPENSSL_free(key);
}

const char *schsm_key_name(const struct schsm_key *key)
{
    (void)key;
    return "key";
}

EVP_PKEY *schsm_key_public(const struct schsm_key *key)
{
    return key->pair;
}

/* Key management, as little as libcrypto needs. */

static EVP_PKEY *make(struct schsm_pkey *key, int selection, OSSL_PARAM params[])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(key->prov->libctx, key->type, NULL);
    EVP_PKEY *pkey = NULL;

    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) > 0) {
        EVP_PKEY_fromdata(ctx, &pkey, selection, params);
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static int keymgmt_import(void *vkey, int selection, const OSSL_PARAM params[])
{
    struct schsm_pkey *key = vkey;
    bool pair = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PRIV_KEY) != NULL ||
                OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_D) != NULL;
    OSSL_PARAM *data = OSSL_PARAM_dup(params);
    EVP_PKEY *full;

    (void)selection;
    full = make(key, pair ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, data);
    OSSL_PARAM_free(data);
    if (full == NULL) {
        return 0;
    }
    key->has_public = true;
    if (!pair || !import_to_device) {
        key->has_private = pair;
        key->pkey = full;
        return 1;
    }
    data = NULL;
    key->device = OPENSSL_zalloc(sizeof(*key->device));
    key->device->pair = full;
    if (EVP_PKEY_todata(full, EVP_PKEY_PUBLIC_KEY, &data) > 0) {
        key->pkey = make(key, EVP_PKEY_PUBLIC_KEY, data);
    }
    OSSL_PARAM_free(data);
    return key->pkey != NULL;
}

static const OSSL_PARAM *keymgmt_types(int selection)
{
    static const OSSL_PARAM anything[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)selection;
    return anything;
}

static void keymgmt_free(void *vkey)
{
    schsm_pkey_free(vkey);
}

static int keymgmt_has(const void *vkey, int selection)
{
    (void)vkey;
    (void)selection;
    return 1;
}

static int keymgmt_match(const void *a, const void *b, int selection)
{
    (void)selection;
    return EVP_PKEY_eq(((const struct schsm_pkey *)a)->pkey,
                       ((const struct schsm_pkey *)b)->pkey) == 1;
}

static int keymgmt_get_params(void *vkey, OSSL_PARAM params[])
{
    EVP_PKEY_get_params(((struct schsm_pkey *)vkey)->pkey, params);
    return 1;
}

static void *rsa_new(void *provctx)
{
    return schsm_pkey_new(provctx, "RSA");
}

static void *pss_new(void *provctx)
{
    return schsm_pkey_new(provctx, "RSA-PSS");
}

static void *ec_new(void *provctx)
{
    return schsm_pkey_new(provctx, "EC");
}

static void *ed25519_new(void *provctx)
{
    return schsm_pkey_new(provctx, "ED25519");
}

static void *ed448_new(void *provctx)
{
    return schsm_pkey_new(provctx, "ED448");
}

static void *x25519_new(void *provctx)
{
    return schsm_pkey_new(provctx, "X25519");
}

static void *x448_new(void *provctx)
{
    return schsm_pkey_new(provctx, "X448");
}

static const char *edwards_operation(int id)
{
    return id == OSSL_OP_SIGNATURE ? "SC-HSM-EDDSA" : NULL;
}

static const char *montgomery_operation(int id)
{
    return id == OSSL_OP_KEYEXCH ? "SC-HSM-XDH" : id == OSSL_OP_KEM ? "SC-HSM-DHKEM" : NULL;
}

static const char *rsa_operation(int id)
{
    (void)id;
    return "SC-HSM-RSA";
}

static const char *ec_operation(int id)
{
    return id == OSSL_OP_KEYEXCH ? "SC-HSM-ECDH"
           : id == OSSL_OP_KEM   ? "SC-HSM-DHKEM"
                                 : "SC-HSM-ECDSA";
}

#define KEYMGMT(name, new_function, operation)                                                     \
    static const OSSL_DISPATCH name[] = {                                                          \
        { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))new_function },                                   \
        { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))keymgmt_free },                                  \
        { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))keymgmt_has },                                    \
        { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))keymgmt_match },                                \
        { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))keymgmt_import },                              \
        { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))keymgmt_types },                         \
        { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))keymgmt_get_params },                      \
        { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))keymgmt_types },                      \
        { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))operation },                     \
        { 0, NULL },                                                                               \
    }

KEYMGMT(keymgmt_rsa, rsa_new, rsa_operation);
KEYMGMT(keymgmt_pss, pss_new, rsa_operation);
KEYMGMT(keymgmt_ec, ec_new, ec_operation);
KEYMGMT(keymgmt_ed25519, ed25519_new, edwards_operation);
KEYMGMT(keymgmt_ed448, ed448_new, edwards_operation);
KEYMGMT(keymgmt_x25519, x25519_new, montgomery_operation);
KEYMGMT(keymgmt_x448, x448_new, montgomery_operation);

#define PROPERTIES "provider=stand-in"
#define WITH_DIGEST(symbol, scheme, digest, names)                                                 \
    { names, PROPERTIES, schsm_signature_##symbol, NULL },

static const OSSL_ALGORITHM *query(void *provctx, int operation_id, int *no_cache)
{
    static const OSSL_ALGORITHM keymgmt[] = {
        { "RSA:rsaEncryption", PROPERTIES, keymgmt_rsa, NULL },
        { "RSA-PSS:RSASSA-PSS", PROPERTIES, keymgmt_pss, NULL },
        { "EC:id-ecPublicKey", PROPERTIES, keymgmt_ec, NULL },
        { "ED25519", PROPERTIES, keymgmt_ed25519, NULL },
        { "ED448", PROPERTIES, keymgmt_ed448, NULL },
        { "X25519", PROPERTIES, keymgmt_x25519, NULL },
        { "X448", PROPERTIES, keymgmt_x448, NULL },
        { NULL, NULL, NULL, NULL },
    };
    /* clang-format off */
    static const OSSL_ALGORITHM signature[] = {
        { "SC-HSM-RSA", PROPERTIES, schsm_signature_rsa, NULL },
        { "SC-HSM-ECDSA", PROPERTIES, schsm_signature_ecdsa, NULL },
        { "SC-HSM-EDDSA", PROPERTIES, schsm_signature_eddsa, NULL },
        SCHSM_MESSAGE_ALGORITHMS(WITH_DIGEST)
        { NULL, NULL, NULL, NULL },
    };
    /* clang-format on */
    static const OSSL_ALGORITHM cipher[] = {
        { "SC-HSM-RSA", PROPERTIES, schsm_asym_cipher_rsa, NULL },
        { NULL, NULL, NULL, NULL },
    };
    static const OSSL_ALGORITHM keyexch[] = {
        { "SC-HSM-ECDH", PROPERTIES, schsm_keyexch_ecdh, NULL },
        { "SC-HSM-XDH", PROPERTIES, schsm_keyexch_ecx, NULL },
        { NULL, NULL, NULL, NULL },
    };
    static const OSSL_ALGORITHM kem[] = {
        { "SC-HSM-RSA", PROPERTIES, schsm_kem_rsa, NULL },
#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
        { "SC-HSM-DHKEM", PROPERTIES, schsm_kem_dhkem, NULL },
#endif
        { NULL, NULL, NULL, NULL },
    };

    (void)provctx;
    *no_cache = 0;
    switch (operation_id) {
    case OSSL_OP_KEYMGMT:
        return keymgmt;
    case OSSL_OP_SIGNATURE:
        return signature;
    case OSSL_OP_ASYM_CIPHER:
        return cipher;
    case OSSL_OP_KEYEXCH:
        return keyexch;
    case OSSL_OP_KEM:
        return kem;
    default:
        return NULL;
    }
}

static void teardown(void *provctx)
{
    struct schsm_provider *prov = provctx;

    schsm_reasons_free(prov->reasons);
    OSSL_LIB_CTX_free(prov->libctx);
    OPENSSL_free(prov);
}

static int init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                void **provctx)
{
    static const OSSL_DISPATCH functions[] = {
        { OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown },
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
        { 0, NULL },
    };
    struct schsm_provider *prov = OPENSSL_zalloc(sizeof(*prov));

    if (prov == NULL) {
        return 0;
    }
    prov->handle = handle;
    for (; in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_CORE_NEW_ERROR:
            prov->core_new_error = OSSL_FUNC_core_new_error(in);
            break;
        case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
            prov->core_set_error_debug = OSSL_FUNC_core_set_error_debug(in);
            break;
        case OSSL_FUNC_CORE_VSET_ERROR:
            prov->core_vset_error = OSSL_FUNC_core_vset_error(in);
            break;
        default:
            break;
        }
    }
    prov->reasons = schsm_reasons_new();
    prov->libctx = OSSL_LIB_CTX_new();
    *provctx = prov;
    *out = functions;
    return prov->libctx != NULL && prov->reasons != NULL;
}

OSSL_LIB_CTX *stand_in_new(void)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();

    if (libctx != NULL && OSSL_PROVIDER_add_builtin(libctx, "stand-in", init)) {
        default_provider = OSSL_PROVIDER_load(libctx, "default");
        stand_in_provider = OSSL_PROVIDER_load(libctx, "stand-in");
    }
    return libctx;
}

void stand_in_free(OSSL_LIB_CTX *libctx)
{
    OSSL_PROVIDER_unload(stand_in_provider);
    OSSL_PROVIDER_unload(default_provider);
    OSSL_LIB_CTX_free(libctx);
}

EVP_PKEY *stand_in_key(OSSL_LIB_CTX *libctx, const EVP_PKEY *key, bool on_device)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_name(libctx, EVP_PKEY_get0_type_name(key), PROPERTIES);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *made = NULL;

    import_to_device = on_device;
    if (EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params) > 0 && EVP_PKEY_fromdata_init(ctx) > 0) {
        EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_KEYPAIR, params);
    }
    import_to_device = false;
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    return made;
}
