/* SPDX-License-Identifier: Apache-2.0 */
/* Key agreement with keys on a device gives what the default provider gives. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>

#include "checks.h"
#include "stand_in.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const curves[] = { "P-256",     "P-384",           "P-521",
                                      "secp256k1", "brainpoolP256r1", "brainpoolP512r1" };
static OSSL_LIB_CTX *libctx;
static struct keys keys[COUNT(curves)], peers[COUNT(curves)];

static EVP_PKEY *make(const char *curve)
{
    return EVP_PKEY_Q_keygen(libctx, "provider=default", "EC", curve);
}

static int set_up(void **state)
{
    size_t i;

    (void)state;
    libctx = stand_in_new();
    assert_non_null(libctx);
    for (i = 0; i < COUNT(curves); i++) {
        keys[i] = make_keys(libctx, make(curves[i]));
        peers[i] = make_keys(libctx, make(curves[i]));
    }
    return 0;
}

static int tear_down(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(curves); i++) {
        free_keys(&keys[i]);
        free_keys(&peers[i]);
    }
    stand_in_free(libctx);
    return 0;
}

/* *len: capacity, becomes the length */
static int derive(EVP_PKEY *key, EVP_PKEY *peer, const OSSL_PARAM params[], unsigned char *out,
                  size_t *len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    int ok = EVP_PKEY_derive_init_ex(ctx, params) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
             EVP_PKEY_derive(ctx, out, len) > 0;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static void compare(size_t i, const OSSL_PARAM params[], size_t size)
{
    EVP_PKEY *const shapes[] = { keys[i].software, keys[i].device };
    unsigned char theirs[300], ours[300];
    size_t their_len = size, our_len, s;
    int their_ok = derive(keys[i].theirs, peers[i].theirs, params, theirs, &their_len);

    ERR_clear_error();
    for (s = 0; s < COUNT(shapes); s++) {
        our_len = size;
        assert_int_equal(derive(shapes[s], peers[i].theirs, params, ours, &our_len), their_ok);
        if (their_ok) {
            assert_int_equal(our_len, their_len);
            assert_memory_equal(ours, theirs, their_len);
            assert_no_errors();
            our_len = size;
            assert_true(derive(shapes[s], peers[i].device, params, ours, &our_len));
            assert_memory_equal(ours, theirs, their_len);
        }
        ERR_clear_error();
    }
}

static void secrets_are_equal_on_every_curve(void **state)
{
    static const size_t sizes[] = { 300, 66, 65, 64, 48, 32, 31, 1 };
    size_t i, s;

    (void)state;
    for (i = 0; i < COUNT(curves); i++) {
        for (s = 0; s < COUNT(sizes); s++) {
            compare(i, NULL, sizes[s]);
        }
    }
}

static void x963_derivation_is_equal(void **state)
{
    static const char *const digests[] = { "SHA1", "SHA256", "SHA512", "nonsense" };
    static const size_t lengths[] = { 0, 1, 16, 24, 32, 129, 300 };
    unsigned char ukm[] = "keying material";
    size_t d, l, u, len;

    (void)state;
    for (d = 0; d < COUNT(digests); d++) {
        for (l = 0; l < COUNT(lengths); l++) {
            for (u = 0; u < 2; u++) {
                OSSL_PARAM params[5], *p = params;

                len = lengths[l];
                *p++ = OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, "X963KDF", 0);
                *p++ = OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST,
                                                        (char *)digests[d], 0);
                *p++ = OSSL_PARAM_construct_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, &len);
                if (u != 0) {
                    *p++ = OSSL_PARAM_construct_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, ukm,
                                                             sizeof(ukm));
                }
                *p = OSSL_PARAM_construct_end();
                compare(0, params, 300);
                compare(2, params, 300);
                compare(0, params, 16); /* too small for some */
            }
        }
    }
}

static void length_queries_touch_nothing(void **state)
{
    unsigned int before = stand_in_operations;
    size_t i, len;

    (void)state;
    for (i = 0; i < COUNT(curves); i++) {
        len = 0;
        assert_true(derive(keys[i].device, peers[i].theirs, NULL, NULL, &len));
        assert_int_equal(len, ((size_t)EVP_PKEY_get_bits(keys[i].theirs) + 7) / 8);
    }
    assert_int_equal(stand_in_operations, before);
    assert_no_errors();
}

static void a_peer_on_another_curve_is_refused(void **state)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, keys[0].device, NULL);
    unsigned int before = stand_in_operations;
    unsigned char out[100];
    size_t len = sizeof(out);

    (void)state;
    assert_true(EVP_PKEY_derive_init(ctx) > 0);
    assert_false(EVP_PKEY_derive(ctx, out, &len) > 0); /* no peer at all */
    assert_false(EVP_PKEY_derive_set_peer(ctx, peers[3].theirs) > 0);
    assert_false(EVP_PKEY_derive_set_peer(ctx, peers[3].device) > 0);
    ERR_clear_error();
    assert_false(EVP_PKEY_derive(ctx, out, &len) > 0);
    ERR_clear_error();
    assert_int_equal(stand_in_operations, before);
    EVP_PKEY_CTX_free(ctx);
}

