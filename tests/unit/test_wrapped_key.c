/* SPDX-License-Identifier: Apache-2.0 */
/* Wrapped keys as other cards make them, and the way there and back (protocol reference sections
 * 14, 23). */
#include "wrapped_keys.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "format/dkek.h"
#include "format/wrapped_key.h"

static struct schsm_error err;

/* Section 23.4: a blob of a real Nitrokey HSM; N of it */
static const char rsa_blob[] =
    "BB391415C05E39D706000A04007F00070202020102000000000000A86826F6C633C7BB0509FE55E2E8A2DB79C08158"
    "B782587A07C3D3305130AC912D316D3D8C13CF1BA94CC1177103E7A2BB71AC28EC2CDFDEB93B61242B0AB3FF7AB7F7"
    "BB48D3984214A7A06B5D52477C17E70C7D5662706A468B54A9102DB6886E33DD2B5B0029121865D422BB5F12F3A13B"
    "DB759A4CB54B8090CA6E5D728EA9579BC72A36C8A1696B9C26A01D80E7956B7D1D81A1DED5791B260F0C3B6E9ADC88"
    "413624C9EF4E7F884C62A6D5776235FA6F08FD770EC602F0B2EE3060529B9CF0BA28F959BA577D6C51EF769CE24E49"
    "11A7C265B749C84494F05992DA856ECC4F0486E57A3C8681D83DDBAF28ABCB7AD99549625F457D2A3DDA02867D4739"
    "DCBE3498E3E239C834A68AB2E376C8932D8413A159A9446B19E29C7CE62E69B0FAB4E2F2A0D1243D19DEA899B91CD4"
    "35B03231B8EF724E33FA2B733E4046A8508325BF4942D271F601B7E197D6EFA137C96047EDBC92AFA176821507A437"
    "36D6A54167246A12F3D02B0838593B22F064AB40BD2A50254825BA66B16989440C8379B27E354AEE5F8F468F2807DD"
    "81A88565BF7894CBA0A109BBADB50FEC457511FC034AF84AF50B1059AAB51DA21DA553A27DA088D47B2765492DF4F4"
    "D6152046E15C8FB628A45638F3715E362A592005533F832F781EC866AC4E43107BCA8932C44FFDECAECD8941865F7A"
    "07EA6CF27253";
static const char rsa_modulus[] =
    "D3DDD24D86EF89F0DA9EE2933517A1117AB0C9B75ACAF261B8699A8F8A76351468B641C9F51071EAA7C681E975D9AF"
    "7BB8F6E3B1BB234DD4A6A65B4E089A94BB7441F6FD8210D4B5CA0275B64921F081181AD3CD137B2EB9BEE9545B2919"
    "617B89C4A4634205342A1A989BB0491C0A20682646D2DCE7699371300637896A04A9";
static const char rsa_random[] = "81BD22DC7A599EAD";

/* Section 23.5 */
static const char ec_blob[] =
    "BB391415C05E39D70C000A04007F00070202020203000000000000F6FD8D5014055BF1DDC9CC6D7A65D40950313E21"
    "D461BCCC0A4188AB9F0690660B3C0F7D4FC3F592995A9AC8367FA728117C7EEF1E0B9D33003DE61ED1F512DA2155C3"
    "C5A84BF818E64900DDAF8BBBBD346621BBE6C6D311A8383D7028DB5A4C5DEA0A88C879B9C1DF795ACABF82E347AE0D"
    "C1E9BED231543D5B62C866262549B4E5D0C7866D083E1FCE4A54269DE9813C3E426DF9454993B97661BA516B9C5EB8"
    "CD6F5F1DE66A810AA0CA573F36A5A5424BFDD592829F7641279AA36E7B02BCBDDDD61F3980C6D37CCEEABA8ED8D838"
    "0D17716477C4CBCD9B4B91EDE729E7812B7CEE9CFF4683898953285D6AD66969D08108718733DEE56CF7BDDFEECE49"
    "E7E25A5D286BCA0E8A0E2D93836EFC152A3FC578A8F7D560CB6068790658A266774AE9A70CA1714F33DE57C3D2C4D4"
    "5446374ECFF58D59FC927B0894F96C11FEB5D20B941C0CB2322CC34C6C8311E829C9";
static const char ec_private[] = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";

/* Section 23.6 */
static const char aes_blob[] =
    "BB391415C05E39D70F00086086480165030401000410111899000000002941CC289F68528A50ADF118FC2AF5004563"
    "103E95E3A86F2C42FC54E8F496C1DB8F4509420525F5CD543FD2EC74E7619FEB9A6A8CDE43AD5A8E773B9964E783";
