/* SPDX-License-Identifier: Apache-2.0 */
/* The pkcs11: URI: what it becomes, what is ignored and what is refused, and how labels are shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "keymgmt/pkcs11_uri.h"
#include "registry/shown_label.h"

static void what_p11tool_prints_is_read(void **state)
{
    struct schsm_uri uri;

    (void)state;
    assert_true(schsm_pkcs11_uri_parse(
        &uri,
        "pkcs11:model=PKCS%2315%20emulated;manufacturer=www.CardContact.de;serial=DENK0100186;"
        "token=SmartCard-HSM%20%28UserPIN%29;id=%10%00%ffa;object=a%20key%3b;type=private",
        NULL));
    assert_string_equal(uri.serial, "DENK0100186");
    assert_string_equal(uri.shown, "SmartCard-HSM (UserPIN)");
    assert_null(uri.token);
    assert_null(uri.reader);
    assert_int_equal(uri.id_len, 4);
    assert_memory_equal(uri.id,
                        "\x10\x00\xff"
                        "a",
                        4);
    assert_string_equal(uri.label, "a key;");
    assert_int_equal(uri.types, SCHSM_OBJECT_PRIVATE);
    assert_int_equal(uri.key_ref, -1);
    assert_null(uri.pin_source);
    assert_true(schsm_uri_names_object(&uri));
    schsm_uri_clear(&uri);
}

static void every_type_has_its_name(void **state)
{
    static const struct {
        const char *uri;
        unsigned int types;
    } types[] = {
        { "pkcs11:", 0 },
        { "PKCS11:type=private", SCHSM_OBJECT_PRIVATE },
        { "pkcs11:type=public", SCHSM_OBJECT_PUBLIC },
        { "pkcs11:type=cert", SCHSM_OBJECT_CERTIFICATE },
        { "pkcs11:type=data", SCHSM_OBJECT_DATA },
        { "pkcs11:type=secret-key", SCHSM_OBJECT_SECRET },
        { "pkcs11:manufacturer=Pol%20Henarejos;model=PKCS%2315%20emulated;type=cert",
          SCHSM_OBJECT_CERTIFICATE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct schsm_uri uri;

        assert_true(schsm_pkcs11_uri_parse(&uri, types[i].uri, NULL));
        assert_int_equal(uri.types, types[i].types);
        assert_false(schsm_uri_names_object(&uri));
        schsm_uri_clear(&uri);
    }
}

static void what_names_a_module_is_ignored(void **state)
{
    struct schsm_uri uri;

    (void)state;
    assert_true(schsm_pkcs11_uri_parse(
        &uri,
        "pkcs11:library-manufacturer=OpenSC%20Project;library-description=OpenSC;"
        "library-version=0.23;slot-description=A%20reader;token=x;model=SoftHSM%20v2"
        "?module-name=opensc-pkcs11&module-path=/usr/lib/opensc-pkcs11.so",
        NULL));
    assert_string_equal(uri.reader, "A reader");
    assert_string_equal(uri.shown, "x");
    assert_null(uri.pin_source);
    schsm_uri_clear(&uri);
}

/* Reads the PIN that a URI leads to. */
static void read_pin(const char *text, const char *expected)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_secret *pin = NULL;
    struct schsm_uri uri;

    if (!schsm_pkcs11_uri_parse(&uri, text, &err)) {
        fail_msg("%s: %s", text, err.text);
    }
    if (!schsm_pin_source_read(uri.pin_source, NULL, &pin, &err)) {
        fail_msg("%s: %s", text, err.text);
    }
    assert_int_equal(schsm_secret_len(pin), strlen(expected));
    assert_memory_equal(schsm_secret_data(pin), expected, strlen(expected));
    schsm_secret_free(pin);
    schsm_uri_clear(&uri);
}

static void a_pin_comes_from_a_file_or_the_uri(void **state)
{
    static const char *const forms[] = {
        "pkcs11:?pin-source=%s",
        "pkcs11:?pin-source=file:%s",
        "pkcs11:?pin-source=file://%s",
        "pkcs11:?pin-source=file://localhost%s",
    };
    char path[] = "/tmp/test_pkcs11_uri.XXXXXX", text[200];
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "648219\n", 7), 7);
    (void)close(fd);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof(text), forms[i], path);
#pragma GCC diagnostic pop
        read_pin(text, "648219");
    }
    (void)unlink(path);
    read_pin("pkcs11:?pin-value=64%388%32", "64882");
}

