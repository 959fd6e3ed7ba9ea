/* SPDX-License-Identifier: Apache-2.0 */
/* Key encryption keys: shares, key check values, derived keys (protocol reference sections 13.2,
 * 23). */
#include "wrapped_keys.h"

#include "format/dkek.h"

static struct schsm_error err;

static void the_derived_values_are_the_published_ones(void **state)
{
    static const struct {
        const char *dkek, *kcv, *kenc, *kmac;
    } cases[] = {
        { "ae71747fce318e9cf798b8ae0553a32c41269dd4eccccf457ae2e3c0eaccbc3d", "53CA37CEED5B227F",
          "EB865E97A1B5E1D3BBD945F763A673E8728F9E81BF8DE1D6D9CBF65820FBB2C7",
          "CF9BA3EA23A665F14C1B049A425282AFFDDB773E7FF4A76FB8A13194175E0559" },
        { "4444444444444444444444444444444444444444444444444444444444444444", "BB391415C05E39D7",
          "34423C9AB36899BD772D73DA3E350709F009634946C288A7B5E8A248868AE9FF",
          "1392790984A79DA93E797C0FD1919E16C9FE90D652A147DF16186E6840E9F2EB" },
        { "20B3EE1CABA5ECA7ECEB6BE51F11BD9A04F5FE9A6B0A1E0A8BC13074D32CF830", "0FB85F69F6EBF256",
          "6890320D25D318530C3AB5988E29D8DF445E5F5ACE223364F41000394614B763",
          "BE9BA334E3A89E75E7E8308AE2C28DF3CCC4FDA8B805112E03AD0C3FD452E9A0" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct schsm_secret *dkek = secret_from_hex(cases[i].dkek);
        struct schsm_secret *kenc = schsm_dkek_derive(NULL, dkek, SCHSM_DKEK_ENCRYPTION, &err);
        struct schsm_secret *kmac = schsm_dkek_derive(NULL, dkek, SCHSM_DKEK_AUTHENTICATION, &err);
        uint8_t kcv[SCHSM_KCV_LEN];
        char text[SCHSM_KCV_TEXT_MAX];

        assert_int_equal(schsm_dkek_kcv(NULL, dkek, kcv, &err), 1);
        schsm_kcv_text(kcv, text);
        assert_string_equal(text, cases[i].kcv);
        assert_bytes_are_hex(schsm_secret_data(kenc), schsm_secret_len(kenc), cases[i].kenc);
        assert_bytes_are_hex(schsm_secret_data(kmac), schsm_secret_len(kmac), cases[i].kmac);
        schsm_secret_free(kmac);
        schsm_secret_free(kenc);
        schsm_secret_free(dkek);
    }
}

static void shares_make_the_key_in_any_order(void **state)
{
    struct schsm_secret *a =
        secret_from_hex("A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5");
    struct schsm_secret *b =
        secret_from_hex("E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1E1");
    struct schsm_secret *expected = forty_four();
    struct schsm_secret *orders[][2] = { { a, b }, { b, a } };

    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct schsm_secret *dkek = schsm_dkek_combine(orders[i], 2, &err);

        assert_non_null(dkek);
        assert_memory_equal(schsm_secret_data(dkek), schsm_secret_data(expected), SCHSM_DKEK_LEN);
        schsm_secret_free(dkek);
    }
    assert_null(schsm_dkek_combine(orders[0], 0, &err));
    schsm_secret_free(expected);
    schsm_secret_free(b);
    schsm_secret_free(a);
}

static void keys_and_shares_of_another_length_are_refused(void **state)
{
    struct schsm_secret *shorter =
        secret_from_hex("4444444444444444444444444444444444444444444444");
    uint8_t kcv[SCHSM_KCV_LEN];

    (void)state;
    assert_int_equal(schsm_dkek_kcv(NULL, shorter, kcv, &err), 0);
    assert_null(schsm_dkek_derive(NULL, shorter, SCHSM_DKEK_ENCRYPTION, &err));
    assert_null(schsm_dkek_combine(&shorter, 1, &err));
    assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
    schsm_secret_free(shorter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_derived_values_are_the_published_ones),
        cmocka_unit_test(shares_make_the_key_in_any_order),
        cmocka_unit_test(keys_and_shares_of_another_length_are_refused),
    };

    return cmocka_run_group_tests_name("key encryption keys", tests, NULL, NULL);
}
