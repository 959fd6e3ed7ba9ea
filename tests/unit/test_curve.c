/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <openssl/obj_mac.h>
#include <string.h>

#include "format/curve.h"

static struct schsm_view view(const uint8_t *data, size_t len)
{
    return (struct schsm_view){ data, len };
}

static const struct schsm_view absent = { NULL, 0 };

static void knows_the_eighteen_curves_of_the_card(void **state)
{
    size_t count = 0;

    (void)state;
    for (const struct schsm_curve *curve; (curve = schsm_curve_at(count)) != NULL; count++) {
        assert_ptr_equal(schsm_curve_by_nid(curve->nid), curve);
        assert_ptr_equal(schsm_curve_by_name(curve->name), curve);
        assert_ptr_equal(schsm_curve_by_name(curve->oid), curve);
        assert_int_equal(curve->field_len, (curve->bits + 7) / 8);
        assert_true(curve->field_len <= SCHSM_FIELD_MAX);
    }
    assert_int_equal(count, 18);
    assert_null(schsm_curve_at((size_t)-1));
}

static void finds_a_curve_by_each_of_its_names(void **state)
{
    (void)state;
    assert_int_equal(schsm_curve_by_name("prime256v1")->nid, NID_X9_62_prime256v1);
    assert_int_equal(schsm_curve_by_name("P-256")->nid, NID_X9_62_prime256v1);
    assert_int_equal(schsm_curve_by_name("SECP256R1")->nid, NID_X9_62_prime256v1);
    assert_int_equal(schsm_curve_by_name("brainpoolp512R1")->nid, NID_brainpoolP512r1);
    assert_int_equal(schsm_curve_by_name("1.3.132.0.10")->nid, NID_secp256k1);
    assert_null(schsm_curve_by_name("secp224r1"));
    assert_null(schsm_curve_by_name("X25519"));
    assert_null(schsm_curve_by_name(""));
    assert_null(schsm_curve_by_name(NULL));
    assert_null(schsm_curve_by_nid(NID_undef));
    assert_null(schsm_curve_by_nid(NID_X25519));
}

static void tells_each_curve_by_its_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; schsm_curve_at(i) != NULL; i++) {
        const struct schsm_curve *curve = schsm_curve_at(i);
        struct schsm_curve_parameters d;
        uint8_t padded[SCHSM_FIELD_MAX + 1] = { 0 };
        size_t len = curve->field_len;

        assert_int_equal(schsm_curve_parameters(curve, &d, NULL), 1);
        assert_int_equal(d.field_len, len);
        assert_int_equal(d.g[0], 4);
        assert_ptr_equal(
            schsm_curve_by_parameters(view(d.p, len), view(d.a, len), absent, absent, absent),
            curve);
        assert_ptr_equal(schsm_curve_by_parameters(view(d.p, len), view(d.a, len), view(d.b, len),
                                                   view(d.g, 1 + 2 * len), view(d.n, len)),
                         curve);
        memcpy(padded + 1, d.p, len);
        assert_ptr_equal(schsm_curve_by_parameters(view(padded, len + 1), view(d.a, len), absent,
                                                   absent, absent),
                         curve);
    }
}

static void a_foreign_generator_or_order_is_no_known_curve(void **state)
{
    const struct schsm_curve *curve = schsm_curve_by_name("P-256");
    struct schsm_curve_parameters d;
    uint8_t *const parts[] = { d.p, d.a, d.b, d.g, d.n };

    (void)state;
    assert_int_equal(schsm_curve_parameters(curve, &d, NULL), 1);
    for (size_t i = 0; i < COUNT(parts); i++) {
        parts[i][31] ^= 1;
        assert_null(schsm_curve_by_parameters(view(d.p, 32), view(d.a, 32), view(d.b, 32),
                                              view(d.g, 65), view(d.n, 32)));
        parts[i][31] ^= 1;
    }
    assert_null(schsm_curve_by_parameters(view(d.p, 32), view(d.a, 32), view(d.b, 32),
                                          view(d.g, 64), view(d.n, 32)));
    assert_null(schsm_curve_by_parameters(absent, absent, absent, absent, absent));
    assert_null(schsm_curve_by_parameters(view(d.p, 32), absent, absent, absent, absent));
}

static void secp521r1_parameters_keep_their_leading_zero(void **state)
{
    struct schsm_curve_parameters d;

    (void)state;
    assert_int_equal(schsm_curve_parameters(schsm_curve_by_name("P-521"), &d, NULL), 1);
    assert_int_equal(d.field_len, 66);
    assert_int_equal(d.p[0], 1);
    assert_int_equal(d.b[0], 0);
    assert_int_equal(d.b[1], 0x51);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_eighteen_curves_of_the_card),
        cmocka_unit_test(finds_a_curve_by_each_of_its_names),
        cmocka_unit_test(tells_each_curve_by_its_parameters),
        cmocka_unit_test(a_foreign_generator_or_order_is_no_known_curve),
        cmocka_unit_test(secp521r1_parameters_keep_their_leading_zero),
    };

    return cmocka_run_group_tests_name("curves", tests, NULL, NULL);
}
