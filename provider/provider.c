/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider's entry: the tables of what it offers, and one instance's life.
 *
 * Loading it touches no reader, no file and no lock. keymgmt carries OpenSSL's canonical names,
 * because libcrypto and libssl go by them; the operations carry names of our own and are reached
 * through query_operation_name, so that no foreign key ever lands here. The algorithms with a
 * digest in their name are fetched by programs, under OpenSSL's names.
 */
#include "provider.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "capabilities.h"
#include "implementations.h"
#include "keymgmt/config_file.h"
#include "keymgmt/config_slips.h"
#include "keymgmt/pkcs11_uri.h"
#include "skey.h"
#include "trace.h"

#define PROPERTIES "provider=sc-hsm"
#define CONFIG_SECTION "the sc-hsm section of openssl.cnf"

#define NAMES_RSA "RSA:rsaEncryption:1.2.840.113549.1.1.1"
#define NAMES_RSA_PSS "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10"
#define NAMES_EC "EC:id-ecPublicKey:1.2.840.10045.2.1"
#define NAMES_ED25519 "ED25519:1.3.101.112"
#define NAMES_ED448 "ED448:1.3.101.113"
#define NAMES_X25519 "X25519:1.3.101.110"
#define NAMES_X448 "X448:1.3.101.111"
#define NAMES_DEVICE_RSA "SC-HSM-RSA"
#define NAMES_DEVICE_RSA_PSS "SC-HSM-RSA-PSS"
#define NAMES_DEVICE_EC "SC-HSM-EC"
#define NAMES_DEVICE_ED25519 "SC-HSM-ED25519"
#define NAMES_DEVICE_ED448 "SC-HSM-ED448"
#define NAMES_DEVICE_X25519 "SC-HSM-X25519"
#define NAMES_DEVICE_X448 "SC-HSM-X448"

static OSSL_FUNC_provider_teardown_fn provider_teardown;
static OSSL_FUNC_provider_gettable_params_fn provider_gettable_params;
static OSSL_FUNC_provider_get_params_fn provider_get_params;
static OSSL_FUNC_provider_query_operation_fn provider_query_operation;
static OSSL_FUNC_provider_get_capabilities_fn provider_get_capabilities;

static const OSSL_ALGORITHM keymgmt_algorithms[] = {
    { NAMES_RSA, PROPERTIES, schsm_keymgmt_rsa, "RSA keys on a SmartCard-HSM" },
    { NAMES_RSA_PSS, PROPERTIES, schsm_keymgmt_rsa_pss, "RSA-PSS keys on a SmartCard-HSM" },
    { NAMES_EC, PROPERTIES, schsm_keymgmt_ec, "EC keys on a SmartCard-HSM" },
    { NAMES_ED25519, PROPERTIES, schsm_keymgmt_ed25519, "Ed25519 keys on a Pico HSM" },
    { NAMES_ED448, PROPERTIES, schsm_keymgmt_ed448, "Ed448 keys on a Pico HSM" },
    { NAMES_X25519, PROPERTIES, schsm_keymgmt_x25519, "X25519 keys on a Pico HSM" },
    { NAMES_X448, PROPERTIES, schsm_keymgmt_x448, "X448 keys on a Pico HSM" },
    { NAMES_DEVICE_RSA, PROPERTIES, schsm_keymgmt_device_rsa, "RSA generation on the device" },
    { NAMES_DEVICE_RSA_PSS, PROPERTIES, schsm_keymgmt_device_rsa_pss,
      "RSA-PSS generation on the device" },
    { NAMES_DEVICE_EC, PROPERTIES, schsm_keymgmt_device_ec, "EC generation on the device" },
    { NAMES_DEVICE_ED25519, PROPERTIES, schsm_keymgmt_device_ed25519,
      "Ed25519 generation on the device" },
    { NAMES_DEVICE_ED448, PROPERTIES, schsm_keymgmt_device_ed448,
      "Ed448 generation on the device" },
    { NAMES_DEVICE_X25519, PROPERTIES, schsm_keymgmt_device_x25519,
      "X25519 generation on the device" },
    { NAMES_DEVICE_X448, PROPERTIES, schsm_keymgmt_device_x448, "X448 generation on the device" },
    { NULL, NULL, NULL, NULL }
};

