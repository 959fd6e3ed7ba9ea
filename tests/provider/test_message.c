/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The algorithms with their digest in the name (OpenSSL 3.4 and later): signatures of messages by
 * keys on a device are those of the default provider, in one call and in pieces.
 */
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "checks.h"
#include "stand_in.h"

#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT

#define OURS "provider=stand-in"
#define THEIRS "provider=default"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static OSSL_LIB_CTX *libctx;
static struct keys rsa, p256;

static const unsigned char message[] = "the message to be signed";

/* As provider-signature(7) names them, with the digests that they stand for. */
static const struct algorithm {
    const char *name, *digest;
    struct keys *keys;
} algorithms[] = {
    { "RSA-RIPEMD160", "RIPEMD160", &rsa },
    { "RSA-SHA1", "SHA1", &rsa },
    { "RSA-SHA2-224", "SHA224", &rsa },
    { "RSA-SHA2-256", "SHA256", &rsa },
    { "RSA-SHA384", "SHA384", &rsa },
    { "sha512WithRSAEncryption", "SHA512", &rsa },
    { "RSA-SHA2-512/224", "SHA512-224", &rsa },
    { "RSA-SHA512-256", "SHA512-256", &rsa },
    { "ECDSA-SHA1", "SHA1", &p256 },
    { "ECDSA-SHA2-224", "SHA224", &p256 },
    { "ECDSA-SHA256", "SHA256", &p256 },
    { "ecdsa-with-SHA384", "SHA384", &p256 },
    { "1.2.840.10045.4.3.4", "SHA512", &p256 },
    { "ECDSA-SHA3-224", "SHA3-224", &p256 },
    { "ECDSA-SHA3-256", "SHA3-256", &p256 },
    { "ECDSA-SHA3-384", "SHA3-384", &p256 },
    { "ECDSA-SHA3-512", "SHA3-512", &p256 },
};

struct signature {
    unsigned char bytes[600];
    size_t len;
};

static int set_up(void **state)
{
    (void)state;
    libctx = stand_in_new();
    assert_non_null(libctx);
    rsa = make_keys(libctx, EVP_PKEY_Q_keygen(libctx, THEIRS, "RSA", (size_t)2048));
    p256 = make_keys(libctx, EVP_PKEY_Q_keygen(libctx, THEIRS, "EC", "P-256"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free_keys(&rsa);
    free_keys(&p256);
    stand_in_free(libctx);
    return 0;
}

static EVP_SIGNATURE *fetch(const char *name, const char *properties)
{
    EVP_SIGNATURE *algorithm = EVP_SIGNATURE_fetch(libctx, name, properties);

    assert_non_null(algorithm);
    return algorithm;
}

/* A context in which one of the init functions has succeeded with a freshly fetched algorithm. */
typedef int init_function(EVP_PKEY_CTX *ctx, EVP_SIGNATURE *algorithm, const OSSL_PARAM params[]);

static EVP_PKEY_CTX *start(EVP_PKEY *key, const char *name, const char *properties,
                           init_function *init)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    EVP_SIGNATURE *algorithm = fetch(name, properties);

    assert_int_equal(init(ctx, algorithm, NULL), 1);
    EVP_SIGNATURE_free(algorithm);
    assert_no_errors();
    return ctx;
}

/* The whole message in one call, or in pieces. */
static struct signature sign(EVP_PKEY *key, const char *name, const char *properties, int pieces)
{
    struct signature signature = { .len = 0 };
    EVP_PKEY_CTX *ctx = start(key, name, properties, EVP_PKEY_sign_message_init);
    unsigned int before = stand_in_operations;

    assert_int_equal(EVP_PKEY_sign(ctx, NULL, &signature.len, message, sizeof(message)), 1);
    assert_int_equal(signature.len, EVP_PKEY_get_size(key));
    assert_int_equal(stand_in_operations, before);
    signature.len = sizeof(signature.bytes);
    if (pieces) {
        assert_int_equal(EVP_PKEY_sign_message_update(ctx, message, 5), 1);
        assert_int_equal(EVP_PKEY_sign_message_update(ctx, message + 5, sizeof(message) - 5), 1);
        assert_int_equal(EVP_PKEY_sign_message_final(ctx, signature.bytes, &signature.len), 1);
    } else {
        assert_int_equal(
            EVP_PKEY_sign(ctx, signature.bytes, &signature.len, message, sizeof(message)), 1);
    }
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
    return signature;
}

static int verify(EVP_PKEY *key, const char *name, const char *properties, int pieces,
                  const struct signature *signature)
{
    EVP_PKEY_CTX *ctx = start(key, name, properties, EVP_PKEY_verify_message_init);
    int result;

    if (pieces) {
        assert_int_equal(EVP_PKEY_CTX_set_signature(ctx, signature->bytes, signature->len), 1);
        assert_int_equal(EVP_PKEY_verify_message_update(ctx, message, 7), 1);
        assert_int_equal(EVP_PKEY_verify_message_update(ctx, message + 7, sizeof(message) - 7), 1);
        result = EVP_PKEY_verify_message_final(ctx);
    } else {
        result = EVP_PKEY_verify(ctx, signature->bytes, signature->len, message, sizeof(message));
    }
    EVP_PKEY_CTX_free(ctx);
    return result;
}

/* By the oldest way there is, with OpenSSL's own key. */
static int judged(const struct algorithm *a, const struct signature *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int result =
        EVP_DigestVerifyInit_ex(ctx, NULL, a->digest, libctx, THEIRS, a->keys->theirs, NULL) == 1 &&
        EVP_DigestVerify(ctx, signature->bytes, signature->len, message, sizeof(message)) == 1;

    EVP_MD_CTX_free(ctx);
    return result;
}

static void messages_are_signed_and_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(algorithms); i++) {
        const struct algorithm *a = &algorithms[i];
        EVP_PKEY *const ours[] = { a->keys->device, a->keys->software, a->keys->theirs };
        struct signature their_signature = sign(a->keys->theirs, a->name, THEIRS, 0);

        for (size_t j = 0; j < 2 * COUNT(ours); j++) {
            EVP_PKEY *key = ours[j / 2];
            int pieces = j % 2 == 1;
            unsigned int before = stand_in_operations;
            struct signature signature = sign(key, a->name, OURS, pieces);

            assert_int_equal(stand_in_operations - before, key == a->keys->device ? 1 : 0);
            assert_true(judged(a, &signature));
            if (a->keys == &rsa) {
                assert_int_equal(signature.len, their_signature.len);
                assert_memory_equal(signature.bytes, their_signature.bytes, signature.len);
            }
            assert_int_equal(verify(a->keys->theirs, a->name, THEIRS, pieces, &signature), 1);
            assert_int_equal(verify(key, a->name, OURS, pieces, &their_signature), 1);
            assert_no_errors();
            signature.bytes[signature.len / 2] ^= 1;
            assert_true(verify(key, a->name, OURS, pieces, &signature) <= 0);
            ERR_clear_error();
        }
    }
}

