/* SPDX-License-Identifier: Apache-2.0 */
/* Key encapsulation for and with RSA keys on a device gives what the default provider gives. */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "checks.h"
#include "stand_in.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LEN 256 /* bytes of the modulus, so of an encapsulation and of a secret */

static OSSL_LIB_CTX *libctx;
static struct keys rsa, pss;

static EVP_PKEY *make(const char *type)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, type, "provider=default");
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static int set_up(void **state)
{
    (void)state;
    libctx = stand_in_new();
    assert_non_null(libctx);
    rsa = make_keys(libctx, make("RSA"));
    pss = make_keys(libctx, make("RSA-PSS"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free_keys(&rsa);
    free_keys(&pss);
    stand_in_free(libctx);
    return 0;
}

static EVP_PKEY_CTX *start(EVP_PKEY *key, int decapsulate)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);

    assert_int_equal(decapsulate ? EVP_PKEY_decapsulate_init(ctx, NULL)
                                 : EVP_PKEY_encapsulate_init(ctx, NULL),
                     1);
    assert_int_equal(EVP_PKEY_CTX_set_kem_op(ctx, "RSASVE"), 1);
    return ctx;
}

static void encapsulate(EVP_PKEY *key, unsigned char wrapped[LEN], unsigned char secret[LEN])
{
    EVP_PKEY_CTX *ctx = start(key, 0);
    size_t wrapped_len = LEN, secret_len = LEN;

    assert_int_equal(EVP_PKEY_encapsulate(ctx, wrapped, &wrapped_len, secret, &secret_len), 1);
    assert_int_equal(wrapped_len, LEN);
    assert_int_equal(secret_len, LEN);
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
}

static int decapsulate(EVP_PKEY *key, const unsigned char *wrapped, size_t wrapped_len,
                       unsigned char secret[LEN])
{
    EVP_PKEY_CTX *ctx = start(key, 1);
    size_t len = LEN;
    int done = EVP_PKEY_decapsulate(ctx, secret, &len, wrapped, wrapped_len);

    assert_true(done <= 0 || len == LEN);
    EVP_PKEY_CTX_free(ctx);
    return done;
}

static void secrets_are_equal(void **state)
{
    EVP_PKEY *const shapes[] = { rsa.theirs, rsa.software, rsa.device };

    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        unsigned char wrapped[LEN], secret[LEN], again[LEN];

        encapsulate(shapes[i], wrapped, secret);
        for (size_t j = 0; j < COUNT(shapes); j++) {
            unsigned int before = stand_in_operations;

            assert_int_equal(decapsulate(shapes[j], wrapped, LEN, again), 1);
            assert_memory_equal(again, secret, LEN);
            assert_int_equal(stand_in_operations - before, shapes[j] == rsa.device);
            assert_no_errors();
        }
    }
}

static void lengths_cost_nothing(void **state)
{
    EVP_PKEY_CTX *ctx = start(rsa.device, 1);
    unsigned char wrapped[LEN] = { 0 }, secret[LEN];
    size_t len = 0, wrapped_len = 0;
    unsigned int before = stand_in_operations;

    (void)state;
    wrapped[LEN - 1] = 2;
    assert_int_equal(EVP_PKEY_decapsulate(ctx, NULL, &len, wrapped, LEN), 1);
    assert_int_equal(len, LEN);
    assert_no_errors();
    len = LEN - 1;
    assert_true(EVP_PKEY_decapsulate(ctx, secret, &len, wrapped, LEN) <= 0);
    assert_error_says("too small");
    assert_int_equal(stand_in_operations, before);
    EVP_PKEY_CTX_free(ctx);
    ctx = start(rsa.device, 0);
    len = 0;
    assert_int_equal(EVP_PKEY_encapsulate(ctx, NULL, &wrapped_len, NULL, &len), 1);
    assert_int_equal(len, LEN);
    assert_int_equal(wrapped_len, LEN);
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
}

