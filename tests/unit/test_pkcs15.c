/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "format/pkcs15.h"

static struct schsm_pkcs15_key decode_key(const char *hex)
{
    struct bytes file = from_hex(hex), exact = copy_bytes(file.data, file.len);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_pkcs15_key key;

    if (!schsm_pkcs15_decode_key(exact.data, exact.len, &key, &err)) {
        fail_msg("%s: %s", hex, err.text);
    }
    free_bytes(&exact);
    free_bytes(&file);
    return key;
}

static struct schsm_pkcs15_key key_of(enum schsm_key_type type, const char *label,
                                      unsigned int bits)
{
    struct schsm_pkcs15_key key;

    memset(&key, 0, sizeof(key));
    key.type = type;
    (void)strncpy(key.label, label, SCHSM_LABEL_MAX);
    key.id[0] = 1;
    key.id_len = 1;
    key.bits = bits;
    return key;
}

static void assert_encodes(struct schsm_pkcs15_key key, const char *hex)
{
    uint8_t out[SCHSM_PKCS15_MAX];
    size_t len = sizeof(out);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_pkcs15_key back;

    if (!schsm_pkcs15_encode_key(&key, out, &len, &err)) {
        fail_msg("%s", err.text);
    }
    assert_bytes_are_hex(out, len, hex);
    assert_int_equal(schsm_pkcs15_decode_key(out, len, &back, &err), 1);
    assert_int_equal(back.type, key.type);
    assert_int_equal(back.bits, key.bits);
    assert_string_equal(back.label, key.label);
    assert_bytes_equal(back.id, back.id_len, key.id, key.id_len);
}

static void writes_the_minimal_form(void **state)
{
    struct schsm_pkcs15_key signer = key_of(SCHSM_KEY_EC, "s", 256);

    (void)state;
    /* Sections 10.8, 10.3 and 10.4 of the protocol reference */
    assert_encodes(key_of(SCHSM_KEY_RSA, "test", 2048),
                   "301D 3006 0C0474657374 3007 040101 03020274 A10A 3008 30020400 02020800");
    assert_encodes(key_of(SCHSM_KEY_EC, "t", 256),
                   "A01B 3003 0C0174 3008 040101 0303072080 A10A 3008 30020400 02020100");
    assert_encodes(key_of(SCHSM_KEY_EC, "t", 521),
                   "A01B 3003 0C0174 3008 040101 0303072080 A10A 3008 30020400 02020209");
    assert_encodes(key_of(SCHSM_KEY_EC, "t", 192),
                   "A01B 3003 0C0174 3008 040101 0303072080 A10A 3008 30020400 020200C0");
    assert_encodes(key_of(SCHSM_KEY_EC, "", 0),
                   "A014 3000 3008 040101 0303072080 A106 3004 30020400");
    assert_encodes(key_of(SCHSM_KEY_AES, "a", 256),
                   "A816 3003 0C0161 3007 040101 030206C0 A006 3004 02020100");
    signer.usage = SCHSM_USAGE_SIGN | SCHSM_USAGE_NON_REPUDIATION;
    assert_encodes(signer, "A01B 3003 0C0173 3008 040101 0303062040 A10A 3008 30020400 02020100");
}

static void reads_what_opensc_writes(void **state)
{
    struct schsm_pkcs15_key key;

    (void)state;
    /* flags, authId; native, accessFlags, keyReference of two bytes; subject; path; keyInfo */
    key = decode_key("3045 300C 0C0161 030206C0 040101 0500"
                     "3013 0402ABCD 03020264 0101FF 030203B8 02020081"
                     "A00E 300C 310A 3008 060355040A 0C0158"
                     "A110 300E 3006 0404 3F000001 02020800 0500"
                     "FFFFFF");
    assert_string_equal(key.label, "a");
    assert_bytes_are_hex(key.id, key.id_len, "ABCD");
    assert_int_equal(key.usage, SCHSM_USAGE_DECRYPT | SCHSM_USAGE_SIGN | SCHSM_USAGE_UNWRAP);
    assert_int_equal(key.bits, 2048);
}

