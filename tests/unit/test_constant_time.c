/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secret numbers of RSA keys are marked, so that libcrypto's arithmetic takes the same time
 * whatever they are. The linker puts the functions below in front of libcrypto's, for our own code
 * alone.
 */
#include "support.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/error.h"
#include "format/wrapped_key.h"

static struct schsm_error err;
static BIGNUM *public[2]; /* modulus and exponent of the key in use; NULL: nothing is watched */
static unsigned int watched;

static bool is_public(const BIGNUM *number)
{
    return BN_num_bits(number) <= 64 || BN_cmp(number, public[0]) == 0 ||
           BN_cmp(number, public[1]) == 0;
}

static bool is_marked(const BIGNUM *number)
{
    return BN_get_flags(number, BN_FLG_CONSTTIME) != 0;
}

/* In operations where libcrypto looks at the marks of several operands, one is enough. */
static void watch(const char *what, const BIGNUM *a, const BIGNUM *b)
{
    if (public[0] == NULL) {
        return;
    }
    watched++;
    if (!is_marked(a) && (b == NULL || !is_marked(b)) && !is_public(a)) {
        fail_msg("%s works on a secret number that is not marked", what);
    }
}

/* By the linker's rule they have these names. */
int __real_BN_div(BIGNUM *dv, BIGNUM *rem, const BIGNUM *m, const BIGNUM *d, BN_CTX *ctx);
BIGNUM *__real_BN_mod_inverse(BIGNUM *r, const BIGNUM *a, const BIGNUM *n, BN_CTX *ctx);
int __real_BN_mod_exp(BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx);
void __real_BN_clear_free(BIGNUM *number);
int __wrap_BN_div(BIGNUM *dv, BIGNUM *rem, const BIGNUM *m, const BIGNUM *d, BN_CTX *ctx);
BIGNUM *__wrap_BN_mod_inverse(BIGNUM *r, const BIGNUM *a, const BIGNUM *n, BN_CTX *ctx);
int __wrap_BN_mod_exp(BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx);
void __wrap_BN_clear_free(BIGNUM *number);

int __wrap_BN_div(BIGNUM *dv, BIGNUM *rem, const BIGNUM *m, const BIGNUM *d, BN_CTX *ctx)
{
    watch("a division", m, d);
    return __real_BN_div(dv, rem, m, d, ctx);
}

BIGNUM *__wrap_BN_mod_inverse(BIGNUM *r, const BIGNUM *a, const BIGNUM *n, BN_CTX *ctx)
{
    watch("an inversion", n, a);
    return __real_BN_mod_inverse(r, a, n, ctx);
}

int __wrap_BN_mod_exp(BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx)
{
    watch("an exponentiation", p, NULL);
    return __real_BN_mod_exp(r, a, p, m, ctx);
}

/* What a number was marked as to its end. */
void __wrap_BN_clear_free(BIGNUM *number)
{
    if (number != NULL) {
        watch("the end", number, NULL);
    }
    __real_BN_clear_free(number);
}

static BIGNUM *part(EVP_PKEY *key, const char *name)
{
    BIGNUM *value = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &value), 1);
    return value;
}

/* The same key without its primes. */
static EVP_PKEY *without_primes(EVP_PKEY *key)
{
    BIGNUM *d = part(key, OSSL_PKEY_PARAM_RSA_D);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *bare = NULL;

    assert_true(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, public[0]) == 1 &&
                OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, public[1]) == 1 &&
                OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_D, d) == 1);
    params = OSSL_PARAM_BLD_to_param(builder);
    assert_true(EVP_PKEY_fromdata_init(ctx) == 1 &&
                EVP_PKEY_fromdata(ctx, &bare, EVP_PKEY_KEYPAIR, params) == 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(ctx);
    __real_BN_clear_free(d);
    return bare;
}

static void wrap_and_unwrap(EVP_PKEY *key, bool plain)
{
    static const uint8_t four[SCHSM_DKEK_LEN] = { 0x44 };
    struct schsm_secret *dkek = schsm_secret_new(four, sizeof(four), &err);
    const struct schsm_wrapping wrapping = { .dkek = dkek, .plain_rsa = plain };
    uint8_t *blob = malloc(SCHSM_WRAPPED_MAX);
    struct schsm_wrapped_key wrapped;
    size_t len = SCHSM_WRAPPED_MAX;
    EVP_PKEY *again = NULL;

    assert_non_null(blob);
    if (!schsm_wrapped_key_from_private(NULL, key, &wrapping, blob, &len, &err) ||
        !schsm_wrapped_key_parse(blob, len, &wrapped, &err) ||
        (again = schsm_wrapped_key_private(NULL, &wrapped, dkek, &err)) == NULL) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(EVP_PKEY_eq(key, again), 1);
    EVP_PKEY_free(again);
    free(blob);
    schsm_secret_free(dkek);
}

static void secret_numbers_of_rsa_keys_are_marked(void **state)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), *bare;

    (void)state;
    assert_non_null(key);
    public[0] = part(key, OSSL_PKEY_PARAM_RSA_N);
    public[1] = part(key, OSSL_PKEY_PARAM_RSA_E);
    bare = without_primes(key);
    for (int plain = 0; plain < 2; plain++) {
        watched = 0;
        wrap_and_unwrap(key, plain != 0);
        assert_true(watched > 20);
        for (int i = 0; i < 8; i++) { /* what BN_gcd swaps is a matter of chance */
            wrap_and_unwrap(bare, plain != 0);
        }
    }
    EVP_PKEY_free(bare);
    EVP_PKEY_free(key);
    BN_free(public[0]);
    BN_free(public[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_numbers_of_rsa_keys_are_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
