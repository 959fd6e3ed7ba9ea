/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "base/tlv.h"

/* Reads the first element; what it points to lives until the next call. */
static bool first(const char *hex, struct schsm_tlv *tlv, size_t *used)
{
    static struct bytes exact;
    struct bytes bytes = from_hex(hex);
    bool ok;

    free_bytes(&exact);
    exact = copy_bytes(bytes.data, bytes.len);
    free_bytes(&bytes);
    ok = schsm_tlv_first(exact.data, exact.len, tlv);
    *used = ok ? tlv->whole.len : 0;
    return ok;
}

static void reads_tags_of_one_two_and_three_bytes(void **state)
{
    static const struct {
        const char *hex;
        uint32_t tag;
        size_t value_len, used;
    } good[] = {
        { "0400", 0x04, 0, 2 },           { "300102", 0x30, 1, 3 },
        { "5F290100", 0x5F29, 1, 4 },     { "7F2102AABB", 0x7F21, 2, 5 },
        { "7F818201AA", 0x7F8182, 0, 0 }, /* a third byte must end the tag */
        { "7F810201AA", 0x7F8102, 1, 5 }, { "1F00 00", 0x1F00, 0, 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct schsm_tlv tlv;
        size_t used;
        bool ok = first(good[i].hex, &tlv, &used);

        assert_int_equal(ok, good[i].used != 0);
        if (ok) {
            assert_int_equal(tlv.tag, good[i].tag);
            assert_int_equal(tlv.value.len, good[i].value_len);
            assert_int_equal(used, good[i].used);
        }
    }
}

static void takes_lengths_that_are_longer_than_necessary(void **state)
{
    static const char *const forms[] = { "0402AABB", "048102AABB", "04820002AABB", "0483000002AABB",
                                         "048400000002AABB" };

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct schsm_tlv tlv;
        size_t used;

        assert_true(first(forms[i], &tlv, &used));
        assert_bytes_are_hex(tlv.value.data, tlv.value.len, "AABB");
    }
}

static void refuses_what_is_cut_off_or_indefinite(void **state)
{
    static const char *const bad[] = { "",
                                       "04",
                                       "0401",
                                       "7F",
                                       "7F21",
                                       "7F81",
                                       "7F8182",
                                       "0480 0000",
                                       "0481",
                                       "0482FF",
                                       "0485 0000000001",
                                       "04FF",
                                       "0484FFFFFFFF",
                                       "048180AA",
                                       "0403AABB" };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct schsm_tlv tlv;
        size_t used;

        assert_false(first(bad[i], &tlv, &used));
    }
}

static void reading_stops_at_the_first_broken_element_and_says_so(void **state)
{
    static const uint8_t data[] = { 0x04, 0x01, 0xAA, 0x05, 0x00, 0x06, 0x02, 0x01 };
    struct schsm_tlv_reader reader;
    struct schsm_tlv tlv;

    (void)state;
    schsm_tlv_read(&reader, data, 5);
    assert_true(schsm_tlv_next(&reader, &tlv));
    assert_true(schsm_tlv_next(&reader, &tlv));
    assert_false(schsm_tlv_next(&reader, &tlv));
    assert_false(reader.malformed);

    schsm_tlv_read(&reader, data, sizeof(data));
    assert_true(schsm_tlv_next(&reader, &tlv));
    assert_true(schsm_tlv_next(&reader, &tlv));
    assert_false(schsm_tlv_next(&reader, &tlv));
    assert_true(reader.malformed);
    assert_false(schsm_tlv_next(&reader, &tlv));
    assert_false(schsm_tlv_find(data, sizeof(data), 0x06, &tlv));
    assert_true(schsm_tlv_find(data, sizeof(data), 0x05, &tlv));
}

static void nothing_is_read_from_nothing(void **state)
{
    struct schsm_tlv tlv;
    struct schsm_tlv_reader reader;

    (void)state;
    assert_false(schsm_tlv_first(NULL, 0, &tlv));
    assert_false(schsm_tlv_find(NULL, 0, 4, &tlv));
    schsm_tlv_read(&reader, NULL, 0);
    assert_false(schsm_tlv_next(&reader, &tlv));
    assert_false(reader.malformed);
}