static void a_compressed_peer_is_taken(void **state)
{
    unsigned char theirs[100], ours[100];
    size_t their_len = sizeof(theirs), our_len = sizeof(ours);
    EVP_PKEY *peer = EVP_PKEY_dup(peers[0].theirs);

    (void)state;
    assert_true(EVP_PKEY_set_utf8_string_param(peer, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                               "compressed") > 0);
    assert_true(derive(keys[0].theirs, peers[0].theirs, NULL, theirs, &their_len));
    assert_true(derive(keys[0].device, peer, NULL, ours, &our_len));
    assert_int_equal(our_len, their_len);
    assert_memory_equal(ours, theirs, our_len);
    EVP_PKEY_free(peer);
    assert_no_errors();
}

static void a_copied_context_derives(void **state)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, keys[1].device, NULL), *copy;
    unsigned char theirs[100], ours[100];
    size_t their_len = sizeof(theirs), our_len = sizeof(ours);

    (void)state;
    assert_true(EVP_PKEY_derive_init(ctx) > 0);
    assert_true(EVP_PKEY_derive_set_peer(ctx, peers[1].theirs) > 0);
    copy = EVP_PKEY_CTX_dup(ctx);
    assert_non_null(copy);
    EVP_PKEY_CTX_free(ctx);
    assert_true(EVP_PKEY_derive(copy, ours, &our_len) > 0);
    EVP_PKEY_CTX_free(copy);
    assert_true(derive(keys[1].theirs, peers[1].theirs, NULL, theirs, &their_len));
    assert_memory_equal(ours, theirs, their_len);
    assert_no_errors();
}

static void parameters_are_the_default_providers(void **state)
{
    EVP_PKEY *const shapes[] = { keys[0].theirs, keys[0].software, keys[0].device };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(shapes); i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, shapes[i], NULL);
        unsigned char *ukm = OPENSSL_memdup("ukm", 3);
        const EVP_MD *md;
        void *got = NULL;
        OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_ptr(OSSL_EXCHANGE_PARAM_KDF_UKM, &got,
                                                               0),
                                OSSL_PARAM_construct_end() };
        int len;

        assert_true(EVP_PKEY_derive_init(ctx) > 0);
        assert_int_equal(EVP_PKEY_CTX_get_ecdh_cofactor_mode(ctx), 0);
        assert_true(EVP_PKEY_CTX_set_ecdh_cofactor_mode(ctx, 1) > 0);
        assert_int_equal(EVP_PKEY_CTX_get_ecdh_cofactor_mode(ctx), 1);
        assert_int_equal(EVP_PKEY_CTX_get_ecdh_kdf_type(ctx), EVP_PKEY_ECDH_KDF_NONE);
        assert_true(EVP_PKEY_CTX_set_ecdh_kdf_type(ctx, EVP_PKEY_ECDH_KDF_X9_63) > 0);
        assert_int_equal(EVP_PKEY_CTX_get_ecdh_kdf_type(ctx), EVP_PKEY_ECDH_KDF_X9_63);
        assert_true(EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha384()) > 0);
        assert_true(EVP_PKEY_CTX_get_ecdh_kdf_md(ctx, &md) > 0);
        assert_ptr_equal(md, EVP_sha384());
        assert_true(EVP_PKEY_CTX_set_ecdh_kdf_outlen(ctx, 24) > 0);
        assert_true(EVP_PKEY_CTX_get_ecdh_kdf_outlen(ctx, &len) > 0);
        assert_int_equal(len, 24);
        assert_true(EVP_PKEY_CTX_set0_ecdh_kdf_ukm(ctx, ukm, 3) > 0);
        assert_true(EVP_PKEY_CTX_get_params(ctx, params) > 0);
        assert_int_equal(params[0].return_size, 3);
        assert_memory_equal(got, "ukm", 3);
        EVP_PKEY_CTX_free(ctx);
        assert_no_errors();
    }
}

static void what_a_device_cannot_honour_is_refused(void **state)
{
    unsigned int one = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("no-such-parameter", &one),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, keys[0].device, NULL);

    (void)state;
    assert_true(EVP_PKEY_derive_init(ctx) > 0);
    assert_true(EVP_PKEY_CTX_set_params(ctx, params) <= 0);
    assert_error_says("no-such-parameter");
    assert_true(EVP_PKEY_derive_init_ex(ctx, params) <= 0);
    assert_error_says("no-such-parameter");
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
}

/* Nobody takes an empty secret for one. */
static void no_room_is_no_success(void **state)
{
    EVP_PKEY *const shapes[] = { keys[0].theirs, keys[0].software, keys[0].device };
    unsigned int before = stand_in_operations;

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, shapes[i], NULL);
        unsigned char secret[1];
        size_t len = 0;

        assert_true(EVP_PKEY_derive_init(ctx) > 0);
        assert_true(EVP_PKEY_derive_set_peer(ctx, peers[0].theirs) > 0);
        assert_true(EVP_PKEY_derive(ctx, secret, &len) <= 0);
        EVP_PKEY_CTX_free(ctx);
        ERR_clear_error();
    }
    assert_int_equal(stand_in_operations, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_equal_on_every_curve),
        cmocka_unit_test(x963_derivation_is_equal),
        cmocka_unit_test(length_queries_touch_nothing),
        cmocka_unit_test(a_peer_on_another_curve_is_refused),
        cmocka_unit_test(a_compressed_peer_is_taken),
        cmocka_unit_test(a_copied_context_derives),
        cmocka_unit_test(parameters_are_the_default_providers),
        cmocka_unit_test(what_a_device_cannot_honour_is_refused),
        cmocka_unit_test(no_room_is_no_success),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
