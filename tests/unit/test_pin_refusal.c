/* SPDX-License-Identifier: Apache-2.0 */
/* What the PIN policy decides and says, whatever the device is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pin/refusal.h"

static void few_tries_count_as_two(void **state)
{
    static const struct {
        int tries, min;
        int may;
    } cases[] = {
        { 3, 2, 1 },
        { 2, 2, 1 },
        { 1, 2, 0 },
        { 1, 1, 1 },
        { 0, 1, 0 },
        { SCHSM_TRIES_UNKNOWN, 15, 1 },
        { SCHSM_TRIES_FEW, 2, 1 },
        { SCHSM_TRIES_FEW, 3, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct schsm_error err = SCHSM_ERROR_INIT;

        assert_int_equal(
            schsm_check_tries(&err, "D", cases[i].tries, cases[i].min, "it rests", false),
            cases[i].may);
        assert_int_equal(err.reason, cases[i].may ? SCHSM_REASON_NONE : SCHSM_REASON_PIN_TRIES_LOW);
        assert_int_equal(err.tries_left,
                         !cases[i].may && cases[i].tries >= 0 ? cases[i].tries : -1);
    }
}

/* Who gave an option cannot do anything with settings and URI attributes, and the other way round.
 */
static void the_remedy_is_in_the_words_of_who_asked(void **state)
{
    (void)state;
    for (int by_option = 0; by_option < 2; by_option++) {
        struct schsm_error err = SCHSM_ERROR_INIT;

        schsm_check_tries(&err, "D", 1, 2, "it rests", by_option);
        assert_int_equal(strstr(err.text, "--pin-source prompt") != NULL, by_option);
        assert_int_equal(strstr(err.text, "min-pin-tries to 1") == NULL, by_option);
        schsm_check_tries(&err, "D", SCHSM_TRIES_FEW, 3, "it rests", by_option);
        assert_int_equal(strstr(err.text, "--pin-source prompt") != NULL, by_option);
        assert_int_equal(strstr(err.text, "min-pin-tries to 2") == NULL, by_option);
        schsm_refuse_missing(&err, "D", "key 'web'", by_option);
        assert_int_equal(strstr(err.text, "--pin-source") != NULL, by_option);
        assert_int_equal(strstr(err.text, "?pin-source=prompt") == NULL, by_option);
        schsm_refuse_pad(&err, "reader R", by_option);
        assert_int_equal(strstr(err.text, "--pin-source prompt") != NULL, by_option);
        assert_int_equal(strstr(err.text, "pin-source=prompt") == NULL, by_option);
    }
}

static void a_wrong_pin_tells_what_is_left(void **state)
{
    static const struct {
        int tries;
        const char *text;
    } cases[] = {
        { 2, "2 tries are left" },
        { 1, "1 try is left" },
        { 0, "now blocked: unblock it with a hammer" },
        { SCHSM_TRIES_FEW, "fewer than 3 tries are left" },
        { SCHSM_TRIES_UNKNOWN, "does not tell how many" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct schsm_error err = SCHSM_ERROR_INIT;

        assert_int_equal(schsm_refuse_wrong(&err, "D", cases[i].tries, "a hammer"), 0);
        assert_int_equal(err.reason, SCHSM_REASON_PIN_INCORRECT);
        assert_non_null(strstr(err.text, cases[i].text));
        assert_int_equal(err.tries_left, cases[i].tries >= 0 ? cases[i].tries : -1);
    }
}

static void a_length_out_of_range_is_refused(void **state)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    (void)state;
    assert_int_equal(schsm_check_pin_length(&err, "D", 6, 6, 16), 1);
    assert_int_equal(schsm_check_pin_length(&err, "D", 16, 6, 16), 1);
    assert_int_equal(schsm_check_pin_length(&err, "D", 5, 6, 16), 0);
    assert_int_equal(err.reason, SCHSM_REASON_PIN_LENGTH);
    assert_int_equal(schsm_check_pin_length(&err, "D", 17, 6, 16), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_tries_count_as_two),
        cmocka_unit_test(the_remedy_is_in_the_words_of_who_asked),
        cmocka_unit_test(a_wrong_pin_tells_what_is_left),
        cmocka_unit_test(a_length_out_of_range_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
