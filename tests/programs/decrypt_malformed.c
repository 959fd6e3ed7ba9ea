/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decrypt_malformed KEY COUNT: decrypts that many malformed PKCS#1 ciphertexts, and as many good
 * ones with messages of random length, in random order. All that a caller sees must be of one
 * kind: the status, an empty error queue, and lengths that are spread alike. Then the same with
 * the padding of TLS key exchange, where a fresh random secret takes a malformed one's place.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "malformed.h"
#include "program.h"

#define BINS 6
/* Chi-squared with 5 degrees of freedom passes this once in a hundred million runs. */
#define CHI_SQUARED_BOUND 45.0
#define TLS_1_2 0x0303u

struct answer {
    unsigned char bytes[MALFORMED_BLOCK_MAX];
    size_t len;
};

/* What a caller sees must be success; 0 with a line on stderr if not. */
static int decrypt(EVP_PKEY *key, const OSSL_PARAM *params, const unsigned char *ciphertext,
                   size_t size, const char *what, struct answer *answer)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    size_t query = 0;
    int status = 0;

    memset(answer, 0, sizeof(*answer));
    answer->len = sizeof(answer->bytes);
    if (ctx != NULL && EVP_PKEY_decrypt_init_ex(ctx, params) > 0 &&
        EVP_PKEY_decrypt(ctx, NULL, &query, ciphertext, size) > 0) {
        status = EVP_PKEY_decrypt(ctx, answer->bytes, &answer->len, ciphertext, size);
    }
    EVP_PKEY_CTX_free(ctx);
    if (status != 1 || ERR_peek_error() != 0) {
        (void)fprintf(stderr, "%s: status %d\n", what, status);
        program_print_errors("and in the error queue:");
        return 0;
    }
    return 1;
}

static unsigned int bin_of(size_t len, size_t size)
{
    return (unsigned int)(len * BINS / (size - 10));
}

/* How far the counts are from even ones. */
static double chi_squared(const unsigned int counts[BINS], unsigned int total)
{
    double expected = (double)total / BINS, sum = 0;

    for (unsigned int i = 0; i < BINS; i++) {
        double difference = counts[i] - expected;

        sum += difference * difference / expected;
    }
    return sum;
}

static int even(const char *what, const unsigned int counts[BINS], unsigned int total)
{
    double distance = chi_squared(counts, total);

    (void)printf("lengths of %s, in %d equal parts:", what, BINS);
    for (unsigned int i = 0; i < BINS; i++) {
        (void)printf(" %u", counts[i]);
    }
    (void)printf("; chi-squared %.1f\n", distance);
    if (distance > CHI_SQUARED_BOUND) {
        (void)fprintf(stderr, "the lengths of %s are not spread evenly\n", what);
        return 0;
    }
    return 1;
}

static int try_malformed(const struct program_key *key, unsigned int number, size_t size,
                         unsigned int counts[BINS])
{
    unsigned char block[MALFORMED_BLOCK_MAX], ciphertext[MALFORMED_BLOCK_MAX];
    unsigned int kind = number % malformed_kinds;
    const char *what = malformed_kind_name(kind);
    struct answer first, second;

    if (!malformed_block(kind, block, size) ||
        !encrypt_block(key->other, key->judge, block, size, ciphertext) ||
        !decrypt(key->key, NULL, ciphertext, size, what, &first)) {
        return 0;
    }
    if (first.len > size - 11) {
        (void)fprintf(stderr, "%s: %zu bytes are more than any good ciphertext gives\n", what,
                      first.len);
        return 0;
    }
    if (first.len >= 8 && memcmp(first.bytes, block + size - first.len, first.len) == 0) {
        (void)fprintf(stderr, "%s: the answer is what was sent\n", what);
        return 0;
    }
    counts[bin_of(first.len, size)]++;
    /* A good ciphertext gives the same answer each time; so must this one. Some are enough. */
    if (number < 5 * malformed_kinds) {
        if (!decrypt(key->key, NULL, ciphertext, size, what, &second)) {
            return 0;
        }
        if (first.len != second.len || memcmp(first.bytes, second.bytes, first.len) != 0) {
            (void)fprintf(stderr, "%s: another answer at the second time\n", what);
            return 0;
        }
    }
    return 1;
}

