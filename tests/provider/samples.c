/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>

OSSL_LIB_CTX *judge;
static OSSL_PROVIDER *judge_provider;

int begin_judging(void)
{
    judge = OSSL_LIB_CTX_new();
    judge_provider = OSSL_PROVIDER_load(judge, "default");
    return judge_provider != NULL;
}

int end_judging(void)
{
    OSSL_PROVIDER_unload(judge_provider);
    OSSL_LIB_CTX_free(judge);
    return 0;
}

const struct sample samples[SAMPLES] = {
    { "RSA", "RSA", NULL, NULL, NULL, NULL, PAIR },
    { "RSA, public", "RSA", NULL, NULL, NULL, NULL, PUBLIC },
    { "RSA-PSS", "RSA-PSS", NULL, NULL, NULL, NULL, PAIR },
    { "RSA-PSS, restricted", "RSA-PSS", NULL, NULL, NULL, "SHA384", PAIR },
    { "RSA-PSS, restricted, public", "RSA-PSS", NULL, NULL, NULL, "SHA384", PUBLIC },
    { "P-256", "EC", "P-256", NULL, NULL, NULL, PAIR },
    { "P-256, public", "EC", "P-256", NULL, NULL, NULL, PUBLIC },
    { "P-256, parameters", "EC", "P-256", NULL, NULL, NULL, PARAMETERS },
    { "P-256, private alone", "EC", "P-256", NULL, NULL, NULL, PRIVATE },
    { "P-256, compressed", "EC", "P-256", NULL, "compressed", NULL, PAIR },
    { "P-256, explicit", "EC", "P-256", "explicit", NULL, NULL, PAIR },
    { "P-256, explicit parameters", "EC", "P-256", "explicit", NULL, NULL, PARAMETERS },
    { "P-521", "EC", "P-521", NULL, NULL, NULL, PAIR },
    { "secp256k1", "EC", "secp256k1", NULL, NULL, NULL, PAIR },
    { "SM2", "EC", "SM2", NULL, NULL, NULL, PAIR },
    { "SM2, parameters", "EC", "SM2", NULL, NULL, NULL, PARAMETERS },
    { "Ed25519", "ED25519", NULL, NULL, NULL, NULL, PAIR },
    { "Ed25519, public", "ED25519", NULL, NULL, NULL, NULL, PUBLIC },
    { "Ed25519, private alone", "ED25519", NULL, NULL, NULL, NULL, PRIVATE },
    { "Ed448", "ED448", NULL, NULL, NULL, NULL, PAIR },
    { "X25519", "X25519", NULL, NULL, NULL, NULL, PAIR },
    { "X25519, public", "X25519", NULL, NULL, NULL, NULL, PUBLIC },
    { "X448, private alone", "X448", NULL, NULL, NULL, NULL, PRIVATE },
};

static int selection_of(enum part part)
{
    switch (part) {
    case PUBLIC:
        return EVP_PKEY_PUBLIC_KEY;
    case PARAMETERS:
        return EVP_PKEY_KEY_PARAMETERS;
    default:
        return EVP_PKEY_KEYPAIR;
    }
}

/* A new key pair, or parameters, made in that context. */
static EVP_PKEY *generate(OSSL_LIB_CTX *in, const struct sample *sample, const char *properties)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(in, sample->type, properties);
    OSSL_PARAM params[4], *p = params;
    size_t bits = 1024;
    EVP_PKEY *key = NULL;

    assert_non_null(ctx);
    if (strncmp(sample->type, "RSA", 3) == 0) {
        *p++ = OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits);
    } else if (sample->group != NULL) {
        *p++ =
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)sample->group, 0);
    }
    if (sample->encoding != NULL) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING,
                                                (char *)sample->encoding, 0);
    }
    if (sample->digest != NULL) {
        *p++ =
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, (char *)sample->digest, 0);
    }
    *p = OSSL_PARAM_construct_end();
    assert_int_equal(
        sample->part == PARAMETERS ? EVP_PKEY_paramgen_init(ctx) : EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    if (sample->form != NULL) {
        assert_int_equal(EVP_PKEY_set_utf8_string_param(
                             key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, sample->form),
                         1);
    }
    assert_no_errors();
    return key;
}

static EVP_PKEY *transfer(EVP_PKEY *key, OSSL_LIB_CTX *to, const struct sample *sample,
                          const char *properties)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(to, sample->type, properties);
    int selection = selection_of(sample->part);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *copy = NULL;

    assert_int_equal(EVP_PKEY_todata(key, selection, &params), 1);
    for (OSSL_PARAM *p = params; sample->part == PRIVATE && p->key != NULL; p++) {
        if (strcmp(p->key, OSSL_PKEY_PARAM_PUB_KEY) == 0) {
            p->key = "left-out";
        }
    }
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &copy, selection, params), 1);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
    return copy;
}

int comparable(const struct sample *sample)
{
    return sample->group == NULL || strcmp(sample->group, "SM2") != 0 || sample->part == PARAMETERS;
}

void make_pair(const struct sample *sample, EVP_PKEY **ours, EVP_PKEY **theirs)
{
    if (sample->group != NULL && strcmp(sample->group, "SM2") == 0) {
        *ours = generate(libctx, sample, OURS);
        *theirs = generate(judge, sample, NULL);
    } else {
        EVP_PKEY *made = generate(judge, sample, NULL);

        *theirs = transfer(made, judge, sample, NULL);
        *ours = transfer(made, libctx, sample, OURS);
        EVP_PKEY_free(made);
    }
    assert_ptr_equal(EVP_PKEY_get0_provider(*ours), module);
}
