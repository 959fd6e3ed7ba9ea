/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs do with a signature's context besides signing: they ask for lengths, copy it, start
 * it again, recover from it. None of that touches the device.
 */
#include <string.h>

#include <openssl/params.h>

#include "signing.h"
#include "stand_in.h"

static struct keys rsa2048, rsa1025, p256, p521;

static int set_up(void **state)
{
    (void)state;
    signing_libctx = stand_in_new();
    assert_non_null(signing_libctx);
    rsa2048 = make_keys(signing_libctx,
                        EVP_PKEY_Q_keygen(signing_libctx, "provider=default", "RSA", (size_t)2048));
    rsa1025 = make_keys(signing_libctx,
                        EVP_PKEY_Q_keygen(signing_libctx, "provider=default", "RSA", (size_t)1025));
    p256 = make_keys(signing_libctx,
                     EVP_PKEY_Q_keygen(signing_libctx, "provider=default", "EC", "P-256"));
    p521 = make_keys(signing_libctx,
                     EVP_PKEY_Q_keygen(signing_libctx, "provider=default", "EC", "P-521"));
    return 0;
}

static int tear_down(void **state)
{
    struct keys *const all[] = { &rsa2048, &rsa1025, &p256, &p521 };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        free_keys(all[i]);
    }
    stand_in_free(signing_libctx);
    return 0;
}

static void length_queries_touch_nothing(void **state)
{
    struct keys *const keys[] = { &rsa2048, &rsa1025, &p256, &p521 };
    unsigned char sig[600];
    size_t i, len, max;

    (void)state;
    for (i = 0; i < COUNT(keys); i++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        unsigned int before = stand_in_operations;
        struct result result;

        max = (size_t)EVP_PKEY_get_size(keys[i]->theirs);
        assert_true(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", signing_libctx, NULL,
                                          keys[i]->device, NULL) > 0);
        assert_true(EVP_DigestSignUpdate(ctx, signing_message, 3) > 0);
        assert_true(EVP_DigestSignFinal(ctx, NULL, &len) > 0);
        assert_int_equal(len, max);
        len = max - 1;
        assert_false(EVP_DigestSignFinal(ctx, sig, &len) > 0);
        ERR_clear_error();
        assert_int_equal(stand_in_operations, before);
        assert_true(EVP_DigestSignUpdate(ctx, signing_message + 3, sizeof(signing_message) - 3) >
                    0);
        result.sig_len = sizeof(result.sig);
        assert_true(EVP_DigestSignFinal(ctx, result.sig, &result.sig_len) > 0);
        assert_int_equal(stand_in_operations, before + 1);
        assert_true(digest_verify(keys[i]->theirs, "SHA256", &plain, &result));
        EVP_MD_CTX_free(ctx);

        ctx = EVP_MD_CTX_new();
        assert_true(EVP_DigestSignInit_ex(ctx, NULL, NULL, signing_libctx, NULL, keys[i]->device,
                                          NULL) > 0);
        assert_true(EVP_DigestSign(ctx, NULL, &len, signing_message, sizeof(signing_message)) > 0);
        assert_int_equal(len, max);
        assert_int_equal(stand_in_operations, before + 1);
        result.sig_len = len;
        assert_true(EVP_DigestSign(ctx, result.sig, &result.sig_len, signing_message,
                                   sizeof(signing_message)) > 0);
        assert_true(digest_verify(keys[i]->theirs, "SHA256", &plain, &result));
        EVP_MD_CTX_free(ctx);
        assert_no_errors();
    }
}

static void contexts_can_be_copied_in_mid_stream(void **state)
{
    struct keys *const keys[] = { &rsa2048, &p256 };
    struct result first, second;
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(keys); i++) {
        for (k = 0; k < 2; k++) {
            EVP_PKEY *key = k == 0 ? keys[i]->device : keys[i]->software;
            EVP_MD_CTX *ctx = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();

            assert_true(
                EVP_DigestSignInit_ex(ctx, NULL, "SHA384", signing_libctx, NULL, key, NULL) > 0);
            assert_true(EVP_DigestSignUpdate(ctx, signing_message, 7) > 0);
            assert_true(EVP_MD_CTX_copy_ex(copy, ctx));
            assert_true(
                EVP_DigestSignUpdate(ctx, signing_message + 7, sizeof(signing_message) - 7) > 0);
            first.sig_len = second.sig_len = sizeof(first.sig);
            assert_true(EVP_DigestSignFinal(ctx, first.sig, &first.sig_len) > 0);
            EVP_MD_CTX_free(ctx);
            assert_true(
                EVP_DigestSignUpdate(copy, signing_message + 7, sizeof(signing_message) - 7) > 0);
            assert_true(EVP_DigestSignFinal(copy, second.sig, &second.sig_len) > 0);
            EVP_MD_CTX_free(copy);
            assert_true(digest_verify(keys[i]->theirs, "SHA384", &plain, &first));
            assert_true(digest_verify(keys[i]->theirs, "SHA384", &plain, &second));
            assert_no_errors();
        }
    }
}

