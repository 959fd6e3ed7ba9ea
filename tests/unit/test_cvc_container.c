/* SPDX-License-Identifier: Apache-2.0 */
/* Files in which devices show each other certified keys, and who vouches for devices. */
#include "support.h"

#include <openssl/evp.h>
#include <string.h>

#include "certificates.h"
#include "format/cvc_container.h"
#include "format/ecdsa.h"
#include "format/roots.h"

static struct schsm_error err;

/* A maker, a device of it and a key on that device. */
static struct {
    EVP_PKEY *root, *issuer, *device, *key;
    struct bytes root_cvc, issuer_cvc, device_cvc, request, device_id;
} pki;

static EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "brainpoolP256r1");

    assert_non_null(key);
    return key;
}

static int make_pki(void **state)
{
    (void)state;
    pki.root = new_key();
    pki.issuer = new_key();
    pki.device = new_key();
    pki.key = new_key();
    pki.root_cvc = make_certificate(&(struct certificate_spec){
        .car = "UTROOT00001", .chr = "UTROOT00001", .key = pki.root, .role = 0xC0 });
    pki.issuer_cvc = make_certificate(&(struct certificate_spec){ .car = "UTROOT00001",
                                                                  .chr = "UTDICA00001",
                                                                  .key = pki.issuer,
                                                                  .signer = pki.root,
                                                                  .no_parameters = true,
                                                                  .role = 0x80 });
    pki.device_cvc = make_certificate(&(struct certificate_spec){ .car = "UTDICA00001",
                                                                  .chr = "UTTEST00100000",
                                                                  .key = pki.device,
                                                                  .signer = pki.issuer,
                                                                  .no_parameters = true });
    pki.request = make_request(
        &(struct certificate_spec){
            .car = "UTCA00001", .chr = "UTTEST00100001", .key = pki.key, .role = -1 },
        "UTTEST00100000", pki.device);
    pki.device_id.len = pki.device_cvc.len + pki.issuer_cvc.len;
    pki.device_id.data = malloc(pki.device_id.len);
    assert_non_null(pki.device_id.data);
    memcpy(pki.device_id.data, pki.device_cvc.data, pki.device_cvc.len);
    memcpy(pki.device_id.data + pki.device_cvc.len, pki.issuer_cvc.data, pki.issuer_cvc.len);
    return 0;
}

static int free_pki(void **state)
{
    (void)state;
    EVP_PKEY_free(pki.root);
    EVP_PKEY_free(pki.issuer);
    EVP_PKEY_free(pki.device);
    EVP_PKEY_free(pki.key);
    free_bytes(&pki.root_cvc);
    free_bytes(&pki.issuer_cvc);
    free_bytes(&pki.device_cvc);
    free_bytes(&pki.request);
    free_bytes(&pki.device_id);
    return 0;
}

static int parse_and_verify(const uint8_t *data, size_t len)
{
    struct schsm_container container;

    return schsm_container_parse(data, len, &container, &err) &&
           schsm_container_verify(&container, &err);
}

static int parse_only(const uint8_t *data, size_t len)
{
    struct schsm_container container;

    return schsm_container_parse(data, len, &container, &err);
}

static struct bytes public_key_file(void)
{
    uint8_t out[SCHSM_CONTAINER_MAX];
    size_t len = sizeof(out);

    assert_int_equal(schsm_container_build_public_key(pki.request.data, pki.request.len,
                                                      pki.device_id.data, pki.device_id.len, out,
                                                      &len, &err),
                     1);
    return copy_bytes(out, len);
}

static void a_public_key_file_reads_as_it_was_written(void **state)
{
    struct bytes file = public_key_file();
    struct schsm_container container;
    uint8_t id[SCHSM_DEVICE_ID_MAX];
    size_t len = sizeof(id);

    (void)state;
    assert_int_equal(schsm_container_parse(file.data, file.len, &container, &err), 1);
    assert_int_equal(container.kind, SCHSM_CONTAINER_PUBLIC_KEY);
    assert_bytes_equal(container.request.whole.data, container.request.whole.len, pki.request.data,
                       pki.request.len);
    assert_int_equal(schsm_container_verify(&container, &err), 1);
    assert_int_equal(schsm_container_device_id(&container, id, &len, &err), 1);
    assert_bytes_equal(id, len, pki.device_id.data, pki.device_id.len);
    len = pki.device_id.len - 1;
    assert_int_equal(schsm_container_device_id(&container, id, &len, &err), 0);
    assert_truncations_fail(&file, parse_and_verify);
    survive_bit_flips(&file, parse_only); /* fuzz_cvc_container verifies as well */
    free_bytes(&file);
}

