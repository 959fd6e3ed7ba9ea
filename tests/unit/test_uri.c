/* SPDX-License-Identifier: Apache-2.0 */
/* The sc-hsm: URI: what it takes, what it refuses, and that what we print is read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "keymgmt/uri.h"

static void an_empty_path_names_everything(void **state)
{
    struct schsm_uri uri;

    (void)state;
    assert_true(schsm_uri_parse(&uri, "sc-hsm:", NULL));
    assert_int_equal(uri.key_ref, -1);
    assert_false(schsm_uri_names_object(&uri));
    schsm_uri_clear(&uri);
}

static void every_attribute_is_read(void **state)
{
    struct schsm_uri uri;

    (void)state;
    assert_true(
        schsm_uri_parse(&uri,
                        "sc-hsm:serial=DENK0100186;reader=A%20reader%20%28x%29;key-ref=0x1f;"
                        "id=10ff;label=my%20key%3b%3D;type=private?pin-source=env:PIN",
                        NULL));
    assert_string_equal(uri.serial, "DENK0100186");
    assert_string_equal(uri.reader, "A reader (x)");
    assert_int_equal(uri.key_ref, 31);
    assert_int_equal(uri.id_len, 2);
    assert_memory_equal(uri.id, "\x10\xff", 2);
    assert_string_equal(uri.label, "my key;=");
    assert_int_equal(uri.types, SCHSM_OBJECT_PRIVATE);
    assert_non_null(uri.pin_source);
    assert_true(schsm_uri_names_object(&uri));
    schsm_uri_clear(&uri);
}

static void an_id_is_hex_or_percent_encoded(void **state)
{
    uint8_t id[SCHSM_ID_MAX];
    size_t len = 0;

    (void)state;
    assert_true(schsm_id_parse("10", id, &len, NULL));
    assert_int_equal(len, 1);
    assert_int_equal(id[0], 0x10);
    assert_true(schsm_id_parse("%10a", id, &len, NULL));
    assert_int_equal(len, 2);
    assert_memory_equal(id,
                        "\x10"
                        "a",
                        2);
    assert_true(schsm_id_parse("123", id, &len, NULL));
    assert_int_equal(len, 2);
    assert_memory_equal(id, "\x01\x23", 2);
    assert_false(schsm_id_parse("", id, &len, NULL));
    assert_false(schsm_id_parse("xy", id, &len, NULL));
    assert_false(schsm_id_parse("%1", id, &len, NULL));
}

static void bad_uris_are_refused_by_name(void **state)
{
    static const struct {
        const char *uri;
        const char *says;
    } bad[] = {
        { "pkcs11:id=10", "sc-hsm:" },
        { "sc-hsm:colour=red", "colour" },
        { "sc-hsm:id=10;id=11", "'id' is given twice" },
        { "sc-hsm:id", "'id' has no value" },
        { "sc-hsm:id=zz", "id" },
        { "sc-hsm:key-ref=0", "key-ref" },
        { "sc-hsm:key-ref=256", "key-ref" },
        { "sc-hsm:key-ref=-1", "key-ref" },
        { "sc-hsm:key-ref=1x", "key-ref" },
        { "sc-hsm:key-ref=", "key-ref" },
        { "sc-hsm:label=%g0", "label" },
        { "sc-hsm:label=", "empty" },
        { "sc-hsm:label=a%00b", "zero byte" },
        { "sc-hsm:key-ref=1%000", "zero byte" },
        { "sc-hsm:type=private%00x", "zero byte" },
        { "sc-hsm:?pin-source=file:/a%00b", "zero byte" },
        { "sc-hsm:type=thing", "type" },
        { "sc-hsm:;id=10", "unknown" },
        { "sc-hsm:id=10;pin-value=648219", "pin-value" },
        { "sc-hsm:?id=10", "id" },
        { "sc-hsm:?pin-source=telepathy", "none of file" },
        { "sc-hsm:?pin-source=prompt&pin-value=648219", "not both" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct schsm_error err = SCHSM_ERROR_INIT;
        struct schsm_uri uri;

        if (schsm_uri_parse(&uri, bad[i].uri, &err)) {
            fail_msg("accepted: %s", bad[i].uri);
        }
        assert_int_equal(err.reason, SCHSM_REASON_URI);
        if (strstr(err.text, bad[i].says) == NULL) {
            fail_msg("%s: '%s' does not mention '%s'", bad[i].uri, err.text, bad[i].says);
        }
        assert_null(strstr(err.text, "648219"));
        schsm_uri_clear(&uri);
    }
}

static void an_endless_uri_is_refused(void **state)
{
    char *text = OPENSSL_zalloc(SCHSM_URI_MAX + 100);
    struct schsm_uri uri;

    (void)state;
    memset(text, 'a', SCHSM_URI_MAX + 99);
    OPENSSL_strlcpy(text, "sc-hsm:label=", SCHSM_URI_MAX);
    text[strlen(text)] = 'a'; /* what ended the copy is part of the label */
    assert_false(schsm_uri_parse(&uri, text, NULL));
    schsm_uri_clear(&uri);
    OPENSSL_free(text);
}

