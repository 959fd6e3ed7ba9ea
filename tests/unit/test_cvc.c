/* SPDX-License-Identifier: Apache-2.0 */
#include "certificates.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <string.h>

#include "format/cvc.h"

#define DEVICE_CHR "UTTEST001000000"

static EVP_PKEY *root_key, *issuer_key, *device_key, *ec_key, *rsa_key;
static struct bytes root, device_file;

static int make_keys(void **state)
{
    struct bytes issuer, device;
    uint8_t both[2048];

    (void)state;
    root_key = EVP_EC_gen("brainpoolP256r1");
    issuer_key = EVP_EC_gen("brainpoolP256r1");
    device_key = EVP_EC_gen("brainpoolP256r1");
    ec_key = EVP_EC_gen("P-256");
    rsa_key = EVP_RSA_gen(1024);
    if (!root_key || !issuer_key || !device_key || !ec_key || !rsa_key) {
        return 1;
    }
    root = make_certificate(&(struct certificate_spec){
        .car = "UTROOT00001", .chr = "UTROOT00001", .key = root_key, .role = 0xC0 });
    issuer = make_certificate(&(struct certificate_spec){ .car = "UTROOT00001",
                                                          .chr = "UTISSUER00001",
                                                          .key = issuer_key,
                                                          .signer = root_key,
                                                          .no_parameters = true,
                                                          .role = 0x80 });
    device = make_certificate(&(struct certificate_spec){ .car = "UTISSUER00001",
                                                          .chr = DEVICE_CHR,
                                                          .key = device_key,
                                                          .signer = issuer_key,
                                                          .no_parameters = true,
                                                          .role = 0x00 });
    assert_true(device.len + issuer.len <= sizeof(both));
    memcpy(both, device.data, device.len);
    memcpy(both + device.len, issuer.data, issuer.len);
    device_file = copy_bytes(both, device.len + issuer.len);
    free_bytes(&issuer);
    free_bytes(&device);
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(issuer_key);
    EVP_PKEY_free(device_key);
    EVP_PKEY_free(ec_key);
    EVP_PKEY_free(rsa_key);
    free_bytes(&root);
    free_bytes(&device_file);
    return 0;
}

static struct bytes request_for(EVP_PKEY *key)
{
    return make_request(
        &(struct certificate_spec){
            .car = "UTCA00001", .chr = "UTTEST001000001", .key = key, .role = -1 },
        DEVICE_CHR, device_key);
}

/* Parses a self-signed certificate, verifies it, and compares the public key with libcrypto's. */
static void assert_certificate_works(const struct certificate_spec *spec)
{
    struct bytes bytes = make_certificate(spec), expected = encode_public_key(spec->key);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_cvc cvc;
    uint8_t *spki = NULL;
    size_t spki_len = 0;

    if (!schsm_cvc_parse(bytes.data, bytes.len, &cvc, &err) ||
        !schsm_cvc_public_key(&cvc.key, NULL, &spki, &spki_len, &err) ||
        !schsm_cvc_verify(&cvc.key, NULL, cvc.body.data, cvc.body.len, cvc.signature.data,
                          cvc.signature.len, &err)) {
        fail_msg("%s", err.text);
    }
    assert_bytes_equal(spki, spki_len, expected.data, expected.len);
    OPENSSL_free(spki);
    free_bytes(&expected);
    free_bytes(&bytes);
}

static void reads_and_verifies_a_key_on_each_curve(void **state)
{
    (void)state;
    for (size_t i = 0; schsm_curve_at(i) != NULL; i++) {
        EVP_PKEY *key = EVP_EC_gen(OBJ_nid2sn(schsm_curve_at(i)->nid));

        assert_non_null(key);
        assert_certificate_works(&(struct certificate_spec){
            .car = "UTCA00001", .chr = "UTTEST001000001", .key = key, .role = -1 });
        EVP_PKEY_free(key);
    }
}