static void a_plain_context_can_be_copied(void **state)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(signing_libctx, rsa2048.device, NULL), *copy;
    unsigned char digest[32] = { 7 }, sig[600], theirs[600];
    size_t len = sizeof(sig), their_len;

    (void)state;
    assert_true(EVP_PKEY_sign_init(ctx) > 0);
    assert_true(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0);
    copy = EVP_PKEY_CTX_dup(ctx);
    assert_non_null(copy);
    EVP_PKEY_CTX_free(ctx);
    assert_true(EVP_PKEY_sign(copy, sig, &len, digest, sizeof(digest)) > 0);
    EVP_PKEY_CTX_free(copy);
    assert_true(
        raw_sign(rsa2048.theirs, "SHA256", NULL, digest, sizeof(digest), theirs, &their_len));
    assert_memory_equal(sig, theirs, their_len);
    assert_no_errors();
}

static void a_context_is_started_again_without_key(void **state)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    struct result result;
    int round;

    (void)state;
    assert_true(EVP_DigestSignInit_ex(ctx, &pctx, "SHA384", signing_libctx, NULL, rsa2048.device,
                                      NULL) > 0);
    for (round = 0; round < 3; round++) {
        result.sig_len = sizeof(result.sig);
        assert_true(EVP_DigestSignUpdate(ctx, signing_message, sizeof(signing_message)) > 0);
        assert_true(EVP_DigestSignFinal(ctx, result.sig, &result.sig_len) > 0);
        assert_true(digest_verify(rsa2048.theirs, "SHA384", &plain, &result));
        assert_true(EVP_DigestSignInit_ex(ctx, &pctx, NULL, signing_libctx, NULL, NULL, NULL) > 0);
    }
    EVP_MD_CTX_free(ctx);
    assert_no_errors();
}

static void signatures_are_recovered(void **state)
{
    unsigned char digest[32] = { 1, 2, 3 }, sig[600], out[600];
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(signing_libctx, rsa2048.device, NULL);
    size_t sig_len, out_len = sizeof(out);

    (void)state;
    assert_true(raw_sign(rsa2048.device, "SHA256", NULL, digest, sizeof(digest), sig, &sig_len));
    assert_true(EVP_PKEY_verify_recover_init(ctx) > 0);
    assert_true(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0);
    assert_true(EVP_PKEY_verify_recover(ctx, out, &out_len, sig, sig_len) > 0);
    assert_int_equal(out_len, sizeof(digest));
    assert_memory_equal(out, digest, out_len);
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
}

static void a_broken_device_is_an_error_and_touched_by_signing_only(void **state)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char sig[600];
    size_t len = sizeof(sig);

    (void)state;
    stand_in_broken = true;
    assert_true(
        EVP_DigestSignInit_ex(ctx, NULL, "SHA256", signing_libctx, NULL, p256.device, NULL) > 0);
    assert_true(EVP_DigestSignUpdate(ctx, signing_message, sizeof(signing_message)) > 0);
    assert_no_errors();
    assert_false(EVP_DigestSignFinal(ctx, sig, &len) > 0);
    assert_error_says("the stand-in for a device failed");
    EVP_MD_CTX_free(ctx);
    stand_in_broken = false;
}

