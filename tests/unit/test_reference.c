/* SPDX-License-Identifier: Apache-2.0 */
/* The key reference file: round trip, foreign data let alone, damage noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "keymgmt/reference.h"
#include "keymgmt/uri.h"

static const char uri[] = "sc-hsm:serial=UTSIM000001;key-ref=1;id=10";
static const uint8_t spki[] = { 0x30, 0x07, 0x30, 0x02, 0x06, 0x00, 0x03, 0x01, 0x00 };

static void a_reference_is_read_back(void **state)
{
    uint8_t *der = NULL;
    size_t len = 0;
    struct schsm_reference reference;

    (void)state;
    assert_true(schsm_reference_encode(uri, spki, sizeof(spki), &der, &len, NULL));
    assert_int_equal(schsm_reference_decode(der, len, &reference, NULL), SCHSM_REFERENCE_OK);
    assert_string_equal(reference.uri, uri);
    assert_int_equal(reference.spki_len, sizeof(spki));
    assert_memory_equal(reference.spki, spki, sizeof(spki));
    schsm_reference_clear(&reference);
    OPENSSL_free(der);
}

static void the_public_part_may_be_absent(void **state)
{
    uint8_t *der = NULL;
    size_t len = 0;
    struct schsm_reference reference;

    (void)state;
    assert_true(schsm_reference_encode(uri, NULL, 0, &der, &len, NULL));
    assert_int_equal(schsm_reference_decode(der, len, &reference, NULL), SCHSM_REFERENCE_OK);
    assert_null(reference.spki);
    schsm_reference_clear(&reference);
    OPENSSL_free(der);
}

static void the_layout_is_the_documented_one(void **state)
{
    static const uint8_t expected[] = {
        0x30, 0x1c, 0x0c, 0x0d, 's', 'c', '-',  'h',  's',  'm',  ' ',  'k',  'e',  'y', ' ',
        'v',  '1',  0x0c, 0x02, 'u', 'r', 0xa0, 0x07, 0x30, 0x05, 0x03, 0x03, 0x00, 'x', 'y',
    };
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_true(schsm_reference_encode("ur", expected + 23, 7, &der, &len, NULL));
    assert_int_equal(len, sizeof(expected));
    assert_memory_equal(der, expected, len);
    OPENSSL_free(der);
}

static void other_data_is_not_ours(void **state)
{
    static const uint8_t foreign[] = { 0x30, 0x05, 0x02, 0x01, 0x00, 0x02, 0x00 };
    struct schsm_reference reference;

    (void)state;
    assert_int_equal(schsm_reference_decode(foreign, sizeof(foreign), &reference, NULL),
                     SCHSM_REFERENCE_NONE);
    assert_int_equal(schsm_reference_decode(foreign, 0, &reference, NULL), SCHSM_REFERENCE_NONE);
    assert_int_equal(ERR_peek_error(), 0);
}

/* Cut anywhere, or with any byte changed, it is refused or read, but never beyond its end. */
static void damage_is_noticed(void **state)
{
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_true(schsm_reference_encode(uri, spki, sizeof(spki), &der, &len, NULL));
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = OPENSSL_memdup(der, cut + (cut == 0));
        struct schsm_reference reference;

        assert_int_not_equal(schsm_reference_decode(copy, cut, &reference, NULL),
                             SCHSM_REFERENCE_OK);
        schsm_reference_clear(&reference);
        OPENSSL_free(copy);
    }
    for (size_t at = 0; at < len * 8; at++) {
        uint8_t *copy = OPENSSL_memdup(der, len);
        struct schsm_reference reference;

        copy[at / 8] ^= (uint8_t)(1u << at % 8);
        (void)schsm_reference_decode(copy, len, &reference, NULL);
        schsm_reference_clear(&reference);
        OPENSSL_free(copy);
    }
    assert_int_equal(ERR_peek_error(), 0);
    OPENSSL_free(der);
}

/* --- the text before it ---------------------------------------------------------------------- */

