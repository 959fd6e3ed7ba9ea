/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgmt_gen.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "../keymgmt/uri.h"

#define ALGORITHMS_MAX 16 /* entries of the card's algorithm list (tag 91) */

struct generation {
    struct schsm_provider *prov;
    const char *type;
    bool on_device;
    bool bad_parameter; /* one was refused: gen must not go on with the rest */
    int selection;
    EVP_PKEY_CTX *host; /* makes software keys, and checks and keeps the standard parameters */
    unsigned int bits;
    uint8_t exponent[64];
    size_t exponent_len;
    char group[64];
    struct schsm_uri where; /* serial, PIN source */
    int key_ref;
    uint8_t id[SCHSM_ID_MAX];
    size_t id_len;
    char *label;
    uint8_t algorithms[ALGORITHMS_MAX];
    size_t algorithms_len;
    uint32_t use_count;
};

/* The standard parameters under both spellings; the second is known to nobody but us. */
static const struct alias {
    const char *name;
    const char *canonical;
} aliases[] = {
    { "rsa_keygen_bits", OSSL_PKEY_PARAM_RSA_BITS },
    { "rsa_keygen_pubexp", OSSL_PKEY_PARAM_RSA_E },
    { "rsa_keygen_primes", OSSL_PKEY_PARAM_RSA_PRIMES },
    { "ec_paramgen_curve", OSSL_PKEY_PARAM_GROUP_NAME },
    { "ec_param_enc", OSSL_PKEY_PARAM_EC_ENCODING },
};

static int set_id(struct generation *gen, const char *value, struct schsm_error *err)
{
    return schsm_id_parse(value, gen->id, &gen->id_len, err);
}

static int set_key_ref(struct generation *gen, const char *value, struct schsm_error *err)
{
    return schsm_key_ref_parse(value, &gen->key_ref, err);
}

static int set_label(struct generation *gen, const char *value, struct schsm_error *err)
{
    if (strlen(value) > SCHSM_LABEL_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "label: longer than %d bytes",
                          SCHSM_LABEL_MAX);
    }
    OPENSSL_free(gen->label);
    gen->label = OPENSSL_strdup(value);
    return gen->label != NULL ? 1 : schsm_fail_memory(err);
}

static int set_serial(struct generation *gen, const char *value, struct schsm_error *err)
{
    OPENSSL_free(gen->where.serial);
    gen->where.serial = OPENSSL_strdup(value);
    return gen->where.serial != NULL ? 1 : schsm_fail_memory(err);
}

static int set_source(struct generation *gen, struct schsm_pin_source *source)
{
    if (source == NULL) {
        return 0;
    }
    schsm_pin_source_free(gen->where.pin_source);
    gen->where.pin_source = source;
    return 1;
}

static int set_pin_source(struct generation *gen, const char *value, struct schsm_error *err)
{
    return set_source(gen, schsm_pin_source_parse(value, err));
}

static int set_pin_value(struct generation *gen, const char *value, struct schsm_error *err)
{
    struct schsm_secret *pin = schsm_secret_new(value, strlen(value), err);
    int ok = pin != NULL && set_source(gen, schsm_pin_source_from_secret(pin, err));

    schsm_secret_free(pin);
    return ok;
}

/* Hex bytes, one for each card algorithm, with or without separators: "20:21" or "2021". */
static int set_algorithms(struct generation *gen, const char *value, struct schsm_error *err)
{
    unsigned char list[ALGORITHMS_MAX];
    size_t len = 0;

    ERR_set_mark();
    int ok = OPENSSL_hexstr2buf_ex(list, sizeof(list), &len, value, ':') && len > 0;
    ERR_pop_to_mark();
    if (!ok) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "algorithms: '%s' is not a list of 1 to %d card algorithm ids in hex, "
                          "as in 20:21:30",
                          value, ALGORITHMS_MAX);
    }
    memcpy(gen->algorithms, list, len);
    gen->algorithms_len = len;
    return 1;
}

