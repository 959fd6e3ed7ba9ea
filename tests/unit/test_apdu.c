/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "format/apdu.h"

static uint8_t data[SCHSM_APDU_DATA_MAX + 1];
static uint8_t out[SCHSM_APDU_COMMAND_MAX];

static void assert_builds(struct schsm_apdu apdu, const char *hex)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_apdu back;
    size_t len = sizeof(out);

    assert_int_equal(schsm_apdu_build(&apdu, out, &len, &err), 1);
    assert_bytes_are_hex(out, len, hex);
    assert_true(schsm_apdu_parse(out, len, &back));
    assert_int_equal(back.ins, apdu.ins);
    assert_int_equal(back.le, apdu.le);
    assert_bytes_equal(back.data, back.data_len, apdu.data, apdu.data_len);
    assert_int_equal(back.extended, schsm_apdu_is_extended(&apdu));
}

static void builds_the_seven_forms(void **state)
{
    static const uint8_t pin[] = { 0x36, 0x34, 0x38, 0x32, 0x31, 0x39 };
    static const uint8_t offset[] = { 0x54, 0x02, 0x00, 0x00 };
    static const uint8_t aid[] = {
        0xE8, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01
    };

    (void)state;
    /* Section 23.11 of the protocol reference */
    assert_builds((struct schsm_apdu){ .ins = 0x20, .p2 = 0x81 }, "00200081");
    assert_builds((struct schsm_apdu){ .cla = 0x80, .ins = 0x52, .le = 256 }, "8052000000");
    assert_builds((struct schsm_apdu){ .ins = 0x20, .p2 = 0x81, .data = pin, .data_len = 6 },
                  "0020008106363438323139");
    assert_builds(
        (struct schsm_apdu){ .ins = 0xA4, .p1 = 4, .data = aid, .data_len = 11, .le = 256 },
        "00A404000BE82B0601040181C31F020100");
    assert_builds((struct schsm_apdu){ .cla = 0x80, .ins = 0x58, .le = 65536 }, "80580000000000");
    assert_builds(
        (struct schsm_apdu){
            .ins = 0xB1, .p1 = 0x2F, .p2 = 0x02, .data = offset, .data_len = 4, .le = 65536 },
        "00B12F02000004540200000000");
    assert_builds((struct schsm_apdu){ .ins = 0xB1, .data = offset, .data_len = 4, .le = 1000 },
                  "00B10000000004540200 00 03E8");
    assert_builds(
        (struct schsm_apdu){ .ins = 0xD7, .data = offset, .data_len = 4, .extended = true },
        "00D70000 000004 54020000");
    assert_builds((struct schsm_apdu){ .ins = 0x84, .le = 8, .extended = true }, "00840000 000008");
    assert_builds((struct schsm_apdu){ .ins = 0x84, .extended = true }, "00840000");
}

