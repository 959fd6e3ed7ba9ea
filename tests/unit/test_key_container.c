/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a wrapped key (protocol reference section 14.6). */
#include "support.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "keymgmt/key_container.h"

static struct schsm_error err;

#define SAMPLE_BLOB "0405AABBCCDDEE"
#define SAMPLE_RSA "301D30060C04746573743007040101030202 74A10A3008300204000202 0800"
#define SAMPLE_REQUEST "670442020101"
#define SAMPLE_CVC "7F2103010203"
#define SAMPLE_X509 "300B3003020101 30000302 00FF"

static void the_members_are_told_by_tag_and_order(void **state)
{
    static const struct {
        const char *content, *description, *certificate;
    } cases[] = {
        { SAMPLE_BLOB, "", "" },
        { SAMPLE_BLOB SAMPLE_RSA, SAMPLE_RSA, "" },
        { SAMPLE_BLOB SAMPLE_RSA SAMPLE_REQUEST, SAMPLE_RSA, SAMPLE_REQUEST },
        { SAMPLE_BLOB SAMPLE_REQUEST, "", SAMPLE_REQUEST },
        { SAMPLE_BLOB SAMPLE_RSA SAMPLE_X509, SAMPLE_RSA, SAMPLE_X509 },
        { SAMPLE_BLOB SAMPLE_X509, "",
          SAMPLE_X509 }, /* has the tag of an SAMPLE_RSA key's description */
        { SAMPLE_BLOB SAMPLE_RSA SAMPLE_CVC, SAMPLE_RSA, SAMPLE_CVC },
        { SAMPLE_BLOB SAMPLE_RSA SAMPLE_X509 SAMPLE_X509, SAMPLE_RSA,
          SAMPLE_X509 }, /* more certificates follow */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes content = from_hex(cases[i].content);
        struct bytes file = { malloc(content.len + 2), content.len + 2 };
        struct schsm_key_container container;
        uint8_t *again = NULL;
        size_t len = 0;

        file.data[0] = 0x30;
        file.data[1] = (uint8_t)content.len;
        memcpy(file.data + 2, content.data, content.len);
        if (!schsm_key_container_parse(file.data, file.len, &container, &err)) {
            fail_msg("case %zu: %s", i, err.text);
        }
        assert_bytes_are_hex(container.blob.data, container.blob.len, "AABBCCDDEE");
        assert_bytes_are_hex(container.description.data, container.description.len,
                             cases[i].description);
        assert_bytes_are_hex(container.certificate.data, container.certificate.len,
                             cases[i].certificate);
        assert_int_equal(schsm_key_container_build(&container, &again, &len, &err), 1);
        if (i < COUNT(cases) - 1) {
            assert_bytes_equal(again, len, file.data, file.len);
        }
        OPENSSL_free(again);
        free_bytes(&file);
        free_bytes(&content);
    }
}

/* A file on the device may have the tail of an older, longer content. */
static void what_follows_a_member_stays_out(void **state)
{
    struct bytes blob = from_hex("AABB"), description = from_hex("A0020C00FFFFFF");
    const struct schsm_key_container container = { { blob.data, blob.len },
                                                   { description.data, description.len },
                                                   { NULL, 0 } };
    uint8_t *file = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(schsm_key_container_build(&container, &file, &len, &err), 1);
    assert_bytes_are_hex(file, len, "30080402AABBA0020C00");
    OPENSSL_free(file);
    free_bytes(&description);
    free_bytes(&blob);
}

static struct bytes make_x509(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    struct bytes der = { NULL, 0 };
    int len;

    assert_non_null(key);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    len = i2d_X509(certificate, &der.data);
    assert_true(len > 0);
    der.len = (size_t)len;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return der;
}

static void a_real_certificate_is_none_of_the_descriptions(void **state)
{
    struct bytes certificate = make_x509();
    struct bytes blob = from_hex("AABB");
    const struct schsm_key_container container = { { blob.data, blob.len },
                                                   { NULL, 0 },
                                                   { certificate.data, certificate.len } };
    struct schsm_key_container again;
    uint8_t *file = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(schsm_key_container_build(&container, &file, &len, &err), 1);
    assert_int_equal(schsm_key_container_parse(file, len, &again, &err), 1);
    assert_int_equal(again.description.len, 0);
    assert_bytes_equal(again.certificate.data, again.certificate.len, certificate.data,
                       certificate.len);
    OPENSSL_free(file);
    free_bytes(&blob);
    OPENSSL_free(certificate.data);
}

static int parse(const uint8_t *data, size_t len)
{
    struct schsm_key_container container;

    return schsm_key_container_parse(data, len, &container, &err);
}

static void what_is_no_container_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "3000",
        "30020400",
        "300204AA",
        "31050403AABBCC",
        "30083006AABB",
        "53616C7465645F5F",
        "30070403AABBCC30",
        "30090403AABBCC300501",
    };
    struct bytes file = from_hex("30230405AABBCCDDEE" SAMPLE_RSA);

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes bytes = from_hex(bad[i]);

        if (parse(bytes.data, bytes.len) != 0) {
            fail_msg("%s was accepted", bad[i]);
        }
        assert_int_equal(err.reason, SCHSM_REASON_FILE);
        free_bytes(&bytes);
    }
    file.data[1] = (uint8_t)(file.len - 2);
    assert_int_equal(parse(file.data, file.len), 1);
    assert_truncations_fail(&file, parse);
    survive_bit_flips(&file, parse);
    free_bytes(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_members_are_told_by_tag_and_order),
        cmocka_unit_test(what_follows_a_member_stays_out),
        cmocka_unit_test(a_real_certificate_is_none_of_the_descriptions),
        cmocka_unit_test(what_is_no_container_is_refused),
    };

    return cmocka_run_group_tests_name("key containers", tests, NULL, NULL);
}
