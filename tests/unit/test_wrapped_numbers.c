/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers in wrapped keys (protocol reference section 14.5): which are missing, short, wrong or
 * cut. */
#include "wrapped_keys.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "format/dkek.h"
#include "format/wrapped_key.h"

static struct schsm_error err;

static void put_size(struct bytes *out, size_t size)
{
    out->data[out->len++] = (uint8_t)(size >> 8);
    out->data[out->len++] = (uint8_t)size;
}

/* Appends a number of a key; without leading zeros, as the Pico HSM writes them. */
static void put_number(struct bytes *out, EVP_PKEY *key, const char *name)
{
    BIGNUM *value = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &value), 1);
    put_size(out, (size_t)BN_num_bytes(value));
    out->len += (size_t)BN_bn2bin(value, out->data + out->len);
    BN_clear_free(value);
}

/* The blob around a plaintext, made by other means than the code under test. */
static struct bytes seal(uint8_t type, const struct bytes *plaintext)
{
    static const char header[] = "000A04007F00070202020102000000000000";
    struct schsm_secret *dkek = forty_four();
    struct schsm_secret *kenc = schsm_dkek_derive(NULL, dkek, SCHSM_DKEK_ENCRYPTION, &err);
    struct schsm_secret *kmac = schsm_dkek_derive(NULL, dkek, SCHSM_DKEK_AUTHENTICATION, &err);
    struct bytes blob = from_hex("BB391415C05E39D7"), rest = from_hex(header);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    static const uint8_t iv[16];
    int len = 0;

    blob.data = realloc(blob.data, plaintext->len + 100);
    blob.data[blob.len++] = type;
    memcpy(blob.data + blob.len, rest.data, rest.len);
    blob.len += rest.len;
    assert_int_equal(plaintext->len % 16, 0);
    assert_int_equal(
        EVP_EncryptInit_ex(context, EVP_aes_256_cbc(), NULL, schsm_secret_data(kenc), iv), 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(EVP_EncryptUpdate(context, blob.data + blob.len, &len, plaintext->data,
                                       (int)plaintext->len),
                     1);
    blob.len += (size_t)len;
    assert_non_null(EVP_Q_mac(NULL, "CMAC", NULL, "AES-256-CBC", NULL, schsm_secret_data(kmac), 32,
                              blob.data, blob.len, blob.data + blob.len, 16, NULL));
    blob.len += 16;
    EVP_CIPHER_CTX_free(context);
    free_bytes(&rest);
    schsm_secret_free(kmac);
    schsm_secret_free(kenc);
    schsm_secret_free(dkek);
    return blob;
}

static struct bytes start_plaintext(size_t size)
{
    struct bytes plaintext = { calloc(1, 4096), 8 };

    assert_non_null(plaintext.data);
    put_size(&plaintext, size);
    return plaintext;
}

/* Whether two keys have the same primes in the same places. */
static bool have_same_primes(EVP_PKEY *a, EVP_PKEY *b)
{
    BIGNUM *p = NULL, *q = NULL;
    bool same;

    assert_int_equal(EVP_PKEY_get_bn_param(a, OSSL_PKEY_PARAM_RSA_FACTOR1, &p), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(b, OSSL_PKEY_PARAM_RSA_FACTOR1, &q), 1);
    same = BN_cmp(p, q) == 0;
    BN_clear_free(q);
    BN_clear_free(p);
    return same;
}

/* As the Pico HSM writes it: D, N, E, without padding where the length fits already. */
static void an_rsa_key_without_its_primes_is_read(void **state)
{
    struct schsm_secret *dkek = forty_four();
    EVP_PKEY *key = make("RSA", NULL, 1024), *again;
    struct bytes plaintext = start_plaintext(1024), blob;

    (void)state;
    put_number(&plaintext, key, OSSL_PKEY_PARAM_RSA_D);
    put_number(&plaintext, key, OSSL_PKEY_PARAM_RSA_N);
    put_number(&plaintext, key, OSSL_PKEY_PARAM_RSA_E);
    plaintext.len = (plaintext.len + 15) / 16 * 16;
    blob = seal(0x05, &plaintext);
    /* its primes are found by chance, and are the same key's bytes each time */
    for (int times = 0; times < 16; times++) {
        again = unwrap(&blob, dkek);
        assert_int_equal(EVP_PKEY_eq(key, again), 1);
        assert_true(have_same_primes(key, again));
        wrap_and_unwrap(again); /* and can be wrapped with its primes */
        EVP_PKEY_free(again);
    }
    EVP_PKEY_free(key);
    free_bytes(&blob);
    free_bytes(&plaintext);
    schsm_secret_free(dkek);
}

static void put_hex(struct bytes *out, const char *hex)
{
    struct bytes bytes = from_hex(hex);

    put_size(out, bytes.len);
    memcpy(out->data + out->len, bytes.data, bytes.len);
    out->len += bytes.len;
    free_bytes(&bytes);
}

#define SECP256K1_P "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F"
#define SECP256K1_N "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141"
#define SECP256K1_G                                                                                \
    "0479BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"                           \
    "483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8"

/* d = 1, so that Q = G; a = 0 and b = 7 without leading zeros: a has no bytes at all */
static struct bytes short_ec_plaintext(const char *d, const char *q)
{
    struct bytes plaintext = start_plaintext(256);

