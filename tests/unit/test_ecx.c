/* SPDX-License-Identifier: Apache-2.0 */
/* Montgomery and Edwards keys: what a Pico HSM (v6.6, with EdDSA) answered to GENERATE. */
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "format/cvc.h"
#include "format/ecx.h"
#include "format/pkcs15.h"
#include "format/public_key.h"
#include "format/spki.h"

static const struct sample {
    enum schsm_key_type type;
    unsigned int bits;
    const char *request; /* file CE */
    const char *spki;
} samples[] = {
    { SCHSM_KEY_ED25519, 255,
      "6782015A7F218201007F4E81B95F29010042095554434130303030317F498194060A04007F000702"
      "0205020381207FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED8220"
      "1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED8320586666666666"
      "6666666666666666666666666666666666666666666666666666842084654E8508A8C7F078F5FC24"
      "A52DF7CF30436BBA23D6C89B3693B0651764FE8F5F200F55544B4559303030303130303030315F37"
      "40B533DB8C7AF55A79D89DDAC9FF1316D3301D663FE930C310F3CC2F8DB56248320CF71164DCE50C"
      "C26D010E7191D34817FFC8CC624CF56CF26BEA54F93D9DB711421045535049434F48534D54523030"
      "3030315F3740CDAACA3E31D69F28694F30494D718643170AAF8F31123A6A6FDCE6EBE9CAF5B63F85"
      "9E0E0ECB59F7FA918380F798544694ED0742B303C57371A419CCE9E4B0AB",
      "302A300506032B657003210084654E8508A8C7F078F5FC24A52DF7CF30436BBA23D6C89B3693B065"
      "1764FE8F" },
    { SCHSM_KEY_ED448, 448,
      "678201EF7F218201957F4E82011B5F29010042095554434130303030317F4981F6060A04007F0007"
      "02020502038138FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFFFF"
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF82383FFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
      "FFFFFFFFFFFFFFFFFFFFFFFFFF7CCA23E9C44EDB49AED63690216CC2728DC58F552378C292AB5844"
      "F3833914FA30F25B790898ADC8D74E2C13BDFDC4397CE61CFFD33AD7C2A0051E9C78874098A36C73"
      "73EA4B62C7C9563720768824BCB66E71463F69008439F4D2E16B02987D1841FA281184F6439FE496"
      "4058B15788A3FAB426F3FA54234254568AF24D48F4D5ACF44DF286C2480161BD44445C7AD1C2005F"
      "200F55544B4559303030303130303030315F377200C443CC0D7CC10C47882419E94FA8C39A0C72F3"
      "AA9F1968F8CEBAEA2AEBF7420DD7CA35B86D38102D8C8FB362D843AF2FDD278C1E48002CB200134B"
      "B75C099C2C31FF0BB1BF00E732441D491F4507F3650EF78C26FC271F35F904EA66BFBBA4748D4601"
      "D70C459332A1A4155FDAA619405C421045535049434F48534D545230303030315F37409567D507CA"
      "565230F66ED2C304C794514418C5CA523DBB3426D0E0B38EDBB53C483C205760562D08542FC330D1"
      "3496C9C1D0122CCD8D6137EDAA22A4CACBB5EA",
      "3043300506032B6571033A00F4D2E16B02987D1841FA281184F6439FE4964058B15788A3FAB426F3"
      "FA54234254568AF24D48F4D5ACF44DF286C2480161BD44445C7AD1C200" },
    { SCHSM_KEY_X25519, 255,
      "6782015A7F218201007F4E81B95F29010042095554434130303030317F498194060A04007F000702"
      "0205020381207FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED8220"
      "1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED8320090000000000"
      "00000000000000000000000000000000000000000000000000008420329131B5EA7FAC112ED8A673"
      "D03D058A7B689B9A247C510A84083279535861655F200F55544B4559303030303130303030315F37"
      "40000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000421045535049434F48534D54523030"
      "3030315F3740735850BAF1D3240FDB160D30AE3CB5C5B24D11C90D05629CE74CCC67101524C05413"
      "A0950EC993A4BEB92370038B409B2AA47A05ADBFF28FF32546825C31F3CB",
      "302A300506032B656E032100329131B5EA7FAC112ED8A673D03D058A7B689B9A247C510A84083279"
      "53586165" },
    { SCHSM_KEY_X448, 448,
      "678201EB7F218201917F4E8201195F29010042095554434130303030317F4981F4060A04007F0007"
      "02020502038138FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFFFF"
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF82383FFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
      "FFFFFFFFFFFFFFFFFFFFFFFFFF7CCA23E9C44EDB49AED63690216CC2728DC58F552378C292AB5844"
      "F3833805000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000000000000000000000008438019BF5DAD66509DE39274812BF4A832DE7D8D9"
      "4D3696F140FDFDC90F8DC42435F5F32782A5661154DA763D9FACC19C546042A182790CDA8D5F200F"
      "55544B4559303030303130303030315F377000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000421045535049434F48534D545230303030315F37405931E806525EC5B0E1"
      "4BFCDC74095DA10B96377ECF6836A0384783C95EC4FE3189A7248E71ACBF7162224C348FB14382CE"
      "4E22DCABBBF53F818C0DBB78FD83A9",
      "3042300506032B656F033900019BF5DAD66509DE39274812BF4A832DE7D8D94D3696F140FDFDC90F"
      "8DC42435F5F32782A5661154DA763D9FACC19C546042A182790CDA8D" },
};