/* clang-format off */
#define WITH_DIGEST(symbol, scheme, digest, names)                                                 \
    { names, PROPERTIES, schsm_signature_##symbol, "Signatures of messages by a SmartCard-HSM" },

static const OSSL_ALGORITHM signature_algorithms[] = {
    { "SC-HSM-RSA", PROPERTIES, schsm_signature_rsa, "RSA signatures by a SmartCard-HSM" },
    { "SC-HSM-ECDSA", PROPERTIES, schsm_signature_ecdsa, "ECDSA signatures by a SmartCard-HSM" },
    { "SC-HSM-EDDSA", PROPERTIES, schsm_signature_eddsa, "EdDSA signatures by a Pico HSM" },
    SCHSM_MESSAGE_ALGORITHMS(WITH_DIGEST)
    { NULL, NULL, NULL, NULL }
};
/* clang-format on */

static const OSSL_ALGORITHM asym_cipher_algorithms[] = {
    { "SC-HSM-RSA", PROPERTIES, schsm_asym_cipher_rsa, "RSA decryption by a SmartCard-HSM" },
    { NULL, NULL, NULL, NULL }
};

static const OSSL_ALGORITHM keyexch_algorithms[] = {
    { "SC-HSM-ECDH", PROPERTIES, schsm_keyexch_ecdh, "ECDH by a SmartCard-HSM" },
    { "SC-HSM-XDH", PROPERTIES, schsm_keyexch_ecx, "X25519 and X448 by a Pico HSM" },
    { NULL, NULL, NULL, NULL }
};

static const OSSL_ALGORITHM kem_algorithms[] = {
    { "SC-HSM-RSA", PROPERTIES, schsm_kem_rsa, "RSASVE by a SmartCard-HSM" },
#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
    { "SC-HSM-DHKEM", PROPERTIES, schsm_kem_dhkem, "DHKEM by a SmartCard-HSM or a Pico HSM" },
#endif
    { NULL, NULL, NULL, NULL }
};

#ifdef OSSL_OP_SKEYMGMT
static const OSSL_ALGORITHM skeymgmt_algorithms[] = {
    { SCHSM_SKEY_NAME, PROPERTIES, schsm_skeymgmt_aes, "AES keys on a SmartCard-HSM" },
    { NULL, NULL, NULL, NULL }
};

/* Names of our own: a key that is bytes is for whoever has the general names. */
static const OSSL_ALGORITHM cipher_algorithms[] = {
    { "SC-HSM-AES-128-CBC", PROPERTIES, schsm_cipher_aes_128_cbc, "AES by a SmartCard-HSM" },
    { "SC-HSM-AES-192-CBC", PROPERTIES, schsm_cipher_aes_192_cbc, "AES by a SmartCard-HSM" },
    { "SC-HSM-AES-256-CBC", PROPERTIES, schsm_cipher_aes_256_cbc, "AES by a SmartCard-HSM" },
    { NULL, NULL, NULL, NULL }
};

static const OSSL_ALGORITHM mac_algorithms[] = { { "SC-HSM-CMAC", PROPERTIES, schsm_mac_cmac,
                                                   "CMAC by a SmartCard-HSM" },
                                                 { NULL, NULL, NULL, NULL } };
#endif

#ifdef OSSL_FUNC_KDF_SET_SKEY
static const OSSL_ALGORITHM kdf_algorithms[] = { { "SC-HSM-DERIVE", PROPERTIES, schsm_kdf_derive,
                                                   "Derivation by a SmartCard-HSM" },
                                                 { NULL, NULL, NULL, NULL } };
#endif

/* Of these, the first one is offered only to who wants it, see takes_pkcs11_uris. */
static const OSSL_ALGORITHM store_algorithms[] = {
    { SCHSM_PKCS11_URI_SCHEME, PROPERTIES, schsm_store, "Objects on a SmartCard-HSM" },
    { SCHSM_URI_SCHEME, PROPERTIES, schsm_store, "Objects on a SmartCard-HSM" },
    { NULL, NULL, NULL, NULL }
};

static const OSSL_ALGORITHM decoder_algorithms[] = {
    { "DER", PROPERTIES ",input=pem", schsm_decoder_pem, "Key reference, PEM to DER" },
    { NAMES_RSA, PROPERTIES ",input=der,structure=type-specific", schsm_decoder_der_rsa,
      "Key reference to RSA key" },
    { NAMES_RSA_PSS, PROPERTIES ",input=der,structure=type-specific", schsm_decoder_der_rsa_pss,
      "Key reference to RSA-PSS key" },
    { NAMES_EC, PROPERTIES ",input=der,structure=type-specific", schsm_decoder_der_ec,
      "Key reference to EC key" },
    { NAMES_ED25519, PROPERTIES ",input=der,structure=type-specific", schsm_decoder_der_ed25519,
      "Key reference to Ed25519 key" },
    { NAMES_ED448, PROPERTIES ",input=der,structure=type-specific", schsm_decoder_der_ed448,
      "Key reference to Ed448 key" },
    { NAMES_X25519, PROPERTIES ",input=der,structure=type-specific", schsm_decoder_der_x25519,
      "Key reference to X25519 key" },
    { NAMES_X448, PROPERTIES ",input=der,structure=type-specific", schsm_decoder_der_x448,
      "Key reference to X448 key" },
    { NULL, NULL, NULL, NULL }
};

/*
 * Each key type's encoders; a key's own name decides which are asked, and the last one that fits is
 * taken. Those for whoever names no structure carry one of ours, so that nobody else gets them.
 */
#define ENCODERS(names)                                                                            \
    { names, PROPERTIES ",output=text", schsm_encoder_text, "Description for people" },            \
        { names, PROPERTIES ",output=pem,structure=PrivateKeyInfo", schsm_encoder_pkcs8_pem,       \
          "Key reference file, or a software key" },                                               \
        { names, PROPERTIES ",output=der,structure=PrivateKeyInfo", schsm_encoder_pkcs8_der,       \
          "Key reference in DER, or a software key" },                                             \
        { names, PROPERTIES ",output=pem,structure=EncryptedPrivateKeyInfo",                       \
          schsm_encoder_encrypted_pkcs8_pem, "Key reference file, or a software key" },            \
        { names, PROPERTIES ",output=der,structure=EncryptedPrivateKeyInfo",                       \
          schsm_encoder_encrypted_pkcs8_der, "Key reference in DER, or a software key" },          \
        { names, PROPERTIES ",output=pem,structure=SubjectPublicKeyInfo", schsm_encoder_spki_pem,  \
          "Public key" },                                                                          \
        { names, PROPERTIES ",output=der,structure=SubjectPublicKeyInfo", schsm_encoder_spki_der,  \
          "Public key" },                                                                          \
        { names, PROPERTIES ",output=pem,structure=type-specific", schsm_encoder_specific_pem,     \
          "Key reference file, or a software key" },                                               \
        { names, PROPERTIES ",output=der,structure=type-specific", schsm_encoder_specific_der,     \
          "Key reference in DER, or a software key" },                                             \
        { names, PROPERTIES ",output=pem,structure=sc-hsm", schsm_encoder_any_pem,                 \
          "Key reference file, or whatever comes first" },                                         \
    {                                                                                              \
        names, PROPERTIES ",output=der,structure=sc-hsm", schsm_encoder_any_der,                   \
            "Key reference in DER, or whatever comes first"                                        \
    }

/* clang-format off */
static const OSSL_ALGORITHM encoder_algorithms[] = {
    { NAMES_EC, PROPERTIES ",output=pem,structure=ec", schsm_encoder_ec_pem, "Software key" },
    { NAMES_EC, PROPERTIES ",output=der,structure=ec", schsm_encoder_ec_der, "Software key" },
    { NAMES_EC, PROPERTIES ",output=pem,structure=X9.62", schsm_encoder_x9_62_pem, "Software key" },
    { NAMES_EC, PROPERTIES ",output=der,structure=X9.62", schsm_encoder_x9_62_der, "Software key" },
    { NAMES_EC, PROPERTIES ",output=blob", schsm_encoder_blob, "Public point" },
    ENCODERS(NAMES_RSA),
    ENCODERS(NAMES_RSA_PSS),
    ENCODERS(NAMES_EC),
    ENCODERS(NAMES_ED25519),
    ENCODERS(NAMES_ED448),
    ENCODERS(NAMES_X25519),
    ENCODERS(NAMES_X448),
    ENCODERS(NAMES_DEVICE_RSA),
    ENCODERS(NAMES_DEVICE_RSA_PSS),
    ENCODERS(NAMES_DEVICE_EC),
    ENCODERS(NAMES_DEVICE_ED25519),
    ENCODERS(NAMES_DEVICE_ED448),
    ENCODERS(NAMES_DEVICE_X25519),
    ENCODERS(NAMES_DEVICE_X448),
    { NULL, NULL, NULL, NULL }
};
/* clang-format on */

/* For the log. */
static const char *operation_name(int operation_id)
{
    switch (operation_id) {
    case OSSL_OP_KEYMGMT:
        return "keymgmt";
    case OSSL_OP_SIGNATURE:
        return "signature";
    case OSSL_OP_ASYM_CIPHER:
        return "asym_cipher";
    case OSSL_OP_KEYEXCH:
        return "keyexch";
    case OSSL_OP_KEM:
        return "kem";
#ifdef OSSL_OP_SKEYMGMT
    case OSSL_OP_SKEYMGMT:
        return "skeymgmt";
    case OSSL_OP_CIPHER:
        return "cipher";
    case OSSL_OP_MAC:
        return "mac";
#endif
#ifdef OSSL_FUNC_KDF_SET_SKEY
    case OSSL_OP_KDF:
        return "kdf";
#endif
    case OSSL_OP_STORE:
        return "store";
    case OSSL_OP_DECODER:
        return "decoder";
    case OSSL_OP_ENCODER:
        return "encoder";
    default:
        return "another one";
    }
}

/* Asks the core for one setting of our section; NULL where it is not set. */
static const char *get_setting(const void *arg, const char *key)
{
    const struct schsm_provider *prov = arg;
    char *value = NULL;
    OSSL_PARAM request[] = {
        OSSL_PARAM_DEFN(key, OSSL_PARAM_UTF8_PTR, &value, sizeof(value)),
        OSSL_PARAM_END,
    };

    request[0].return_size = OSSL_PARAM_UNMODIFIED;
    if (prov->core_get_params == NULL || !prov->core_get_params(prov->handle, request)) {
        return NULL;
    }
    return value;
}

/*
 * Another provider, or an engine, may have been loaded for this scheme: nothing is taken from it
 * unless the user says so. So one setting is asked for before the configuration is read; that
 * touches nothing, and a bad value is told when it is.
 */
static bool takes_pkcs11_uris(const struct schsm_provider *prov)
{
    const char *value = get_setting(prov, SCHSM_CONFIG_PKCS11_URIS);

    return value != NULL && strcmp(value, "yes") == 0;
}

static const OSSL_ALGORITHM *provider_query_operation(void *provctx, int operation_id,
                                                      int *no_cache)
{
    schsm_trace_of("provider_query_operation", operation_name(operation_id));
    *no_cache = 0;
    switch (operation_id) {
    case OSSL_OP_KEYMGMT:
        return keymgmt_algorithms;
    case OSSL_OP_SIGNATURE:
        return signature_algorithms;
    case OSSL_OP_ASYM_CIPHER:
        return asym_cipher_algorithms;
    case OSSL_OP_KEYEXCH:
        return keyexch_algorithms;
    case OSSL_OP_KEM:
        return kem_algorithms;
#ifdef OSSL_OP_SKEYMGMT
    case OSSL_OP_SKEYMGMT:
        return skeymgmt_algorithms;
    case OSSL_OP_CIPHER:
        return cipher_algorithms;
    case OSSL_OP_MAC:
        return mac_algorithms;
#endif
#ifdef OSSL_FUNC_KDF_SET_SKEY
    case OSSL_OP_KDF:
        return kdf_algorithms;
#endif
    case OSSL_OP_STORE:
        return takes_pkcs11_uris(provctx) ? store_algorithms : store_algorithms + 1;
    case OSSL_OP_DECODER:
        return decoder_algorithms;
    case OSSL_OP_ENCODER:
        return encoder_algorithms;
    default:
        return NULL;
    }
}

static const OSSL_PARAM *provider_gettable_params(void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_BUILDINFO, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, NULL, 0),
        OSSL_PARAM_END,
    };

    schsm_trace("provider_gettable_params", NULL);
    (void)provctx;
    return gettable;
}