static void is_extended_only_where_needed(void **state)
{
    static const struct {
        size_t data_len, le;
        bool asked, extended;
        size_t total;
    } cases[] = {
        { 0, 0, false, false, 4 },        { 0, 256, false, false, 5 },
        { 0, 257, false, true, 7 },       { 255, 0, false, false, 260 },
        { 255, 256, false, false, 261 },  { 256, 0, false, true, 4 + 3 + 256 },
        { 255, 257, false, true, 264 },   { 256, 256, false, true, 4 + 3 + 256 + 2 },
        { 1, 0, true, true, 8 },          { 65535, 65536, false, true, SCHSM_APDU_COMMAND_MAX },
        { 65535, 0, false, true, 65542 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct schsm_apdu apdu = { .ins = 0x68,
                                   .data = data,
                                   .data_len = cases[i].data_len,
                                   .le = cases[i].le,
                                   .extended = cases[i].asked };
        struct schsm_apdu back;
        size_t len = sizeof(out);

        assert_int_equal(schsm_apdu_is_extended(&apdu), cases[i].extended);
        assert_int_equal(schsm_apdu_build(&apdu, out, &len, NULL), 1);
        assert_int_equal(len, cases[i].total);
        assert_true(schsm_apdu_parse(out, len, &back));
        assert_int_equal(back.data_len, apdu.data_len);
        assert_int_equal(back.le, apdu.le);
    }
}

static void refuses_what_does_not_fit(void **state)
{
    struct schsm_apdu apdu = { .ins = 0x68, .data = data, .data_len = 10, .le = 256 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    size_t len;

    (void)state;
    for (len = 0; len < 16;) {
        size_t capacity = len;
        struct bytes exact = copy_bytes(out, capacity);

        assert_int_equal(schsm_apdu_build(&apdu, exact.data, &len, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
        free_bytes(&exact);
        len = capacity + 1;
    }
    assert_int_equal(schsm_apdu_build(&apdu, out, &len, &err), 1);
    apdu.data_len = SCHSM_APDU_DATA_MAX + 1;
    len = sizeof(out);
    assert_int_equal(schsm_apdu_build(&apdu, out, &len, &err), 0);
    apdu.data_len = 0;
    apdu.le = SCHSM_APDU_LE_MAX + 1;
    len = sizeof(out);
    assert_int_equal(schsm_apdu_build(&apdu, out, &len, &err), 0);
}

static void refuses_commands_whose_lengths_disagree(void **state)
{
    static const char *const bad[] = { "",
                                       "002000",
                                       "0020008106363438",
                                       "002000810636343832313900FF",
                                       "002000810000",
                                       "00200081000000FF",
                                       "0020008100000536343832",
                                       "002000810000013600",
                                       "002000810000013600FF00" };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes bytes = from_hex(bad[i]);
        struct bytes exact = copy_bytes(bytes.data, bytes.len);
        struct schsm_apdu apdu;

        assert_false(schsm_apdu_parse(exact.data, exact.len, &apdu));
        free_bytes(&exact);
        free_bytes(&bytes);
    }
}

static void splits_responses(void **state)
{
    static const uint8_t bytes[] = { 1, 2, 3, 0x63, 0xC2 };
    struct schsm_apdu_response response;
    struct schsm_error err = SCHSM_ERROR_INIT;

    (void)state;
    assert_int_equal(schsm_apdu_parse_response(bytes, 5, &response, &err), 1);
    assert_int_equal(response.status_word, 0x63C2);
    assert_bytes_equal(response.data, response.data_len, bytes, 3);
    assert_int_equal(schsm_apdu_parse_response(bytes + 3, 2, &response, &err), 1);
    assert_int_equal(response.data_len, 0);
    assert_int_equal(schsm_apdu_parse_response(bytes, 1, &response, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_TRANSPORT);
    assert_int_equal(schsm_apdu_parse_response(bytes, 0, &response, &err), 0);
}

static unsigned int secrecy(const char *hex)
{
    struct bytes bytes = from_hex(hex);
    unsigned int result = schsm_apdu_secrecy(bytes.data, bytes.len);

    free_bytes(&bytes);
    return result;
}

static void knows_what_must_stay_secret(void **state)
{
    const unsigned int everything =
        SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_RESPONSE | SCHSM_APDU_SECRET_LENGTH;
    const unsigned int pin = SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_LENGTH;

    (void)state;
    assert_int_equal(secrecy("00200081"), pin);
    assert_int_equal(secrecy("00240081"), pin);
    assert_int_equal(secrecy("002C0081"), pin);
    assert_int_equal(secrecy("80500000"), pin);
    assert_int_equal(secrecy("805A0181"), everything);
    assert_int_equal(secrecy("80520000"), SCHSM_APDU_SECRET_DATA);
    assert_int_equal(secrecy("80740193"), SCHSM_APDU_SECRET_DATA);
    assert_int_equal(secrecy("80720192"), SCHSM_APDU_SECRET_RESPONSE);
    assert_int_equal(secrecy("80620280"), SCHSM_APDU_SECRET_RESPONSE);
    assert_int_equal(secrecy("00840000"), SCHSM_APDU_SECRET_RESPONSE);
    assert_int_equal(secrecy("80780110"), SCHSM_APDU_SECRET_DATA | SCHSM_APDU_SECRET_RESPONSE);
    assert_int_equal(secrecy("00C00000"), SCHSM_APDU_SECRET_RESPONSE);
    assert_int_equal(secrecy("80680120"), SCHSM_APDU_OPEN);
    assert_int_equal(secrecy("00460100"), SCHSM_APDU_OPEN);
    assert_int_equal(secrecy("00B1CE01"), SCHSM_APDU_OPEN);
    assert_int_equal(secrecy("00B12F02"), SCHSM_APDU_OPEN);
    assert_int_equal(secrecy("00B1CD01"), SCHSM_APDU_SECRET_RESPONSE);
    assert_int_equal(secrecy("00B12F10"), SCHSM_APDU_SECRET_RESPONSE);
    assert_int_equal(secrecy("00B10000"), SCHSM_APDU_SECRET_RESPONSE);
    assert_int_equal(secrecy("00D7C401"), SCHSM_APDU_OPEN);
    assert_int_equal(secrecy("00D72F10"), SCHSM_APDU_SECRET_DATA);
    assert_int_equal(secrecy("00D7CD01"), SCHSM_APDU_SECRET_DATA);
    assert_int_equal(secrecy("00D70000"), SCHSM_APDU_SECRET_DATA);
    assert_int_equal(secrecy("00FF0000"), everything); /* not in the table */
    assert_int_equal(secrecy("002000"), everything);
    assert_int_equal(secrecy(""), everything);
}

static void names_the_commands(void **state)
{
    (void)state;
    assert_string_equal(schsm_apdu_name(SCHSM_INS_SIGN), "SIGN");
    assert_string_equal(schsm_apdu_name(SCHSM_INS_GENERATE_KEY_PAIR),
                        "GENERATE ASYMMETRIC KEY PAIR");
    assert_string_equal(schsm_apdu_name(0x00), "command");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_the_seven_forms),
        cmocka_unit_test(is_extended_only_where_needed),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(refuses_commands_whose_lengths_disagree),
        cmocka_unit_test(splits_responses),
        cmocka_unit_test(knows_what_must_stay_secret),
        cmocka_unit_test(names_the_commands),
    };

    return cmocka_run_group_tests_name("APDU", tests, NULL, NULL);
}