static const char aes_key[] = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";
static const char counting[] = "0001020304050607";

/* Wraps a key as the blob that is expected was. */
static void assert_wraps_to(EVP_PKEY *key, const char *random, const struct bytes *expected)
{
    struct schsm_secret *dkek = forty_four();
    struct bytes bytes = from_hex(random);
    const struct schsm_wrapping wrapping = { .dkek = dkek, .random = bytes.data };
    uint8_t blob[SCHSM_WRAPPED_MAX];
    size_t len = sizeof(blob);

    if (!schsm_wrapped_key_from_private(NULL, key, &wrapping, blob, &len, &err)) {
        fail_msg("%s", err.text);
    }
    assert_bytes_equal(blob, len, expected->data, expected->len);
    free_bytes(&bytes);
    schsm_secret_free(dkek);
}

static void the_rsa_key_of_a_real_card_comes_out_and_goes_back(void **state)
{
    struct bytes blob = from_hex(rsa_blob);
    struct schsm_secret *dkek = forty_four();
    EVP_PKEY *key = unwrap(&blob, dkek);

    (void)state;
    assert_int_equal(EVP_PKEY_get_bits(key), 1024);
    assert_number(key, OSSL_PKEY_PARAM_RSA_N, rsa_modulus);
    assert_number(key, OSSL_PKEY_PARAM_RSA_E, "010001");
    assert_wraps_to(key, rsa_random, &blob);
    EVP_PKEY_free(key);
    schsm_secret_free(dkek);
    free_bytes(&blob);
}

static void the_ec_key_comes_out_and_goes_back(void **state)
{
    struct bytes blob = from_hex(ec_blob);
    struct schsm_secret *dkek = forty_four();
    EVP_PKEY *key = unwrap(&blob, dkek);

    (void)state;
    assert_number(key, OSSL_PKEY_PARAM_PRIV_KEY, ec_private);
    assert_wraps_to(key, counting, &blob);
    EVP_PKEY_free(key);
    schsm_secret_free(dkek);
    free_bytes(&blob);
}

static void the_aes_key_comes_out(void **state)
{
    static const uint8_t algorithms[] = { 0x10, 0x11, 0x18, 0x99 };
    struct bytes blob = from_hex(aes_blob);
    struct schsm_secret *dkek = forty_four(), *key;
    struct schsm_wrapped_key wrapped;

    (void)state;
    assert_int_equal(schsm_wrapped_key_parse(blob.data, blob.len, &wrapped, &err), 1);
    assert_int_equal(wrapped.type, SCHSM_KEY_AES);
    assert_int_equal(schsm_wrapped_key_bits(&wrapped), 256);
    assert_bytes_equal(wrapped.algorithms.data, wrapped.algorithms.len, algorithms,
                       sizeof(algorithms));
    key = schsm_wrapped_key_secret(NULL, &wrapped, dkek, &err);
    assert_non_null(key);
    assert_bytes_are_hex(schsm_secret_data(key), schsm_secret_len(key), aes_key);
    assert_null(schsm_wrapped_key_private(NULL, &wrapped, dkek, &err));
    schsm_secret_free(key);
    schsm_secret_free(dkek);
    free_bytes(&blob);
}