static void a_path_with_an_index_does_not_hide_the_size(void **state)
{
    (void)state;
    assert_int_equal(decode_key("301E 3000 3007 040101 03020274 A111 300F 3009 0404 3F000001 020105"
                                "02020400")
                         .bits,
                     1024);
}

/* PKCS#15 has kinds of keys that no card here has: such a key keeps its name. */
static void a_key_of_another_kind_has_a_name(void **state)
{
    struct schsm_pkcs15_key key =
        decode_key("A115 3003 0C0178 3008 040133 0303072080 A104 3002 3000");

    (void)state;
    assert_int_equal(key.type, SCHSM_KEY_NONE);
    assert_string_equal(key.label, "x");
    assert_bytes_are_hex(key.id, key.id_len, "33");
    assert_int_equal(key.bits, 0);
}

static void reads_sizes_as_they_occur(void **state)
{
    (void)state;
    assert_int_equal(
        decode_key("A01B 3003 0C0174 3008 040101 0303072080 A10A 3008 30020400 02020210").bits,
        521); /* the CardContact shell writes 528 */
    assert_int_equal(
        decode_key("A01A 3003 0C0174 3008 040101 0303072080 A109 3007 30020400 0201C0").bits, 192);
    assert_int_equal(decode_key("A011 3003 0C0174 3008 040101 0303072080 A100").bits, 0);
    assert_int_equal(decode_key("A00F 3003 0C0174 3008 040101 0303072080").bits, 0);
    assert_int_equal(decode_key("3020 3003 0C0174 3007 040101 03020274 A110 300E 30020400"
                                "0208 7FFFFFFFFFFFFFFF")
                         .bits,
                     0);
}

static void reads_aes_keys_of_old_and_new_releases(void **state)
{
    static const char *const forms[] = {
        "A817 3003 0C0161 3008 040101 030307C010 A006 3004 02020100",
        "A815 3003 0C0161 3008 040101 030307C010 A004 02020100",
        "A817 3003 0C0161 3008 040101 030307C010 A006 3000 02020100",
        "A81F 3003 0C0161 3008 040101 030307C010 A006 3004 02020100 A106 3004 3002 0400",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct schsm_pkcs15_key key = decode_key(forms[i]);

        assert_int_equal(key.type, SCHSM_KEY_AES);
        assert_int_equal(key.bits, 256);
        assert_int_equal(key.usage, SCHSM_USAGE_ENCRYPT | SCHSM_USAGE_DECRYPT);
    }
}

static void long_labels_are_cut_between_characters(void **state)
{
    struct schsm_pkcs15_key key = key_of(SCHSM_KEY_RSA, "", 2048), back;
    uint8_t out[SCHSM_PKCS15_MAX],
        file[512] = { 0x30, 0x82, 0x01, 0x34, 0x30, 0x82, 0x01, 0x30, 0x0C, 0x82, 0x01, 0x2C };
    static const uint8_t euro[] = { 0xE2, 0x82, 0xAC };
    size_t len = sizeof(out);

    (void)state;
    for (size_t i = 0; i < 300; i += 3) {
        memcpy(file + 12 + i, euro, sizeof(euro));
    }
    assert_int_equal(schsm_pkcs15_decode_key(file, 312, &back, NULL), 1);
    assert_int_equal(strlen(back.label), 255);
    file[12 + 299] = 'x';
    memmove(file + 13, file + 12, 299);
    file[12] = 'x';
    assert_int_equal(schsm_pkcs15_decode_key(file, 312, &back, NULL), 1);
    assert_int_equal(strlen(back.label), 253); /* x and 84 characters of 3 bytes */

    memset(key.label, 'l', SCHSM_LABEL_MAX);
    key.id_len = SCHSM_ID_MAX;
    assert_int_equal(schsm_pkcs15_encode_key(&key, out, &len, NULL), 1);
    assert_int_equal(schsm_pkcs15_decode_key(out, len, &back, NULL), 1);
    assert_int_equal(strlen(back.label), 255);
    assert_int_equal(back.id_len, 255);
}

