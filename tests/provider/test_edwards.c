/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures and key agreement with Edwards and Montgomery keys on a device give what the default
 * provider gives, which has no random part in them. */
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "checks.h"
#include "stand_in.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONGEST 2000 /* bytes of a message, what a device takes */

static const char *const signing[] = { "ED25519", "ED448" };
static const char *const agreeing[] = { "X25519", "X448" };
static OSSL_LIB_CTX *libctx;
static struct keys signers[COUNT(signing)], agreers[COUNT(agreeing)], peers[COUNT(agreeing)];
static unsigned char message[LONGEST + 1];

static struct keys make(const char *type)
{
    return make_keys(libctx, EVP_PKEY_Q_keygen(libctx, "provider=default", type));
}

static int set_up(void **state)
{
    (void)state;
    libctx = stand_in_new();
    assert_non_null(libctx);
    for (size_t i = 0; i < 2; i++) {
        signers[i] = make(signing[i]);
        agreers[i] = make(agreeing[i]);
        peers[i] = make(agreeing[i]);
    }
    memset(message, 'm', sizeof(message));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        free_keys(&signers[i]);
        free_keys(&agreers[i]);
        free_keys(&peers[i]);
    }
    stand_in_free(libctx);
    return 0;
}

/* *len: capacity, becomes the length */
static int sign(EVP_PKEY *key, size_t message_len, unsigned char *sig, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = EVP_DigestSignInit_ex(ctx, NULL, NULL, libctx, NULL, key, NULL) > 0 &&
             EVP_DigestSign(ctx, sig, len, message, message_len) > 0;

    EVP_MD_CTX_free(ctx);
    return ok;
}

static int verify(EVP_PKEY *key, size_t message_len, const unsigned char *sig, size_t len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = EVP_DigestVerifyInit_ex(ctx, NULL, NULL, libctx, NULL, key, NULL) > 0 &&
             EVP_DigestVerify(ctx, sig, len, message, message_len) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}

static void signatures_are_the_same(void **state)
{
    static const size_t lengths[] = { 0, 1, 255, 256, LONGEST };

    (void)state;
    for (size_t i = 0; i < COUNT(signing); i++) {
        EVP_PKEY *const shapes[] = { signers[i].software, signers[i].device };

        for (size_t l = 0; l < COUNT(lengths); l++) {
            unsigned char theirs[114] = { 0 }, ours[114] = { 0 };
            size_t their_len = sizeof(theirs);

            assert_true(sign(signers[i].theirs, lengths[l], theirs, &their_len));
            for (size_t s = 0; s < COUNT(shapes); s++) {
                size_t our_len = sizeof(ours);

                assert_true(sign(shapes[s], lengths[l], ours, &our_len));
                assert_int_equal(our_len, their_len);
                assert_memory_equal(ours, theirs, our_len);
                assert_true(verify(shapes[s], lengths[l], theirs, their_len));
                theirs[3] ^= 1;
                assert_false(verify(shapes[s], lengths[l], theirs, their_len));
                theirs[3] ^= 1;
                ERR_clear_error();
            }
        }
    }
}

static void what_a_device_cannot_sign_is_refused(void **state)
{
    unsigned char sig[114];
    size_t len = sizeof(sig);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    (void)state;
    assert_true(sign(signers[0].software, LONGEST + 1, sig, &len));
    len = 63;
    assert_false(sign(signers[0].device, 1, sig, &len));
    assert_error_says("too small");
    ERR_clear_error();
    /* a digest, as for the default provider's keys */
    assert_false(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", libctx, NULL, signers[0].device, NULL) >
                 0);
    ERR_clear_error();
    EVP_MD_CTX_free(ctx);
}

#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
#define HASH_LEN 64

/* A signature of what is hashed already, by a copy of the context; instance NULL: as it begins. */
static int sign_hash(EVP_PKEY *key, const char *instance, unsigned char *sig, size_t *len)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL), *copy = NULL;
    int ok;

    if (instance != NULL) {
        params[0] =
            OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_INSTANCE, (char *)instance, 0);
    }
    ok = EVP_PKEY_sign_init_ex(ctx, params) > 0 && (copy = EVP_PKEY_CTX_dup(ctx)) != NULL &&
         EVP_PKEY_sign(copy, sig, len, message, HASH_LEN) > 0;
    EVP_PKEY_CTX_free(copy);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static int verify_hash(EVP_PKEY *key, const char *instance, const unsigned char *sig, size_t len)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_INSTANCE,
                                                             (char *)instance, 0),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int ok = EVP_PKEY_verify_init_ex(ctx, params) > 0 &&
             EVP_PKEY_verify(ctx, sig, len, message, HASH_LEN) == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static void what_is_hashed_already_is_signed_in_software_alone(void **state)
{
    static const char *const instances[] = { "Ed25519ph", "Ed448ph", "Ed25519", "Ed448", NULL };

    (void)state;
    for (size_t i = 0; i < COUNT(signing); i++) {
        unsigned int before = stand_in_operations;

        for (size_t k = 0; k < COUNT(instances); k++) {
            unsigned char theirs[114] = { 0 }, ours[114] = { 0 };
            size_t their_len = sizeof(theirs), our_len = sizeof(ours);
            int expected = sign_hash(signers[i].theirs, instances[k], theirs, &their_len);

            ERR_clear_error();
            assert_int_equal(expected, k == i);
            assert_int_equal(sign_hash(signers[i].software, instances[k], ours, &our_len),
                             expected);
            ERR_clear_error();
            if (expected) {
                assert_int_equal(our_len, their_len);
                assert_memory_equal(ours, theirs, our_len);
                assert_true(verify_hash(signers[i].software, instances[k], theirs, their_len));
                assert_true(verify_hash(signers[i].device, instances[k], theirs, their_len));
                theirs[3] ^= 1;
                assert_false(verify_hash(signers[i].software, instances[k], theirs, their_len));
                ERR_clear_error();
            }
            assert_false(sign_hash(signers[i].device, instances[k], ours, &our_len));
            assert_error_says("hashed already");
            ERR_clear_error();
        }
        assert_int_equal(stand_in_operations, before);
    }
}
#endif

