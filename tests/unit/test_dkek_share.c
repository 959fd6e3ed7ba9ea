/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a DKEK share. Each derivation takes seconds, so there are few; that a wrong password
 * is told is left to tests/tool/shares.sh.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "keymgmt/dkek_share.h"

static struct schsm_error err;

/* Section 23.1, from a published guide */
static const char seed[] =
    "53616C7465645F5F532BE56E5625003CE2807D53C4F69BB02BBCAF252227BCF7814A577E521DA11E"
    "58BC45ACDB15577774680EBBB6A11239BA633CD85ADC4C9C";
static const char seed_share[] = "ae71747fce318e9cf798b8ae0553a32c41269dd4eccccf457ae2e3c0eaccbc3d";
static const char seed_password[] = "123456789";

static struct schsm_secret *text_secret(const char *text)
{
    struct schsm_secret *secret = schsm_secret_new(text, strlen(text), &err);

    assert_non_null(secret);
    return secret;
}

struct told {
    unsigned int calls, last;
};

static void tell(void *arg, unsigned int percent)
{
    struct told *told = arg;

    assert_true(percent >= told->last && percent <= 100);
    told->last = percent;
    told->calls++;
}

static void the_published_share_is_opened_with_progress(void **state)
{
    struct bytes file = from_hex(seed);
    struct schsm_secret *password = text_secret(seed_password), *share;
    struct told told = { 0, 0 };
    const struct schsm_share_progress progress = { tell, &told };

    (void)state;
    share = schsm_dkek_share_open(NULL, file.data, file.len, password, &progress, &err);
    if (share == NULL) {
        fail_msg("%s", err.text);
    }
    assert_bytes_are_hex(schsm_secret_data(share), schsm_secret_len(share), seed_share);
    assert_true(told.calls > 50 && told.last >= 99);
    schsm_secret_free(share);
    schsm_secret_free(password);
    free_bytes(&file);
}

static void a_share_comes_back_as_it_was(void **state)
{
    struct schsm_secret *password = text_secret("correct horse"), *share, *again;
    uint8_t file[SCHSM_SHARE_FILE_LEN];

    (void)state;
    share = schsm_dkek_share_new(NULL, &err);
    assert_non_null(share);
    assert_int_equal(schsm_dkek_share_seal(NULL, share, password, NULL, file, &err), 1);
    assert_memory_equal(file, "Salted__", 8);
    again = schsm_dkek_share_open(NULL, file, sizeof(file), password, NULL, &err);
    if (again == NULL) {
        fail_msg("%s", err.text);
    }
    assert_bytes_equal(schsm_secret_data(again), schsm_secret_len(again), schsm_secret_data(share),
                       SCHSM_DKEK_LEN);
    schsm_secret_free(again);
    schsm_secret_free(share);
    schsm_secret_free(password);
}

/* No derivation comes before this. */
static void what_is_no_share_is_refused_at_once(void **state)
{
    struct bytes file = from_hex(seed);
    struct schsm_secret *password = text_secret(seed_password);

    (void)state;
    for (size_t len = 0; len < file.len; len++) {
        struct bytes cut = copy_bytes(file.data, len);

        assert_null(schsm_dkek_share_open(NULL, cut.data, cut.len, password, NULL, &err));
        assert_int_equal(err.reason, SCHSM_REASON_FILE);
        free_bytes(&cut);
    }
    file.data[0] ^= 1;
    assert_int_equal(schsm_dkek_share_check(file.data, file.len, &err), 0);
    schsm_secret_free(password);
    free_bytes(&file);
}

/* Whether a share is found in text of the form that the pattern gives its bytes. */
static void assert_extracted(const void *content, size_t len, const struct bytes *expected)
{
    uint8_t file[SCHSM_SHARE_FILE_LEN];
    struct bytes copy = copy_bytes(content, len);

    if (!schsm_dkek_share_extract(copy.data, copy.len, file, &err)) {
        fail_msg("%s", err.text);
    }
    assert_bytes_equal(file, sizeof(file), expected->data, expected->len);
    free_bytes(&copy);
}

static void a_printout_and_a_line_end_do_not_matter(void **state)
{
    struct bytes file = from_hex(seed);
    uint8_t longer[SCHSM_SHARE_FILE_LEN + 2], share[SCHSM_SHARE_FILE_LEN];
    char base64[128], lines[200] = "";

    (void)state;
    memcpy(longer, file.data, file.len);
    longer[file.len] = '\r';
    longer[file.len + 1] = '\n';
    assert_extracted(file.data, file.len, &file);
    assert_extracted(longer, sizeof(longer), &file);
    longer[file.len] = 'x';
    assert_int_equal(schsm_dkek_share_extract(longer, sizeof(longer), share, &err), 0);
    assert_int_equal(err.reason, SCHSM_REASON_FILE);
    (void)EVP_EncodeBlock((unsigned char *)base64, file.data, (int)file.len);
    assert_extracted(base64, strlen(base64), &file);
    (void)snprintf(lines, sizeof(lines), "  %.64s\r\n  %s\r\n", base64, base64 + 64);
    assert_extracted(lines, strlen(lines), &file);
    base64[strlen(base64) - 3] = '*';
    assert_int_equal(schsm_dkek_share_extract((const uint8_t *)base64, strlen(base64), share, &err),
                     0);
    assert_int_equal(err.reason, SCHSM_REASON_FILE);
    free_bytes(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_share_is_opened_with_progress),
        cmocka_unit_test(a_share_comes_back_as_it_was),
        cmocka_unit_test(what_is_no_share_is_refused_at_once),
        cmocka_unit_test(a_printout_and_a_line_end_do_not_matter),
    };

    return cmocka_run_group_tests_name("DKEK shares", tests, NULL, NULL);
}
