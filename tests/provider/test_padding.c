/* SPDX-License-Identifier: Apache-2.0 */
/* RSA padding byte by byte: what is refused, and that one refusal looks like any other. */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "provider/constant_time.h"
#include "provider/rsa_padding.h"
#include "checks.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static EVP_PKEY *key;

static int set_up(void **state)
{
    (void)state;
    key = EVP_RSA_gen(2048);
    return key == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    return 0;
}

static void masks_are_right_everywhere(void **state)
{
    static const size_t values[] = {
        0, 1, 2, 127, 128, 255, 256, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX - 1, SIZE_MAX
    };
    size_t i, j;

    (void)state;
    for (i = 0; i < COUNT(values); i++) {
        assert_true(schsm_ct_is_zero(values[i]) == (values[i] == 0 ? SIZE_MAX : 0));
        for (j = 0; j < COUNT(values); j++) {
            assert_true(schsm_ct_equal(values[i], values[j]) == (i == j ? SIZE_MAX : 0));
            assert_true(schsm_ct_less(values[i], values[j]) == (i < j ? SIZE_MAX : 0));
        }
    }
    assert_true(schsm_ct_select(SIZE_MAX, 3, 4) == 3);
    assert_true(schsm_ct_select(0, 3, 4) == 4);
}

static void private_or_public(int private_key, const char *pad, const OSSL_PARAM more[],
                              const unsigned char *in, size_t in_len, unsigned char *out,
                              size_t *out_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE,
                                                             (char *)pad, 0),
                            OSSL_PARAM_construct_end() };

    *out_len = 256;
    if (private_key) {
        assert_true(EVP_PKEY_decrypt_init_ex(ctx, params) > 0);
        assert_true(more == NULL || EVP_PKEY_CTX_set_params(ctx, more) > 0);
        assert_true(EVP_PKEY_decrypt(ctx, out, out_len, in, in_len) > 0);
    } else {
        assert_true(EVP_PKEY_encrypt_init_ex(ctx, params) > 0);
        assert_true(more == NULL || EVP_PKEY_CTX_set_params(ctx, more) > 0);
        assert_true(EVP_PKEY_encrypt(ctx, out, out_len, in, in_len) > 0);
    }
    EVP_PKEY_CTX_free(ctx);
}

static void every_byte_of_an_oaep_message_counts(void **state)
{
    unsigned char label[] = "label", message[] = "message", ciphertext[256], em[256], out[256];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, label, sizeof(label)),
        OSSL_PARAM_construct_end(),
    };
    struct schsm_error err = SCHSM_ERROR_INIT;
    char first[sizeof(err.text)] = "";
    size_t len, i;

    (void)state;
    private_or_public(0, "oaep", params, message, sizeof(message), ciphertext, &len);
    private_or_public(1, "none", NULL, ciphertext, len, em, &len);
    assert_true(schsm_rsa_oaep_unpad(EVP_sha1(), EVP_sha1(), label, sizeof(label), em, 256, out,
                                     &len, &err));
    assert_int_equal(len, sizeof(message));
    assert_memory_equal(out, message, len);

    /* Any change before the message breaks it (one in the message itself does not). */
    for (i = 0; i < 256 - sizeof(message); i++) {
        int bit;

        for (bit = 1; bit < 256; bit *= 2) {
            em[i] ^= (unsigned char)bit;
            assert_false(schsm_rsa_oaep_unpad(EVP_sha1(), EVP_sha1(), label, sizeof(label), em, 256,
                                              out, &len, &err));
            if (first[0] == '\0') {
                memcpy(first, err.text, sizeof(first));
            }
            assert_string_equal(err.text, first);
            em[i] ^= (unsigned char)bit;
        }
    }
    assert_false(schsm_rsa_oaep_unpad(EVP_sha1(), EVP_sha1(), NULL, 0, em, 256, out, &len, &err));
    assert_string_equal(err.text, first);
    assert_false(schsm_rsa_oaep_unpad(EVP_sha1(), EVP_sha256(), label, sizeof(label), em, 256, out,
                                      &len, &err));
    assert_string_equal(err.text, first);
    assert_false(schsm_rsa_oaep_unpad(EVP_sha512(), EVP_sha512(), label, sizeof(label), em, 129,
                                      out, &len, &err)); /* too short for the hash */
    assert_no_errors();
}

