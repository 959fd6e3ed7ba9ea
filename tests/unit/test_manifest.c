/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of a backup: round trip, and what must not be believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "backup/manifest.h"

#define DIGEST "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
#define CERTIFICATE(file)                                                                          \
    "{\"kind\":\"certificate\",\"label\":\"ca\",\"id\":\"0102\",\"authority\":true,\"file\":"      \
    "\"" file "\",\"sha256\":\"" DIGEST "\"}"
#define KEY(ref)                                                                                   \
    "{\"kind\":\"key\",\"label\":\"k\",\"id\":\"\",\"key_ref\":" ref ",\"algorithm\":\"EC\","      \
    "\"bits\":256,\"file\":null,\"reason\":\"no\"}"
#define MANIFEST(objects)                                                                          \
    "{\"format\":\"sc-hsm backup v1\",\"serial\":\"UTSIM000001\",\"label\":\"desk\","              \
    "\"created\":\"2026-11-21T14:00:00Z\",\"complete\":true,\"objects\":[" objects "]}"

static int parse(const char *text, struct schsm_manifest *manifest, struct schsm_error *err)
{
    return schsm_manifest_parse((const uint8_t *)text, strlen(text), manifest, err);
}

static void a_manifest_is_read_back(void **state)
{
    static const char awkward[] = "a \"label\"\\ with\ncontrols and \xc3\xbc";
    struct schsm_manifest manifest = { .complete = true }, again;
    struct schsm_backup_entry entry = { .kind = SCHSM_BACKUP_KEY,
                                        .key_ref = 255,
                                        .id = { 0xAB },
                                        .id_len = 1,
                                        .key_type = SCHSM_KEY_EC,
                                        .bits = 521,
                                        .kcv = { 1, 2, 3, 4, 5, 6, 7, 8 },
                                        .file = "key-255.bin",
                                        .digest = { 0xFE } };
    char *text = NULL;
    size_t len = 0;

    (void)state;
    (void)snprintf(entry.label, sizeof(entry.label), "%s", awkward);
    (void)snprintf(manifest.serial, sizeof(manifest.serial), "UTSIM000001");
    assert_true(schsm_manifest_add(&manifest, &entry, NULL));
    assert_true(schsm_manifest_format(&manifest, &text, &len, NULL));
    assert_true(schsm_manifest_parse((const uint8_t *)text, len, &again, NULL));
    assert_true(again.complete);
    assert_string_equal(again.serial, "UTSIM000001");
    assert_int_equal(again.count, 1);
    assert_string_equal(again.entries[0].label, awkward);
    assert_int_equal(again.entries[0].key_ref, 255);
    assert_memory_equal(again.entries[0].kcv, entry.kcv, sizeof(entry.kcv));
    assert_memory_equal(again.entries[0].digest, entry.digest, sizeof(entry.digest));
    schsm_manifest_clear(&manifest);
    schsm_manifest_clear(&again);
    OPENSSL_free(text);
}

/* What a device calls an object need not be UTF-8. */
static void bytes_that_are_no_text_do_no_harm(void **state)
{
    struct schsm_manifest manifest = { 0 }, again;
    struct schsm_backup_entry entry = { .kind = SCHSM_BACKUP_DATA, .key_ref = -1 };
    char *text = NULL;
    size_t len = 0;

    (void)state;
    (void)snprintf(manifest.serial, sizeof(manifest.serial), "X1");
    (void)snprintf(entry.label, sizeof(entry.label), "a\xff\xfe");
    (void)snprintf(entry.reason, sizeof(entry.reason), "\x80");
    assert_true(schsm_manifest_add(&manifest, &entry, NULL));
    assert_true(schsm_manifest_format(&manifest, &text, &len, NULL));
    assert_true(schsm_manifest_parse((const uint8_t *)text, len, &again, NULL));
    assert_string_equal(again.entries[0].label, "a??");
    schsm_manifest_clear(&manifest);
    schsm_manifest_clear(&again);
    OPENSSL_free(text);
}

static void damage_is_told(void **state)
{
    static const struct {
        const char *text;
        const char *named;
    } rows[] = {
        { "", "no JSON" },
        { "[]", "not that of a backup" },
        { "{\"format\":\"sc-hsm backup v2\"}", "not that of a backup" },
        { MANIFEST("{}"), "'kind'" },
        { MANIFEST("7"), "'kind'" },
        { MANIFEST(CERTIFICATE("../escape.der")), "'file'" },
        { MANIFEST(CERTIFICATE("/etc/passwd")), "'file'" },
        { MANIFEST(CERTIFICATE(".hidden")), "'file'" },
        { MANIFEST(CERTIFICATE("")), "'file'" },
        { MANIFEST(CERTIFICATE("manifest.json")), "'file'" },
        { MANIFEST(CERTIFICATE("a-name-that-is-much-too-long-for-it.der")), "'file'" },
        { MANIFEST(CERTIFICATE("a.der") "," CERTIFICATE("a.der")), "'file'" },
        { MANIFEST(KEY("0")), "'key_ref'" },
        { MANIFEST(KEY("256")), "'key_ref'" },
        { MANIFEST(KEY("\"1\"")), "'key_ref'" },
        { MANIFEST("{\"kind\":\"data\",\"label\":\"\",\"id\":\"0\"}"), "'id'" },
        { MANIFEST("{\"kind\":\"data\",\"label\":\"\\u0000\",\"id\":\"\"}"), "line 1" },
    };
    struct schsm_manifest manifest;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct schsm_error err = SCHSM_ERROR_INIT;

        assert_false(parse(rows[i].text, &manifest, &err));
        assert_int_equal(err.reason, SCHSM_REASON_FILE);
        assert_non_null(strstr(err.text, rows[i].named));
        assert_null(manifest.entries);
    }
    assert_true(parse(MANIFEST(CERTIFICATE("a.der") "," KEY("7")), &manifest, NULL));
    assert_int_equal(manifest.count, 2);
    assert_string_equal(manifest.entries[1].reason, "no");
    schsm_manifest_clear(&manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_is_read_back),
        cmocka_unit_test(bytes_that_are_no_text_do_no_harm),
        cmocka_unit_test(damage_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
