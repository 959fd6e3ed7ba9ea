/* SPDX-License-Identifier: Apache-2.0 */
#include "password_shares.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/hex.h"

#define PASSWORD_LEN 8
#define PRIME_BITS 64

/* Arithmetic modulo a prime of up to 64 bits; operands are below it. */

static uint64_t add_modulo(uint64_t a, uint64_t b, uint64_t prime)
{
    uint64_t sum = a + b;

    return sum < a || sum >= prime ? sum - prime : sum;
}

static uint64_t subtract(uint64_t a, uint64_t b, uint64_t prime)
{
    return a >= b ? a - b : a + (prime - b);
}

static uint64_t multiply(uint64_t a, uint64_t b, uint64_t prime)
{
    uint64_t product = 0;

    for (int bit = 63; bit >= 0; bit--) {
        product = add_modulo(product, product, prime);
        if ((b >> bit & 1) != 0) {
            product = add_modulo(product, a, prime);
        }
    }
    return product;
}

/* Fermat: a^(prime - 2). */
static uint64_t invert(uint64_t a, uint64_t prime)
{
    uint64_t power = 1, exponent = prime - 2;

    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0) {
            power = multiply(power, a, prime);
        }
        a = multiply(a, a, prime);
    }
    return power;
}

static void put_big_endian(uint64_t number, uint8_t out[PASSWORD_LEN])
{
    for (size_t i = 0; i < PASSWORD_LEN; i++) {
        out[i] = (uint8_t)(number >> (8 * (PASSWORD_LEN - 1 - i)));
    }
}

static uint64_t load(const uint8_t bytes[PASSWORD_LEN])
{
    uint64_t number = 0;

    for (size_t i = 0; i < PASSWORD_LEN; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

void schsm_password_number_text(uint64_t number, char text[SCHSM_PASSWORD_NUMBER_MAX])
{
    uint8_t bytes[PASSWORD_LEN];
    size_t first = 0;

    put_big_endian(number, bytes);
    while (first < PASSWORD_LEN - 1 && bytes[first] == 0) {
        first++;
    }
    for (size_t i = first; i < PASSWORD_LEN; i++) {
        (void)snprintf(text, 4, "%02X%s", bytes[i], i + 1 < PASSWORD_LEN ? ":" : "");
        text += 3;
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
}

int schsm_password_number_parse(const char *text, size_t len, uint64_t *number,
                                struct schsm_error *err)
{
    uint64_t value = 0;
    size_t digits = 0;

    for (size_t i = 0; i < len; i++) {
        int next = schsm_hex_digit(text[i]);

        if (text[i] == ':' || text[i] == ' ') {
            continue;
        }
        if (next < 0 || value >> 60 != 0) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "a prime or value of a password share is up to 8 bytes in "
                              "hexadecimal digits, such as 0A:1B:2C");
        }
        value = value << 4 | (unsigned int)next;
        digits++;
    }
    if (digits == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a prime or value of a password share is missing");
    }
    *number = value;
    return 1;
}

int schsm_password_id_parse(const char *text, size_t len, unsigned int *id, struct schsm_error *err)
{
    bool hexadecimal = len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned int base = hexadecimal ? 16 : 10, value = 0;
    size_t at = hexadecimal ? 2 : 0;
    bool ok = at < len;

    for (; ok && at < len; at++) {
        int next = schsm_hex_digit(text[at]);

        ok = next >= 0 && (unsigned int)next < base;
        if (ok) {
            value = value * base + (unsigned int)next;
            ok = value <= SCHSM_PASSWORD_ID_MAX;
        }
    }
    if (!ok || value == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "the id of a password share is a number from 1 to %d",
                          SCHSM_PASSWORD_ID_MAX);
    }
    *id = value;
    return 1;
}

int schsm_password_shares_check(unsigned int threshold, unsigned int total, struct schsm_error *err)
{
    if (total >= SCHSM_PASSWORD_SHARES_MIN && total <= SCHSM_PASSWORD_SHARES_MAX &&
        threshold >= SCHSM_PASSWORD_THRESHOLD_MIN && threshold <= total) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "a password is split among %d to %d custodians, of whom %d or more are "
                      "needed together, not %u of %u",
                      SCHSM_PASSWORD_SHARES_MIN, SCHSM_PASSWORD_SHARES_MAX,
                      SCHSM_PASSWORD_THRESHOLD_MIN, threshold, total);
}

static int no_random(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto has no random numbers");
}

/* A random safe prime whose top bit is set, so that it is above every password. */
static int draw_prime(OSSL_LIB_CTX *libctx, uint64_t *prime, struct schsm_error *err)
{
    BN_CTX *ctx = BN_CTX_new_ex(libctx);
    BIGNUM *number = BN_new();
    uint8_t bytes[PASSWORD_LEN];
    bool ok = ctx != NULL && number != NULL &&
              BN_generate_prime_ex2(number, PRIME_BITS, 1, NULL, NULL, NULL, ctx) == 1 &&
              BN_bn2binpad(number, bytes, sizeof(bytes)) == sizeof(bytes);

    BN_free(number);
    BN_CTX_free(ctx);
    if (!ok) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not make a prime");
    }
    *prime = load(bytes);
    return 1;
}

/* A random number below the prime, whose top bit is set: each draw does with one half or more. */
static int draw_coefficient(OSSL_LIB_CTX *libctx, uint64_t prime, uint64_t *number,
                            struct schsm_error *err)
{
    do {
        if (RAND_priv_bytes_ex(libctx, (uint8_t *)number, sizeof(*number), 0) != 1) {
            return no_random(err);
        }
    } while (*number >= prime);
    return 1;
}

/* The password: the top bit is clear, the first byte is not zero, since tools disagree about
 * passwords that begin with zeros. */