static void every_byte_of_pkcs1_padding_counts(void **state)
{
    unsigned char em[64], out[64], rejection_key[SCHSM_REJECTION_KEY_SIZE] = { 5 }, other[64];
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t i, len, rejected_len = SIZE_MAX;

    (void)state;
    memset(em, 0xaa, sizeof(em));
    em[0] = 0;
    em[1] = 2;
    em[40] = 0;
    em[50] = 0; /* a zero in the message changes nothing */
    assert_true(schsm_rsa_pkcs1_unpad(NULL, em, sizeof(em), NULL, out, &len, &err));
    assert_int_equal(len, 23);
    assert_memory_equal(out, em + 41, len);
    assert_true(schsm_rsa_pkcs1_unpad(NULL, em, sizeof(em), rejection_key, out, &len, &err));
    assert_int_equal(len, 23);
    assert_memory_equal(out, em + 41, len);

    for (i = 0; i < 10; i++) {
        unsigned char was = em[i];

        em[i] = i < 2 ? 7 : 0;
        assert_false(schsm_rsa_pkcs1_unpad(NULL, em, sizeof(em), NULL, out, &len, &err));
        assert_true(schsm_rsa_pkcs1_unpad(NULL, em, sizeof(em), rejection_key, out, &len, &err));
        if (rejected_len == SIZE_MAX) {
            rejected_len = len;
            memcpy(other, out, len);
        }
        assert_int_equal(len, rejected_len); /* what is wrong has no influence */
        assert_memory_equal(out, other, len);
        em[i] = was;
    }
    /* From the ninth byte of padding on a zero is the separator. */
    for (i = 10; i < 40; i++) {
        em[i] = 0;
        assert_true(schsm_rsa_pkcs1_unpad(NULL, em, sizeof(em), rejection_key, out, &len, &err));
        assert_int_equal(len, sizeof(em) - i - 1);
        em[i] = 0xaa;
    }
    em[40] = em[50] = 1; /* none at all */
    assert_false(schsm_rsa_pkcs1_unpad(NULL, em, sizeof(em), NULL, out, &len, &err));
    em[63] = 0; /* an empty message */
    assert_true(schsm_rsa_pkcs1_unpad(NULL, em, sizeof(em), NULL, out, &len, &err));
    assert_int_equal(len, 0);
    assert_false(schsm_rsa_pkcs1_unpad(NULL, em, 10, rejection_key, out, &len, &err));
    assert_false(schsm_rsa_pkcs1_unpad(NULL, em, 8192, rejection_key, out, &len, &err));
    assert_no_errors();
}

static void rejected_lengths_spread_over_the_whole_range(void **state)
{
    unsigned char em[256] = { 1 }, out[256], rejection_key[SCHSM_REJECTION_KEY_SIZE] = { 0 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t i, len, quarters[4] = { 0 };

    (void)state;
    for (i = 0; i < 2000; i++) {
        rejection_key[0] = (unsigned char)i;
        rejection_key[1] = (unsigned char)(i >> 8);
        assert_true(schsm_rsa_pkcs1_unpad(NULL, em, sizeof(em), rejection_key, out, &len, &err));
        assert_true(len <= 245);
        quarters[len * 4 / 246]++;
    }
    for (i = 0; i < 4; i++) {
        assert_true(quarters[i] >= 400 && quarters[i] <= 600);
    }
}

static void rejection_keys_differ_by_key_and_ciphertext(void **state)
{
    unsigned char a[32], b[32];
    struct schsm_error err = SCHSM_ERROR_INIT;
    static const uint8_t one[] = { 1 }, two[] = { 2 };

    (void)state;
    assert_true(schsm_rsa_rejection_key(NULL, one, 1, two, 1, a, &err));
    assert_true(schsm_rsa_rejection_key(NULL, one, 1, two, 1, b, &err));
    assert_memory_equal(a, b, sizeof(a));
    assert_true(schsm_rsa_rejection_key(NULL, one, 1, one, 1, b, &err));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_true(schsm_rsa_rejection_key(NULL, two, 1, two, 1, b, &err));
    assert_memory_not_equal(a, b, sizeof(a));
}

/*
 * From 3.2 on the default provider rejects implicitly, by a key made of the private exponent. With
 * that key our answer to a bad ciphertext is its answer.
 */
static void synthetic_messages_are_openssls(void **state)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    unsigned char em[256] = { 0, 1, 3 }, ciphertext[256], theirs[256], ours[256];
    unsigned char exponent[256], hashed[32], rejection_key[32];
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t len, their_len, our_len;
    BIGNUM *d = NULL;
    int round;

    (void)state;
    assert_true(EVP_PKEY_decrypt_init(ctx) > 0);
    if (OSSL_PARAM_locate_const(EVP_PKEY_CTX_settable_params(ctx), "implicit-rejection") == NULL) {
        EVP_PKEY_CTX_free(ctx);
        skip();
    }
    EVP_PKEY_CTX_free(ctx);
    assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_D, &d));
    assert_int_equal(BN_bn2binpad(d, exponent, sizeof(exponent)), sizeof(exponent));
    BN_free(d);
    assert_true(EVP_Q_digest(NULL, "SHA256", NULL, exponent, sizeof(exponent), hashed, NULL));
    for (round = 0; round < 50; round++) {
        em[100] = (unsigned char)round;
        private_or_public(0, "none", NULL, em, sizeof(em), ciphertext, &len);
        private_or_public(1, "pkcs1", NULL, ciphertext, len, theirs, &their_len);
        assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, hashed, sizeof(hashed),
                                  ciphertext, len, rejection_key, sizeof(rejection_key), NULL));
        assert_true(
            schsm_rsa_pkcs1_unpad(NULL, em, sizeof(em), rejection_key, ours, &our_len, &err));
        assert_int_equal(our_len, their_len);
        assert_memory_equal(ours, theirs, our_len);
    }
    assert_no_errors();
}