static void bad_uris_are_refused_by_name(void **state)
{
    static const struct {
        const char *uri;
        const char *says;
    } bad[] = {
        { "sc-hsm:id=10", "'pkcs11:'" },
        { "pkcs11", "'pkcs11:'" },
        { "pkcs11x:", "'pkcs11:'" },
        { "pkcs11:colour=red", "colour" },
        { "pkcs11:x-vendor=1", "x-vendor" },
        { "pkcs11:web", "object=web" },
        { "pkcs11:10", "object=10" },
        { "pkcs11:id=", "id=%10" },
        { "pkcs11:id=%1", "percent-encoding" },
        { "pkcs11:id=%zz", "percent-encoding" },
        { "pkcs11:id=%10;id=%11", "'id' is given twice" },
        { "pkcs11:object=a;object=a", "'object' is given twice" },
        { "pkcs11:object=", "empty" },
        { "pkcs11:object=a%00b", "object: the value contains a zero byte" },
        { "pkcs11:type=private%00", "type: the value contains a zero byte" },
        { "pkcs11:type=secret", "secret-key" },
        { "pkcs11:token=", "empty" },
        { "pkcs11:serial=", "empty" },
        { "pkcs11:slot-id=0;object=web", "slot-id" },
        { "pkcs11:slot-manufacturer=x", "slot-manufacturer" },
        { "pkcs11:model=SoftHSM%20v2;object=web", "serial or token" },
        { "pkcs11:manufacturer=Yubico%20%28www.yubico.com%29;id=%01", "serial or token" },
        { "pkcs11:?pin-source=|cat%20/etc/pin", "no program" },
        { "pkcs11:?pin-source=file://elsewhere/etc/pin", "another machine" },
        { "pkcs11:?pin-source=file:/etc/pin%00.txt", "zero byte" },
        { "pkcs11:?pin-source=http://localhost/pin", "none of file" },
        { "pkcs11:?pin-source=648219", "none of file" },
        { "pkcs11:?pin-source=", "none of file" },
        { "pkcs11:?pin-source=prompt&pin-value=648219", "not both" },
        { "pkcs11:?pin-value=648219&pin-source=prompt", "not both" },
        { "pkcs11:pin-value=648219", "pin-value" },
        { "pkcs11:?object=web", "object" },
        { "pkcs11:?x-pin=648219", "x-pin" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct schsm_error err = SCHSM_ERROR_INIT;
        struct schsm_uri uri;

        if (schsm_pkcs11_uri_parse(&uri, bad[i].uri, &err)) {
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

static void an_id_has_its_longest(void **state)
{
    char text[sizeof("pkcs11:id=") + SCHSM_ID_MAX + 1] = "pkcs11:id=";
    struct schsm_uri uri;

    (void)state;
    memset(text + strlen("pkcs11:id="), 'a', SCHSM_ID_MAX);
    assert_true(schsm_pkcs11_uri_parse(&uri, text, NULL));
    assert_int_equal(uri.id_len, SCHSM_ID_MAX);
    schsm_uri_clear(&uri);
    text[strlen(text)] = 'a';
    assert_false(schsm_pkcs11_uri_parse(&uri, text, NULL));
    schsm_uri_clear(&uri);
}

static void the_scheme_decides(void **state)
{
    struct schsm_uri uri;

    (void)state;
    assert_true(schsm_uri_parse_any(&uri, "pkcs11:id=10", NULL));
    assert_memory_equal(uri.id, "10", 2);
    schsm_uri_clear(&uri);
    assert_true(schsm_uri_parse_any(&uri, "sc-hsm:id=10", NULL));
    assert_memory_equal(uri.id, "\x10", 1);
    schsm_uri_clear(&uri);
    assert_false(schsm_uri_parse(&uri, "pkcs11:object=web", NULL));
    schsm_uri_clear(&uri);
}

static void labels_are_shown_as_opensc_does(void **state)
{
    static const struct {
        const char *shown, *label;
        bool fits;
    } labels[] = {
        { "SmartCard-HSM", "SmartCard-HSM", true },
        { "SmartCard-HSM (UserPIN)", "SmartCard-HSM", true },
        { "SmartCard-HSM (UserPIN)", "", true },
        { "SmartCard-HSM", "", true },
        { "SmartCard-HSM (SOPIN)", "SmartCard-HSM", false },
        { "SmartCard-HSM 2 (UserPIN)", "SmartCard-HSM", false },
        { "SmartCard (UserPIN)", "SmartCard-HSM", false },
        { "smartcard-hsm", "SmartCard-HSM", false },
        { "", "SmartCard-HSM", false },
        { " (UserPIN)", "", false },
        { "... (UserPIN)", "SmartCard-HSM", false },
        { "a label of thirty-t... (UserPIN)", "a label of thirty-two characters", true },
        { "a label of thirty-... (UserPIN)", "a label of thirty-two characters", false },
        { "a label of thirt... (UserPIN)", "a label of thirty-two characters", false },
        { "a label of thirty-two characters", "a label of thirty-two characters", true },
        { "twenty-two characters (UserPIN)", "twenty-two characters", true },
        { "twenty-two characte... (UserPIN)", "twenty-two characters!!", true },
        { "twenty-two characte... (UserPIN)", "twenty-two characters!", false },
        { "twenty-two characte... (UserPIN)", "twenty-two characts of a play", false },
        { "SmartCard-... (UserPIN)", "SmartCard-HSM", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (schsm_shown_label_fits(labels[i].shown, labels[i].label) != labels[i].fits) {
            fail_msg("'%s' for '%s'", labels[i].shown, labels[i].label);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_p11tool_prints_is_read),
        cmocka_unit_test(every_type_has_its_name),
        cmocka_unit_test(what_names_a_module_is_ignored),
        cmocka_unit_test(a_pin_comes_from_a_file_or_the_uri),
        cmocka_unit_test(bad_uris_are_refused_by_name),
        cmocka_unit_test(an_id_has_its_longest),
        cmocka_unit_test(the_scheme_decides),
        cmocka_unit_test(labels_are_shown_as_opensc_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
