/* SPDX-License-Identifier: Apache-2.0 */
/* The key reference file: round trip, foreign data let alone, damage noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "keymgmt/reference.h"

static const char uri[] = "sc-hsm:serial=UTSIM000001;key-ref=1;id=10";
static const uint8_t spki[] = { 0x30, 0x07, 0x30, 0x02, 0x06, 0x00, 0x03, 0x01, 0x00 };

static void a_reference_is_read_back(void **state)
{
    uint8_t *der = NULL;
    size_t len = 0;
    struct schsm_reference reference;

    (void)state;
    assert_true(schsm_reference_encode(uri, spki, sizeof(spki), &der, &len, NULL));
    assert_int_equal(schsm_reference_decode(der, len, &reference, NULL), SCHSM_REFERENCE_OK);
    assert_string_equal(reference.uri, uri);
    assert_int_equal(reference.spki_len, sizeof(spki));
    assert_memory_equal(reference.spki, spki, sizeof(spki));
    schsm_reference_clear(&reference);
    OPENSSL_free(der);
}

static void the_public_part_may_be_absent(void **state)
{
    uint8_t *der = NULL;
    size_t len = 0;
    struct schsm_reference reference;

    (void)state;
    assert_true(schsm_reference_encode(uri, NULL, 0, &der, &len, NULL));
    assert_int_equal(schsm_reference_decode(der, len, &reference, NULL), SCHSM_REFERENCE_OK);
    assert_null(reference.spki);
    schsm_reference_clear(&reference);
    OPENSSL_free(der);
}

static void the_layout_is_the_documented_one(void **state)
{
    static const uint8_t expected[] = {
        0x30, 0x1c, 0x0c, 0x0d, 's', 'c', '-',  'h',  's',  'm',  ' ',  'k',  'e',  'y', ' ',
        'v',  '1',  0x0c, 0x02, 'u', 'r', 0xa0, 0x07, 0x30, 0x05, 0x03, 0x03, 0x00, 'x', 'y',
    };
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_true(schsm_reference_encode("ur", expected + 23, 7, &der, &len, NULL));
    assert_int_equal(len, sizeof(expected));
    assert_memory_equal(der, expected, len);
    OPENSSL_free(der);
}

static void other_data_is_not_ours(void **state)
{
    static const uint8_t foreign[] = { 0x30, 0x05, 0x02, 0x01, 0x00, 0x02, 0x00 };
    struct schsm_reference reference;

    (void)state;
    assert_int_equal(schsm_reference_decode(foreign, sizeof(foreign), &reference, NULL),
                     SCHSM_REFERENCE_NONE);
    assert_int_equal(schsm_reference_decode(foreign, 0, &reference, NULL), SCHSM_REFERENCE_NONE);
    assert_int_equal(ERR_peek_error(), 0);
}

/* Cut anywhere, or with any byte changed, it is refused or read, but never beyond its end. */
static void damage_is_noticed(void **state)
{
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_true(schsm_reference_encode(uri, spki, sizeof(spki), &der, &len, NULL));
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = OPENSSL_memdup(der, cut + (cut == 0));
        struct schsm_reference reference;

        assert_int_not_equal(schsm_reference_decode(copy, cut, &reference, NULL),
                             SCHSM_REFERENCE_OK);
        schsm_reference_clear(&reference);
        OPENSSL_free(copy);
    }
    for (size_t at = 0; at < len * 8; at++) {
        uint8_t *copy = OPENSSL_memdup(der, len);
        struct schsm_reference reference;

        copy[at / 8] ^= (uint8_t)(1u << at % 8);
        (void)schsm_reference_decode(copy, len, &reference, NULL);
        schsm_reference_clear(&reference);
        OPENSSL_free(copy);
    }
    assert_int_equal(ERR_peek_error(), 0);
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_is_read_back),
        cmocka_unit_test(the_public_part_may_be_absent),
        cmocka_unit_test(the_layout_is_the_documented_one),
        cmocka_unit_test(other_data_is_not_ours),
        cmocka_unit_test(damage_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
