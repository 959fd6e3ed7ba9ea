/* SPDX-License-Identifier: Apache-2.0 */
/* The codecs against files from real devices. */
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/obj_mac.h>
#include <string.h>

#include "format/cvc.h"
#include "format/cvc_container.h"
#include "format/pkcs15.h"
#include "format/public_key.h"
#include "format/roots.h"

static struct schsm_error err;

static void verify_chain(const char *root_name, const char *file_name, const char *serial,
                         const char *holder)
{
    struct bytes root = read_vector(root_name), file = read_vector(file_name);
    struct schsm_cvc trusted, device;
    const struct schsm_curve *curve = NULL;
    char text[SCHSM_SERIAL_MAX + 1];

    if (!schsm_cvc_parse(root.data, root.len, &trusted, &err) ||
        !schsm_cvc_verify_device(&trusted, file.data, file.len, &device, &curve, &err)) {
        fail_msg("%s", err.text);
    }
    assert_ptr_equal(curve, schsm_curve_by_nid(NID_brainpoolP256r1));
    assert_int_equal(schsm_cvc_holder(&device, text, sizeof(text), &err), 1);
    assert_string_equal(text, holder);
    assert_int_equal(schsm_cvc_serial(file.data, file.len, text, sizeof(text), &err), 1);
    assert_string_equal(text, serial);
    free_bytes(&root);
    free_bytes(&file);
}

static void a_nitrokey_verifies_up_to_the_production_root(void **state)
{
    (void)state;
    verify_chain("DESRCACC100001.cvc", "nitrokey-DENK0404144-ef2f02.bin", "DENK0404144",
                 "DENK040414400000");
}

static void a_test_card_verifies_up_to_the_test_root(void **state)
{
    (void)state;
    verify_chain("UTSRCACC100001.cvc", "UTCC0200013-ef2f02.bin", "UTCC0200013", "UTCC020001300000");
}

static void a_device_does_not_verify_with_another_root(void **state)
{
    struct bytes root = read_vector("UTSRCACC100001.cvc");
    struct bytes file = read_vector("nitrokey-DENK0404144-ef2f02.bin");
    struct schsm_cvc trusted, device;
    const struct schsm_curve *curve = NULL;

    (void)state;
    assert_int_equal(schsm_cvc_parse(root.data, root.len, &trusted, &err), 1);
    assert_int_equal(schsm_cvc_verify_device(&trusted, file.data, file.len, &device, &curve, &err),
                     0);
    assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    free_bytes(&root);
    free_bytes(&file);
}

static void the_scheme_roots_are_self_signed(void **state)
{
    static const char *const names[] = { "DESRCACC100001.cvc", "UTSRCACC100001.cvc",
                                         "DESCHSMCVCA00001.cvc", "ESPICOHSMCA00001.cvc",
                                         "ESPICOHSMCA00002.cvc" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct bytes file = read_vector(names[i]);
        struct schsm_cvc cvc;

        if (!schsm_cvc_parse(file.data, file.len, &cvc, &err) ||
            !schsm_cvc_verify(&cvc.key, NULL, cvc.body.data, cvc.body.len, cvc.signature.data,
                              cvc.signature.len, &err)) {
            fail_msg("%s: %s", names[i], err.text);
        }
        assert_true(schsm_view_equal(cvc.car, cvc.chr));
        assert_bytes_equal(cvc.chr.data, cvc.chr.len, (const uint8_t *)names[i],
                           strlen(names[i]) - 4);
        assert_int_equal(cvc.role.data[0], 0xC0);
        free_bytes(&file);
    }
}

static void a_pico_hsm_has_its_serial_number_and_another_issuer(void **state)
{
    struct bytes file = read_vector("pico-ESP2202E14A-ef2f02-v2.bin");
    struct bytes root = read_vector("DESRCACC100001.cvc");
    struct schsm_cvc trusted, device;
    const struct schsm_curve *curve = NULL;
    char serial[SCHSM_SERIAL_MAX + 1];

    (void)state;
    assert_int_equal(schsm_cvc_serial(file.data, file.len, serial, sizeof(serial), &err), 1);
    assert_string_equal(serial, "ESP2202E14A");
    assert_int_equal(schsm_cvc_parse(root.data, root.len, &trusted, &err), 1);
    assert_int_equal(schsm_cvc_verify_device(&trusted, file.data, file.len, &device, &curve, &err),
                     0);
    assert_non_null(strstr(err.text, "issued by ESP2202E14A00001, not by DESRCACC100001"));
    free_bytes(&root);
    free_bytes(&file);
}