/* 0, 1, n - 1, n, n + 1 and the largest; 2 and n - 2 are encapsulations. */
static void what_is_no_encapsulation_never_reaches_the_device(void **state)
{
    BIGNUM *n = NULL;
    unsigned char wrapped[LEN + 1], secret[LEN];
    unsigned int before = stand_in_operations;

    (void)state;
    assert_int_equal(EVP_PKEY_get_bn_param(rsa.theirs, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    BN_sub_word(n, 1);
    for (int i = -1; i <= 1; i++, BN_add_word(n, 1)) {
        BN_bn2binpad(n, wrapped, LEN);
        assert_int_equal(decapsulate(rsa.device, wrapped, LEN, secret), 0);
        assert_error_says("no encapsulation");
    }
    for (unsigned char small = 0; small <= 1; small++) {
        memset(wrapped, 0, LEN);
        wrapped[LEN - 1] = small;
        assert_int_equal(decapsulate(rsa.device, wrapped, LEN, secret), 0);
        assert_error_says("no encapsulation");
    }
    memset(wrapped, 0xFF, sizeof(wrapped));
    assert_int_equal(decapsulate(rsa.device, wrapped, LEN, secret), 0);
    assert_error_says("no encapsulation");
    memset(wrapped, 0x01, sizeof(wrapped));
    for (size_t len = 1; len <= sizeof(wrapped); len += len == 1 ? LEN - 2 : 2) {
        assert_int_equal(decapsulate(rsa.device, wrapped, len, secret), 0);
        assert_error_says("no encapsulation");
        assert_true(decapsulate(rsa.theirs, wrapped, len, secret) <= 0);
        ERR_clear_error();
    }
    assert_int_equal(stand_in_operations, before);
    memset(wrapped, 0, LEN);
    wrapped[LEN - 1] = 2;
    assert_int_equal(decapsulate(rsa.device, wrapped, LEN, secret), 1);
    BN_sub_word(n, 4);
    BN_bn2binpad(n, wrapped, LEN);
    assert_int_equal(decapsulate(rsa.device, wrapped, LEN, secret), 1);
    assert_int_equal(stand_in_operations, before + 2);
    BN_free(n);
    assert_no_errors();
}

static void a_device_that_fails_leaves_no_secret(void **state)
{
    static const unsigned char nothing[LEN];
    unsigned char wrapped[LEN], secret[LEN];

    (void)state;
    encapsulate(rsa.device, wrapped, secret);
    stand_in_broken = true;
    assert_int_equal(decapsulate(rsa.device, wrapped, LEN, secret), 0);
    stand_in_broken = false;
    assert_error_says("the stand-in for a device failed");
    assert_memory_equal(secret, nothing, LEN);
    stand_in_permitted = "\x70";
    assert_int_equal(decapsulate(rsa.device, wrapped, LEN, secret), 0);
    stand_in_permitted = "";
    assert_error_says("would have to hold 21");
}

static void contexts_are_copied(void **state)
{
    EVP_PKEY *const shapes[] = { rsa.theirs, rsa.software, rsa.device };

    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        unsigned char wrapped[LEN], secret[LEN], again[LEN];
        size_t len = LEN;
        EVP_PKEY_CTX *ctx = start(shapes[i], 1), *copy = EVP_PKEY_CTX_dup(ctx);

        assert_non_null(copy);
        EVP_PKEY_CTX_free(ctx);
        encapsulate(shapes[i], wrapped, secret);
        assert_int_equal(EVP_PKEY_decapsulate(copy, again, &len, wrapped, LEN), 1);
        assert_memory_equal(again, secret, LEN);
        EVP_PKEY_CTX_free(copy);
        assert_no_errors();
    }
}

/* What an operation returns that nobody chose, or that there is not. */
static void operations_are_chosen_as_with_the_default_provider(void **state)
{
    static const char *const names[] = { NULL, "rsasve", "DHKEM", "nonsense" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        int expected[4] = { 0, 0, 0, 0 };
        EVP_PKEY *const shapes[] = { rsa.theirs, rsa.software, rsa.device };

        for (size_t s = 0; s < COUNT(shapes); s++) {
            unsigned char wrapped[LEN], secret[LEN];
            size_t wrapped_len = LEN, len = LEN;
            OSSL_PARAM params[] = {
                names[i] == NULL ? OSSL_PARAM_construct_end()
                                 : OSSL_PARAM_construct_utf8_string(OSSL_KEM_PARAM_OPERATION,
                                                                    (char *)names[i], 0),
                OSSL_PARAM_construct_end(),
            };
            EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, shapes[s], NULL);
            int seen[4] = { 0, 0, 0, 0 };

            encapsulate(rsa.theirs, wrapped, secret);
            seen[0] = EVP_PKEY_decapsulate_init(ctx, params);
            seen[1] = EVP_PKEY_decapsulate(ctx, secret, &len, wrapped, LEN);
            seen[2] = EVP_PKEY_encapsulate_init(ctx, params);
            seen[3] = EVP_PKEY_encapsulate(ctx, wrapped, &wrapped_len, secret, &len);
            assert_true(seen[0] > 0 && seen[1] > 0 ? ERR_peek_error() == 0 : 1);
            ERR_clear_error();
            if (s == 0) {
                memcpy(expected, seen, sizeof(seen));
            }
            for (size_t j = 0; j < COUNT(seen); j++) {
                assert_int_equal(seen[j], expected[j]);
            }
            EVP_PKEY_CTX_free(ctx);
        }
    }
}

static void parameters_are_the_default_providers(void **state)
{
    EVP_PKEY *const shapes[] = { rsa.theirs, rsa.software, rsa.device };

    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        EVP_PKEY_CTX *ctx = start(shapes[i], 1);
        OSSL_PARAM none[] = { OSSL_PARAM_construct_end() };

        assert_int_equal(EVP_PKEY_CTX_get_params(ctx, none), 1);
        assert_non_null(EVP_PKEY_CTX_gettable_params(ctx));
        assert_non_null(
            OSSL_PARAM_locate_const(EVP_PKEY_CTX_settable_params(ctx), OSSL_KEM_PARAM_OPERATION));
        EVP_PKEY_CTX_free(ctx);
        assert_no_errors();
    }
}

static void what_a_device_cannot_honour_is_refused(void **state)
{
    unsigned int one = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("nonsense", &one),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = start(rsa.device, 1);

    (void)state;
    assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 0);
    assert_error_says("'nonsense'");
    assert_int_equal(EVP_PKEY_decapsulate_init(ctx, params), 0);
    assert_error_says("'nonsense'");
    EVP_PKEY_CTX_free(ctx);
}

static void a_key_for_signatures_decapsulates_nothing(void **state)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, pss.device, NULL);

    (void)state;
    assert_int_equal(EVP_PKEY_decapsulate_init(ctx, NULL), -2);
    assert_error_says("RSA-PSS key makes signatures alone");
    EVP_PKEY_CTX_free(ctx);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_equal),
        cmocka_unit_test(lengths_cost_nothing),
        cmocka_unit_test(what_is_no_encapsulation_never_reaches_the_device),
        cmocka_unit_test(a_device_that_fails_leaves_no_secret),
        cmocka_unit_test(contexts_are_copied),
        cmocka_unit_test(operations_are_chosen_as_with_the_default_provider),
        cmocka_unit_test(parameters_are_the_default_providers),
        cmocka_unit_test(what_a_device_cannot_honour_is_refused),
        cmocka_unit_test(a_key_for_signatures_decapsulates_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
