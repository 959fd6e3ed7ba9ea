/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that custodians type: ID, prime and value in turn, which are combined. */
#include "fuzz.h"

#include <string.h>

#include "keymgmt/password_shares.h"

#define SHARES_MAX 8

/* The next line; false at the end. */
static bool next_line(const char **at, const char *end, size_t *len)
{
    const char *newline;

    if (*at >= end) {
        return false;
    }
    newline = memchr(*at, '\n', (size_t)(end - *at));
    *len = (size_t)((newline == NULL ? end : newline) - *at);
    return true;
}

static bool read_share(const char **at, const char *end, struct schsm_password_share *share)
{
    uint64_t *numbers[] = { &share->prime, &share->value };
    size_t len;

    if (!next_line(at, end, &len) || !schsm_password_id_parse(*at, len, &share->id, NULL)) {
        return false;
    }
    REQUIRE(share->id >= 1 && share->id <= SCHSM_PASSWORD_ID_MAX);
    *at += len + 1;
    for (size_t i = 0; i < 2; i++) {
        if (!next_line(at, end, &len) || !schsm_password_number_parse(*at, len, numbers[i], NULL)) {
            return false;
        }
        *at += len + 1;
    }
    return true;
}

static void write_and_read(uint64_t number)
{
    char text[SCHSM_PASSWORD_NUMBER_MAX];
    uint64_t again = 0;

    schsm_password_number_text(number, text);
    REQUIRE(schsm_password_number_parse(text, strlen(text), &again, NULL) && again == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_password_share shares[SHARES_MAX] = { { 0 } };
    struct schsm_secret *password = NULL, *longer = NULL;
    const char *at = (const char *)data, *end = at + len;
    size_t count = 0;

    while (count < SHARES_MAX && read_share(&at, end, &shares[count])) {
        write_and_read(shares[count].value);
        count++;
    }
    if (schsm_password_shares_combine(NULL, shares, count, &password, &longer, &err)) {
        REQUIRE(count >= 2 && schsm_secret_len(password) >= 1);
        REQUIRE(longer == NULL || schsm_secret_len(longer) > schsm_secret_len(password));
    } else {
        REQUIRE(password == NULL && longer == NULL && err.reason != SCHSM_REASON_NONE);
    }
    schsm_secret_free(longer);
    schsm_secret_free(password);
    return 0;
}
