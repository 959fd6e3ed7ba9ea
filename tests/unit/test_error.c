/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "base/error.h"

static void a_failure_has_reason_and_sentence(void **state)
{
    struct schsm_error err = { SCHSM_REASON_DEVICE, 0x6982, 2, "old" };

    (void)state;
    assert_int_equal(schsm_fail(&err, SCHSM_REASON_NOT_FOUND, "no key %d on %s", 3, "X"), 0);
    assert_int_equal(err.reason, SCHSM_REASON_NOT_FOUND);
    assert_int_equal(err.status_word, 0);
    assert_int_equal(err.tries_left, -1);
    assert_string_equal(err.text, "no key 3 on X");
}

static void context_goes_before_the_sentence(void **state)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    (void)state;
    schsm_fail(&err, SCHSM_REASON_DEVICE, "failed");
    err.status_word = 0x6F00;
    assert_int_equal(schsm_fail_context(&err, "key %d", 5), 0);
    assert_int_equal(schsm_fail_context(&err, "device %s", "A"), 0);
    assert_string_equal(err.text, "device A: key 5: failed");
    assert_int_equal(err.reason, SCHSM_REASON_DEVICE);
    assert_int_equal(err.status_word, 0x6F00);
    schsm_fail(&err, SCHSM_REASON_DEVICE, "again: %s", err.text);
    assert_string_equal(err.text, "again: device A: key 5: failed");
}

static void bytes_that_are_not_printable_are_replaced(void **state)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    (void)state;
    schsm_fail(&err, SCHSM_REASON_DEVICE,
               "a\nb\tc\x1B[31m\x7F \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x94\x91");
    assert_string_equal(err.text, "a?b?c?[31m? \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x94\x91");
    /* NOLINTNEXTLINE(misc-misleading-bidirectional): what misleads is the matter here */
    schsm_fail(&err, SCHSM_REASON_DEVICE, "\xE2\x80\xAE|\xE2\x80\x8B|\xE2\x80\xA8|\xE2\x81\xA6");
    assert_string_equal(err.text, "?|?|?|?");
    /* U+00AD, U+061C, U+180E, U+FEFF, U+FFF9, a tag, private use */
    schsm_fail(&err, SCHSM_REASON_DEVICE,
               "\xC2\xAD|\xD8\x9C|\xE1\xA0\x8E|\xEF\xBB\xBF|\xEF\xBF\xB9|\xF3\xA0\x80\xA0|"
               "\xF4\x8F\xBF\xBD|\xEE\x80\x80");
    assert_string_equal(err.text, "?|?|?|?|?|?|?|?");
    schsm_fail(&err, SCHSM_REASON_DEVICE,
               "\xFF|\xC3|\xC0\x80|\xE0\x80\x80|\xED\xA0\x80|\xC2\x9B|\xF4\x90\x80\x80|\xE2\x82");
    for (const char *at = err.text; *at != '\0'; at++) {
        assert_true(*at == '?' || *at == '|');
    }
}

static void long_sentences_are_cut_between_characters(void **state)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    char text[2000];

    (void)state;
    for (size_t i = 0; i + 2 < sizeof(text); i += 2) {
        memcpy(text + i, "\xC3\xA4", 2);
    }
    text[sizeof(text) - 2] = '\0';
    schsm_fail(&err, SCHSM_REASON_DEVICE, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 2);
    assert_memory_equal(err.text, text, sizeof(err.text) - 2);
    schsm_fail_context(&err, "%s", text);
    assert_true(strlen(err.text) < sizeof(err.text));
    assert_true(strlen(err.text) > sizeof(err.text) - 4);
}

static void no_error_to_fill_is_fine(void **state)
{
    (void)state;
    assert_int_equal(schsm_fail(NULL, SCHSM_REASON_DEVICE, "x"), 0);
    assert_int_equal(schsm_fail_context(NULL, "x"), 0);
    assert_int_equal(schsm_fail_memory(NULL), 0);
}

static void each_reason_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < SCHSM_REASON_COUNT; i++) {
        assert_string_not_equal(schsm_reason_text((enum schsm_reason)i), "unknown error");
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(schsm_reason_text((enum schsm_reason)i),
                                    schsm_reason_text((enum schsm_reason)k));
        }
    }
    assert_string_equal(schsm_reason_text(SCHSM_REASON_COUNT), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_reason_and_sentence),
        cmocka_unit_test(context_goes_before_the_sentence),
        cmocka_unit_test(bytes_that_are_not_printable_are_replaced),
        cmocka_unit_test(long_sentences_are_cut_between_characters),
        cmocka_unit_test(no_error_to_fill_is_fine),
        cmocka_unit_test(each_reason_has_a_text_of_its_own),
    };

    return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