static int provider_get_params(void *provctx, OSSL_PARAM params[])
{
    OSSL_PARAM *p = NULL;

    schsm_trace("provider_get_params", NULL);
    (void)provctx;
    return ((p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME)) == NULL ||
            OSSL_PARAM_set_utf8_ptr(p, "SmartCard-HSM provider")) &&
           ((p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_VERSION)) == NULL ||
            OSSL_PARAM_set_utf8_ptr(p, SC_HSM_VERSION)) &&
           ((p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_BUILDINFO)) == NULL ||
            OSSL_PARAM_set_utf8_ptr(p, SC_HSM_VERSION)) &&
           ((p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS)) == NULL ||
            OSSL_PARAM_set_int(p, 1));
}

static int provider_get_capabilities(void *provctx, const char *capability, OSSL_CALLBACK *cb,
                                     void *arg)
{
    schsm_trace("provider_get_capabilities", NULL);
    return schsm_capabilities(provctx, capability, cb, arg);
}

/* A name in our section that is none of ours, but nearly one, was meant to be read. */
static int refuse_slips(const struct schsm_provider *prov, struct schsm_error *err)
{
    size_t count = 0;
    struct schsm_slip *slips = schsm_config_slips(&count);
    OSSL_PARAM *asked = OPENSSL_malloc((count + 1) * sizeof(*asked));
    char *value = NULL;
    int ok = 1;

    if (slips == NULL || asked == NULL) {
        ok = schsm_fail_memory(err);
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        asked[i] = OSSL_PARAM_construct_utf8_ptr(slips[i].name, &value, 0);
    }
    asked[count] = OSSL_PARAM_construct_end();
    if (prov->core_get_params == NULL || !prov->core_get_params(prov->handle, asked)) {
        goto done;
    }
    for (size_t i = 0; ok && i < count; i++) {
        if (OSSL_PARAM_modified(&asked[i]) && !schsm_config_is_name(slips[i].name)) {
            ok = schsm_fail(err, SCHSM_REASON_CONFIG, "setting '%s' in %s is unknown: write %s",
                            slips[i].name, CONFIG_SECTION, slips[i].meant);
        }
    }

done:
    OPENSSL_free(asked);
    OPENSSL_free(slips);
    return ok;
}