/* A request before the certificate, as firmware v5.0 to v6.6 leaves it. */
static void a_pico_hsm_that_was_initialised_has_its_serial_number(void **state)
{
    struct bytes file = read_vector("pico-ESP2202E14A-ef2f02-v1.bin");
    struct schsm_device_identity identity;
    char serial[SCHSM_SERIAL_MAX + 1];

    (void)state;
    assert_int_equal(schsm_cvc_serial(file.data, file.len, serial, sizeof(serial), &err), 1);
    assert_string_equal(serial, "ESP2202E14A");
    assert_int_equal(schsm_roots_verify_device(NULL, file.data, file.len, &identity, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    assert_non_null(strstr(err.text, "signed by the device itself"));
    free_bytes(&file);
}

/* All that were provisioned share the first 11 characters. */
static void a_provisioned_pico_hsm_has_its_whole_name(void **state)
{
    struct bytes file = read_vector("pico-ESPICOHSMTRLRA4C-ef2f02.bin");
    struct schsm_device_identity identity;
    char serial[SCHSM_SERIAL_MAX + 1];

    (void)state;
    assert_int_equal(schsm_cvc_serial(file.data, file.len, serial, sizeof(serial), &err), 1);
    assert_string_equal(serial, "ESPICOHSMTRLRA4C");
    assert_int_equal(schsm_roots_verify_device(NULL, file.data, file.len, &identity, &err), 1);
    assert_string_equal(identity.root, "ESPICOHSMCA00002");
    free_bytes(&file);
}

static void a_membership_of_a_pico_hsm_verifies(void **state)
{
    struct bytes file = read_reference_vector("### 23.9");
    struct schsm_device_identity identity;
    struct schsm_container container;
    uint8_t message[1 + SCHSM_FIELD_MAX], id[SCHSM_DEVICE_ID_MAX];
    size_t message_len = sizeof(message), id_len = sizeof(id);

    (void)state;
    assert_int_equal(file.len, 1060);
    if (!schsm_container_parse(file.data, file.len, &container, &err) ||
        !schsm_container_verify(&container, &err)) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(container.kind, SCHSM_CONTAINER_MEMBERSHIP);
    /* the member and the holder of the signer are one device */
    assert_int_equal(schsm_membership_message(&container.device, message, &message_len, &err), 1);
    assert_int_equal(schsm_cvc_verify(&container.request.cvc.key, NULL, message, message_len,
                                      container.signature.data, container.signature.len, &err),
                     1);
    message[1] ^= 1;
    assert_int_equal(schsm_cvc_verify(&container.request.cvc.key, NULL, message, message_len,
                                      container.signature.data, container.signature.len, &err),
                     0);
    assert_int_equal(schsm_container_device_id(&container, id, &id_len, &err), 1);
    if (!schsm_roots_verify_device(NULL, id, id_len, &identity, &err)) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(identity.root, "ESPICOHSMCA00002");
    free_bytes(&file);
}

static void the_makers_of_devices_are_known(void **state)
{
    static const struct {
        const char *file, *root;
        bool test;
    } devices[] = { { "nitrokey-DENK0404144-ef2f02.bin", "DESRCACC100001", false },
                    { "UTCC0200013-ef2f02.bin", "UTSRCACC100001", true } };
    struct schsm_device_identity identity;
    struct bytes pico = read_vector("pico-ESP2202E14A-ef2f02-v2.bin");

    (void)state;
    for (size_t i = 0; i < COUNT(devices); i++) {
        struct bytes file = read_vector(devices[i].file);

        assert_int_equal(schsm_roots_verify_device(NULL, file.data, file.len, &identity, &err), 1);
        assert_string_equal(identity.root, devices[i].root);
        assert_true(identity.built_in);
        assert_int_equal(identity.test, devices[i].test);
        free_bytes(&file);
    }
    assert_int_equal(schsm_roots_verify_device(NULL, pico.data, pico.len, &identity, &err), 0);
    assert_non_null(strstr(err.text, "signed by the device itself"));
    for (size_t i = 0; schsm_scheme_root_at(i) != NULL; i++) {
        const struct schsm_scheme_root *root = schsm_scheme_root_at(i);
        char name[32] = "";
        struct schsm_cvc cvc;
        struct bytes published;

        assert_int_equal(schsm_cvc_parse(root->der, root->len, &cvc, &err), 1);
        memcpy(name, cvc.chr.data, cvc.chr.len);
        memcpy(name + cvc.chr.len, ".cvc", 5);
        published = read_vector(name);
        assert_bytes_equal(root->der, root->len, published.data, published.len);
        free_bytes(&published);
    }
    free_bytes(&pico);
}

static void the_public_key_of_a_request_equals_the_published_one(void **state)
{
    struct bytes file = read_vector("nitrokey-DENK0404144-ce03-p256-id20.bin");
    struct bytes expected = read_vector("nitrokey-DENK0404144-ce03-p256-id20.spki.der");
    uint8_t *spki = NULL;
    size_t spki_len = 0;

    (void)state;
    assert_int_equal(schsm_public_key_from_ce(file.data, file.len, &spki, &spki_len, &err), 1);
    assert_bytes_equal(spki, spki_len, expected.data, expected.len);
    OPENSSL_free(spki);
    free_bytes(&file);
    free_bytes(&expected);
}

static void both_signatures_of_a_request_verify(void **state)
{
    struct bytes file = read_vector("nitrokey-DENK0404144-ce03-p256-id20.bin");
    struct bytes device_file = read_vector("nitrokey-DENK0404144-ef2f02.bin");
    struct schsm_cvc_request request;
    struct schsm_cvc device;

    (void)state;
    assert_int_equal(schsm_cvc_parse(device_file.data, device_file.len, &device, &err), 1);
    assert_int_equal(schsm_cvc_parse_request(file.data, file.len, &request, &err), 1);
    assert_bytes_equal(request.cvc.car.data, request.cvc.car.len, (const uint8_t *)"UTCA00001", 9);
    assert_bytes_equal(request.cvc.chr.data, request.cvc.chr.len,
                       (const uint8_t *)"DENK040414400001", 16);
    if (!schsm_cvc_verify_request(&request, &device, schsm_curve_by_nid(NID_brainpoolP256r1),
                                  &err)) {
        fail_msg("%s", err.text);
    }
    free_bytes(&file);
    free_bytes(&device_file);
}

/* The share that unit_dkek_share opens; its key check value is told in unit_wrapped_key. */
static void the_share_of_the_guide_is_the_one_of_the_tests(void **state)
{
    struct bytes file = read_vector("seed-dkek-share.pbe");

    (void)state;
    assert_bytes_are_hex(
        file.data, file.len,
        "53616C7465645F5F532BE56E5625003CE2807D53C4F69BB02BBCAF252227BCF7814A577E521DA11E"
        "58BC45ACDB15577774680EBBB6A11239BA633CD85ADC4C9C");
    free_bytes(&file);
}

static void key_descriptions_of_real_cards_are_read(void **state)
{
    static const struct {
        const char *file, *label, *id;
        enum schsm_key_type type;
        unsigned int usage, bits;
    } cases[] = {
        { "prkd-rsa2048-joe-doe.bin", "Joe Doe (RSA2048)", "01", SCHSM_KEY_RSA,
          SCHSM_USAGE_DECRYPT | SCHSM_USAGE_SIGN | SCHSM_USAGE_SIGN_RECOVER | SCHSM_USAGE_UNWRAP,
          2048 },
        { "prkd-ec256-btc-test-1.bin", "btc-test", "4D8B45C6B9E00AEE9C677B595E7B7B72572035ED",
          SCHSM_KEY_EC, SCHSM_USAGE_SIGN | SCHSM_USAGE_SIGN_RECOVER | SCHSM_USAGE_DERIVE, 256 },
        { "prkd-pico-devkey.bin", "ESPICOHSMTR", "0000000000000000000000000000000000000000",
          SCHSM_KEY_EC, SCHSM_USAGE_SIGN | SCHSM_USAGE_DERIVE, 256 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes file = read_vector(cases[i].file);
        struct schsm_pkcs15_key key;

        if (!schsm_pkcs15_decode_key(file.data, file.len, &key, &err)) {
            fail_msg("%s: %s", cases[i].file, err.text);
        }
        assert_string_equal(key.label, cases[i].label);
        assert_bytes_are_hex(key.id, key.id_len, cases[i].id);
        assert_int_equal(key.type, cases[i].type);
        assert_int_equal(key.usage, cases[i].usage);
        assert_int_equal(key.bits, cases[i].bits);
        free_bytes(&file);
    }
}

static void a_key_description_is_written_as_the_real_one(void **state)
{
    struct bytes file = read_vector("prkd-rsa2048-joe-doe.bin");
    struct schsm_pkcs15_key key;
    uint8_t out[SCHSM_PKCS15_MAX];
    size_t len = sizeof(out);

    (void)state;
    assert_int_equal(schsm_pkcs15_decode_key(file.data, file.len, &key, &err), 1);
    assert_int_equal(schsm_pkcs15_encode_key(&key, out, &len, &err), 1);
    assert_bytes_equal(out, len, file.data, file.len);
    free_bytes(&file);
}

static void a_certificate_description_is_read(void **state)
{
    struct bytes file = read_vector("cd-ca-certificate.bin");
    struct schsm_pkcs15_certificate certificate;

    (void)state;
    assert_int_equal(schsm_pkcs15_decode_certificate(file.data, file.len, &certificate, &err), 1);
    assert_int_equal(certificate.kind, SCHSM_CERTIFICATE_X509);
    assert_string_equal(certificate.label, "Certificate");
    assert_bytes_are_hex(certificate.id, certificate.id_len,
                         "C2017C2FBAA44A4ABBB84911DB4ACAAA7E6A2D1B");
    assert_int_equal(certificate.file_id, 0xCA00);
    assert_false(certificate.authority);
    free_bytes(&file);
}

static int parse_all(const uint8_t *data, size_t len)
{
    struct schsm_pkcs15_key key;
    struct schsm_pkcs15_certificate certificate;
    uint8_t *spki = NULL;
    size_t spki_len;
    int ok = schsm_pkcs15_decode_key(data, len, &key, NULL) |
             schsm_pkcs15_decode_certificate(data, len, &certificate, NULL);

    if (schsm_public_key_from_ce(data, len, &spki, &spki_len, NULL)) {
        OPENSSL_free(spki);
        ok = 1;
    }
    return ok;
}

static void real_files_cut_short_are_refused_and_changed_ones_survived(void **state)
{
    static const char *const names[] = { "nitrokey-DENK0404144-ce03-p256-id20.bin",
                                         "pico-ESP2202E14A-ef2f02-v2.bin",
                                         "prkd-ec256-btc-test-1.bin", "cd-ca-certificate.bin" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct bytes file = read_vector(names[i]);

        assert_truncations_fail(&file, parse_all);
        survive_bit_flips(&file, parse_all);
        free_bytes(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nitrokey_verifies_up_to_the_production_root),
        cmocka_unit_test(a_test_card_verifies_up_to_the_test_root),
        cmocka_unit_test(a_device_does_not_verify_with_another_root),
        cmocka_unit_test(the_scheme_roots_are_self_signed),
        cmocka_unit_test(a_pico_hsm_has_its_serial_number_and_another_issuer),
        cmocka_unit_test(a_pico_hsm_that_was_initialised_has_its_serial_number),
        cmocka_unit_test(a_provisioned_pico_hsm_has_its_whole_name),
        cmocka_unit_test(a_membership_of_a_pico_hsm_verifies),
        cmocka_unit_test(the_makers_of_devices_are_known),
        cmocka_unit_test(the_public_key_of_a_request_equals_the_published_one),
        cmocka_unit_test(both_signatures_of_a_request_verify),
        cmocka_unit_test(the_share_of_the_guide_is_the_one_of_the_tests),
        cmocka_unit_test(key_descriptions_of_real_cards_are_read),
        cmocka_unit_test(a_key_description_is_written_as_the_real_one),
        cmocka_unit_test(a_certificate_description_is_read),
        cmocka_unit_test(real_files_cut_short_are_refused_and_changed_ones_survived),
    };

    return vectors_status(cmocka_run_group_tests_name("real devices", tests, NULL, NULL));
}
