/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: defaults, every key, and sentences that name section and key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "keymgmt/config.h"

static void defaults_are_the_documented_ones(void **state)
{
    struct schsm_config config;

    (void)state;
    schsm_config_init(&config);
    assert_int_equal(config.min_pin_tries, 2);
    assert_int_equal(config.login, SCHSM_LOGIN_LOAD);
    assert_false(config.cache_pin);
    assert_false(config.pkcs11_uris);
    assert_int_equal(config.secure_channel, SCHSM_CHANNEL_OFF);
    assert_null(config.roots);
    assert_int_equal(config.log, SCHSM_LOG_OFF);
    schsm_config_clear(&config);
}

static void every_key_has_a_good_value(void **state)
{
    static const struct {
        const char *key;
        const char *value;
    } good[] = {
        { "log", "apdu" },        { "log-file", "/tmp/x" },     { "serial", "DENK0100186" },
        { "reader", "A reader" }, { "pin-source", "env:PIN" },  { "min-pin-tries", "3" },
        { "login", "use" },       { "cache-pin", "yes" },       { "secure-channel", "require" },
        { "token", "A token" },   { "pkcs11-module", "/x.so" }, { "verify", "first" },
        { "wait", "5" },          { "pool", "share" },          { "pool-devices", "A1,B2" },
        { "pkcs11-uris", "yes" },
    };
    struct schsm_config config;
    size_t keys = 0;

    (void)state;
    schsm_config_init(&config);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(schsm_config_set(&config, "section", good[i].key, good[i].value, NULL));
    }
    while (schsm_config_key(keys) != NULL) {
        keys++;
    }
    /* All but `pin`, which excludes pin-source, and `root`, which needs a file. */
    assert_int_equal(keys, sizeof(good) / sizeof(good[0]) + 2);
    assert_int_equal(config.secure_channel, SCHSM_CHANNEL_REQUIRE);
    assert_int_equal(config.min_pin_tries, 3);
    assert_int_equal(config.login, SCHSM_LOGIN_USE);
    assert_true(config.cache_pin);
    assert_true(config.pkcs11_uris);
    assert_int_equal(config.log, SCHSM_LOG_APDU);
    assert_string_equal(config.serial, "DENK0100186");
    schsm_config_clear(&config);
}

static void bad_values_name_section_and_key(void **state)
{
    static const struct {
        const char *key;
        const char *value;
    } bad[] = {
        { "log", "loud" },
        { "pin-source", "telepathy" },
        { "min-pin-tries", "0" },
        { "min-pin-tries", "x" },
        { "login", "later" },
        { "cache-pin", "maybe" },
        { "pkcs11-uris", "on" },
        { "secure-channel", "sometimes" },
        { "root", "/nowhere" },
        { "root", "/dev/null" },
        { "root", "/proc/self/exe" },
        { "serial", "" },
        { "colour", "red" },
        { "serial", "a serial number that is longer than any device has" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct schsm_config config;
        struct schsm_error err = SCHSM_ERROR_INIT;

        schsm_config_init(&config);
        assert_false(schsm_config_set(&config, "section [x]", bad[i].key, bad[i].value, &err));
        assert_int_equal(err.reason, SCHSM_REASON_CONFIG);
        assert_non_null(strstr(err.text, bad[i].key));
        assert_non_null(strstr(err.text, "section [x]"));
        schsm_config_clear(&config);
    }
}

static void a_pin_and_a_source_exclude_each_other(void **state)
{
    struct schsm_config config;
    struct schsm_error err = SCHSM_ERROR_INIT;

    (void)state;
    schsm_config_init(&config);
    assert_true(schsm_config_set(&config, "s", "pin-source", "prompt", NULL));
    assert_false(schsm_config_set(&config, "s", "pin", "648219", &err));
    assert_null(strstr(err.text, "648219"));
    schsm_config_clear(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_documented_ones),
        cmocka_unit_test(every_key_has_a_good_value),
        cmocka_unit_test(bad_values_name_section_and_key),
        cmocka_unit_test(a_pin_and_a_source_exclude_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
