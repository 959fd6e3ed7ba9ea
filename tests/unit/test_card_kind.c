/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "card/card_kind.h"

static void a_serial_number_and_an_fci_tell_the_kind(void **state)
{
    (void)state;
    assert_string_equal(schsm_card_kind_of_serial("DENK0404144")->name, "SmartCard-HSM");
    assert_string_equal(schsm_card_kind_of_serial("ESPICOHSMTR00001")->name, "Pico HSM");
    assert_string_equal(schsm_card_kind_of_serial("ESP2202E14A")->name, "Pico HSM");
    assert_string_equal(schsm_card_kind_of_serial("")->name, "Pico HSM");
    assert_string_equal(schsm_card_kind_of_fci(0x00)->name, "SmartCard-HSM");
    assert_string_equal(schsm_card_kind_of_fci(0xFF)->name, "Pico HSM");
    assert_string_equal(schsm_card_kind_of_fci(0x42)->name, "SmartCard-HSM");
}

static void a_pico_hsm_is_found_by_its_short_name_too(void **state)
{
    (void)state;
    assert_true(schsm_card_serial_fits("DENK0404144", "DENK0404144"));
    assert_false(schsm_card_serial_fits("DENK0404144", "DENK04041440000"));
    assert_false(schsm_card_serial_fits("DENK0404144", "DENK0404145"));
    assert_true(schsm_card_serial_fits("ESPICOHSMTRLRA4C", "ESPICOHSMTRLRA4C"));
    assert_true(schsm_card_serial_fits("ESPICOHSMTRLRA4C", "ESPICOHSMTR"));
    assert_false(schsm_card_serial_fits("ESPICOHSMTRLRA4C", "ESPICOHSMTRLRA4D"));
    assert_false(schsm_card_serial_fits("ESPICOHSMTRLRA4C", "ESPICOHSM"));
    assert_true(schsm_card_serial_fits("ESP2202E14A", "ESP2202E14A00001"));
    assert_false(schsm_card_serial_fits("", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_number_and_an_fci_tell_the_kind),
        cmocka_unit_test(a_pico_hsm_is_found_by_its_short_name_too),
    };

    return cmocka_run_group_tests_name("kinds of card", tests, NULL, NULL);
}