static void hashes_are_signed_and_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(algorithms); i++) {
        const struct algorithm *a = &algorithms[i];
        struct signature signature = { .len = sizeof(signature.bytes) };
        unsigned char hash[EVP_MAX_MD_SIZE + 1] = { 0 };
        size_t hash_len = 0;
        EVP_PKEY_CTX *ctx = start(a->keys->device, a->name, OURS, EVP_PKEY_sign_init_ex2);

        assert_int_equal(
            EVP_Q_digest(libctx, a->digest, NULL, message, sizeof(message), hash, &hash_len), 1);
        assert_int_equal(EVP_PKEY_sign(ctx, signature.bytes, &signature.len, hash, hash_len), 1);
        assert_true(judged(a, &signature));
        assert_no_errors();
        signature.len = sizeof(signature.bytes);
        assert_true(EVP_PKEY_sign(ctx, signature.bytes, &signature.len, hash, hash_len + 1) <= 0);
        assert_error_says("are to be signed, but a");
        ERR_clear_error();
        EVP_PKEY_CTX_free(ctx);

        signature = sign(a->keys->theirs, a->name, THEIRS, 0);
        ctx = start(a->keys->device, a->name, OURS, EVP_PKEY_verify_init_ex2);
        assert_int_equal(EVP_PKEY_verify(ctx, signature.bytes, signature.len, hash, hash_len), 1);
        assert_no_errors();
        hash[0] ^= 1;
        assert_true(EVP_PKEY_verify(ctx, signature.bytes, signature.len, hash, hash_len) <= 0);
        ERR_clear_error();
        EVP_PKEY_CTX_free(ctx);
    }
}

static void hashes_are_recovered(void **state)
{
    struct signature signature = sign(rsa.device, "RSA-SHA2-256", OURS, 0);
    unsigned char hash[32], out[256];
    size_t out_len = sizeof(out);
    EVP_PKEY_CTX *ctx = start(rsa.device, "RSA-SHA2-256", OURS, EVP_PKEY_verify_recover_init_ex2);

    (void)state;
    assert_int_equal(EVP_Q_digest(libctx, "SHA256", NULL, message, sizeof(message), hash, NULL), 1);
    assert_int_equal(EVP_PKEY_verify_recover(ctx, out, &out_len, signature.bytes, signature.len),
                     1);
    assert_int_equal(out_len, sizeof(hash));
    assert_memory_equal(out, hash, sizeof(hash));
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
}

static size_t identifier(EVP_PKEY *key, const char *name, const char *properties,
                         unsigned char id[200])
{
    EVP_PKEY_CTX *ctx = start(key, name, properties, EVP_PKEY_sign_message_init);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, id, 200),
        OSSL_PARAM_construct_end(),
    };

    assert_int_equal(EVP_PKEY_CTX_get_params(ctx, params), 1);
    EVP_PKEY_CTX_free(ctx);
    return params[0].return_size;
}