static void reads_certificates_and_data_objects(void **state)
{
    struct bytes cd = from_hex("3025 3006 0C04726F6F74 3009 0402CA05 0101FF 0500"
                               "A108 3006 3004 0402 CA05 3006FFFFFFFFFFFF");
    struct bytes dcod = from_hex("3022 300A 0C0164 030206C0 040101 3006 0C0461707031"
                                 "A10C 300A 0408 3F00 1122 3344 CF07");
    struct bytes plain = from_hex("3013 3003 0C0164 3000 A10A 3008 3006 0404 3F00 CD09");
    struct schsm_pkcs15_certificate certificate;
    struct schsm_pkcs15_data data;

    (void)state;
    assert_int_equal(schsm_pkcs15_decode_certificate(cd.data, cd.len, &certificate, NULL), 1);
    assert_int_equal(certificate.kind, SCHSM_CERTIFICATE_X509);
    assert_string_equal(certificate.label, "root");
    assert_bytes_are_hex(certificate.id, certificate.id_len, "CA05");
    assert_true(certificate.authority);
    assert_int_equal(certificate.file_id, 0xCA05);
    cd.data[0] = 0xA5;
    assert_int_equal(schsm_pkcs15_decode_certificate(cd.data, cd.len, &certificate, NULL), 1);
    assert_int_equal(certificate.kind, SCHSM_CERTIFICATE_CVC);

    assert_int_equal(schsm_pkcs15_decode_data(dcod.data, dcod.len, &data, NULL), 1);
    assert_string_equal(data.label, "d");
    assert_string_equal(data.application, "app1");
    assert_true(data.private_data);
    assert_int_equal(data.file_id, 0xCF07);
    assert_int_equal(schsm_pkcs15_decode_data(plain.data, plain.len, &data, NULL), 1);
    assert_true(data.private_data); /* because of CD */
    assert_int_equal(data.file_id, 0xCD09);
    free_bytes(&cd);
    free_bytes(&dcod);
    free_bytes(&plain);
}

static void reads_and_writes_the_token(void **state)
{
    struct schsm_pkcs15_token token = { "Web PKI", "" }, back;
    struct bytes full = from_hex("3019 020100 040131 0C0577772E6465 8003 4C6162 0303 060030 8200");
    uint8_t out[SCHSM_PKCS15_MAX];
    size_t len = sizeof(out);

    (void)state;
    assert_int_equal(schsm_pkcs15_encode_token(&token, out, &len, NULL), 1);
    assert_bytes_are_hex(out, len, "3010 020100 8007 57656220504B49 03020520");
    assert_int_equal(schsm_pkcs15_decode_token(out, len, &back, NULL), 1);
    assert_string_equal(back.label, "Web PKI");
    assert_int_equal(schsm_pkcs15_decode_token(full.data, full.len, &back, NULL), 1);
    assert_string_equal(back.label, "Lab");
    assert_string_equal(back.manufacturer, "ww.de");
    free_bytes(&full);
}

static int any(const uint8_t *data, size_t len)
{
    struct schsm_pkcs15_key key;
    struct schsm_pkcs15_certificate certificate;
    struct schsm_pkcs15_data object;
    struct schsm_pkcs15_token token;

    return schsm_pkcs15_decode_key(data, len, &key, NULL) |
           schsm_pkcs15_decode_certificate(data, len, &certificate, NULL) |
           schsm_pkcs15_decode_data(data, len, &object, NULL) |
           schsm_pkcs15_decode_token(data, len, &token, NULL);
}

static void refuses_what_is_no_description(void **state)
{
    static const char *const bad[] = { "",           "30",       "3000",         "0400",
                                       "3003300500", "30033001", "670430003000", "3080300000",
                                       "3002 3005" };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_pkcs15_key key;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes file = from_hex(bad[i]), exact = copy_bytes(file.data, file.len);

        memset(&key, 0xFF, sizeof(key));
        assert_int_equal(schsm_pkcs15_decode_key(exact.data, exact.len, &key, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_DEVICE_DATA);
        assert_int_equal(key.type, SCHSM_KEY_NONE);
        assert_int_equal(key.id_len, 0);
        free_bytes(&exact);
        free_bytes(&file);
    }
}