static void writes_minimal_lengths(void **state)
{
    static const struct {
        size_t len;
        const char *header;
    } sizes[] = { { 0, "0400" },         { 1, "0401" },          { 127, "047F" },
                  { 128, "048180" },     { 255, "0481FF" },      { 256, "04820100" },
                  { 65535, "0482FFFF" }, { 65536, "0483010000" } };
    static uint8_t value[65536], out[65536 + 8];

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct schsm_tlv_writer writer;
        struct schsm_tlv tlv;
        size_t header_len = strlen(sizes[i].header) / 2, mark;

        schsm_tlv_write(&writer, out, sizeof(out));
        schsm_tlv_put(&writer, 0x04, value, sizes[i].len);
        assert_false(writer.failed);
        assert_int_equal(writer.len, header_len + sizes[i].len);
        assert_bytes_are_hex(out, header_len, sizes[i].header);
        assert_true(schsm_tlv_first(out, writer.len, &tlv));
        assert_int_equal(tlv.value.len, sizes[i].len);

        schsm_tlv_write(&writer, out, sizeof(out));
        mark = schsm_tlv_begin(&writer, 0x04);
        schsm_tlv_put_raw(&writer, value, sizes[i].len);
        schsm_tlv_end(&writer, mark);
        assert_false(writer.failed);
        assert_int_equal(writer.len, header_len + sizes[i].len);
        assert_bytes_are_hex(out, header_len, sizes[i].header);
    }
}

static void writes_nested_elements_and_integers(void **state)
{
    uint8_t out[64];
    struct schsm_tlv_writer writer;
    size_t a, b;

    (void)state;
    schsm_tlv_write(&writer, out, sizeof(out));
    a = schsm_tlv_begin(&writer, 0x7F49);
    schsm_tlv_put_integer(&writer, 0);
    schsm_tlv_put_integer(&writer, 127);
    b = schsm_tlv_begin(&writer, 0x30);
    schsm_tlv_put_integer(&writer, 128);
    schsm_tlv_put_integer(&writer, 0xFFFFFFFF);
    schsm_tlv_end(&writer, b);
    schsm_tlv_put_byte(&writer, 0x810203, 9);
    schsm_tlv_end(&writer, a);
    assert_false(writer.failed);
    assert_bytes_are_hex(out, writer.len,
                         "7F4918 020100 02017F 300B 02020080 020500FFFFFFFF 8102030109");
}

static void never_writes_beyond_the_buffer(void **state)
{
    static const uint8_t value[20] = { 1 };

    (void)state;
    for (size_t capacity = 0; capacity < 27; capacity++) {
        struct bytes out = copy_bytes((uint8_t[32]){ 0 }, capacity);
        struct schsm_tlv_writer writer;
        size_t mark;

        schsm_tlv_write(&writer, out.data, capacity);
        mark = schsm_tlv_begin(&writer, 0x7F21);
        schsm_tlv_put(&writer, 0x5F37, value, sizeof(value));
        schsm_tlv_end(&writer, mark);
        assert_int_equal(writer.failed, capacity < 26);
        assert_true(writer.len <= capacity);
        free_bytes(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_tags_of_one_two_and_three_bytes),
        cmocka_unit_test(takes_lengths_that_are_longer_than_necessary),
        cmocka_unit_test(refuses_what_is_cut_off_or_indefinite),
        cmocka_unit_test(reading_stops_at_the_first_broken_element_and_says_so),
        cmocka_unit_test(nothing_is_read_from_nothing),
        cmocka_unit_test(writes_minimal_lengths),
        cmocka_unit_test(writes_nested_elements_and_integers),
        cmocka_unit_test(never_writes_beyond_the_buffer),
    };

    return cmocka_run_group_tests_name("BER-TLV", tests, NULL, NULL);
}