/* Fills a context of its own from the configuration. */
static int configure(const struct schsm_provider *prov, struct schsm_context *context,
                     struct schsm_error *err)
{
    const char *key = NULL;

    for (size_t i = 0; (key = schsm_config_key(i)) != NULL; i++) {
        const char *value = get_setting(prov, key);

        if (value != NULL && !schsm_config_set(&context->config, CONFIG_SECTION, key, value, err)) {
            return 0;
        }
    }
    if (!refuse_slips(prov, err) ||
        !schsm_log_set(context->config.log, context->config.log_file, err) ||
        !schsm_config_check_file(prov->libctx, get_setting, prov, err)) {
        return 0;
    }
    context->registry = schsm_registry_new(err);
    if (context->registry == NULL ||
        !schsm_registry_use_module(context->registry, context->config.pkcs11_module, err)) {
        return 0;
    }
    schsm_registry_wait(context->registry, context->config.wait);
    schsm_registry_protect(context->registry, context->config.secure_channel,
                           context->config.roots);
    if (context->config.pool != SCHSM_POOL_OFF) {
        context->pool = schsm_pool_new(context->registry, context->config.pool,
                                       context->config.pool_devices, err);
    }
    return context->config.pool == SCHSM_POOL_OFF || context->pool != NULL;
}