static void contexts_are_asked_copied_and_started_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(signing); i++) {
        unsigned int before = stand_in_operations;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
        unsigned char theirs[114], ours[114], their_id[32], our_id[32];
        size_t their_len = sizeof(theirs), len = 0;
        OSSL_PARAM params[2] = { OSSL_PARAM_construct_octet_string(
                                     OSSL_SIGNATURE_PARAM_ALGORITHM_ID, our_id, sizeof(our_id)),
                                 OSSL_PARAM_construct_end() };
        EVP_PKEY_CTX *key_ctx = NULL;

        assert_true(
            EVP_DigestSignInit_ex(ctx, &key_ctx, NULL, libctx, NULL, signers[i].device, NULL) > 0);
        assert_true(EVP_PKEY_CTX_get_params(key_ctx, params) > 0);
        assert_true(EVP_MD_CTX_copy_ex(copy, ctx));
        assert_true(EVP_DigestSign(ctx, NULL, &len, message, 5) > 0);
        assert_int_equal(len, i == 0 ? 64 : 114);
        assert_int_equal(stand_in_operations, before);
        assert_true(sign(signers[i].theirs, 5, theirs, &their_len));
        assert_true(EVP_DigestSign(ctx, ours, &len, message, 5) > 0);
        assert_memory_equal(ours, theirs, len);
        len = sizeof(ours);
        assert_true(EVP_DigestSign(copy, ours, &len, message, 5) > 0);
        assert_memory_equal(ours, theirs, len);
        assert_int_equal(stand_in_operations, before + 2);
        assert_true(
            EVP_DigestSignInit_ex(ctx, &key_ctx, NULL, libctx, NULL, signers[i].theirs, NULL) > 0);
        len = params[0].return_size;
        params[0].data = their_id;
        params[0].return_size = 0;
        assert_true(EVP_PKEY_CTX_get_params(key_ctx, params) > 0);
        assert_int_equal(params[0].return_size, len);
        assert_memory_equal(our_id, their_id, len);
        EVP_MD_CTX_free(copy);
        EVP_MD_CTX_free(ctx);
        assert_no_errors();
    }
}

static int derive(EVP_PKEY *key, EVP_PKEY *peer, unsigned char *out, size_t *len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    EVP_PKEY_CTX *copy = NULL;
    int ok = EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
             (copy = EVP_PKEY_CTX_dup(ctx)) != NULL && EVP_PKEY_derive(copy, out, len) > 0;

    EVP_PKEY_CTX_free(copy);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static void secrets_are_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(agreeing); i++) {
        EVP_PKEY *const shapes[] = { agreers[i].software, agreers[i].device };
        unsigned char theirs[56], ours[56];
        size_t their_len = sizeof(theirs), len = 0;
        unsigned int before = stand_in_operations;

        assert_true(derive(agreers[i].theirs, peers[i].theirs, theirs, &their_len));
        assert_true(derive(agreers[i].device, peers[i].theirs, NULL, &len));
        assert_int_equal(len, their_len);
        assert_int_equal(stand_in_operations, before);
        for (size_t s = 0; s < COUNT(shapes); s++) {
            len = sizeof(ours);
            assert_true(derive(shapes[s], peers[i].theirs, ours, &len));
            assert_int_equal(len, their_len);
            assert_memory_equal(ours, theirs, len);
            assert_no_errors();
            len = their_len - 1;
            assert_false(derive(shapes[s], peers[i].theirs, ours, &len));
            len = sizeof(ours);
            assert_false(derive(shapes[s], peers[1 - i].theirs, ours, &len));
            ERR_clear_error();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_the_same),
        cmocka_unit_test(what_a_device_cannot_sign_is_refused),
#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
        cmocka_unit_test(what_is_hashed_already_is_signed_in_software_alone),
#endif
        cmocka_unit_test(contexts_are_asked_copied_and_started_again),
        cmocka_unit_test(secrets_are_the_same),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
