/* SPDX-License-Identifier: Apache-2.0 */
#include "certificates.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "format/public_key.h"

static EVP_PKEY *ec_key, *rsa_key;

static int make_keys(void **state)
{
    (void)state;
    ec_key = EVP_EC_gen("P-384");
    rsa_key = EVP_RSA_gen(2048);
    return ec_key == NULL || rsa_key == NULL;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(ec_key);
    EVP_PKEY_free(rsa_key);
    return 0;
}

static struct bytes make_x509(EVP_PKEY *key, long version)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    uint8_t *der = NULL;
    struct bytes bytes;
    int len;

    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"x", -1, -1, 0), 1);
    X509_set_version(certificate, version);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 128);
    X509_set_issuer_name(certificate, name);
    X509_set_subject_name(certificate, name);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 1000);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    len = i2d_X509(certificate, &der);
    assert_true(len > 0);
    bytes = copy_bytes(der, (size_t)len);
    OPENSSL_free(der);
    X509_NAME_free(name);
    X509_free(certificate);
    return bytes;
}

static struct bytes make_form(EVP_PKEY *key, int form)
{
    const struct certificate_spec spec = {
        .car = "UTCA00001", .chr = "UTTEST001000001", .key = key, .role = -1
    };

    switch (form) {
    case 0:
        return make_certificate(&spec);
    case 1:
        return make_request(&spec, "UTDEVICE00000", ec_key);
    case 2:
        return make_x509(key, X509_VERSION_3);
    default:
        return make_x509(key, X509_VERSION_1);
    }
}

static void finds_the_key_in_request_certificate_and_x509(void **state)
{
    EVP_PKEY *const keys[] = { ec_key, rsa_key };

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct bytes expected = encode_public_key(keys[i]);

        for (int form = 0; form < 4; form++) {
            struct bytes file = make_form(keys[i], form);
            struct schsm_error err = SCHSM_ERROR_INIT;
            uint8_t with_junk[4096], *spki = NULL;
            size_t spki_len = 0;

            /* A file that was overwritten by a shorter one keeps the old end. */
            memcpy(with_junk, file.data, file.len);
            memset(with_junk + file.len, 0xFF, 7);
            if (!schsm_public_key_from_ce(with_junk, file.len + 7, &spki, &spki_len, &err)) {
                fail_msg("form %d: %s", form, err.text);
            }
            assert_bytes_equal(spki, spki_len, expected.data, expected.len);
            OPENSSL_free(spki);
            free_bytes(&file);
        }
        free_bytes(&expected);
    }
}

static int find(const uint8_t *data, size_t len)
{
    uint8_t *spki;
    size_t spki_len;

    if (!schsm_public_key_from_ce(data, len, &spki, &spki_len, NULL)) {
        return 0;
    }
    OPENSSL_free(spki);
    return 1;
}

static void refuses_cut_and_survives_changed_files(void **state)
{
    (void)state;
    for (int form = 0; form < 4; form++) {
        struct bytes file = make_form(ec_key, form);

        assert_truncations_fail(&file, find);
        survive_bit_flips(&file, find);
        free_bytes(&file);
    }
}

static void says_that_there_is_no_public_key(void **state)
{
    static const struct {
        const char *hex;
        enum schsm_reason reason;
    } cases[] = {
        { "", SCHSM_REASON_NO_PUBLIC_KEY },
        { "0400", SCHSM_REASON_NO_PUBLIC_KEY },
        { "00", SCHSM_REASON_DEVICE_DATA },
        { "3000", SCHSM_REASON_DEVICE_DATA },
        { "30023000", SCHSM_REASON_DEVICE_DATA },
        { "6700", SCHSM_REASON_DEVICE_DATA },
        { "7F2100", SCHSM_REASON_DEVICE_DATA },
        { "3080", SCHSM_REASON_DEVICE_DATA },
        { "3004300202007F", SCHSM_REASON_DEVICE_DATA },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes file = from_hex(cases[i].hex);
        struct schsm_error err = SCHSM_ERROR_INIT;
        uint8_t *spki = NULL;
        size_t spki_len = 0;

        assert_int_equal(schsm_public_key_from_ce(file.data, file.len, &spki, &spki_len, &err), 0);
        assert_int_equal(err.reason, cases[i].reason);
        assert_null(spki);
        free_bytes(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_key_in_request_certificate_and_x509),
        cmocka_unit_test(refuses_cut_and_survives_changed_files),
        cmocka_unit_test(says_that_there_is_no_public_key),
    };

    return cmocka_run_group_tests_name("public keys", tests, make_keys, free_keys);
}