static void reads_the_public_key_that_the_device_tells(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct bytes file = from_hex(samples[i].request);
        enum schsm_key_type type = SCHSM_KEY_NONE;
        struct schsm_error err = SCHSM_ERROR_INIT;
        unsigned int bits = 0;
        uint8_t *spki = NULL;
        const uint8_t *at;
        size_t len = 0;
        EVP_PKEY *key;

        assert_int_equal(schsm_public_key_from_ce(file.data, file.len, &spki, &len, &err), 1);
        assert_bytes_are_hex(spki, len, samples[i].spki);
        schsm_spki_describe(spki, len, &type, &bits);
        assert_int_equal(type, samples[i].type);
        assert_int_equal(bits, samples[i].bits);
        at = spki;
        key = d2i_PUBKEY(NULL, &at, (long)len);
        assert_non_null(key);
        assert_true(EVP_PKEY_is_a(key, schsm_ecx_by_type(type)->name));
        EVP_PKEY_free(key);
        OPENSSL_free(spki);
        free_bytes(&file);
    }
}

static int verify(const struct schsm_cvc_request *request, struct schsm_error *err)
{
    return schsm_cvc_verify(&request->cvc.key, NULL, request->cvc.body.data, request->cvc.body.len,
                            request->cvc.signature.data, request->cvc.signature.len, err);
}

static void verifies_what_an_edwards_key_signed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct bytes file = from_hex(samples[i].request);
        struct schsm_error err = SCHSM_ERROR_INIT;
        struct schsm_cvc_request request;
        bool signs = schsm_ecx_by_type(samples[i].type)->signature_len > 0;

        assert_int_equal(schsm_cvc_parse_request(file.data, file.len, &request, &err), 1);
        assert_int_equal(verify(&request, &err), signs);
        if (signs) {
            file.data[request.cvc.body.data + 40 - file.data] ^= 1;
            assert_int_equal(verify(&request, &err), 0);
            assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
        } else {
            assert_int_equal(err.reason, SCHSM_REASON_UNSUPPORTED);
        }
        free_bytes(&file);
    }
}

static int parse(const uint8_t *data, size_t len)
{
    uint8_t *spki = NULL;
    size_t spki_len = 0;
    int ok = schsm_public_key_from_ce(data, len, &spki, &spki_len, NULL);

    OPENSSL_free(spki);
    return ok;
}

static void damaged_requests_are_refused_or_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct bytes file = from_hex(samples[i].request);

        assert_truncations_fail(&file, parse);
        survive_bit_flips(&file, parse);
        free_bytes(&file);
    }
}

static void builds_the_request_for_each_curve(void **state)
{
    static const size_t fields[] = { 32, 56, 32, 56 };

    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct schsm_cvc_generate spec = { .type = samples[i].type, .key_domain = -1 };
        const struct schsm_ecx *curve = schsm_ecx_by_type(samples[i].type);
        uint8_t body[SCHSM_CVC_GENERATE_MAX];
        size_t len = sizeof(body);
        struct schsm_tlv key, part;

        assert_int_equal(schsm_cvc_build_generate(&spec, body, &len, NULL), 1);
        assert_true(schsm_tlv_find(body, len, 0x7F49, &key));
        assert_true(schsm_tlv_find(key.value.data, key.value.len, 0x06, &part));
        assert_bytes_are_hex(part.value.data, part.value.len, "04007F00070202020203");
        assert_true(schsm_tlv_find(key.value.data, key.value.len, 0x81, &part));
        assert_true(schsm_view_equal(part.value, curve->p));
        assert_int_equal(part.value.len, fields[i]);
        assert_true(schsm_tlv_find(key.value.data, key.value.len, 0x83, &part));
        assert_true(schsm_view_equal(part.value, curve->base));
        assert_false(schsm_tlv_find(key.value.data, key.value.len, 0x82, &part));
    }
}

/* Size and usage tell the kind; what the device itself writes (256 bits, signing and derivation)
 * does not, and only CE does then. */
static void descriptions_tell_the_kind(void **state)
{
    struct bytes device = from_hex("A01A30020C0030080401320303072080A10A30083002040002020100");
    struct schsm_pkcs15_key key;

    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct schsm_pkcs15_key ours = {
            .type = samples[i].type, .bits = samples[i].bits, .id = { 7 }, .id_len = 1
        };
        uint8_t file[SCHSM_PKCS15_MAX];
        size_t len = sizeof(file);

        assert_int_equal(schsm_pkcs15_encode_key(&ours, file, &len, NULL), 1);
        assert_int_equal(file[0], 0xA0);
        assert_int_equal(schsm_pkcs15_decode_key(file, len, &key, NULL), 1);
        assert_int_equal(key.type, samples[i].type);
        assert_int_equal(key.bits, samples[i].bits);
    }
    assert_int_equal(schsm_pkcs15_decode_key(device.data, device.len, &key, NULL), 1);
    assert_int_equal(key.type, SCHSM_KEY_EC);
    free_bytes(&device);
}

static void names_and_types(void **state)
{
    (void)state;
    assert_int_equal(schsm_ecx_by_name("Ed25519")->type, SCHSM_KEY_ED25519);
    assert_int_equal(schsm_ecx_by_name("x448")->type, SCHSM_KEY_X448);
    assert_null(schsm_ecx_by_name("ed"));
    assert_null(schsm_ecx_by_type(SCHSM_KEY_EC));
    assert_null(schsm_ecx_by_oid((struct schsm_view){ (const uint8_t *)"\x2B\x65\x72", 3 }));
    assert_null(schsm_ecx_by_oid((struct schsm_view){ NULL, 0 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_public_key_that_the_device_tells),
        cmocka_unit_test(verifies_what_an_edwards_key_signed),
        cmocka_unit_test(damaged_requests_are_refused_or_survived),
        cmocka_unit_test(builds_the_request_for_each_curve),
        cmocka_unit_test(descriptions_tell_the_kind),
        cmocka_unit_test(names_and_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
