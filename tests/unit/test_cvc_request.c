/* SPDX-License-Identifier: Apache-2.0 */
/* The request of a key that was imported (protocol reference sections 11.4 and 14.4). */
#include "support.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "certificates.h"
#include "format/cvc_request.h"

static struct schsm_error err;

static void assert_request_is_good(EVP_PKEY *key)
{
    struct bytes expected = encode_public_key(key);
    struct schsm_cvc_request request = { 0 };
    uint8_t *file = NULL, *spki = NULL;
    size_t len = 0, spki_len = 0;

    if (!schsm_cvc_build_request(NULL, key, "DENK010018600001", &file, &len, &err) ||
        !schsm_cvc_parse_request(file, len, &request, &err) ||
        !schsm_cvc_verify(&request.cvc.key, NULL, request.cvc.body.data, request.cvc.body.len,
                          request.cvc.signature.data, request.cvc.signature.len, &err) ||
        !schsm_cvc_public_key(&request.cvc.key, NULL, &spki, &spki_len, &err)) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(request.whole.len, len);
    assert_bytes_equal(spki, spki_len, expected.data, expected.len);
    assert_bytes_equal(request.cvc.chr.data, request.cvc.chr.len,
                       (const uint8_t *)"DENK010018600001", 16);
    assert_bytes_equal(request.outer_car.data, request.outer_car.len,
                       (const uint8_t *)SCHSM_CVC_IMPORTED, strlen(SCHSM_CVC_IMPORTED));
    assert_int_equal(request.outer_signature.len, 64);
    OPENSSL_free(spki);
    OPENSSL_free(file);
    free_bytes(&expected);
}

static void the_request_of_each_kind_of_key_is_read_and_verifies(void **state)
{
    static const char *const curves[] = { "P-256", "P-384", "P-521", "brainpoolP256r1",
                                          "secp256k1" };

    (void)state;
    for (size_t i = 0; i < COUNT(curves); i++) {
        EVP_PKEY *key = EVP_EC_gen(curves[i]);

        assert_non_null(key);
        assert_request_is_good(key);
        EVP_PKEY_free(key);
    }
    EVP_PKEY *rsa = EVP_RSA_gen(2048);

    assert_non_null(rsa);
    assert_request_is_good(rsa);
    EVP_PKEY_free(rsa);
}

static void no_device_vouches_for_it(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *maker = EVP_EC_gen("brainpoolP256r1");
    const struct certificate_spec spec = {
        .car = "DEDINK0400001", .chr = SCHSM_CVC_IMPORTED, .key = maker, .role = 0
    };
    struct bytes device_file = make_certificate(&spec);
    struct schsm_cvc_request request;
    struct schsm_cvc device;
    const struct schsm_curve *curve = NULL;
    uint8_t *file = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(schsm_cvc_parse(device_file.data, device_file.len, &device, &err), 1);
    assert_int_equal(schsm_cvc_curve(&device.key, NULL, &curve, &err), 1);
    assert_int_equal(schsm_cvc_build_request(NULL, key, "UT00001", &file, &len, &err), 1);
    assert_int_equal(schsm_cvc_parse_request(file, len, &request, &err), 1);
    /* not even a device of the name that stands there */
    assert_int_equal(schsm_cvc_verify_request(&request, &device, curve, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    assert_non_null(strstr(err.text, "imported"));
    OPENSSL_free(file);
    free_bytes(&device_file);
    EVP_PKEY_free(maker);
    EVP_PKEY_free(key);
}

static void what_the_card_cannot_have_is_refused(void **state)
{
    EVP_PKEY *keys[] = { EVP_EC_gen("P-224"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
    EVP_PKEY *good = EVP_EC_gen("P-256");
    static const char *const names[] = { "", "A NAME THAT IS TOO LONG" };
    uint8_t *file = NULL;
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        assert_non_null(keys[i]);
        assert_int_equal(schsm_cvc_build_request(NULL, keys[i], "UT00001", &file, &len, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_UNSUPPORTED);
        EVP_PKEY_free(keys[i]);
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(schsm_cvc_build_request(NULL, good, names[i], &file, &len, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
    }
    assert_null(file);
    EVP_PKEY_free(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_of_each_kind_of_key_is_read_and_verifies),
        cmocka_unit_test(no_device_vouches_for_it),
        cmocka_unit_test(what_the_card_cannot_have_is_refused),
    };

    return cmocka_run_group_tests_name("requests of imported keys", tests, NULL, NULL);
}