static void an_aes_key_is_wrapped_as_the_reference_has_it(void **state)
{
    static const uint8_t algorithms[] = { 0x10, 0x11, 0x18, 0x99 };
    struct bytes expected = from_hex(aes_blob), bytes = from_hex(aes_key),
                 random = from_hex(counting);
    struct schsm_secret *dkek = forty_four(), *key = schsm_secret_new(bytes.data, bytes.len, &err);
    struct schsm_secret *odd = schsm_secret_new(bytes.data, 20, &err);
    const struct schsm_wrapping wrapping = { .dkek = dkek,
                                             .algorithms = algorithms,
                                             .algorithms_len = sizeof(algorithms),
                                             .random = random.data };
    uint8_t blob[SCHSM_WRAPPED_MAX];
    size_t len = sizeof(blob);

    (void)state;
    assert_int_equal(schsm_wrapped_key_from_secret(NULL, key, &wrapping, blob, &len, &err), 1);
    assert_bytes_equal(blob, len, expected.data, expected.len);
    len = sizeof(blob);
    assert_int_equal(schsm_wrapped_key_from_secret(NULL, odd, &wrapping, blob, &len, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_ARGUMENT);
    len = 80; /* shorter than the blob */
    assert_int_equal(schsm_wrapped_key_from_secret(NULL, key, &wrapping, blob, &len, &err), 0);
    schsm_secret_free(odd);
    schsm_secret_free(key);
    schsm_secret_free(dkek);
    free_bytes(&random);
    free_bytes(&bytes);
    free_bytes(&expected);
}

/* The lengths are those of section 14.5. */
static void keys_of_all_kinds_come_back_as_they_were(void **state)
{
    static const struct {
        const char *curve;
        size_t len;
    } curves[] = {
        { "P-256", 363 },           { "P-384", 507 },     { "P-521", 667 },
        { "brainpoolP256r1", 363 }, { "secp256k1", 363 }, { "brainpoolP320r1", 0 },
        { "brainpoolP512r1", 0 },   { "P-192", 0 },       { "brainpoolP384t1", 507 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(curves); i++) {
        EVP_PKEY *key = make("EC", curves[i].curve, 0);
        size_t len = wrap_and_unwrap(key);

        assert_true(curves[i].len == 0 || curves[i].len == len);
        EVP_PKEY_free(key);
    }
    EVP_PKEY *rsa = make("RSA", NULL, 2048);

    assert_int_equal(wrap_and_unwrap(rsa), 971);
    EVP_PKEY_free(rsa);
}

static void another_key_is_refused_with_both_check_values(void **state)
{
    struct bytes blob = from_hex(ec_blob);
    struct schsm_secret *dkek =
        secret_from_hex("20B3EE1CABA5ECA7ECEB6BE51F11BD9A04F5FE9A6B0A1E0A8BC13074D32CF830");
    struct schsm_wrapped_key wrapped;

    (void)state;
    assert_int_equal(schsm_wrapped_key_parse(blob.data, blob.len, &wrapped, &err), 1);
    assert_null(schsm_wrapped_key_private(NULL, &wrapped, dkek, &err));
    assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    assert_non_null(strstr(err.text, "BB391415C05E39D7"));
    assert_non_null(strstr(err.text, "0FB85F69F6EBF256"));
    schsm_secret_free(dkek);
    free_bytes(&blob);
}

static int parse_and_open(const uint8_t *data, size_t len)
{
    struct schsm_secret *dkek = forty_four(), *key = NULL;
    struct schsm_wrapped_key wrapped;

    if (schsm_wrapped_key_parse(data, len, &wrapped, NULL)) {
        key = schsm_wrapped_key_secret(NULL, &wrapped, dkek, NULL);
    }
    schsm_secret_free(key);
    schsm_secret_free(dkek);
    return key != NULL;
}

static int parse_and_open_never(const uint8_t *data, size_t len)
{
    assert_int_equal(parse_and_open(data, len), 0);
    return 0;
}

static void a_changed_or_cut_blob_is_never_opened(void **state)
{
    struct bytes blob = from_hex(aes_blob);

    (void)state;
    assert_int_equal(parse_and_open(blob.data, blob.len), 1);
    assert_truncations_fail(&blob, parse_and_open);
    survive_bit_flips(&blob, parse_and_open_never);
    free_bytes(&blob);
}

static void what_the_card_cannot_hold_is_refused(void **state)
{
    static const struct {
        const char *type, *curve;
        unsigned int bits;
    } cases[] = { { "RSA", NULL, 1280 }, { "EC", "P-224", 0 }, { "ED25519", "", 0 } };
    struct schsm_secret *dkek = forty_four();
    const struct schsm_wrapping wrapping = { .dkek = dkek };
    uint8_t blob[SCHSM_WRAPPED_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        EVP_PKEY *key = make(cases[i].type, cases[i].curve, cases[i].bits);
        size_t len = sizeof(blob);

        assert_int_equal(schsm_wrapped_key_from_private(NULL, key, &wrapping, blob, &len, &err), 0);
        assert_int_equal(err.reason, SCHSM_REASON_UNSUPPORTED);
        assert_int_equal(ERR_peek_error(), 0);
        EVP_PKEY_free(key);
    }
    schsm_secret_free(dkek);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rsa_key_of_a_real_card_comes_out_and_goes_back),
        cmocka_unit_test(the_ec_key_comes_out_and_goes_back),
        cmocka_unit_test(the_aes_key_comes_out),
        cmocka_unit_test(an_aes_key_is_wrapped_as_the_reference_has_it),
        cmocka_unit_test(keys_of_all_kinds_come_back_as_they_were),
        cmocka_unit_test(another_key_is_refused_with_both_check_values),
        cmocka_unit_test(a_changed_or_cut_blob_is_never_opened),
        cmocka_unit_test(what_the_card_cannot_hold_is_refused),
    };

    return cmocka_run_group_tests_name("wrapped keys", tests, NULL, NULL);
}
