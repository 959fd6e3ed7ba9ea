/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys out of PKCS#11 attributes, judged by libcrypto; hostile attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "format/ecdsa.h"
#include "format/pkcs11_public_key.h"

/* DER of prime256v1's OBJECT IDENTIFIER */
static const uint8_t p256[] = { 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07 };

static void expect_same(EVP_PKEY *key, const uint8_t *spki, size_t len)
{
    unsigned char *der = NULL;
    int der_len = i2d_PUBKEY(key, &der);

    assert_int_equal(der_len, len);
    assert_memory_equal(der, spki, len);
    OPENSSL_free(der);
}

static void rsa_numbers_make_the_key(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(1024);
    BIGNUM *n = NULL, *e = NULL;
    uint8_t modulus[130] = { 0 }, exponent[5] = { 0 }, *spki = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e), 1);
    assert_int_equal(BN_bn2binpad(n, modulus, sizeof(modulus)), sizeof(modulus));
    assert_int_equal(BN_bn2binpad(e, exponent, sizeof(exponent)), sizeof(exponent));
    assert_int_equal(schsm_pkcs11_rsa_key((struct schsm_view){ modulus, sizeof(modulus) },
                                          (struct schsm_view){ exponent, sizeof(exponent) }, &spki,
                                          &len, NULL),
                     1);
    expect_same(key, spki, len);
    OPENSSL_free(spki);
    memset(modulus, 0, sizeof(modulus));
    assert_int_equal(schsm_pkcs11_rsa_key((struct schsm_view){ modulus, sizeof(modulus) },
                                          (struct schsm_view){ exponent, sizeof(exponent) }, &spki,
                                          &len, NULL),
                     0);
    BN_free(n);
    BN_free(e);
    EVP_PKEY_free(key);
}

/* The point bare, and in an OCTET STRING. */
static void ec_points_make_the_key(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    uint8_t wrapped[67] = { 0x04, 65 }, *spki = NULL;
    size_t point_len = 0, len = 0;

    (void)state;
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, wrapped + 2, 65, &point_len),
        1);
    assert_int_equal(point_len, 65);
    for (size_t skip = 0; skip <= 2; skip += 2) {
        assert_int_equal(
            schsm_pkcs11_ec_key((struct schsm_view){ p256, sizeof(p256) },
                                (struct schsm_view){ wrapped + skip, sizeof(wrapped) - skip },
                                &spki, &len, NULL),
            1);
        expect_same(key, spki, len);
        OPENSSL_free(spki);
    }
    for (size_t cut = 0; cut < sizeof(wrapped); cut++) {
        if (cut != sizeof(wrapped) - 1 && cut % 2 == 0) {
            assert_int_equal(schsm_pkcs11_ec_key((struct schsm_view){ p256, sizeof(p256) },
                                                 (struct schsm_view){ wrapped, cut }, &spki, &len,
                                                 NULL),
                             0);
        }
    }
    for (size_t cut = 0; cut < sizeof(p256); cut++) {
        assert_int_equal(schsm_pkcs11_ec_key((struct schsm_view){ p256, cut },
                                             (struct schsm_view){ wrapped, sizeof(wrapped) }, &spki,
                                             &len, NULL),
                         0);
    }
    EVP_PKEY_free(key);
}

static void basic_constraints_tell_an_authority(void **state)
{
    static const uint8_t ca[] = { 0x06, 0x03, 0x55, 0x1D, 0x13, 0x01, 0x01, 0xFF,
                                  0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xFF };
    static const uint8_t not_critical[] = { 0x06, 0x03, 0x55, 0x1D, 0x13, 0x04,
                                            0x05, 0x30, 0x03, 0x01, 0x01, 0xFF };
    static const uint8_t end_entity[] = { 0x06, 0x03, 0x55, 0x1D, 0x13, 0x04, 0x02, 0x30, 0x00 };

    (void)state;
    assert_true(schsm_pkcs11_is_authority(ca, sizeof(ca)));
    assert_true(schsm_pkcs11_is_authority(not_critical, sizeof(not_critical)));
    assert_false(schsm_pkcs11_is_authority(end_entity, sizeof(end_entity)));
    for (size_t cut = 0; cut < sizeof(ca); cut++) {
        assert_false(schsm_pkcs11_is_authority(ca, cut));
    }
}

static void raw_signatures_become_der_and_back(void **state)
{
    uint8_t raw[64] = { 0 }, der[80], back[64];
    size_t der_len = sizeof(der), back_len = sizeof(back);

    (void)state;
    raw[1] = 0x80; /* a zero in front in DER, and one that is left out */
    raw[63] = 0x01;
    assert_int_equal(schsm_ecdsa_der(raw, sizeof(raw), der, &der_len, NULL), 1);
    assert_int_equal(schsm_ecdsa_raw(der, der_len, 32, back, &back_len, NULL), 1);
    assert_memory_equal(raw, back, sizeof(raw));
    der_len = 10;
    assert_int_equal(schsm_ecdsa_der(raw, sizeof(raw), der, &der_len, NULL), 0);
    der_len = sizeof(der);
    assert_int_equal(schsm_ecdsa_der(raw, 63, der, &der_len, NULL), 0);
    raw[63] = 0;
    assert_int_equal(schsm_ecdsa_der(raw, sizeof(raw), der, &der_len, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_numbers_make_the_key),
        cmocka_unit_test(ec_points_make_the_key),
        cmocka_unit_test(basic_constraints_tell_an_authority),
        cmocka_unit_test(raw_signatures_become_der_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