/* A fork in the middle of it leaves the child a provider that has read nothing yet. */
static void configure_once(struct schsm_provider *prov)
{
    struct schsm_context fresh = { .libctx = prov->libctx };
    struct schsm_error err = SCHSM_ERROR_INIT;
    int ok;

    schsm_config_init(&fresh.config);
    ok = configure(prov, &fresh, &err);
    if (!ok) {
        (void)schsm_pool_free(fresh.pool); /* which nobody used yet */
        schsm_registry_free(fresh.registry);
        schsm_config_clear(&fresh.config);
    }
    schsm_guard_lock();
    if (ok) {
        prov->context = fresh;
    }
    prov->config_error = err;
    prov->configured = ok ? 1 : -1;
    schsm_guard_unlock();
}

struct schsm_context *schsm_provider_context(struct schsm_provider *prov)
{
    int configured = 0;

    schsm_fork_lock(&prov->config_lock);
    if (prov->configured == 0) {
        configure_once(prov);
    }
    configured = prov->configured;
    schsm_fork_unlock(&prov->config_lock);
    if (configured < 0) {
        schsm_raise(prov, &prov->config_error);
        return NULL;
    }
    return &prov->context;
}

static void take_core_functions(struct schsm_provider *prov, const OSSL_DISPATCH *in)
{
    for (; in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_CORE_GET_PARAMS:
            prov->core_get_params = OSSL_FUNC_core_get_params(in);
            break;
        case OSSL_FUNC_CORE_NEW_ERROR:
            prov->core_new_error = OSSL_FUNC_core_new_error(in);
            break;
        case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
            prov->core_set_error_debug = OSSL_FUNC_core_set_error_debug(in);
            break;
        case OSSL_FUNC_CORE_VSET_ERROR:
            prov->core_vset_error = OSSL_FUNC_core_vset_error(in);
            break;
        case OSSL_FUNC_CORE_SET_ERROR_MARK:
            prov->core_set_error_mark = OSSL_FUNC_core_set_error_mark(in);
            break;
        case OSSL_FUNC_CORE_CLEAR_LAST_ERROR_MARK:
            prov->core_clear_last_error_mark = OSSL_FUNC_core_clear_last_error_mark(in);
            break;
        case OSSL_FUNC_CORE_POP_ERROR_TO_MARK:
            prov->core_pop_error_to_mark = OSSL_FUNC_core_pop_error_to_mark(in);
            break;
        default:
            break;
        }
    }
}

