/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "format/apdu.h"
#include "format/status_word.h"

static void the_meaning_depends_on_the_command(void **state)
{
    static const struct {
        uint8_t ins;
        unsigned int status_word;
        enum schsm_reason reason;
    } cases[] = {
        { SCHSM_INS_SIGN, 0x9000, SCHSM_REASON_NONE },
        { SCHSM_INS_SIGN, 0x6A81, SCHSM_REASON_NOT_PERMITTED },
        { SCHSM_INS_SIGN, 0x6985, SCHSM_REASON_NOT_PERMITTED }, /* Pico */
        { SCHSM_INS_DECIPHER, 0x6984, SCHSM_REASON_USE_COUNTER },
        { SCHSM_INS_DECIPHER, 0x6A84, SCHSM_REASON_USE_COUNTER }, /* Pico */
        { SCHSM_INS_SIGN, 0x6982, SCHSM_REASON_ACCESS_DENIED },
        { SCHSM_INS_SIGN, 0x6A82, SCHSM_REASON_NOT_FOUND },
        { SCHSM_INS_SIGN, 0x6600, SCHSM_REASON_CANCELLED },
        { SCHSM_INS_GENERATE_KEY_PAIR, 0x6A81, SCHSM_REASON_UNSUPPORTED },
        { SCHSM_INS_GENERATE_KEY_PAIR, 0x6A84, SCHSM_REASON_DEVICE_FULL },
        { SCHSM_INS_GENERATE_KEY_PAIR, 0x6A89, SCHSM_REASON_EXISTS },
        { SCHSM_INS_VERIFY, 0x63C2, SCHSM_REASON_PIN_INCORRECT },
        { SCHSM_INS_VERIFY, 0x6983, SCHSM_REASON_PIN_BLOCKED },
        { SCHSM_INS_VERIFY, 0x6984, SCHSM_REASON_PIN_MUST_CHANGE },
        { SCHSM_INS_VERIFY, 0x6A80, SCHSM_REASON_PIN_LENGTH },
        { SCHSM_INS_VERIFY, 0x6700, SCHSM_REASON_PIN_LENGTH },
        { SCHSM_INS_VERIFY, 0x6A88, SCHSM_REASON_NOT_INITIALISED },
        { SCHSM_INS_READ_BINARY, 0x6A82, SCHSM_REASON_NOT_FOUND },
        { SCHSM_INS_DELETE_FILE, 0x6982, SCHSM_REASON_ACCESS_DENIED },
        { SCHSM_INS_UPDATE_BINARY, 0x6A84, SCHSM_REASON_DEVICE_FULL },
        { SCHSM_INS_UNWRAP_KEY, 0x6400, SCHSM_REASON_BAD_INPUT },
        { SCHSM_INS_UNWRAP_KEY, 0x6A80, SCHSM_REASON_BAD_INPUT },
        { SCHSM_INS_UNWRAP_KEY, 0x6A88, SCHSM_REASON_BAD_INPUT }, /* another DKEK's */
        { SCHSM_INS_WRAP_KEY, 0x6A88, SCHSM_REASON_NOT_FOUND },
        { SCHSM_INS_SELECT, 0x6A86, SCHSM_REASON_NOT_FOUND }, /* EF.DIR */
        { SCHSM_INS_KEY_DOMAIN, 0x6D00, SCHSM_REASON_UNSUPPORTED },
        { SCHSM_INS_SIGN, 0x6D00, SCHSM_REASON_UNSUPPORTED },
        { 0x00, 0x6F00, SCHSM_REASON_DEVICE },
        { 0x00, 0x6A88, SCHSM_REASON_NOT_FOUND }, /* no instruction of the table is 00 */
        { SCHSM_INS_SIGN, 0x1234, SCHSM_REASON_DEVICE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(schsm_status_word_reason(cases[i].ins, cases[i].status_word),
                         cases[i].reason);
    }
}

static void the_sentence_names_command_meaning_and_status_word(void **state)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    (void)state;
    assert_int_equal(schsm_fail_status_word(&err, SCHSM_INS_SIGN, 0x6A81), 0);
    assert_string_equal(err.text, "SIGN failed: the key's policy does not permit this algorithm "
                                  "(status word 6A81)");
    assert_int_equal(err.reason, SCHSM_REASON_NOT_PERMITTED);
    assert_int_equal(err.status_word, 0x6A81);
    assert_int_equal(err.tries_left, -1);
}

static void the_sentence_counts_the_tries(void **state)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    (void)state;
    schsm_fail_status_word(&err, SCHSM_INS_VERIFY, 0x63C2);
    assert_string_equal(err.text,
                        "VERIFY failed: the PIN is wrong, 2 tries are left (status word 63C2)");
    assert_int_equal(err.tries_left, 2);
    schsm_fail_status_word(&err, SCHSM_INS_VERIFY, 0x63C1);
    assert_non_null(strstr(err.text, "1 try is left"));
    schsm_fail_status_word(&err, SCHSM_INS_RESET_RETRY_COUNTER, 0x63C0);
    assert_non_null(strstr(err.text, "the SO-PIN is wrong, and is now blocked"));
    assert_int_equal(err.tries_left, 0);
    assert_int_equal(schsm_status_word_tries(0x63CF), 15);
    assert_int_equal(schsm_status_word_tries(0x6300), -1);
    assert_int_equal(schsm_status_word_tries(0x9000), -1);
}

static void success_that_was_no_success_is_still_a_failure(void **state)
{
    struct schsm_error err = SCHSM_ERROR_INIT;

    (void)state;
    assert_int_equal(schsm_fail_status_word(&err, SCHSM_INS_SIGN, 0x9000), 0);
    assert_int_equal(err.reason, SCHSM_REASON_DEVICE);
    assert_int_equal(schsm_fail_status_word(NULL, SCHSM_INS_SIGN, 0x6F00), 0);
}

static void status_words_after_any_command_have_a_sentence(void **state)
{
    (void)state;
    for (unsigned int ins = 0; ins < 256; ins++) {
        for (unsigned int status_word = 0x6000; status_word <= 0x9FFF; status_word += 7) {
            const char *text = schsm_status_word_text((uint8_t)ins, status_word);
            enum schsm_reason reason = schsm_status_word_reason((uint8_t)ins, status_word);

            if (text[0] == '\0' || reason >= SCHSM_REASON_COUNT ||
                (reason == SCHSM_REASON_NONE && status_word != 0x9000)) {
                fail_msg("INS %02X status word %04X: \"%s\"", ins, status_word, text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_meaning_depends_on_the_command),
        cmocka_unit_test(the_sentence_names_command_meaning_and_status_word),
        cmocka_unit_test(the_sentence_counts_the_tries),
        cmocka_unit_test(success_that_was_no_success_is_still_a_failure),
        cmocka_unit_test(status_words_after_any_command_have_a_sentence),
    };

    return cmocka_run_group_tests_name("status words", tests, NULL, NULL);
}