static void algorithm_identifiers_are_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(algorithms); i++) {
        const struct algorithm *a = &algorithms[i];
        unsigned char theirs[200], ours[200];
        size_t len = identifier(a->keys->theirs, a->name, THEIRS, theirs);

        assert_true(len > 0);
        assert_int_equal(identifier(a->keys->device, a->name, OURS, ours), len);
        assert_memory_equal(ours, theirs, len);
        assert_no_errors();
    }
}

static void contexts_can_be_copied_in_mid_message(void **state)
{
    static const struct algorithm *const some[] = { &algorithms[3], &algorithms[10] };

    (void)state;
    for (size_t i = 0; i < COUNT(some); i++) {
        const struct algorithm *a = some[i];
        EVP_PKEY_CTX *ctx = start(a->keys->device, a->name, OURS, EVP_PKEY_sign_message_init);
        EVP_PKEY_CTX *copy;
        struct signature signature = { .len = sizeof(signature.bytes) };

        assert_int_equal(EVP_PKEY_sign_message_update(ctx, message, 9), 1);
        copy = EVP_PKEY_CTX_dup(ctx);
        EVP_PKEY_CTX_free(ctx);
        assert_non_null(copy);
        assert_int_equal(EVP_PKEY_sign_message_update(copy, message + 9, sizeof(message) - 9), 1);
        assert_int_equal(EVP_PKEY_sign_message_final(copy, signature.bytes, &signature.len), 1);
        EVP_PKEY_CTX_free(copy);
        assert_true(judged(a, &signature));

        ctx = start(a->keys->device, a->name, OURS, EVP_PKEY_verify_message_init);
        assert_int_equal(EVP_PKEY_CTX_set_signature(ctx, signature.bytes, signature.len), 1);
        assert_int_equal(EVP_PKEY_verify_message_update(ctx, message, 9), 1);
        copy = EVP_PKEY_CTX_dup(ctx);
        EVP_PKEY_CTX_free(ctx);
        assert_int_equal(EVP_PKEY_verify_message_update(copy, message + 9, sizeof(message) - 9), 1);
        assert_int_equal(EVP_PKEY_verify_message_final(copy), 1);
        EVP_PKEY_CTX_free(copy);
        assert_no_errors();
    }
}

static void what_is_fixed_stays_so(void **state)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, p256.device, NULL);
    EVP_SIGNATURE *algorithm = fetch("RSA-SHA2-256", OURS);
    char pss[] = "pss", sha512[] = "SHA512";
    OSSL_PARAM others[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, pss, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, sha512, 0),
        OSSL_PARAM_construct_end(),
    };
    struct signature signature = { .len = sizeof(signature.bytes) };
    const OSSL_PARAM *p = EVP_SIGNATURE_settable_ctx_params(algorithm);

    (void)state;
    assert_string_equal(p->key, OSSL_SIGNATURE_PARAM_SIGNATURE);
    assert_null(p[1].key);
    assert_true(EVP_PKEY_sign_message_init(ctx, algorithm, NULL) <= 0); /* an EC key */
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    ctx = EVP_PKEY_CTX_new_from_pkey(libctx, rsa.device, NULL);
    assert_int_equal(EVP_PKEY_sign_message_init(ctx, algorithm, others), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(ctx, others), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, signature.bytes, &signature.len, message, sizeof(message)),
                     1);
    assert_true(judged(&algorithms[3], &signature));
    EVP_PKEY_CTX_free(ctx);
    EVP_SIGNATURE_free(algorithm);
    assert_no_errors();
}

static void failures_say_why(void **state)
{
    EVP_PKEY_CTX *ctx = start(rsa.device, "RSA-SHA2-256", OURS, EVP_PKEY_verify_message_init);
    struct signature signature = { .len = 255 };

    (void)state;
    assert_int_equal(EVP_PKEY_verify_message_update(ctx, message, 3), 1);
    assert_true(EVP_PKEY_verify_message_final(ctx) <= 0);
    assert_error_says("no signature was given to verify");
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();

    ctx = start(rsa.device, "RSA-SHA2-256", OURS, EVP_PKEY_sign_message_init);
    assert_true(EVP_PKEY_sign(ctx, signature.bytes, &signature.len, message, 3) <= 0);
    assert_error_says("too small for a signature");
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();

    stand_in_broken = true;
    ctx = start(p256.device, "ECDSA-SHA2-256", OURS, EVP_PKEY_sign_message_init);
    signature.len = sizeof(signature.bytes);
    assert_true(EVP_PKEY_sign(ctx, signature.bytes, &signature.len, message, 3) <= 0);
    assert_error_says("the stand-in for a device failed");
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    stand_in_broken = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_signed_and_verified),
        cmocka_unit_test(hashes_are_signed_and_verified),
        cmocka_unit_test(hashes_are_recovered),
        cmocka_unit_test(algorithm_identifiers_are_equal),
        cmocka_unit_test(contexts_can_be_copied_in_mid_message),
        cmocka_unit_test(what_is_fixed_stays_so),
        cmocka_unit_test(failures_say_why),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

#else

int main(void)
{
    print_message("skipped: this OpenSSL has no EVP_PKEY_sign_message_init(), 3.4 and later do\n");
    return 77;
}

#endif
