/* SPDX-License-Identifier: Apache-2.0 */
/* The password of a DKEK share, split among custodians (protocol reference sections 13.4, 23.10).
 */
#include "support.h"

#include <string.h>

#include "keymgmt/password_shares.h"

static struct schsm_error err;

static uint64_t number(const char *text)
{
    uint64_t value = 0;

    if (!schsm_password_number_parse(text, strlen(text), &value, &err)) {
        fail_msg("%s: %s", text, err.text);
    }
    return value;
}

#define PRIME "FF:FF:FF:FF:FF:FF:FA:43"

static const char *const values[] = { "21:52:83:B4:E6:17:48:68", "30:70:B0:F1:31:71:B1:E0",
                                      "3F:8E:DE:2D:7C:CC:1B:58" };

static struct schsm_password_share share(unsigned int id, const char *value)
{
    return (struct schsm_password_share){ number(PRIME), id, number(value) };
}

static void any_two_of_the_published_shares_give_the_password(void **state)
{
    (void)state;
    for (unsigned int a = 0; a < 3; a++) {
        for (unsigned int b = 0; b < 3; b++) {
            struct schsm_password_share pair[] = { share(a + 1, values[a]),
                                                   share(b + 1, values[b]) };
            struct schsm_secret *password, *longer;
            int ok = schsm_password_shares_combine(NULL, pair, 2, &password, &longer, &err);

            if (a == b) {
                assert_int_equal(ok, 0);
                assert_non_null(strstr(err.text, "twice"));
                continue;
            }
            assert_int_equal(ok, 1);
            assert_null(longer);
            assert_bytes_are_hex(schsm_secret_data(password), schsm_secret_len(password),
                                 "123456789ABCDEF0");
            schsm_secret_free(password);
        }
    }
}

/* A line through (0, s): shares of the password 0000AB.. by the rules, computed here. */
static void a_password_with_leading_zeros_comes_in_both_forms(void **state)
{
    /* s = 0x0000AB0102030405, a1 = 1 */
    struct schsm_password_share pair[] = { share(1, "AB:01:02:03:04:06"),
                                           share(2, "AB:01:02:03:04:07") };
    struct schsm_secret *password, *longer;

    (void)state;
    assert_int_equal(schsm_password_shares_combine(NULL, pair, 2, &password, &longer, &err), 1);
    assert_bytes_are_hex(schsm_secret_data(password), schsm_secret_len(password), "AB0102030405");
    assert_non_null(longer);
    assert_bytes_are_hex(schsm_secret_data(longer), schsm_secret_len(longer), "0000AB0102030405");
    schsm_secret_free(longer);
    schsm_secret_free(password);
}

