/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of key generation: OpenSSL's own, in both spellings, and the card's. */
#include "keymgmt_gen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "keymgmt/algorithm.h"
#include "honoured.h"
#include "keymgmt.h"
#include "trace.h"

/* Bytes of a value with its terminator; the longest that can be meant is a PIN source with a path.
 */
#define PARAMETER_MAX 8192

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
    uint64_t count = value[0] >= '0' && value[0] <= '9' ? strtoull(value, &end, 10) : 0;

    if (end == NULL || *end != '\0' || count < 1 || count > 0xFFFFFFFE) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "use-count: '%s' is not a number from 1 to 4294967294", value);
    }
    gen->use_count = (uint32_t)count;
    return 1;
}

static int set_key_domain(struct schsm_generation *gen, const char *value, struct schsm_error *err)
{
    char *end = NULL;
    uint64_t domain = value[0] >= '0' && value[0] <= '9' ? strtoull(value, &end, 10) : 0;

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

/* The standard parameters that a key on the device can honour; the others are software keys'. */
static const OSSL_PARAM honoured[] = {
    OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_BITS, NULL),
    OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_PRIMES, NULL),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST_PROPS, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_MASKGENFUNC, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, NULL, 0),
    OSSL_PARAM_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, NULL),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, NULL, 0),
    OSSL_PARAM_int(OSSL_PKEY_PARAM_USE_COFACTOR_ECDH, NULL),
    OSSL_PARAM_END,
};

/* What each key type takes beside the default provider's parameters. */
static const OSSL_PARAM own_rsa[] = {
    OSSL_PARAM_size_t("rsa_keygen_bits", NULL),
    OSSL_PARAM_size_t("rsa_keygen_primes", NULL),
    OSSL_PARAM_BN("rsa_keygen_pubexp", NULL, 0),
    SCHSM_CARD_PARAMETERS,
    OSSL_PARAM_END,
};
static const OSSL_PARAM own_rsa_pss[] = {
    OSSL_PARAM_size_t("rsa_keygen_bits", NULL),
    OSSL_PARAM_size_t("rsa_keygen_primes", NULL),
    OSSL_PARAM_BN("rsa_keygen_pubexp", NULL, 0),
    OSSL_PARAM_utf8_string("rsa_pss_keygen_md", NULL, 0),
    OSSL_PARAM_utf8_string("rsa_pss_keygen_mgf1_md", NULL, 0),
    OSSL_PARAM_int("rsa_pss_keygen_saltlen", NULL),
    SCHSM_CARD_PARAMETERS,
    OSSL_PARAM_END,
};
static const OSSL_PARAM own_ec[] = {
    OSSL_PARAM_utf8_string("ec_paramgen_curve", NULL, 0),
    OSSL_PARAM_utf8_string("ec_param_enc", NULL, 0),
    SCHSM_CARD_PARAMETERS,
    OSSL_PARAM_END,
};

static const OSSL_PARAM own_ecx[] = {
    SCHSM_CARD_PARAMETERS,
    OSSL_PARAM_END,
};

/*
 * The default provider's parameters and ours. Both are static tables; the list of both is made at
 * the first question and kept as long as the provider is. Two threads may make it; one is kept.
 */
static const OSSL_PARAM *settable(struct schsm_provider *prov, const char *type,
                                  enum schsm_settable which, const OSSL_PARAM own[])
{
    OSSL_PARAM *known = atomic_load(&prov->settable[which]), *made = NULL;
    const OSSL_PARAM *host = NULL;

    if (known != NULL) {
        return known;
    }
    host = schsm_keymgmt_host_table(prov, type, EVP_KEYMGMT_gen_settable_params);
    made = host == NULL ? NULL : OSSL_PARAM_merge(host, own);
    if (made == NULL) {
        return own;
    }
    if (atomic_compare_exchange_strong(&prov->settable[which], &known, made)) {
        return made;
    }
    OPENSSL_free(made);
    return known;
}

const OSSL_PARAM *schsm_gen_settable_rsa(void *genctx, void *provctx)
{
    schsm_trace_of("keymgmt_gen_settable_params", "RSA");
    (void)genctx;
    return settable(provctx, "RSA", SCHSM_SETTABLE_RSA, own_rsa);
}

const OSSL_PARAM *schsm_gen_settable_rsa_pss(void *genctx, void *provctx)
{
    schsm_trace_of("keymgmt_gen_settable_params", "RSA-PSS");
    (void)genctx;
    return settable(provctx, "RSA-PSS", SCHSM_SETTABLE_RSA_PSS, own_rsa_pss);
}

