/* SPDX-License-Identifier: Apache-2.0 */
/* What users call algorithms and types of keys. */
#include "support.h"

#include <string.h>

#include <openssl/obj_mac.h>

#include "keymgmt/algorithm.h"

static void assert_list(const char *text, enum schsm_key_type type, const char *hex)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t ids[SCHSM_ALGORITHMS_MAX];
    size_t len = 0;

    if (!schsm_algorithms_parse(text, type, ids, &len, &err)) {
        fail_msg("%s: %s", text, err.text);
    }
    assert_bytes_are_hex(ids, len, hex);
}

static void assert_no_list(const char *text, enum schsm_key_type type)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t ids[SCHSM_ALGORITHMS_MAX];
    size_t len = 0;

    assert_int_equal(schsm_algorithms_parse(text, type, ids, &len, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
    assert_int_not_equal(err.text[0], 0);
}

static void lists_are_names_and_ids(void **state)
{
    (void)state;
    assert_list("20:21:30", SCHSM_KEY_NONE, "202130");
    assert_list("202130", SCHSM_KEY_RSA, "202130");
    assert_list("ecdsa, ECDH,a0", SCHSM_KEY_EC, "7080A0");
    assert_list("aes-cmac:92", SCHSM_KEY_AES, "1892");
    assert_list("wrap", SCHSM_KEY_RSA, "92");
    assert_list("00112233445566778899aabbccddeeff", SCHSM_KEY_NONE,
                "00112233445566778899AABBCCDDEEFF");
    assert_no_list("", SCHSM_KEY_NONE);
    assert_no_list(",:", SCHSM_KEY_NONE);
    assert_no_list("2", SCHSM_KEY_NONE);
    assert_no_list("x", SCHSM_KEY_NONE);
    assert_no_list("ecdsa-md5", SCHSM_KEY_NONE);
    assert_no_list("ecdsa", SCHSM_KEY_RSA);
    assert_no_list("derive", SCHSM_KEY_EC);
    assert_no_list("00112233445566778899aabbccddeeff00", SCHSM_KEY_NONE);
}

static void every_name_is_read_as_it_is_printed(void **state)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    char name[SCHSM_ALGORITHM_NAME_MAX];
    size_t names = 0;

    (void)state;
    for (unsigned int id = 0; id < 256; id++) {
        uint8_t ids[SCHSM_ALGORITHMS_MAX];
        size_t len = 0;

        schsm_algorithm_name((uint8_t)id, name);
        assert_int_equal(schsm_algorithms_parse(name, SCHSM_KEY_NONE, ids, &len, &err), 1);
        assert_int_equal(len, 1);
        assert_int_equal(ids[0], id);
        names += strlen(name) > 2;
    }
    assert_true(names >= 30 && names <= 60);
    schsm_algorithm_name(0x01, name);
    assert_string_equal(name, "01");
}

static void everything_is_told_from_a_list(void **state)
{
    static const uint8_t aes[] = { 0x10, 0x11, 0x18, 0x92, 0x99 };

    (void)state;
    assert_true(schsm_algorithms_are_all(SCHSM_KEY_RSA, NULL, 0));
    assert_true(schsm_algorithms_are_all(SCHSM_KEY_AES, aes, sizeof(aes)));
    assert_false(schsm_algorithms_are_all(SCHSM_KEY_AES, aes, sizeof(aes) - 1));
    assert_false(schsm_algorithms_are_all(SCHSM_KEY_EC, aes, sizeof(aes)));
}

static void types_of_keys(void **state)
{
    static const char *const bad[] = { "",          "rsa",       "rsa:",    "rsa:2047",
                                       "rsa:02048", "aes:512",   "ec:",     "ec:P-257",
                                       "dsa:1024",  "rsa:2048 ", "rsa2048", "aes:256x" };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_generate spec = { 0 };

    (void)state;
    assert_int_equal(schsm_key_type_parse("RSA:4096", &spec, &err), 1);
    assert_int_equal(spec.type, SCHSM_KEY_RSA);
    assert_int_equal(spec.bits, 4096);
    assert_int_equal(schsm_key_type_parse("aes:192", &spec, &err), 1);
    assert_int_equal(spec.type, SCHSM_KEY_AES);
    assert_int_equal(spec.bits, 192);
    assert_int_equal(schsm_key_type_parse("ec:p-256", &spec, &err), 1);
    assert_int_equal(spec.curve_nid, NID_X9_62_prime256v1);
    assert_int_equal(schsm_key_type_parse("ec:brainpoolP320r1", &spec, &err), 1);
    assert_int_equal(spec.curve_nid, NID_brainpoolP320r1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&spec, 0, sizeof(spec));
        assert_int_equal(schsm_key_type_parse(bad[i], &spec, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_names_and_ids),
        cmocka_unit_test(every_name_is_read_as_it_is_printed),
        cmocka_unit_test(everything_is_told_from_a_list),
        cmocka_unit_test(types_of_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