static struct schsm_secret *draw_password(OSSL_LIB_CTX *libctx, struct schsm_error *err)
{
    uint8_t *bytes;
    struct schsm_secret *password = schsm_secret_alloc(PASSWORD_LEN, &bytes, err);

    while (password != NULL && bytes[0] == 0) {
        if (RAND_priv_bytes_ex(libctx, bytes, PASSWORD_LEN, 0) != 1) {
            no_random(err);
            schsm_secret_free(password);
            return NULL;
        }
        bytes[0] &= 0x7F;
    }
    return password;
}

int schsm_password_shares_make(OSSL_LIB_CTX *libctx, unsigned int threshold, unsigned int total,
                               struct schsm_password_share *shares, struct schsm_secret **password,
                               struct schsm_error *err)
{
    uint64_t prime = 0, coefficient = 0;
    struct schsm_secret *secret = NULL;
    int ok = 0;

    if (!schsm_password_shares_check(threshold, total, err) || !draw_prime(libctx, &prime, err)) {
        return 0;
    }
    for (unsigned int i = 0; i < total; i++) {
        shares[i] = (struct schsm_password_share){ .prime = prime, .id = i + 1 };
    }
    /* Horner's rule for all custodians at once, so that no coefficient is kept. */
    for (unsigned int k = threshold - 1; k > 0; k--) {
        if (!draw_coefficient(libctx, prime, &coefficient, err)) {
            goto done;
        }
        for (unsigned int i = 0; i < total; i++) {
            shares[i].value =
                multiply(add_modulo(shares[i].value, coefficient, prime), shares[i].id, prime);
        }
    }
    secret = draw_password(libctx, err);
    if (secret == NULL) {
        goto done;
    }
    for (unsigned int i = 0; i < total; i++) {
        shares[i].value = add_modulo(shares[i].value, load(schsm_secret_data(secret)), prime);
    }
    *password = secret;
    ok = 1;

done:
    OPENSSL_cleanse(&coefficient, sizeof(coefficient));
    if (!ok) {
        OPENSSL_cleanse(shares, total * sizeof(*shares));
    }
    return ok;
}

static bool is_prime(OSSL_LIB_CTX *libctx, uint64_t number)
{
    BN_CTX *ctx = BN_CTX_new_ex(libctx);
    uint8_t bytes[PASSWORD_LEN];
    BIGNUM *candidate;
    bool prime;

    put_big_endian(number, bytes);
    candidate = BN_bin2bn(bytes, sizeof(bytes), NULL);
    prime = ctx != NULL && candidate != NULL && BN_check_prime(candidate, ctx, NULL) == 1;
    BN_free(candidate);
    BN_CTX_free(ctx);
    return prime;
}

/* Whether the shares can be of one split. */
static int check_shares(OSSL_LIB_CTX *libctx, const struct schsm_password_share *shares,
                        size_t count, struct schsm_error *err)
{
    if (count < SCHSM_PASSWORD_THRESHOLD_MIN || count > SCHSM_PASSWORD_SHARES_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a split password needs the shares of %d to %d custodians, not of %zu",
                          SCHSM_PASSWORD_THRESHOLD_MIN, SCHSM_PASSWORD_SHARES_MAX, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (shares[i].prime != shares[0].prime) {
            return schsm_fail(err, SCHSM_REASON_FILE,
                              "the prime of share %u is another than that of share %u: they are "
                              "not of the same split, or one was mistyped",
                              shares[i].id, shares[0].id);
        }
        if (shares[i].value >= shares[i].prime || shares[i].id >= shares[i].prime) {
            return schsm_fail(err, SCHSM_REASON_FILE,
                              "share %u is not below its prime: it was mistyped", shares[i].id);
        }
        for (size_t k = 0; k < i; k++) {
            if (shares[k].id == shares[i].id) {
                return schsm_fail(err, SCHSM_REASON_FILE,
                                  "share %u was given twice: each custodian has another number",
                                  shares[i].id);
            }
        }
    }
    if (!is_prime(libctx, shares[0].prime)) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "the prime of the password shares is none: it was mistyped");
    }
    return 1;
}

/* Lagrange's interpolation at 0. */
static uint64_t interpolate(const struct schsm_password_share *shares, size_t count)
{
    uint64_t prime = shares[0].prime, sum = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t above = shares[i].value, below = 1;

        for (size_t k = 0; k < count; k++) {
            if (k != i) {
                above = multiply(above, shares[k].id, prime);
                below = multiply(below, subtract(shares[k].id, shares[i].id, prime), prime);
            }
        }
        sum = add_modulo(sum, multiply(above, invert(below, prime), prime), prime);
    }
    return sum;
}

int schsm_password_shares_combine(OSSL_LIB_CTX *libctx, const struct schsm_password_share *shares,
                                  size_t count, struct schsm_secret **password,
                                  struct schsm_secret **longer, struct schsm_error *err)
{
    struct schsm_secret *whole;
    uint8_t *bytes;
    size_t zeros = 0;

    *password = *longer = NULL;
    if (!check_shares(libctx, shares, count, err)) {
        return 0;
    }
    whole = schsm_secret_alloc(PASSWORD_LEN, &bytes, err);
    if (whole == NULL) {
        return 0;
    }
    put_big_endian(interpolate(shares, count), bytes);
    while (zeros < PASSWORD_LEN && bytes[zeros] == 0) {
        zeros++;
    }
    if (zeros == 0 || zeros == PASSWORD_LEN) {
        *password = whole;
        return 1;
    }
    *password = schsm_secret_new(bytes + zeros, PASSWORD_LEN - zeros, err);
    if (*password == NULL) {
        schsm_secret_free(whole);
        return 0;
    }
    *longer = whole;
    return 1;
}
