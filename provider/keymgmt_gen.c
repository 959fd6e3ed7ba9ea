/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgmt_gen.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "format/ecx.h"
#include "honoured.h"
#include "keymgmt.h"
#include "trace.h"

/* A generation context of the host: for a key pair, or for EC parameters alone. */
static int start_host(struct schsm_generation *gen, EVP_PKEY *template)
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
    struct schsm_generation *gen = OPENSSL_zalloc(sizeof(*gen));

    if (gen == NULL) {
        return NULL;
    }
    gen->prov = prov;
    gen->type = type;
    gen->on_device = on_device;
    gen->selection = selection;
    gen->bits = 2048;
    gen->primes = 2;
    gen->key_ref = -1;
    gen->key_domain = -1;
    gen->salt_len = -1;
    schsm_uri_init(&gen->where);
    if (!start_host(gen, NULL) || !schsm_gen_set_params(gen, params)) {
        schsm_gen_cleanup(gen);
        return NULL;
    }
    return gen;
}

int schsm_gen_set_template(void *genctx, void *template)
{
    struct schsm_generation *gen = genctx;
    const struct schsm_pkey *key = template;
    size_t len = 0;

    schsm_trace("keymgmt_gen_set_template", template);
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

static struct schsm_pkey *generate_software(struct schsm_generation *gen, OSSL_CALLBACK *cb,
                                            void *arg)
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
static int curve_nid(struct schsm_generation *gen)
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

/*
 * The RSA-PSS key with the public part of the plain RSA key that the device made. The default
 * provider fills in what of the restrictions was not named, as it does for its own keys.
 */
static EVP_PKEY *make_restricted(struct schsm_generation *gen, const EVP_PKEY *plain)
{
    OSSL_PARAM names[4], *restriction = names, *numbers = NULL, *params = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(gen->prov->libctx, "RSA-PSS", NULL);
    EVP_PKEY *restricted = NULL;

    if (gen->digest[0] != '\0') {
        *restriction++ =
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, gen->digest, 0);
    }
    if (gen->mgf1_digest[0] != '\0') {
        *restriction++ =
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, gen->mgf1_digest, 0);
    }
    if (gen->salt_len >= 0) {
        *restriction++ = OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, &gen->salt_len);
    }
    *restriction = OSSL_PARAM_construct_end();
    if (ctx != NULL && EVP_PKEY_todata(plain, EVP_PKEY_PUBLIC_KEY, &numbers) > 0 &&
        (params = OSSL_PARAM_merge(numbers, names)) != NULL && EVP_PKEY_fromdata_init(ctx) > 0) {
        EVP_PKEY_fromdata(ctx, &restricted, EVP_PKEY_PUBLIC_KEY, params);
    }
    OPENSSL_free(params);
    OSSL_PARAM_free(numbers);
    EVP_PKEY_CTX_free(ctx);
    return restricted;
}

/* The device knows plain RSA keys alone: what the key is restricted to stands in its reference. */
static int restrict_key(struct schsm_generation *gen, struct schsm_key *device,
                        struct schsm_error *err)
{
    EVP_PKEY *restricted = make_restricted(gen, schsm_key_public(device));
    int ok = restricted != NULL
                 ? schsm_key_restrict(device, restricted, err)
                 : schsm_fail(err, SCHSM_REASON_CRYPTO,
                              "libcrypto makes no RSA-PSS key with these restrictions");

    EVP_PKEY_free(restricted);
    return ok;
}

struct schsm_generate schsm_gen_spec(const struct schsm_generation *gen, enum schsm_key_type type)
{
    return (struct schsm_generate){
        .type = type,
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
        .has_key_domain = gen->key_domain >= 0,
        .key_domain = gen->key_domain >= 0 ? (unsigned int)gen->key_domain : 0,
    };
}

static struct schsm_pkey *generate_on_device(struct schsm_generation *gen)
{
    struct schsm_context *context = schsm_provider_context(gen->prov);
    struct schsm_error err = SCHSM_ERROR_INIT;
    const struct schsm_ecx *ecx = schsm_ecx_by_name(gen->type);
    bool ec = strcmp(gen->type, "EC") == 0;
    struct schsm_generate spec = schsm_gen_spec(gen, ecx != NULL ? ecx->type
                                                     : ec        ? SCHSM_KEY_EC
                                                                 : SCHSM_KEY_RSA);
    struct schsm_key *device = NULL;
    struct schsm_pkey *key = NULL;

    if (context == NULL) {
        return NULL;
    }
    if ((gen->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0) {
        schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                           "the SmartCard-HSM makes keys, not parameters alone");
        return NULL;
    }
    if (gen->unhonoured[0] != '\0') {
        schsm_refuse_parameter(gen->prov, gen->unhonoured);
        return NULL;
    }
    if (gen->primes != 2) {
        schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                           "the SmartCard-HSM makes RSA keys of two primes, not of %zu",
                           gen->primes);
        return NULL;
    }
    if (gen->encoding[0] != '\0' && strcmp(gen->encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0) {
        schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                           "a key on the SmartCard-HSM names its curve: '%s' encoding of the "
                           "curve's parameters is not offered",
                           gen->encoding);
        return NULL;
    }
    if (ec && (spec.curve_nid = curve_nid(gen)) == NID_undef) {
        return NULL;
    }
    device = schsm_key_generate(context, &gen->where, &spec, &err);
    if (device == NULL) {
        schsm_raise(gen->prov, &err);
        return NULL;
    }
    if (strcmp(gen->type, "RSA-PSS") == 0 && !restrict_key(gen, device, &err)) {
        schsm_raise(gen->prov, &err);
    } else {
        key = schsm_pkey_around(gen->prov, device);
    }
    if (key == NULL) {
        schsm_keymgmt_discard_made(gen->prov, device);
        return NULL;
    }
    atomic_store(&key->unclaimed, true);
    return key;
}

void *schsm_gen(void *genctx, OSSL_CALLBACK *cb, void *cbarg)
{
    struct schsm_generation *gen = genctx;

    schsm_trace_of("keymgmt_gen", gen->type);
    if (gen->bad_parameter) {
        schsm_raise_reason(gen->prov, SCHSM_REASON_ARGUMENT,
                           "no key was made, because a parameter was refused");
        return NULL;
    }
    return gen->on_device ? generate_on_device(gen) : generate_software(gen, cb, cbarg);
}

void schsm_gen_cleanup(void *genctx)
{
    struct schsm_generation *gen = genctx;

    schsm_trace("keymgmt_gen_cleanup", NULL);
    if (gen == NULL) {
        return;
    }
    EVP_PKEY_CTX_free(gen->host);
    schsm_uri_clear(&gen->where);
    OPENSSL_free(gen->label);
    OPENSSL_free(gen);
}