static void refuses_cut_and_survives_changed_descriptions(void **state)
{
    static const char *const files[] = {
        "301D 3006 0C0474657374 3007 040101 03020274 A10A 3008 30020400 02020800",
        "A01B 3003 0C0174 3008 040101 0303072080 A10A 3008 30020400 02020100",
        "A817 3003 0C0161 3008 040101 030307C010 A006 3004 02020100",
        "3013 3003 0C0164 3000 A10A 3008 3006 0404 3F00 CD09",
        "3010 020100 8007 57656220504B49 03020520",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct bytes file = from_hex(files[i]), exact = copy_bytes(file.data, file.len);

        assert_truncations_fail(&exact, any);
        survive_bit_flips(&exact, any);
        free_bytes(&exact);
        free_bytes(&file);
    }
}

static void writes_nothing_without_id_type_or_room(void **state)
{
    struct schsm_pkcs15_key key = key_of(SCHSM_KEY_RSA, "t", 2048);
    struct schsm_pkcs15_token token = { "Web PKI", "" };
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t out[SCHSM_PKCS15_MAX];
    size_t len = sizeof(out), needed;

    (void)state;
    assert_int_equal(schsm_pkcs15_encode_key(&key, out, &len, &err), 1);
    needed = len;
    for (size_t capacity = 0; capacity < needed; capacity++) {
        struct bytes exact = copy_bytes(out, capacity);

        len = capacity;
        assert_int_equal(schsm_pkcs15_encode_key(&key, exact.data, &len, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
        free_bytes(&exact);
    }
    len = 17;
    assert_int_equal(schsm_pkcs15_encode_token(&token, out, &len, &err), 0);
    key.id_len = 0;
    len = sizeof(out);
    assert_int_equal(schsm_pkcs15_encode_key(&key, out, &len, &err), 0);
    key = key_of(SCHSM_KEY_NONE, "t", 2048);
    assert_int_equal(schsm_pkcs15_encode_key(&key, out, &len, &err), 0);
    key = key_of(SCHSM_KEY_RSA, "t", 0);
    assert_int_equal(schsm_pkcs15_encode_key(&key, out, &len, &err), 0);
}

static void writes_certificates_and_data(void **state)
{
    struct schsm_pkcs15_certificate certificate = { .kind = SCHSM_CERTIFICATE_X509,
                                                    .label = "ca",
                                                    .id = { 0x45 },
                                                    .id_len = 1,
                                                    .authority = true,
                                                    .file_id = 0xCA00 };
    struct schsm_pkcs15_data data = {
        .label = "note", .application = "app", .private_data = true, .file_id = 0xCD05
    };
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t out[SCHSM_PKCS15_MAX];
    size_t len = sizeof(out);

    (void)state;
    /* Sections 10.5 and 10.7 of the protocol reference */
    assert_int_equal(schsm_pkcs15_encode_certificate(&certificate, out, &len, &err), 1);
    assert_bytes_are_hex(out, len,
                         "301C 3008 0C026361 03020640 3006 040145 0101FF A108 3006 3004 0402CA00");
    len = sizeof(out);
    assert_int_equal(schsm_pkcs15_encode_data(&data, out, &len, &err), 1);
    assert_bytes_are_hex(
        out, len, "301E 300D 0C046E6F7465 030206C0 040101 3005 0C03617070 A106 3004 0402CD05");
    assert_int_equal(schsm_pkcs15_decode_data(out, len, &data, &err), 1);
    assert_true(data.private_data);
    assert_int_equal(data.file_id, 0xCD05);
    assert_string_equal(data.application, "app");
    data.private_data = false;
    data.file_id = 0xCF05;
    data.application[0] = '\0';
    len = sizeof(out);
    assert_int_equal(schsm_pkcs15_encode_data(&data, out, &len, &err), 1);
    assert_bytes_are_hex(out, len, "3016 300A 0C046E6F7465 03020640 3000 A106 3004 0402CF05");

    len = 8;
    assert_int_equal(schsm_pkcs15_encode_data(&data, out, &len, &err), 0);
    len = sizeof(out);
    data.file_id = 0;
    assert_int_equal(schsm_pkcs15_encode_data(&data, out, &len, &err), 0);
    certificate.id_len = 0;
    assert_int_equal(schsm_pkcs15_encode_certificate(&certificate, out, &len, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
}

/* --- renaming ------------------------------------------------------------------------------ */

/* label and id: NULL: as it is. */
static void assert_renames(const char *hex, const char *label, const char *id, const char *expected)
{
    struct bytes file = from_hex(hex), exact = copy_bytes(file.data, file.len);
    struct bytes new_id = from_hex(id != NULL ? id : "");
    struct schsm_view text = { (const uint8_t *)label, label != NULL ? strlen(label) : 0 };
    struct schsm_view bytes = { new_id.data, new_id.len };
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t out[SCHSM_PKCS15_MAX];
    size_t len = sizeof(out);

    if (!schsm_pkcs15_rename(exact.data, exact.len, label != NULL ? &text : NULL,
                             id != NULL ? &bytes : NULL, out, &len, &err)) {
        fail_msg("%s: %s", hex, err.text);
    }
    assert_bytes_are_hex(out, len, expected);
    free_bytes(&new_id);
    free_bytes(&exact);
    free_bytes(&file);
}

static void a_new_name_leaves_all_else_as_it_is(void **state)
{
    /* OpenSC's: flags, PIN, usage, access, key reference (section 10.2) */
    static const char key[] =
        "3028 300E 0C0573686F7274 030206C0 040101 300A 040120 03020430 020102 "
        "A10A 3008 30020400 02020800";

    (void)state;
    assert_renames(key, "s", NULL,
                   "3024 300A 0C0173 030206C0 040101 300A 040120 03020430 020102 "
                   "A10A 3008 30020400 02020800");
    assert_renames(key, NULL, "112233",
                   "302A 300E 0C0573686F7274 030206C0 040101 300C 0403112233 03020430 020102 "
                   "A10A 3008 30020400 02020800");
    assert_renames(key, "", "21",
                   "3021 3007 030206C0 040101 300A 040121 03020430 020102 "
                   "A10A 3008 30020400 02020800");
    /* what follows the description is not its part; data have no id */
    assert_renames("301B 300A 0C046E6F7465 03020640 3005 0C03617070 A106 3004 0402CF00 FFFF", "n",
                   NULL, "3018 3007 0C016E 03020640 3005 0C03617070 A106 3004 0402CF00");
    /* of a kind that nobody knows */
    assert_renames("A704 3000 3000", "x", "01", "A70A 3003 0C0178 3003 040101");
}

static void no_name_for_what_is_no_description(void **state)
{
    static const char *const broken[] = {
        "", "30", "3003 3002 00", "3002 0500", "3005 3003 0C0241", "3002 3000"
    };
    const struct schsm_view label = { (const uint8_t *)"a", 1 }, id = { (const uint8_t *)"b", 1 };

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct bytes file = from_hex(broken[i]);
        struct schsm_error err = SCHSM_ERROR_INIT;
        uint8_t out[SCHSM_PKCS15_MAX];
        size_t len = sizeof(out);

        assert_int_equal(schsm_pkcs15_rename(file.data, file.len, &label, &id, out, &len, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_DEVICE_DATA);
        free_bytes(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_minimal_form),
        cmocka_unit_test(writes_certificates_and_data),
        cmocka_unit_test(reads_what_opensc_writes),
        cmocka_unit_test(a_path_with_an_index_does_not_hide_the_size),
        cmocka_unit_test(a_key_of_another_kind_has_a_name),
        cmocka_unit_test(reads_sizes_as_they_occur),
        cmocka_unit_test(reads_aes_keys_of_old_and_new_releases),
        cmocka_unit_test(long_labels_are_cut_between_characters),
        cmocka_unit_test(reads_certificates_and_data_objects),
        cmocka_unit_test(reads_and_writes_the_token),
        cmocka_unit_test(refuses_what_is_no_description),
        cmocka_unit_test(refuses_cut_and_survives_changed_descriptions),
        cmocka_unit_test(writes_nothing_without_id_type_or_room),
        cmocka_unit_test(a_new_name_leaves_all_else_as_it_is),
        cmocka_unit_test(no_name_for_what_is_no_description),
    };

    return cmocka_run_group_tests_name("PKCS#15 descriptions", tests, NULL, NULL);
}