static int set_use_count(struct generation *gen, const char *value, struct schsm_error *err)
{
    char *end = NULL;
    unsigned long count = value[0] == '-' ? 0 : strtoul(value, &end, 10);

    if (end == NULL || end == value || *end != '\0' || count < 1 || count > 0xFFFFFFFEul) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "use-count: '%s' is not a number from 1 to 4294967294", value);
    }
    gen->use_count = (uint32_t)count;
    return 1;
}

/* The card parameters: the presence of one makes the key a device key. All are text. */
static const struct card_parameter {
    const char *name;
    int (*set)(struct generation *gen, const char *value, struct schsm_error *err);
} card_parameters[] = {
    { "id", set_id },
    { "label", set_label },
    { "key-ref", set_key_ref },
    { "serial", set_serial },
    { "algorithms", set_algorithms },
    { "use-count", set_use_count },
    { "pin-source", set_pin_source },
    { "pin-value", set_pin_value },
};

#define CARD_PARAMETERS                                                                            \
    OSSL_PARAM_utf8_string("id", NULL, 0), OSSL_PARAM_utf8_string("label", NULL, 0),               \
        OSSL_PARAM_utf8_string("key-ref", NULL, 0), OSSL_PARAM_utf8_string("serial", NULL, 0),     \
        OSSL_PARAM_utf8_string("algorithms", NULL, 0),                                             \
        OSSL_PARAM_utf8_string("use-count", NULL, 0),                                              \
        OSSL_PARAM_utf8_string("pin-source", NULL, 0),                                             \
        OSSL_PARAM_utf8_string("pin-value", NULL, 0)

const OSSL_PARAM *schsm_gen_settable_rsa(void *genctx, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_BITS, NULL),
        OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_PRIMES, NULL),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_size_t("rsa_keygen_bits", NULL),
        OSSL_PARAM_size_t("rsa_keygen_primes", NULL),
        OSSL_PARAM_BN("rsa_keygen_pubexp", NULL, 0),
        CARD_PARAMETERS,
        OSSL_PARAM_END,
    };

    (void)genctx;
    (void)provctx;
    return settable;
}

const OSSL_PARAM *schsm_gen_settable_ec(void *genctx, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_utf8_string("ec_paramgen_curve", NULL, 0),
        OSSL_PARAM_utf8_string("ec_param_enc", NULL, 0),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_USE_COFACTOR_ECDH, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_FIELD_TYPE, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_P, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_A, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_B, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_EC_GENERATOR, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_EC_SEED, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_ORDER, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_COFACTOR, NULL, 0),
        CARD_PARAMETERS,
        OSSL_PARAM_END,
    };

    (void)genctx;
    (void)provctx;
    return settable;
}

/* Reads a parameter's value as text, integers included; "" where it is neither. */
static void param_text(const OSSL_PARAM *p, char *text, size_t size)
{
    long number = 0;
    const char *string = NULL;

    text[0] = '\0';
    if (OSSL_PARAM_get_utf8_string_ptr(p, &string) && string != NULL) {
        OPENSSL_strlcpy(text, string, size);
    } else if (OSSL_PARAM_get_long(p, &number)) {
        BIO_snprintf(text, size, "%ld", number);
    }
}

static int set_card_parameter(struct generation *gen, const struct card_parameter *parameter,
                              const OSSL_PARAM *p)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    char text[2 * SCHSM_ID_MAX + SCHSM_LABEL_MAX];
    int ok = 0;

    ERR_set_mark();
    param_text(p, text, sizeof(text));
    ERR_pop_to_mark();
    ok = parameter->set(gen, text, &err);
    OPENSSL_cleanse(text, sizeof(text));
    gen->on_device = true;
    return ok ? 1 : schsm_raise(gen->prov, &err);
}

static int set_exponent(struct generation *gen, const OSSL_PARAM *p)
{
    BIGNUM *e = NULL;
    int ok = OSSL_PARAM_get_BN(p, &e) && BN_num_bytes(e) <= (int)sizeof(gen->exponent);

    if (ok) {
        gen->exponent_len = (size_t)BN_bn2bin(e, gen->exponent);
    }
    BN_free(e);
    return ok;
}