static void the_newer_form_is_read_too(void **state)
{
    static const uint8_t oid[] = {
        0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x04, 0x03, 0x01
    };
    struct schsm_container container;
    struct schsm_tlv_writer writer;
    uint8_t out[SCHSM_CONTAINER_MAX];
    size_t mark;

    (void)state;
    schsm_tlv_write(&writer, out, sizeof(out));
    mark = schsm_tlv_begin(&writer, 0x30);
    schsm_tlv_put(&writer, 0x06, oid, sizeof(oid));
    schsm_tlv_put(&writer, 0x61, pki.issuer_cvc.data, pki.issuer_cvc.len);
    schsm_tlv_put(&writer, 0x62, pki.device_cvc.data, pki.device_cvc.len);
    schsm_tlv_put(&writer, 0x63, pki.request.data, pki.request.len);
    schsm_tlv_end(&writer, mark);
    assert_int_equal(schsm_container_parse(out, writer.len, &container, &err), 1);
    assert_int_equal(container.kind, SCHSM_CONTAINER_PUBLIC_KEY);
    assert_int_equal(schsm_container_verify(&container, &err), 1);
}

static void a_membership_holds_the_signature(void **state)
{
    uint8_t signature[64], out[SCHSM_CONTAINER_MAX], message[1 + SCHSM_FIELD_MAX];
    size_t len = sizeof(out), message_len = sizeof(message);
    struct schsm_container container;
    struct bytes file;

    (void)state;
    memset(signature, 0x5A, sizeof(signature));
    assert_int_equal(schsm_container_build_membership(
                         pki.request.data, pki.request.len, pki.device_id.data, pki.device_id.len,
                         signature, sizeof(signature), out, &len, &err),
                     1);
    file = copy_bytes(out, len);
    assert_int_equal(schsm_container_parse(file.data, file.len, &container, &err), 1);
    assert_int_equal(container.kind, SCHSM_CONTAINER_MEMBERSHIP);
    assert_bytes_equal(container.signature.data, container.signature.len, signature,
                       sizeof(signature));
    assert_int_equal(schsm_membership_message(&container.device, message, &message_len, &err), 1);
    assert_int_equal(message_len, 33);
    assert_int_equal(message[0], 0x54);
    assert_memory_equal(message + 1, container.device.key.point.data + 1, 32);
    message_len = 32;
    assert_int_equal(schsm_membership_message(&container.device, message, &message_len, &err), 0);
    assert_truncations_fail(&file, parse_and_verify);
    for (size_t room = 0; room < len; room += 7) {
        size_t small = room;

        assert_int_equal(schsm_container_build_membership(
                             pki.request.data, pki.request.len, pki.device_id.data,
                             pki.device_id.len, signature, sizeof(signature), out, &small, &err),
                         0);
    }
    free_bytes(&file);
}