static void any_t_of_m_give_the_password_and_fewer_do_not(void **state)
{
    static const struct {
        unsigned int t, m;
    } cases[] = { { 2, 3 }, { 3, 5 }, { 5, 5 }, { 7, 20 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct schsm_password_share shares[20];
        struct schsm_secret *password = NULL, *again, *longer;
        unsigned int t = cases[i].t, m = cases[i].m;

        assert_int_equal(schsm_password_shares_make(NULL, t, m, shares, &password, &err), 1);
        assert_int_equal(schsm_secret_len(password), 8);
        assert_true(schsm_secret_data(password)[0] >= 0x01);
        assert_true(schsm_secret_data(password)[0] <= 0x7F);
        for (unsigned int first = 0; first + t <= m; first++) {
            assert_int_equal(
                schsm_password_shares_combine(NULL, shares + first, t, &again, &longer, &err), 1);
            assert_null(longer);
            assert_bytes_equal(schsm_secret_data(again), schsm_secret_len(again),
                               schsm_secret_data(password), schsm_secret_len(password));
            schsm_secret_free(again);
        }
        if (t > 2) {
            assert_int_equal(
                schsm_password_shares_combine(NULL, shares, t - 1, &again, &longer, &err), 1);
            assert_true(schsm_secret_len(again) != 8 ||
                        memcmp(schsm_secret_data(again), schsm_secret_data(password), 8) != 0);
            schsm_secret_free(again);
            schsm_secret_free(longer);
        }
        schsm_secret_free(password);
    }
}

static void no_split_that_tools_refuse_is_made(void **state)
{
    static const struct {
        unsigned int t, m;
    } cases[] = { { 1, 3 }, { 2, 2 }, { 4, 3 }, { 0, 0 }, { 2, 256 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct schsm_password_share shares[1];
        struct schsm_secret *password = NULL;

        assert_int_equal(
            schsm_password_shares_make(NULL, cases[i].t, cases[i].m, shares, &password, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
    }
}

static void shares_that_cannot_be_of_one_split_are_refused(void **state)
{
    struct schsm_password_share good[] = { share(1, values[0]), share(2, values[1]) };
    struct schsm_password_share pair[2];
    struct schsm_secret *password, *longer;

    (void)state;
    memcpy(pair, good, sizeof(pair));
    pair[1].prime += 2;
    assert_int_equal(schsm_password_shares_combine(NULL, pair, 2, &password, &longer, &err), 0);
    assert_non_null(strstr(err.text, "another"));
    pair[0].prime = pair[1].prime;
    assert_int_equal(schsm_password_shares_combine(NULL, pair, 2, &password, &longer, &err), 0);
    assert_non_null(strstr(err.text, "mistyped"));
    memcpy(pair, good, sizeof(pair));
    pair[0].value = pair[0].prime;
    assert_int_equal(schsm_password_shares_combine(NULL, pair, 2, &password, &longer, &err), 0);
    assert_int_equal(schsm_password_shares_combine(NULL, good, 1, &password, &longer, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
}

static void numbers_and_ids_are_read_as_people_write_them(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = { { PRIME, 0xFFFFFFFFFFFFFA43 },
                 { "0a:1b", 0x0A1B },
                 { "A1B", 0xA1B },
                 { "FF FF", 0xFFFF },
                 { "00:00:00:00:00:00:00:00:01", 1 } };
    static const char *const bad[] = { "", ":", "0x12", "12:3G", "1:FF:FF:FF:FF:FF:FF:FA:43" };
    static const struct {
        const char *text;
        unsigned int id; /* 0: refused */
    } ids[] = { { "1", 1 },   { "10", 10 }, { "0x0A", 10 }, { "255", 255 },
                { "256", 0 }, { "0", 0 },   { "", 0 },      { "0x", 0 },
                { "0A", 0 },  { "-1", 0 },  { "1 ", 0 },    { "4294967297", 0 } };
    char text[SCHSM_PASSWORD_NUMBER_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(number(good[i].text) == good[i].value);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t value;

        assert_int_equal(schsm_password_number_parse(bad[i], strlen(bad[i]), &value, &err), 0);
    }
    for (size_t i = 0; i < COUNT(ids); i++) {
        unsigned int id = 0;

        assert_int_equal(schsm_password_id_parse(ids[i].text, strlen(ids[i].text), &id, &err),
                         ids[i].id != 0);
        assert_int_equal(id, ids[i].id);
    }
    schsm_password_number_text(0xFFFFFFFFFFFFFA43, text);
    assert_string_equal(text, PRIME);
    schsm_password_number_text(0x0A1B, text);
    assert_string_equal(text, "0A:1B");
    schsm_password_number_text(0, text);
    assert_string_equal(text, "00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_two_of_the_published_shares_give_the_password),
        cmocka_unit_test(a_password_with_leading_zeros_comes_in_both_forms),
        cmocka_unit_test(any_t_of_m_give_the_password_and_fewer_do_not),
        cmocka_unit_test(no_split_that_tools_refuse_is_made),
        cmocka_unit_test(shares_that_cannot_be_of_one_split_are_refused),
        cmocka_unit_test(numbers_and_ids_are_read_as_people_write_them),
    };

    return cmocka_run_group_tests_name("password shares", tests, NULL, NULL);
}