static void free_context(struct schsm_provider *prov)
{
    schsm_registry_free(prov->context.registry);
    schsm_config_clear(&prov->context.config);
    OSSL_PROVIDER_unload(prov->host);
    OSSL_LIB_CTX_free(prov->libctx);
}

/* Also called after OPENSSL_cleanup, when a key is freed that late. */
static void provider_teardown(void *provctx)
{
    struct schsm_provider *prov = provctx;

    schsm_trace("provider_teardown", NULL);
    schsm_reasons_free(prov->reasons);
    if (schsm_pool_free(prov->context.pool)) {
        free_context(prov);
    }
    for (int i = 0; i < SCHSM_SETTABLE_COUNT; i++) {
        OPENSSL_free(atomic_load(&prov->settable[i]));
    }
    schsm_fork_leave(&prov->config_lock);
    OPENSSL_free(prov);
}

static const OSSL_DISPATCH provider_functions[] = {
    { OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))provider_teardown },
    { OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))provider_gettable_params },
    { OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))provider_get_params },
    { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query_operation },
    { OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))provider_get_capabilities },
    { 0, NULL }
};

/* The one symbol that leaves the module. */
__attribute__((visibility("default"))) int OSSL_provider_init(const OSSL_CORE_HANDLE *handle,
                                                              const OSSL_DISPATCH *in,
                                                              const OSSL_DISPATCH **out,
                                                              void **provctx)
{
    struct schsm_provider *prov = NULL;

    /*
     * Our libcrypto may be another one than the program's, and then nobody has called it before. It
     * must not clean up at a time of its own, before the program lets go of its last key. (Nothing
     * may be said of its configuration: that may be what is being loaded, and us for it.)
     */
    if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) ||
        (prov = OPENSSL_zalloc(sizeof(*prov))) == NULL) {
        return 0;
    }
    prov->handle = handle;
    take_core_functions(prov, in);
    schsm_config_init(&prov->context.config);
    for (int i = 0; i < SCHSM_SETTABLE_COUNT; i++) {
        atomic_init(&prov->settable[i], NULL);
    }
    prov->reasons = schsm_reasons_new();
    if (prov->core_new_error == NULL || prov->core_set_error_debug == NULL ||
        prov->core_vset_error == NULL || prov->reasons == NULL ||
        !schsm_fork_join(&prov->config_lock)) {
        schsm_reasons_free(prov->reasons);
        OPENSSL_free(prov);
        return 0;
    }
    prov->libctx = OSSL_LIB_CTX_new_from_dispatch(handle, in);
    prov->host = prov->libctx != NULL ? OSSL_PROVIDER_load(prov->libctx, "default") : NULL;
    if (prov->host == NULL) {
        provider_teardown(prov);
        return 0;
    }
    *provctx = prov;
    *out = provider_functions;
    return 1;
}