static void parts_of_different_devices_are_refused(void **state)
{
    struct bytes file;
    struct bytes other = make_request(
        &(struct certificate_spec){
            .car = "UTCA00001", .chr = "UTTEST00100001", .key = pki.key, .role = -1 },
        "UTTEST00100000", pki.issuer);
    struct schsm_container container;
    uint8_t out[SCHSM_CONTAINER_MAX];
    size_t len = sizeof(out);

    (void)state;
    assert_int_equal(schsm_container_build_public_key(other.data, other.len, pki.device_id.data,
                                                      pki.device_id.len, out, &len, &err),
                     1);
    assert_int_equal(schsm_container_parse(out, len, &container, &err), 1);
    assert_int_equal(schsm_container_verify(&container, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    assert_non_null(strstr(err.text, "the device's signature over the request"));
    /* the issuer's certificate of the device's own signer is needed */
    len = sizeof(out);
    assert_int_equal(schsm_container_build_public_key(pki.request.data, pki.request.len,
                                                      pki.device_cvc.data, pki.device_cvc.len, out,
                                                      &len, &err),
                     0);
    file = copy_bytes(pki.device_id.data, pki.device_id.len);
    memcpy(file.data + pki.device_cvc.len, pki.root_cvc.data,
           pki.issuer_cvc.len < pki.root_cvc.len ? pki.issuer_cvc.len : pki.root_cvc.len);
    assert_int_equal(schsm_container_parse(file.data, file.len, &container, &err), 0);
    free_bytes(&file);
    free_bytes(&other);
}

static void nothing_else_is_a_container(void **state)
{
    static const char *const bad[] = { "",
                                       "30",
                                       "3000",
                                       "300206",
                                       "3003060100",
                                       "0400",
                                       "300D060B2B0601040181C31F040201",
                                       "300D060B2B0601040181C31F040401" };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes file = from_hex(bad[i]);
        struct schsm_container container;

        assert_int_equal(schsm_container_parse(file.data, file.len, &container, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_DEVICE_DATA);
        free_bytes(&file);
    }
}

static void a_device_is_verified_by_the_users_root(void **state)
{
    struct schsm_device_identity identity;
    struct schsm_roots *roots = schsm_roots_new(&err);

    (void)state;
    assert_int_equal(
        schsm_roots_verify_device(NULL, pki.device_id.data, pki.device_id.len, &identity, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    assert_non_null(strstr(err.text, "UTROOT00001"));
    assert_int_equal(schsm_roots_add(roots, "r", pki.issuer_cvc.data, pki.issuer_cvc.len, &err), 0);
    assert_int_equal(schsm_roots_add(roots, "r", pki.root_cvc.data, pki.root_cvc.len - 1, &err), 0);
    assert_int_equal(schsm_roots_add(roots, "r", pki.root_cvc.data, pki.root_cvc.len, &err), 1);
    assert_int_equal(
        schsm_roots_verify_device(roots, pki.device_id.data, pki.device_id.len, &identity, &err),
        1);
    assert_string_equal(identity.root, "UTROOT00001");
    assert_string_equal(identity.maker, "r");
    assert_false(identity.built_in);
    schsm_roots_free(roots);
}

static void the_built_in_roots_are_self_signed(void **state)
{
    const struct schsm_scheme_root *root;
    struct schsm_roots *roots = schsm_roots_new(&err);
    size_t count = 0;

    (void)state;
    while ((root = schsm_scheme_root_at(count)) != NULL) {
        assert_int_equal(schsm_roots_add(roots, root->maker, root->der, root->len, &err), 1);
        count++;
    }
    assert_int_equal(count, 5);
    schsm_roots_free(roots);
}

static void signatures_change_their_form(void **state)
{
    uint8_t raw[8];
    size_t len = sizeof(raw);
    struct bytes der = from_hex("3009020200FF0203010203");
    static const char *const bad[] = { "",
                                       "3000",
                                       "3006020180020101",
                                       "30080203010203020101",
                                       "3009020200FF020301020300",
                                       "300A02050102030405020101" };

    (void)state;
    assert_int_equal(schsm_ecdsa_raw(der.data, der.len, 4, raw, &len, &err), 1);
    assert_bytes_are_hex(raw, len, "000000FF00010203");
    len = 7;
    assert_int_equal(schsm_ecdsa_raw(der.data, der.len, 4, raw, &len, &err), 0);
    free_bytes(&der);
    for (size_t i = 0; i < COUNT(bad); i++) {
        der = from_hex(bad[i]);
        len = sizeof(raw);
        assert_int_equal(schsm_ecdsa_raw(der.data, der.len, i == 3 ? 2 : 4, raw, &len, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_DEVICE_DATA);
        free_bytes(&der);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_public_key_file_reads_as_it_was_written),
        cmocka_unit_test(the_newer_form_is_read_too),
        cmocka_unit_test(a_membership_holds_the_signature),
        cmocka_unit_test(parts_of_different_devices_are_refused),
        cmocka_unit_test(nothing_else_is_a_container),
        cmocka_unit_test(a_device_is_verified_by_the_users_root),
        cmocka_unit_test(the_built_in_roots_are_self_signed),
        cmocka_unit_test(signatures_change_their_form),
    };

    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