static void digest_prefixes_are_right(void **state)
{
    static const uint8_t sha256[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
    uint8_t prefix[SCHSM_RSA_PREFIX_MAX];
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t len = sizeof(prefix);

    (void)state;
    assert_true(schsm_rsa_digest_prefix(EVP_sha256(), prefix, &len, &err));
    assert_int_equal(len, sizeof(sha256)); /* RFC 8017, section 9.2, note 1 */
    assert_memory_equal(prefix, sha256, len);
    len = 5;
    assert_false(schsm_rsa_digest_prefix(EVP_sha256(), prefix, &len, &err));
    len = sizeof(prefix);
    assert_true(schsm_rsa_digest_prefix(EVP_md5_sha1(), prefix, &len, &err));
    assert_int_equal(len, 0);
    assert_no_errors();
}

static void signature_padding_leaves_eight_bytes(void **state)
{
    uint8_t data[64] = { 9 }, em[64];
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t len, i;

    (void)state;
    for (len = 0; len <= sizeof(data); len++) {
        assert_int_equal(schsm_rsa_pkcs1_pad(data, len, em, sizeof(em), &err), len <= 53);
        if (len > 53) {
            continue;
        }
        assert_int_equal(em[0], 0);
        assert_int_equal(em[1], 1);
        for (i = 2; i < sizeof(em) - len - 1; i++) {
            assert_int_equal(em[i], 0xff);
        }
        assert_int_equal(em[sizeof(em) - len - 1], 0);
        assert_memory_equal(em + sizeof(em) - len, data, len);
    }
    assert_false(schsm_rsa_pkcs1_pad(data, 0, em, 10, &err));
}

static void pss_keeps_below_the_modulus_at_every_bit_length(void **state)
{
    uint8_t hash[32] = { 1 }, em[130];
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t modulus_bits, salt_len, em_len;

    (void)state;
    for (modulus_bits = 1017; modulus_bits <= 1033; modulus_bits++) {
        size_t top = (modulus_bits - 1) % 8;

        em_len = (modulus_bits + 7) / 8;
        assert_true(schsm_rsa_pss_salt_len(RSA_PSS_SALTLEN_MAX, EVP_sha256(), modulus_bits, 0,
                                           &salt_len, &err));
        assert_int_equal(salt_len, (modulus_bits - 1 + 7) / 8 - 34);
        assert_true(schsm_rsa_pss_pad(NULL, EVP_sha256(), EVP_sha256(), salt_len, hash,
                                      modulus_bits, em, em_len, &err));
        assert_int_equal(em[0] >> top, 0);
        assert_int_equal(em[em_len - 1], 0xbc);
        assert_false(schsm_rsa_pss_pad(NULL, EVP_sha256(), EVP_sha256(), salt_len + 1, hash,
                                       modulus_bits, em, em_len, &err));
    }
    assert_false(schsm_rsa_pss_salt_len(-5, EVP_sha256(), 1024, 0, &salt_len, &err));
    assert_false(schsm_rsa_pss_salt_len(95, EVP_sha256(), 1024, 0, &salt_len, &err));
    assert_false(schsm_rsa_pss_salt_len(19, EVP_sha256(), 1024, 20, &salt_len, &err));
    assert_true(schsm_rsa_pss_salt_len(-4, EVP_sha512(), 1024, 0, &salt_len, &err));
    assert_int_equal(salt_len, 62);
    assert_true(schsm_rsa_pss_salt_len(-4, EVP_sha512(), 2048, 0, &salt_len, &err));
    assert_int_equal(salt_len, 64);
    assert_false(schsm_rsa_pss_salt_len(-1, EVP_sha512(), 512, 0, &salt_len, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_are_right_everywhere),
        cmocka_unit_test(every_byte_of_an_oaep_message_counts),
        cmocka_unit_test(every_byte_of_pkcs1_padding_counts),
        cmocka_unit_test(rejected_lengths_spread_over_the_whole_range),
        cmocka_unit_test(rejection_keys_differ_by_key_and_ciphertext),
        cmocka_unit_test(synthetic_messages_are_openssls),
        cmocka_unit_test(digest_prefixes_are_right),
        cmocka_unit_test(signature_padding_leaves_eight_bytes),
        cmocka_unit_test(pss_keeps_below_the_modulus_at_every_bit_length),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