/* Remembers what a device key needs, and hands the parameter to the host's own generation. */
static int set_standard_parameter(struct generation *gen, const OSSL_PARAM *p)
{
    OSSL_PARAM one[2] = { *p, OSSL_PARAM_END };
    size_t bits = 0;
    int ok = 1;

    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcmp(one[0].key, aliases[i].name) == 0) {
            one[0].key = aliases[i].canonical;
        }
    }
    if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_BITS) == 0) {
        ok = OSSL_PARAM_get_size_t(&one[0], &bits);
        gen->bits = (unsigned int)(bits > 65536 ? 65536 : bits);
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_E) == 0) {
        ok = set_exponent(gen, &one[0]);
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_GROUP_NAME) == 0) {
        param_text(&one[0], gen->group, sizeof(gen->group));
    }
    return ok && EVP_PKEY_CTX_set_params(gen->host, one) > 0;
}

int schsm_gen_set_params(void *genctx, const OSSL_PARAM params[])
{
    struct generation *gen = genctx;

    for (const OSSL_PARAM *p = params; p != NULL && p->key != NULL; p++) {
        size_t i = 0;
        size_t count = sizeof(card_parameters) / sizeof(card_parameters[0]);

        while (i < count && strcmp(card_parameters[i].name, p->key) != 0) {
            i++;
        }
        if (i < count ? !set_card_parameter(gen, &card_parameters[i], p)
                      : !set_standard_parameter(gen, p)) {
            gen->bad_parameter = true;
            return 0;
        }
    }
    return 1;
}

/* A generation context of the host: for a key pair, or for EC parameters alone. */
static int start_host(struct generation *gen, EVP_PKEY *template)
{
    EVP_PKEY_CTX *host = template != NULL
                             ? EVP_PKEY_CTX_new_from_pkey(gen->prov->libctx, template, NULL)
                             : EVP_PKEY_CTX_new_from_name(gen->prov->libctx, gen->type, NULL);
    int pair = (gen->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;

    if (host == NULL || (pair ? EVP_PKEY_keygen_init(host) : EVP_PKEY_paramgen_init(host)) <= 0) {
        EVP_PKEY_CTX_free(host);
        return 0;
    }
    EVP_PKEY_CTX_free(gen->host);
    gen->host = host;
    return 1;
}

void *schsm_gen_init(struct schsm_provider *prov, const char *type, bool on_device, int selection,
                     const OSSL_PARAM params[])
{
    struct generation *gen = OPENSSL_zalloc(sizeof(*gen));

    if (gen == NULL) {
        return NULL;
    }
    gen->prov = prov;
    gen->type = type;
    gen->on_device = on_device;
    gen->selection = selection;
    gen->bits = 2048;
    gen->key_ref = -1;
    schsm_uri_init(&gen->where);
    if (!start_host(gen, NULL) || !schsm_gen_set_params(gen, params)) {
        schsm_gen_cleanup(gen);
        return NULL;
    }
    return gen;
}

int schsm_gen_set_template(void *genctx, void *template)
{
    struct generation *gen = genctx;
    const struct schsm_pkey *key = template;
    size_t len = 0;

    if (key->pkey == NULL || !start_host(gen, key->pkey)) {
        return 0;
    }
    ERR_set_mark(); /* explicit parameters have no name; that matters to device keys alone */
    if (!EVP_PKEY_get_group_name(key->pkey, gen->group, sizeof(gen->group), &len)) {
        gen->group[0] = '\0';
    }
    ERR_pop_to_mark();
    return 1;
}

struct progress {
    OSSL_CALLBACK *cb;
    void *arg;
};

/* Passes libcrypto's generation progress (the dots of `openssl req`) on to the application. */
static int report_progress(EVP_PKEY_CTX *host)
{
    const struct progress *progress = EVP_PKEY_CTX_get_app_data(host);
    int potential = EVP_PKEY_CTX_get_keygen_info(host, 0);
    int iteration = EVP_PKEY_CTX_get_keygen_info(host, 1);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_GEN_PARAM_POTENTIAL, &potential),
        OSSL_PARAM_construct_int(OSSL_GEN_PARAM_ITERATION, &iteration),
        OSSL_PARAM_construct_end(),
    };

    return progress->cb(params, progress->arg);
}