const OSSL_PARAM *schsm_gen_settable_ec(void *genctx, void *provctx)
{
    schsm_trace_of("keymgmt_gen_settable_params", "EC");
    (void)genctx;
    return settable(provctx, "EC", SCHSM_SETTABLE_EC, own_ec);
}

const OSSL_PARAM *schsm_gen_settable_ecx(struct schsm_provider *prov, const char *type,
                                         enum schsm_settable which)
{
    return settable(prov, type, which, own_ecx);
}

/*
 * A parameter's value as text, integers included; "" where it is neither. 0 where it is longer than
 * size - 1 bytes: a part of it would be another value.
 */
static int param_text(const OSSL_PARAM *p, char *text, size_t size)
{
    int64_t number = 0;
    const char *string = NULL;

    text[0] = '\0';
    if (OSSL_PARAM_get_utf8_string_ptr(p, &string) && string != NULL) {
        return OPENSSL_strlcpy(text, string, size) < size;
    }
    if (OSSL_PARAM_get_int64(p, &number)) {
        return snprintf(text, size, "%" PRId64, number) > 0;
    }
    return 1;
}

static int too_long(const struct schsm_generation *gen, const OSSL_PARAM *p, size_t size)
{
    return schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                              "%s: longer than %zu bytes, which no value of it is", p->key,
                              size - 1);
}

static int set_card_parameter(struct schsm_generation *gen, const struct card_parameter *parameter,
                              const OSSL_PARAM *p)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    char text[PARAMETER_MAX];
    int fits = 0, ok = 0;

    gen->on_device = true;
    ERR_set_mark();
    fits = param_text(p, text, sizeof(text));
    ERR_pop_to_mark();
    ok = fits && parameter->set(gen, text, &err);
    OPENSSL_cleanse(text, sizeof(text));
    if (!fits) {
        return too_long(gen, p, sizeof(text));
    }
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
    const struct {
        const char *name;
        char *text;
        size_t size;
    } texts[] = {
        { OSSL_PKEY_PARAM_EC_ENCODING, gen->encoding, sizeof(gen->encoding) },
        { OSSL_PKEY_PARAM_GROUP_NAME, gen->group, sizeof(gen->group) },
        { OSSL_PKEY_PARAM_RSA_DIGEST, gen->digest, sizeof(gen->digest) },
        { OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, gen->mgf1_digest, sizeof(gen->mgf1_digest) },
    };
    size_t bits = 0;
    int ok = 1;

    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcmp(one[0].key, aliases[i].name) == 0) {
            one[0].key = aliases[i].canonical;
        }
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(one[0].key, texts[i].name) == 0 &&
            !param_text(&one[0], texts[i].text, texts[i].size)) {
            return too_long(gen, p, texts[i].size);
        }
    }
    if (!schsm_is_honoured(one[0].key, honoured)) {
        OPENSSL_strlcpy(gen->unhonoured, p->key, sizeof(gen->unhonoured));
    }
    if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_BITS) == 0) {
        ok = OSSL_PARAM_get_size_t(&one[0], &bits);
        gen->bits = (unsigned int)(bits > 65536 ? 65536 : bits);
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_E) == 0) {
        ok = set_exponent(gen, &one[0]);
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_PRIMES) == 0) {
        ok = OSSL_PARAM_get_size_t(&one[0], &gen->primes);
    } else if (strcmp(one[0].key, OSSL_PKEY_PARAM_RSA_PSS_SALTLEN) == 0) {
        ok = OSSL_PARAM_get_int(&one[0], &gen->salt_len);
        if (ok && gen->salt_len < 0) {
            return schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                                      "saltlen: %d is no length of a salt", gen->salt_len);
        }
    }
    return ok && EVP_PKEY_CTX_set_params(gen->host, one) > 0;
}

int schsm_gen_set_card_parameter(struct schsm_generation *gen, const OSSL_PARAM *p)
{
    for (size_t i = 0; i < sizeof(card_parameters) / sizeof(card_parameters[0]); i++) {
        if (strcmp(card_parameters[i].name, p->key) == 0) {
            return set_card_parameter(gen, &card_parameters[i], p);
        }
    }
    return -1;
}

int schsm_gen_set_params(void *genctx, const OSSL_PARAM params[])
{
    struct schsm_generation *gen = genctx;

    if (params != NULL && params->key != NULL) {
        schsm_trace_of("keymgmt_gen_set_params", gen->type);
    }
    for (const OSSL_PARAM *p = params; p != NULL && p->key != NULL; p++) {
        int done = schsm_gen_set_card_parameter(gen, p);

        if (done < 0 ? !set_standard_parameter(gen, p) : !done) {
            gen->bad_parameter = true;
            return 0;
        }
    }
    return 1;
}