static void reads_and_verifies_rsa_keys(void **state)
{
    static const unsigned int sizes[] = { 1024, 1536, 2048 };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        EVP_PKEY *key = EVP_RSA_gen(sizes[i]);

        assert_non_null(key);
        assert_certificate_works(&(struct certificate_spec){
            .car = "UTCA00001", .chr = "UTTEST001000001", .key = key, .role = -1 });
        EVP_PKEY_free(key);
    }
}

static void verifies_with_each_scheme_of_the_standard(void **state)
{
    static const struct {
        const char *digest;
        uint8_t scheme;
        bool rsa, pss;
    } schemes[] = {
        { "SHA1", 1, true, false },    { "SHA256", 2, true, false },  { "SHA1", 3, true, true },
        { "SHA256", 4, true, true },   { "SHA512", 5, true, false },  { "SHA1", 1, false, false },
        { "SHA224", 2, false, false }, { "SHA256", 3, false, false }, { "SHA384", 4, false, false },
        { "SHA512", 5, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(schemes); i++) {
        assert_certificate_works(
            &(struct certificate_spec){ .chr = "UTTEST001000001",
                                        .key = schemes[i].rsa ? rsa_key : ec_key,
                                        .digest = schemes[i].digest,
                                        .pss = schemes[i].pss,
                                        .key_scheme = schemes[i].scheme,
                                        .role = -1 });
    }
}

static void gives_every_member_of_a_certificate(void **state)
{
    struct schsm_cvc cvc;
    char name[SCHSM_CVC_NAME_MAX + 1];

    (void)state;
    assert_int_equal(schsm_cvc_parse(device_file.data, device_file.len, &cvc, NULL), 1);
    assert_ptr_equal(cvc.whole.data, device_file.data);
    assert_memory_equal(cvc.body.data, "\x7F\x4E", 2);
    assert_bytes_equal(cvc.car.data, cvc.car.len, (const uint8_t *)"UTISSUER00001", 13);
    assert_bytes_equal(cvc.chr.data, cvc.chr.len, (const uint8_t *)DEVICE_CHR, 15);
    assert_int_equal(cvc.role.len, 1);
    assert_int_equal(cvc.role.data[0], 0);
    assert_bytes_are_hex(cvc.effective.data, cvc.effective.len, "020100030203");
    assert_bytes_are_hex(cvc.expires.data, cvc.expires.len, "030100030203");
    assert_int_equal(cvc.extensions.len, 0);
    assert_int_equal(cvc.signature.len, 64);
    assert_int_equal(cvc.key.type, SCHSM_KEY_EC);
    assert_int_equal(cvc.key.point.len, 65);
    assert_int_equal(cvc.key.p.len, 0);
    assert_int_equal(schsm_cvc_holder(&cvc, name, sizeof(name), NULL), 1);
    assert_string_equal(name, DEVICE_CHR);
    assert_int_equal(schsm_cvc_holder(&cvc, name, 15, NULL), 0);
}

static void the_serial_number_is_the_holder_without_five_characters(void **state)
{
    char serial[SCHSM_SERIAL_MAX + 1];

    (void)state;
    assert_int_equal(
        schsm_cvc_serial(device_file.data, device_file.len, serial, sizeof(serial), NULL), 1);
    assert_string_equal(serial, "UTTEST0010");
    assert_int_equal(schsm_cvc_serial(device_file.data, device_file.len, serial, 10, NULL), 0);
}

static void a_holder_that_is_not_text_is_refused(void **state)
{
    static const char *const names[] = { "UT\nEST0000001", "UT\xE4ST00000001", "00001",
                                         "A B00001" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct bytes bytes = make_certificate(
            &(struct certificate_spec){ .chr = names[i], .key = ec_key, .role = -1 });
        struct schsm_error err = SCHSM_ERROR_INIT;
        char serial[SCHSM_SERIAL_MAX + 1];

        assert_int_equal(schsm_cvc_serial(bytes.data, bytes.len, serial, sizeof(serial), &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_DEVICE_DATA);
        free_bytes(&bytes);
    }
}

static int verify_chain(const uint8_t *file, size_t len)
{
    struct schsm_cvc trusted, device;
    const struct schsm_curve *curve = NULL;

    return schsm_cvc_parse(root.data, root.len, &trusted, NULL) &&
           schsm_cvc_verify_device(&trusted, file, len, &device, &curve, NULL);
}

static void verifies_a_device_up_to_the_root(void **state)
{
    struct schsm_cvc trusted, device;
    const struct schsm_curve *curve = NULL;

    (void)state;
    assert_int_equal(schsm_cvc_parse(root.data, root.len, &trusted, NULL), 1);
    assert_int_equal(
        schsm_cvc_verify_device(&trusted, device_file.data, device_file.len, &device, &curve, NULL),
        1);
    assert_ptr_equal(curve, schsm_curve_by_nid(NID_brainpoolP256r1));
    assert_int_equal(device.chr.len, 15);
}

static void a_changed_chain_never_verifies(void **state)
{
    (void)state;
    for (size_t i = 0; i < device_file.len; i++) {
        struct bytes changed = copy_bytes(device_file.data, device_file.len);

        changed.data[i] ^= (uint8_t)(1u << i % 8);
        if (verify_chain(changed.data, changed.len) != 0) {
            fail_msg("verifies with byte %zu changed", i);
        }
        free_bytes(&changed);
    }
    assert_truncations_fail(&device_file, verify_chain);
}

static void another_root_is_told_apart_from_a_bad_signature(void **state)
{
    struct bytes other = make_certificate(&(struct certificate_spec){
        .car = "UTOTHER00001", .chr = "UTOTHER00001", .key = ec_key, .role = 0xC0 });
    struct bytes same_name = make_certificate(&(struct certificate_spec){
        .car = "UTROOT00001", .chr = "UTROOT00001", .key = issuer_key, .role = 0xC0 });
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_cvc trusted, device;
    const struct schsm_curve *curve = NULL;

    (void)state;
    assert_int_equal(schsm_cvc_parse(other.data, other.len, &trusted, NULL), 1);
    assert_int_equal(
        schsm_cvc_verify_device(&trusted, device_file.data, device_file.len, &device, &curve, &err),
        0);
    assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    assert_string_equal(err.text,
                        "device issuer's certificate: issued by UTROOT00001, not by UTOTHER00001");
    assert_int_equal(schsm_cvc_parse(same_name.data, same_name.len, &trusted, NULL), 1);
    assert_int_equal(
        schsm_cvc_verify_device(&trusted, device_file.data, device_file.len, &device, &curve, &err),
        0);
    assert_string_equal(err.text, "device issuer's certificate: the signature does not verify");
    free_bytes(&other);
    free_bytes(&same_name);
}

static void a_device_cannot_be_an_issuer(void **state)
{
    struct bytes fake = make_certificate(&(struct certificate_spec){ .car = "UTROOT00001",
                                                                     .chr = "UTFAKE00001",
                                                                     .key = ec_key,
                                                                     .signer = root_key,
                                                                     .role = 0x80 });

    (void)state;
    /* alone in the file it would be the device's own certificate, with the issuer's role */
    assert_int_equal(verify_chain(fake.data, fake.len), 0);
    free_bytes(&fake);
}

static void verifies_both_signatures_of_a_request(void **state)
{
    EVP_PKEY *const keys[] = { ec_key, rsa_key, device_key };

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct bytes bytes = request_for(keys[i]);
        struct schsm_error err = SCHSM_ERROR_INIT;
        struct schsm_cvc_request request;
        struct schsm_cvc device;
        const struct schsm_curve *curve = schsm_curve_by_nid(NID_brainpoolP256r1);

        assert_int_equal(schsm_cvc_parse(device_file.data, device_file.len, &device, &err), 1);
        assert_int_equal(schsm_cvc_parse_request(bytes.data, bytes.len, &request, &err), 1);
        if (!schsm_cvc_verify_request(&request, &device, curve, &err)) {
            fail_msg("%s", err.text);
        }
        bytes.data[bytes.len - 1] ^= 1;
        assert_int_equal(schsm_cvc_verify_request(&request, &device, curve, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
        bytes.data[bytes.len - 1] ^= 1;
        device.chr.len--;
        assert_int_equal(schsm_cvc_verify_request(&request, &device, curve, &err), 0);
        assert_non_null(strstr(err.text, "was made by device " DEVICE_CHR));
        free_bytes(&bytes);
    }
}

static void the_request_must_be_signed_by_its_own_key_too(void **state)
{
    struct bytes bytes = make_request(&(struct certificate_spec){ .car = "UTCA00001",
                                                                  .chr = "UTTEST001000001",
                                                                  .key = ec_key,
                                                                  .signer = device_key,
                                                                  .role = -1 },
                                      DEVICE_CHR, device_key);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_cvc_request request;
    struct schsm_cvc device;

    (void)state;
    assert_int_equal(schsm_cvc_parse(device_file.data, device_file.len, &device, &err), 1);
    assert_int_equal(schsm_cvc_parse_request(bytes.data, bytes.len, &request, &err), 1);
    assert_int_equal(
        schsm_cvc_verify_request(&request, &device, schsm_curve_by_nid(NID_brainpoolP256r1), &err),
        0);
    assert_non_null(strstr(err.text, "the key's own signature"));
    free_bytes(&bytes);
}

static void a_signature_of_another_length_does_not_verify(void **state)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_cvc cvc;

    (void)state;
    assert_int_equal(schsm_cvc_parse(root.data, root.len, &cvc, &err), 1);
    for (size_t len = 0; len < cvc.signature.len; len++) {
        assert_int_equal(schsm_cvc_verify(&cvc.key, NULL, cvc.body.data, cvc.body.len,
                                          cvc.signature.data, len, &err),
                         0);
        assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static int parse_certificate(const uint8_t *data, size_t len)
{
    struct schsm_cvc cvc;

    return schsm_cvc_parse(data, len, &cvc, NULL);
}

static int parse_request(const uint8_t *data, size_t len)
{
    struct schsm_cvc_request request;
    uint8_t *spki;
    size_t spki_len;

    if (!schsm_cvc_parse_request(data, len, &request, NULL)) {
        return 0;
    }
    if (schsm_cvc_public_key(&request.cvc.key, NULL, &spki, &spki_len, NULL)) {
        OPENSSL_free(spki);
    }
    return 1;
}

static void refuses_cut_and_survives_changed_bytes(void **state)
{
    struct bytes ec = request_for(ec_key), rsa = request_for(rsa_key);

    (void)state;
    assert_truncations_fail(&root, parse_certificate);
    assert_truncations_fail(&ec, parse_request);
    assert_truncations_fail(&rsa, parse_request);
    survive_bit_flips(&root, parse_certificate);
    survive_bit_flips(&ec, parse_request);
    survive_bit_flips(&rsa, parse_request);
    free_bytes(&ec);
    free_bytes(&rsa);
}

static void a_point_off_the_curve_is_no_key(void **state)
{
    struct bytes bytes = request_for(ec_key);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_cvc_request request;
    uint8_t *spki = NULL;
    size_t spki_len;

    (void)state;
    assert_int_equal(schsm_cvc_parse_request(bytes.data, bytes.len, &request, &err), 1);
    bytes.data[request.cvc.key.point.data + 64 - bytes.data] ^= 1;
    assert_int_equal(schsm_cvc_public_key(&request.cvc.key, NULL, &spki, &spki_len, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_DEVICE_DATA);
    free_bytes(&bytes);
}

static void an_unknown_or_missing_curve_is_unsupported(void **state)
{
    struct bytes bytes = request_for(ec_key);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_cvc_request request;
    struct schsm_cvc device;
    uint8_t *spki = NULL;
    size_t spki_len;

    (void)state;
    assert_int_equal(schsm_cvc_parse_request(bytes.data, bytes.len, &request, &err), 1);
    bytes.data[request.cvc.key.b.data - bytes.data] ^= 1;
    assert_int_equal(schsm_cvc_public_key(&request.cvc.key, NULL, &spki, &spki_len, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_UNSUPPORTED);
    free_bytes(&bytes);

    assert_int_equal(schsm_cvc_parse(device_file.data, device_file.len, &device, &err), 1);
    assert_int_equal(schsm_cvc_public_key(&device.key, NULL, &spki, &spki_len, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_UNSUPPORTED);
    assert_int_equal(schsm_cvc_public_key(&device.key, schsm_curve_by_nid(NID_brainpoolP256r1),
                                          &spki, &spki_len, &err),
                     1);
    OPENSSL_free(spki);
}

static void a_member_that_is_there_twice_is_malformed(void **state)
{
    struct bytes bytes = from_hex("7F21 0E 7F4E00 7F4E00 5F370101 5F370102");
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_cvc cvc;

    (void)state;
    assert_int_equal(schsm_cvc_parse(bytes.data, bytes.len, &cvc, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_DEVICE_DATA);
    free_bytes(&bytes);
}

static void builds_the_rsa_request_of_the_protocol_reference(void **state)
{
    const struct schsm_cvc_generate spec = {
        .type = SCHSM_KEY_RSA, .chr = "DENK040414400001", .bits = 2048, .key_domain = -1
    };
    uint8_t body[SCHSM_CVC_GENERATE_MAX];
    size_t len = sizeof(body);

    (void)state;
    assert_int_equal(schsm_cvc_build_generate(&spec, body, &len, NULL), 1);
    assert_bytes_are_hex(body, len,
                         "5F290100 4209555443413030303031 7F4915060A04007F00070202020102"
                         "820301000102020800 5F201044454E4B303430343134343030303031");
}

static void builds_rsa_requests_with_another_exponent(void **state)
{
    const struct schsm_cvc_generate spec = { .type = SCHSM_KEY_RSA,
                                             .bits = 1024,
                                             .exponent = (const uint8_t *)"\x03",
                                             .exponent_len = 1,
                                             .key_domain = -1 };
    uint8_t body[SCHSM_CVC_GENERATE_MAX];
    size_t len = sizeof(body);
    struct schsm_tlv key;

    (void)state;
    assert_int_equal(schsm_cvc_build_generate(&spec, body, &len, NULL), 1);
    assert_true(schsm_tlv_find(body, len, 0x7F49, &key));
    assert_bytes_are_hex(key.value.data, key.value.len, "060A04007F00070202020102 820103 02020400");
}

static void builds_the_request_for_each_curve(void **state)
{
    (void)state;
    for (size_t i = 0; schsm_curve_at(i) != NULL; i++) {
        const struct schsm_curve *curve = schsm_curve_at(i);
        const struct schsm_cvc_generate spec = { .type = SCHSM_KEY_EC,
                                                 .car = "UTCA00001",
                                                 .chr = "UTTEST0010000001",
                                                 .curve = curve,
                                                 .algorithms = (const uint8_t *)"\x70\x80",
                                                 .algorithms_len = 2,
                                                 .use_count = 0x01020304,
                                                 .key_domain = 3 };
        uint8_t body[SCHSM_CVC_GENERATE_MAX];
        size_t len = sizeof(body), f = curve->field_len;
        static const uint32_t order[] = { 0x06, 0x81, 0x82, 0x83, 0x84, 0x85, 0x87 };
        struct schsm_tlv key, part;
        struct schsm_tlv_reader reader;

        assert_int_equal(schsm_cvc_build_generate(&spec, body, &len, NULL), 1);
        assert_true(schsm_tlv_find(body, len, 0x7F49, &key));
        schsm_tlv_read(&reader, key.value.data, key.value.len);
        for (size_t k = 0; k < COUNT(order); k++) {
            assert_true(schsm_tlv_next(&reader, &part));
            assert_int_equal(part.tag, order[k]);
            assert_int_equal(part.value.len, k == 0 ? 10 : k == 4 ? 1 + 2 * f : k == 6 ? 1 : f);
        }
        assert_false(schsm_tlv_next(&reader, &part));
        assert_true(schsm_tlv_find(body, len, 0x90, &part));
        assert_bytes_are_hex(part.whole.data, len - (size_t)(part.whole.data - body),
                             "900401020304 91027080 920103");
    }
}

static void builds_nothing_that_the_device_cannot_make(void **state)
{
    static const uint8_t even[] = { 4 }, one[] = { 1 }, long_one[9] = { 1, 0, 0, 0, 0, 0, 0, 0, 1 };
    static const uint8_t many[17] = { 0x20 };
    const struct schsm_cvc_generate good = { .type = SCHSM_KEY_RSA,
                                             .bits = 1024,
                                             .key_domain = -1 };
    struct schsm_cvc_generate bad[10];
    uint8_t body[SCHSM_CVC_GENERATE_MAX];
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t len = sizeof(body), needed;

    (void)state;
    assert_int_equal(schsm_cvc_build_generate(&good, body, &len, &err), 1);
    needed = len;
    for (size_t i = 0; i < COUNT(bad); i++) {
        bad[i] = good;
    }
    bad[0].bits = 2047;
    bad[1].exponent = even, bad[1].exponent_len = 1;
    bad[2].exponent = one, bad[2].exponent_len = 1;
    bad[3].exponent = long_one, bad[3].exponent_len = 9;
    bad[4].type = SCHSM_KEY_EC;
    bad[5].type = SCHSM_KEY_AES;
    bad[6].chr = "SEVENTEENLETTERSX";
    bad[7].algorithms = many, bad[7].algorithms_len = 17;
    bad[8].key_domain = 256;
    bad[9].car = "";
    for (size_t i = 0; i < COUNT(bad); i++) {
        len = sizeof(body);
        err.reason = SCHSM_REASON_NONE;
        assert_int_equal(schsm_cvc_build_generate(&bad[i], body, &len, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
    }
    for (size_t capacity = 0; capacity < needed; capacity++) {
        struct bytes exact = copy_bytes(body, capacity);

        len = capacity;
        assert_int_equal(schsm_cvc_build_generate(&good, exact.data, &len, &err), 0);
        free_bytes(&exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_verifies_a_key_on_each_curve),
        cmocka_unit_test(reads_and_verifies_rsa_keys),
        cmocka_unit_test(verifies_with_each_scheme_of_the_standard),
        cmocka_unit_test(gives_every_member_of_a_certificate),
        cmocka_unit_test(the_serial_number_is_the_holder_without_five_characters),
        cmocka_unit_test(a_holder_that_is_not_text_is_refused),
        cmocka_unit_test(verifies_a_device_up_to_the_root),
        cmocka_unit_test(a_changed_chain_never_verifies),
        cmocka_unit_test(another_root_is_told_apart_from_a_bad_signature),
        cmocka_unit_test(a_device_cannot_be_an_issuer),
        cmocka_unit_test(verifies_both_signatures_of_a_request),
        cmocka_unit_test(the_request_must_be_signed_by_its_own_key_too),
        cmocka_unit_test(a_signature_of_another_length_does_not_verify),
        cmocka_unit_test(refuses_cut_and_survives_changed_bytes),
        cmocka_unit_test(a_point_off_the_curve_is_no_key),
        cmocka_unit_test(an_unknown_or_missing_curve_is_unsupported),
        cmocka_unit_test(a_member_that_is_there_twice_is_malformed),
        cmocka_unit_test(builds_the_rsa_request_of_the_protocol_reference),
        cmocka_unit_test(builds_rsa_requests_with_another_exponent),
        cmocka_unit_test(builds_the_request_for_each_curve),
        cmocka_unit_test(builds_nothing_that_the_device_cannot_make),
    };

    return cmocka_run_group_tests_name("CV certificates", tests, make_keys, free_keys);
}