static int try_good(const struct program_key *key, size_t size, unsigned int counts[BINS])
{
    unsigned char block[MALFORMED_BLOCK_MAX], ciphertext[MALFORMED_BLOCK_MAX];
    size_t len = random_below((unsigned int)size - 10);
    struct answer answer;

    if (!right_block(block, size, len) ||
        !encrypt_block(key->other, key->judge, block, size, ciphertext) ||
        !decrypt(key->key, NULL, ciphertext, size, "a good one", &answer)) {
        return 0;
    }
    if (answer.len != len || memcmp(answer.bytes, block + size - len, len) != 0) {
        (void)fprintf(stderr, "a good one: not the message\n");
        return 0;
    }
    counts[bin_of(len, size)]++;
    return 1;
}

static int pkcs1(const struct program_key *key, unsigned int count, size_t size)
{
    unsigned int malformed_counts[BINS] = { 0 }, good_counts[BINS] = { 0 };
    unsigned int malformed = 0, good = 0;

    while (malformed < count || good < count) {
        int take_malformed = good == count || (malformed < count && random_below(2) == 0);

        if (take_malformed ? !try_malformed(key, malformed, size, malformed_counts)
                           : !try_good(key, size, good_counts)) {
            return 0;
        }
        malformed += take_malformed ? 1 : 0;
        good += take_malformed ? 0 : 1;
    }
    return even("malformed ones", malformed_counts, count) && even("good ones", good_counts, count);
}

/* One premaster secret: in a malformed block, or in a right one with a version that fits or not. */
static int try_tls(const struct program_key *key, unsigned int kind, unsigned int version,
                   size_t size)
{
    unsigned char block[MALFORMED_BLOCK_MAX], ciphertext[MALFORMED_BLOCK_MAX];
    unsigned int client = TLS_1_2;
    int mode = RSA_PKCS1_WITH_TLS_PADDING;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, &mode),
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &client),
        OSSL_PARAM_construct_end(),
    };
    int malformed = kind < malformed_kinds;
    int right = !malformed && version == TLS_1_2;
    const char *what = malformed ? malformed_kind_name(kind) : "a right block";
    struct answer first, second;
    int same, sent;

    if (!(malformed ? malformed_block(kind, block, size)
                    : right_block(block, size, PREMASTER_SIZE)) ||
        !put_premaster(block, size, version) ||
        !encrypt_block(key->other, key->judge, block, size, ciphertext) ||
        !decrypt(key->key, params, ciphertext, size, what, &first) ||
        !decrypt(key->key, params, ciphertext, size, what, &second)) {
        return 0;
    }
    if (first.len != PREMASTER_SIZE || second.len != PREMASTER_SIZE) {
        (void)fprintf(stderr, "TLS, %s: %zu bytes\n", what, first.len);
        return 0;
    }
    same = memcmp(first.bytes, second.bytes, PREMASTER_SIZE) == 0;
    sent = memcmp(first.bytes, block + size - PREMASTER_SIZE, PREMASTER_SIZE) == 0;
    if (same != right || sent != right) {
        (void)fprintf(stderr, "TLS, %s, version %04x: %s\n", what, version,
                      right ? "not what was sent" : "not a random secret");
        return 0;
    }
    return 1;
}

static int tls(const struct program_key *key, unsigned int count, size_t size)
{
    for (unsigned int number = 0; number < count; number++) {
        /* The last kind is a right block, in two of three cases with a version that is not. */
        unsigned int kind = number % (malformed_kinds + 1);
        unsigned int version = number % 3 == 0 ? TLS_1_2 : TLS_1_2 - number % 3;

        if (!try_tls(key, kind, version, size)) {
            return 0;
        }
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct program_key key;
    unsigned int count;
    size_t size;
    int ok;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: decrypt_malformed KEY COUNT\n");
        return 2;
    }
    count = program_number(argv[2]);
    program_load_key(&key, argv[1]);
    size = (size_t)EVP_PKEY_get_size(key.key);
    ok = size <= MALFORMED_BLOCK_MAX && pkcs1(&key, count, size) && tls(&key, count / 2, size);
    program_free_key(&key);
    return ok ? 0 : 1;
}