static void parameters_are_listed(void **state)
{
    static const char *const names[] = { "SC-HSM-RSA", "SC-HSM-ECDSA" };
    static const char *const defaults[] = { "RSA", "ECDSA" };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++) {
        EVP_SIGNATURE *ours = EVP_SIGNATURE_fetch(signing_libctx, names[i], NULL);
        EVP_SIGNATURE *theirs = EVP_SIGNATURE_fetch(signing_libctx, defaults[i], NULL);
        const OSSL_PARAM *p;

        for (p = EVP_SIGNATURE_gettable_ctx_params(theirs); p->key != NULL; p++) {
            assert_non_null(
                OSSL_PARAM_locate_const(EVP_SIGNATURE_gettable_ctx_params(ours), p->key));
        }
        for (p = EVP_SIGNATURE_settable_ctx_params(theirs); p->key != NULL; p++) {
            assert_non_null(
                OSSL_PARAM_locate_const(EVP_SIGNATURE_settable_ctx_params(ours), p->key));
        }
        EVP_SIGNATURE_free(ours);
        EVP_SIGNATURE_free(theirs);
    }
    assert_no_errors();
}

/* A device key is used as was asked for or not at all; a software key as the default provider's. */
static void what_a_device_cannot_honour_is_refused(void **state)
{
    static const char *const names[] = { "nonce-type", "no-such-parameter" };
    struct keys *const all[] = { &rsa2048, &p256 };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        for (size_t j = 0; j < COUNT(names); j++) {
            unsigned int one = 1, before = stand_in_operations;
            OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(names[j], &one),
                                    OSSL_PARAM_construct_end() };
            EVP_PKEY *const shapes[] = { all[i]->theirs, all[i]->software, all[i]->device };
            int set[3], started[3];

            for (size_t k = 0; k < COUNT(shapes); k++) {
                EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(signing_libctx, shapes[k], NULL);
                EVP_MD_CTX *md = EVP_MD_CTX_new();

                assert_true(EVP_PKEY_sign_init(ctx) > 0);
                ERR_clear_error();
                set[k] = EVP_PKEY_CTX_set_params(ctx, params) > 0;
                if (k == 2) {
                    assert_error_says(names[j]);
                    assert_true(EVP_PKEY_sign_init_ex(ctx, params) <= 0);
                    assert_error_says(names[j]);
                    assert_null(
                        OSSL_PARAM_locate_const(EVP_PKEY_CTX_settable_params(ctx), names[j]));
                }
                started[k] = EVP_DigestSignInit_ex(md, NULL, "SHA256", signing_libctx, NULL,
                                                   shapes[k], params) > 0;
                EVP_PKEY_CTX_free(ctx);
                EVP_MD_CTX_free(md);
                ERR_clear_error();
            }
            assert_int_equal(set[1], set[0]);
            assert_int_equal(started[1], started[0]);
            assert_false(set[2]);
            assert_false(started[2]);
            assert_int_equal(stand_in_operations, before);
        }
    }
}

/* libssl 4.0 tells the signer of a handshake its protocol version, and asks for nothing by that. */
static void the_version_of_tls_may_be_told(void **state)
{
    struct keys *const all[] = { &rsa2048, &p256 };
    int version = 0x0304;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int("tls-version", &version),
                            OSSL_PARAM_construct_end() };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(signing_libctx, all[i]->device, NULL);
        EVP_PKEY_CTX *of_md = NULL;
        EVP_MD_CTX *md = EVP_MD_CTX_new();

        assert_true(EVP_PKEY_sign_init_ex(ctx, params) > 0);
        assert_true(EVP_PKEY_CTX_set_params(ctx, params) > 0);
        assert_true(EVP_DigestSignInit_ex(md, &of_md, "SHA256", signing_libctx, NULL,
                                          all[i]->device, params) > 0);
        assert_true(EVP_PKEY_CTX_set_params(of_md, params) > 0);
        EVP_MD_CTX_free(md);
        EVP_PKEY_CTX_free(ctx);
    }
    assert_no_errors();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_queries_touch_nothing),
        cmocka_unit_test(contexts_can_be_copied_in_mid_stream),
        cmocka_unit_test(a_plain_context_can_be_copied),
        cmocka_unit_test(a_context_is_started_again_without_key),
        cmocka_unit_test(signatures_are_recovered),
        cmocka_unit_test(a_broken_device_is_an_error_and_touched_by_signing_only),
        cmocka_unit_test(parameters_are_listed),
        cmocka_unit_test(what_a_device_cannot_honour_is_refused),
        cmocka_unit_test(the_version_of_tls_may_be_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