static const struct schsm_uri_device the_device = { .serial = "UTSIM000001" };

static void what_is_printed_is_read_back(void **state)
{
    struct schsm_object object = {
        .type = SCHSM_OBJECT_CERTIFICATE,
        .key_ref = 7,
        .id = { 0x00, 0x10, 0xff },
        .id_len = 3,
        .label = "a;b=c?d&e f%g/\xc3\xa4",
    };
    struct schsm_uri uri;
    const struct schsm_uri_device device = { .serial = "UTSIM000001", .reader = "A [b] 00;c/%" };
    char *text = schsm_uri_of_object(&device, &object, true);

    (void)state;
    assert_non_null(text);
    assert_true(schsm_uri_parse(&uri, text, NULL));
    assert_string_equal(uri.serial, "UTSIM000001");
    assert_string_equal(uri.reader, device.reader);
    assert_int_equal(uri.key_ref, 7);
    assert_int_equal(uri.id_len, 3);
    assert_memory_equal(uri.id, object.id, 3);
    assert_string_equal(uri.label, object.label);
    assert_int_equal(uri.types, SCHSM_OBJECT_CERTIFICATE);
    schsm_uri_clear(&uri);
    OPENSSL_free(text);
}

static void a_handle_is_hex_and_printed_on_demand(void **state)
{
    struct schsm_object object = { .type = SCHSM_OBJECT_DATA, .key_ref = -1, .handle = 0xcf01 };
    char *text = schsm_uri_of_object(&the_device, &object, SCHSM_URI_TYPE | SCHSM_URI_HANDLE);
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_uri uri;

    (void)state;
    assert_string_equal(text, "sc-hsm:serial=UTSIM000001;handle=cf01;type=data");
    assert_true(schsm_uri_parse(&uri, text, NULL));
    assert_int_equal(uri.handle, 0xcf01);
    assert_true(schsm_uri_names_object(&uri));
    schsm_uri_clear(&uri);
    OPENSSL_free(text);
    assert_true(schsm_uri_parse(&uri, "sc-hsm:handle=FFFFFFFF", NULL));
    assert_int_equal(uri.handle, 0xffffffff);
    schsm_uri_clear(&uri);
    static const char *const bad[] = { "sc-hsm:handle=", "sc-hsm:handle=0", "sc-hsm:handle=0x1",
                                       "sc-hsm:handle=123456789" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(schsm_uri_parse(&uri, bad[i], &err));
        assert_int_equal(err.reason, SCHSM_REASON_URI);
        assert_non_null(strstr(err.text, "handle"));
        schsm_uri_clear(&uri);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_path_names_everything),
        cmocka_unit_test(every_attribute_is_read),
        cmocka_unit_test(an_id_is_hex_or_percent_encoded),
        cmocka_unit_test(bad_uris_are_refused_by_name),
        cmocka_unit_test(an_endless_uri_is_refused),
        cmocka_unit_test(what_is_printed_is_read_back),
        cmocka_unit_test(a_handle_is_hex_and_printed_on_demand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