    put_hex(&plaintext, "");
    put_hex(&plaintext, "07");
    put_hex(&plaintext, SECP256K1_P);
    put_hex(&plaintext, SECP256K1_N);
    put_hex(&plaintext, SECP256K1_G);
    put_hex(&plaintext, d);
    put_hex(&plaintext, q);
    plaintext.data[plaintext.len] = 0x80;
    plaintext.len = plaintext.len / 16 * 16 + 16;
    return plaintext;
}

static void ec_numbers_without_leading_zeros_are_read(void **state)
{
    struct schsm_secret *dkek = forty_four();
    struct bytes plaintext = short_ec_plaintext("01", SECP256K1_G);
    struct bytes blob = seal(0x0C, &plaintext);
    EVP_PKEY *key = unwrap(&blob, dkek);

    (void)state;
    assert_number(key, OSSL_PKEY_PARAM_PRIV_KEY, "01");
    EVP_PKEY_free(key);
    free_bytes(&blob);
    free_bytes(&plaintext);
    schsm_secret_free(dkek);
}

/* As the Pico HSM writes the NIST curves: a has no bytes, and stands for p - 3. */
static void ec_keys_whose_parameter_a_is_empty_are_read(void **state)
{
    static const char *const curves[] = { "P-192", "P-256", "P-384", "P-521" };
    struct schsm_secret *dkek = forty_four();

    (void)state;
    for (size_t i = 0; i < COUNT(curves); i++) {
        EVP_PKEY *key = make("EC", curves[i], 0), *again;
        struct bytes plaintext = start_plaintext((size_t)EVP_PKEY_get_bits(key)), blob;
        uint8_t generator[200];
        size_t len = 0;

        put_hex(&plaintext, "");
        put_number(&plaintext, key, OSSL_PKEY_PARAM_EC_B);
        put_number(&plaintext, key, OSSL_PKEY_PARAM_EC_P);
        put_number(&plaintext, key, OSSL_PKEY_PARAM_EC_ORDER);
        for (int point = 0; point < 2; point++) {
            const char *name = point == 0 ? OSSL_PKEY_PARAM_EC_GENERATOR : OSSL_PKEY_PARAM_PUB_KEY;

            if (point == 1) {
                put_number(&plaintext, key, OSSL_PKEY_PARAM_PRIV_KEY);
            }
            assert_int_equal(
                EVP_PKEY_get_octet_string_param(key, name, generator, sizeof(generator), &len), 1);
            put_size(&plaintext, len);
            memcpy(plaintext.data + plaintext.len, generator, len);
            plaintext.len += len;
        }
        plaintext.data[plaintext.len] = 0x80;
        plaintext.len = plaintext.len / 16 * 16 + 16;
        blob = seal(0x0C, &plaintext);
        again = unwrap(&blob, dkek);
        assert_int_equal(EVP_PKEY_eq(key, again), 1);
        wrap_and_unwrap(again);
        EVP_PKEY_free(again);
        EVP_PKEY_free(key);
        free_bytes(&blob);
        free_bytes(&plaintext);
    }
    schsm_secret_free(dkek);
}

static void a_private_key_that_is_not_that_of_the_public_one_is_refused(void **state)
{
    static const char *const wrong[] = { "02", "00", "", SECP256K1_N };
    struct schsm_secret *dkek = forty_four();

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct bytes plaintext = short_ec_plaintext(wrong[i], SECP256K1_G);
        struct bytes blob = seal(0x0C, &plaintext);
        struct schsm_wrapped_key wrapped;

        assert_int_equal(schsm_wrapped_key_parse(blob.data, blob.len, &wrapped, &err), 1);
        assert_null(schsm_wrapped_key_private(NULL, &wrapped, dkek, &err));
        assert_int_equal(err.reason, SCHSM_REASON_FILE);
        assert_int_equal(ERR_peek_error(), 0);
        free_bytes(&blob);
        free_bytes(&plaintext);
    }
    schsm_secret_free(dkek);
}

static void elements_beyond_the_plaintext_are_refused(void **state)
{
    struct schsm_secret *dkek = forty_four();
    struct bytes whole = short_ec_plaintext("01", SECP256K1_G);

    (void)state;
    for (size_t len = 16; len < whole.len - 16; len += 16) {
        struct bytes cut = { whole.data, len };
        struct bytes blob = seal(0x0C, &cut);
        struct schsm_wrapped_key wrapped;

        assert_int_equal(schsm_wrapped_key_parse(blob.data, blob.len, &wrapped, &err), 1);
        assert_null(schsm_wrapped_key_private(NULL, &wrapped, dkek, &err));
        assert_int_equal(err.reason, SCHSM_REASON_FILE);
        free_bytes(&blob);
    }
    free_bytes(&whole);
    schsm_secret_free(dkek);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_rsa_key_without_its_primes_is_read),
        cmocka_unit_test(ec_numbers_without_leading_zeros_are_read),
        cmocka_unit_test(ec_keys_whose_parameter_a_is_empty_are_read),
        cmocka_unit_test(a_private_key_that_is_not_that_of_the_public_one_is_refused),
        cmocka_unit_test(elements_beyond_the_plaintext_are_refused),
    };

    return cmocka_run_group_tests_name("numbers in wrapped keys", tests, NULL, NULL);
}
