/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "format/key_policy.h"

static struct schsm_key_policy read_policy(const char *hex)
{
    struct bytes file = from_hex(hex), exact = copy_bytes(file.data, file.len);
    struct schsm_key_policy policy;

    schsm_key_policy_read(exact.data, exact.len, &policy);
    free_bytes(&exact);
    free_bytes(&file);
    return policy;
}

static void reads_what_it_writes(void **state)
{
    static const uint8_t algorithms[] = { 0x10, 0x11, 0x18, 0x99 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_tlv_writer writer;
    struct schsm_key_policy policy;
    uint8_t out[32];

    (void)state;
    schsm_tlv_write(&writer, out, sizeof(out));
    assert_int_equal(schsm_key_policy_put(&writer, algorithms, sizeof(algorithms), 1000, 3, &err),
                     1);
    assert_bytes_are_hex(out, writer.len, "9004000003E8 910410111899 920103");
    schsm_key_policy_read(out, writer.len, &policy);
    assert_true(policy.known);
    assert_true(policy.limited);
    assert_int_equal(policy.uses_left, 1000);
    assert_int_equal(policy.key_domain, 3);
    assert_bytes_are_hex(policy.algorithms, policy.algorithms_len, "10111899");

    schsm_tlv_write(&writer, out, sizeof(out));
    assert_int_equal(schsm_key_policy_put(&writer, NULL, 0, 0, -1, &err), 1);
    assert_int_equal(writer.len, 0);
}

static void refuses_what_no_card_takes(void **state)
{
    static const uint8_t algorithms[SCHSM_ALGORITHMS_MAX + 1] = { 0 };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_tlv_writer writer;
    uint8_t out[64];

    (void)state;
    schsm_tlv_write(&writer, out, sizeof(out));
    assert_int_equal(schsm_key_policy_put(&writer, algorithms, sizeof(algorithms), 0, 0, &err), 0);
    assert_int_equal(schsm_key_policy_put(&writer, algorithms, 0, 0, 0, &err), 0);
    assert_int_equal(schsm_key_policy_put(&writer, NULL, 0, 0, 256, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
}

static void tells_nothing_that_it_does_not_know(void **state)
{
    (void)state;
    assert_false(read_policy("").known);
    assert_false(read_policy("8102FFFF").known);
    assert_false(read_policy("9002FFFF").known);
    assert_false(read_policy("9111 0000000000000000000000000000000000 920101").known);
    assert_int_equal(read_policy("9111 0000000000000000000000000000000000").key_domain, -1);
    assert_false(read_policy("9004FFFFFFFF").limited);
    assert_int_equal(read_policy("9004FFFFFFFF").key_domain, 0);
    assert_true(read_policy("900400000000").limited);
    assert_int_equal(read_policy("9100").algorithms_len, 0);
    assert_true(read_policy("9100").known);
    assert_int_equal(read_policy("9004000000").known, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(refuses_what_no_card_takes),
        cmocka_unit_test(tells_nothing_that_it_does_not_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