static struct schsm_pkey *generate_software(struct generation *gen, OSSL_CALLBACK *cb, void *arg)
{
    struct schsm_pkey *key = schsm_pkey_new(gen->prov, gen->type);
    struct progress progress = { .cb = cb, .arg = arg };
    bool pair = (gen->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;

    if (key == NULL) {
        return NULL;
    }
    if (cb != NULL) {
        EVP_PKEY_CTX_set_app_data(gen->host, &progress);
        EVP_PKEY_CTX_set_cb(gen->host, report_progress);
    }
    if ((pair ? EVP_PKEY_keygen(gen->host, &key->pkey)
              : EVP_PKEY_paramgen(gen->host, &key->pkey)) <= 0) {
        schsm_pkey_free(key);
        return NULL;
    }
    key->has_public = pair;
    key->has_private = pair;
    return key;
}

/* libcrypto's NID of the curve that was asked for, by any of its names. */
static int curve_nid(struct generation *gen)
{
    EC_GROUP *group = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, gen->group, 0),
        OSSL_PARAM_construct_end(),
    };
    int nid = NID_undef;

    if (gen->group[0] == '\0') {
        schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                           "which curve? Give one with '-pkeyopt group:P-256'");
        return NID_undef;
    }
    ERR_set_mark();
    group = EC_GROUP_new_from_params(params, gen->prov->libctx, NULL);
    ERR_pop_to_mark();
    if (group != NULL) {
        nid = EC_GROUP_get_curve_name(group);
    }
    EC_GROUP_free(group);
    if (nid == NID_undef) {
        schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                           "'%s' is not a curve that OpenSSL "
                           "knows; 'openssl ecparam -list_curves' lists them",
                           gen->group);
    }
    return nid;
}

static struct schsm_pkey *generate_on_device(struct generation *gen)
{
    struct schsm_context *context = schsm_provider_context(gen->prov);
    struct schsm_error err = SCHSM_ERROR_INIT;
    bool rsa = strcmp(gen->type, "RSA") == 0;
    struct schsm_generate spec = {
        .type = rsa ? SCHSM_KEY_RSA : SCHSM_KEY_EC,
        .bits = gen->bits,
        .exponent = gen->exponent_len > 0 ? gen->exponent : NULL,
        .exponent_len = gen->exponent_len,
        .key_ref = gen->key_ref,
        .id = gen->id_len > 0 ? gen->id : NULL,
        .id_len = gen->id_len,
        .label = gen->label,
        .algorithms = gen->algorithms_len > 0 ? gen->algorithms : NULL,
        .algorithms_len = gen->algorithms_len,
        .use_count = gen->use_count,
    };
    struct schsm_key *device = NULL;

    if (context == NULL) {
        return NULL;
    }
    if ((gen->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0) {
        schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                           "the SmartCard-HSM makes keys, not parameters alone");
        return NULL;
    }
    if (!rsa && (spec.curve_nid = curve_nid(gen)) == NID_undef) {
        return NULL;
    }
    device = schsm_key_generate(context, &gen->where, &spec, &err);
    if (device == NULL) {
        schsm_raise(gen->prov, &err);
        return NULL;
    }
    return schsm_pkey_from_device(gen->prov, device);
}

void *schsm_gen(void *genctx, OSSL_CALLBACK *cb, void *cbarg)
{
    struct generation *gen = genctx;

    if (gen->bad_parameter) {
        schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                           "no key was made, because a parameter was refused");
        return NULL;
    }
    return gen->on_device ? generate_on_device(gen) : generate_software(gen, cb, cbarg);
}

void schsm_gen_cleanup(void *genctx)
{
    struct generation *gen = genctx;

    if (gen == NULL) {
        return;
    }
    EVP_PKEY_CTX_free(gen->host);
    schsm_uri_clear(&gen->where);
    OPENSSL_free(gen->label);
    OPENSSL_free(gen);
}