/* The file for a key of this label and serial number; the caller's. */
static char *write_file(const char *label, const char *serial, uint8_t *value)
{
    BIO *out = BIO_new(BIO_s_mem());
    struct schsm_object object = { .type = SCHSM_OBJECT_PRIVATE,
                                   .key_ref = 1,
                                   .key_type = SCHSM_KEY_EC,
                                   .bits = 256,
                                   .value = value,
                                   .value_len = sizeof(spki) };
    struct schsm_error err = SCHSM_ERROR_INIT;
    char *data = NULL, *text = NULL, *whole = NULL;
    size_t len;

    BIO_snprintf(object.label, sizeof(object.label), "%s", label);
    whole = schsm_uri_of_object(&(struct schsm_uri_device){ .serial = serial }, &object, 0);
    assert_non_null(whole);
    assert_true(schsm_reference_write(whole, &object, out, &err));
    len = (size_t)BIO_get_mem_data(out, &data);
    text = OPENSSL_strndup(data, len);
    BIO_free(out);
    OPENSSL_free(whole);
    return text;
}

static size_t count_text(const char *text, const char *what)
{
    size_t count = 0;

    for (; (text = strstr(text, what)) != NULL; text++) {
        count++;
    }
    return count;
}

/* What libcrypto reads first is the reference; nothing looks like a block before it, wherever a
 * reader looks for one; no line is long, and none has what steers a terminal. */
static void check_file(const char *text)
{
    BIO *in = BIO_new_mem_buf(text, -1);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    struct schsm_reference reference;

    assert_int_equal(count_text(text, "-----BEGIN"), 1);
    assert_int_equal(count_text(text, "-----"), 4);
    assert_true(PEM_read_bio(in, &name, &header, &der, &len));
    assert_string_equal(name, SCHSM_REFERENCE_PEM_NAME);
    assert_int_equal(schsm_reference_decode(der, (size_t)len, &reference, NULL),
                     SCHSM_REFERENCE_OK);
    schsm_reference_clear(&reference);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(in);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") < 200);
    }
    for (const char *c = text; *c != '\0'; c++) {
        assert_true((unsigned char)*c >= ' ' || *c == '\n');
    }
}

static void no_label_breaks_out_of_the_text(void **state)
{
    static const char *const hostile[] = {
        "",
        "web",
        "-----BEGIN PRIVATE KEY-----",
        "x\n-----BEGIN PRIVATE KEY-----\nAAAA",
        "\r\n-----BEGIN CERTIFICATE-----",
        "----------BEGIN PRIVATE KEY----------",
        "\x1b[2J\x1b]0;x\a",
        "Zo\xc3\xab",
        "\xff\xfe",
        "\xe2\x80\xae",
    };
    uint8_t *value = OPENSSL_memdup(spki, sizeof(spki));
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        text = write_file(hostile[i], "UTSIM000001", value);
        check_file(text);
        OPENSSL_free(text);
        text = write_file("web", hostile[i][0] != '\0' ? hostile[i] : "x", value);
        check_file(text);
        OPENSSL_free(text);
    }
    /* libcrypto takes what follows a line of 254 bytes for a new one */
    for (size_t blanks = 200; blanks < 256; blanks++) {
        char label[400] = "";

        memset(label, 'x', blanks);
        BIO_snprintf(label + blanks, sizeof(label) - blanks, "-----BEGIN PRIVATE KEY-----\nAAAA");
        if (strlen(label) <= SCHSM_LABEL_MAX) {
            text = write_file(label, "UTSIM000001", value);
            check_file(text);
            OPENSSL_free(text);
        }
    }
    OPENSSL_free(value);
}

static void the_text_says_what_it_stands_for(void **state)
{
    uint8_t *value = OPENSSL_memdup(spki, sizeof(spki));
    char *text = write_file("web server", "UTSIM000001", value);

    (void)state;
    assert_non_null(strstr(text, "label:     web server\n"));
    assert_non_null(strstr(text, "device:    UTSIM000001\n"));
    assert_non_null(strstr(text, "algorithm: EC, 256 bits\n"));
    assert_non_null(strstr(text, "provider sc-hsm"));
    OPENSSL_free(text);
    OPENSSL_free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_is_read_back),
        cmocka_unit_test(the_public_part_may_be_absent),
        cmocka_unit_test(the_layout_is_the_documented_one),
        cmocka_unit_test(other_data_is_not_ours),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(no_label_breaks_out_of_the_text),
        cmocka_unit_test(the_text_says_what_it_stands_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
