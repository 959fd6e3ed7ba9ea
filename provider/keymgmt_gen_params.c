/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of key generation: OpenSSL's own, in both spellings, and the card's. */
#include "keymgmt_gen.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "keymgmt/algorithm.h"

/* The standard parameters under both spellings; the second is known to nobody but us. */
static const struct alias {
    const char *name;
    const char *canonical;
} aliases[] = {
    { "rsa_keygen_bits", OSSL_PKEY_PARAM_RSA_BITS },
    { "rsa_keygen_pubexp", OSSL_PKEY_PARAM_RSA_E },
    { "rsa_keygen_primes", OSSL_PKEY_PARAM_RSA_PRIMES },
    { "rsa_pss_keygen_md", OSSL_PKEY_PARAM_RSA_DIGEST },
    { "rsa_pss_keygen_mgf1_md", OSSL_PKEY_PARAM_RSA_MGF1_DIGEST },
    { "rsa_pss_keygen_saltlen", OSSL_PKEY_PARAM_RSA_PSS_SALTLEN },
    { "ec_paramgen_curve", OSSL_PKEY_PARAM_GROUP_NAME },
    { "ec_param_enc", OSSL_PKEY_PARAM_EC_ENCODING },
};

static int set_id(struct schsm_generation *gen, const char *value, struct schsm_error *err)
{
    return schsm_id_parse(value, gen->id, &gen->id_len, err);
}

static int set_key_ref(struct schsm_generation *gen, const char *value, struct schsm_error *err)
{
    return schsm_key_ref_parse(value, &gen->key_ref, err);
}

static int set_label(struct schsm_generation *gen, const char *value, struct schsm_error *err)
{
    if (strlen(value) > SCHSM_LABEL_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "label: longer than %d bytes",
                          SCHSM_LABEL_MAX);
    }
    OPENSSL_free(gen->label);
    gen->label = OPENSSL_strdup(value);
    return gen->label != NULL ? 1 : schsm_fail_memory(err);
}

static int set_serial(struct schsm_generation *gen, const char *value, struct schsm_error *err)
{
    OPENSSL_free(gen->where.serial);
    gen->where.serial = OPENSSL_strdup(value);
    return gen->where.serial != NULL ? 1 : schsm_fail_memory(err);
}

static int set_source(struct schsm_generation *gen, struct schsm_pin_source *source)
{
    if (source == NULL) {
        return 0;
    }
    schsm_pin_source_free(gen->where.pin_source);
    gen->where.pin_source = source;
    return 1;
}

static int set_pin_source(struct schsm_generation *gen, const char *value, struct schsm_error *err)
{
    return set_source(gen, schsm_pin_source_parse(value, err));
}

static int set_pin_value(struct schsm_generation *gen, const char *value, struct schsm_error *err)
{
    struct schsm_secret *pin = schsm_secret_new(value, strlen(value), err);
    int ok = pin != NULL && set_source(gen, schsm_pin_source_from_secret(pin, err));

    schsm_secret_free(pin);
    return ok;
}

static int set_algorithms(struct schsm_generation *gen, const char *value, struct schsm_error *err)
{
    return schsm_algorithms_parse(value, SCHSM_KEY_NONE, gen->algorithms, &gen->algorithms_len,
                                  err);
}

static int set_use_count(struct schsm_generation *gen, const char *value, struct schsm_error *err)
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

static int set_key_domain(struct schsm_generation *gen, const char *value, struct schsm_error *err)
{
    char *end = NULL;
    unsigned long domain = value[0] >= '0' && value[0] <= '9' ? strtoul(value, &end, 10) : 0;

    if (end == NULL || *end != '\0' || domain > 255) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "key-domain: '%s' is not a number from 0 to 255", value);
    }
    gen->key_domain = (int)domain;
    return 1;
}

/* The card parameters: the presence of one makes the key a device key. All are text. */
static const struct card_parameter {
    const char *name;
    int (*set)(struct schsm_generation *gen, const char *value, struct schsm_error *err);
} card_parameters[] = {
    { "id", set_id },
    { "label", set_label },
    { "key-ref", set_key_ref },
    { "serial", set_serial },
    { "algorithms", set_algorithms },
    { "use-count", set_use_count },
    { "key-domain", set_key_domain },
    { "pin-source", set_pin_source },
    { "pin-value", set_pin_value },
};

#define CARD_PARAMETERS                                                                            \
    OSSL_PARAM_utf8_string("id", NULL, 0), OSSL_PARAM_utf8_string("label", NULL, 0),               \
        OSSL_PARAM_utf8_string("key-ref", NULL, 0), OSSL_PARAM_utf8_string("serial", NULL, 0),     \
        OSSL_PARAM_utf8_string("algorithms", NULL, 0),                                             \
        OSSL_PARAM_utf8_string("use-count", NULL, 0),                                              \
        OSSL_PARAM_utf8_string("key-domain", NULL, 0),                                             \
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

const OSSL_PARAM *schsm_gen_settable_rsa_pss(void *genctx, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_BITS, NULL),
        OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_PRIMES, NULL),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST_PROPS, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_MASKGENFUNC, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, NULL),
        OSSL_PARAM_size_t("rsa_keygen_bits", NULL),
        OSSL_PARAM_size_t("rsa_keygen_primes", NULL),
        OSSL_PARAM_BN("rsa_keygen_pubexp", NULL, 0),
        OSSL_PARAM_utf8_string("rsa_pss_keygen_md", NULL, 0),
        OSSL_PARAM_utf8_string("rsa_pss_keygen_mgf1_md", NULL, 0),
        OSSL_PARAM_int("rsa_pss_keygen_saltlen", NULL),
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

static int set_card_parameter(struct schsm_generation *gen, const struct card_parameter *parameter,
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
    if (ok) {
        return 1;
    }
    /* Here it is neither a URI nor a configuration that is wrong. */
    err.reason = err.reason == SCHSM_REASON_OUT_OF_MEMORY ? err.reason : SCHSM_REASON_ARGUMENT;
    return schsm_raise(gen->prov, &err);
}

static int set_exponent(struct schsm_generation *gen, const OSSL_PARAM *p)
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
static int set_standard_parameter(struct schsm_generation *gen, const OSSL_PARAM *p)
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
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_PRIMES) == 0) {
        ok = OSSL_PARAM_get_size_t(&one[0], &gen->primes);
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_EC_ENCODING) == 0) {
        param_text(&one[0], gen->encoding, sizeof(gen->encoding));
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_GROUP_NAME) == 0) {
        param_text(&one[0], gen->group, sizeof(gen->group));
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_DIGEST) == 0) {
        param_text(&one[0], gen->digest, sizeof(gen->digest));
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_MGF1_DIGEST) == 0) {
        param_text(&one[0], gen->mgf1_digest, sizeof(gen->mgf1_digest));
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_PSS_SALTLEN) == 0) {
        ok = OSSL_PARAM_get_int(&one[0], &gen->salt_len);
        if (ok && gen->salt_len < 0) {
            return schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                                      "saltlen: %d is no length of a salt", gen->salt_len);
        }
    }
    return ok && EVP_PKEY_CTX_set_params(gen->host, one) > 0;
}

int schsm_gen_set_params(void *genctx, const OSSL_PARAM params[])
{
    struct schsm_generation *gen = genctx;

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
