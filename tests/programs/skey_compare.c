/* SPDX-License-Identifier: Apache-2.0 */
#include "skey_compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "program.h"

#define ROOM (SKEY_DATA + SKEY_BLOCK)

unsigned char skey_data[SKEY_DATA];
const unsigned char skey_iv[SKEY_BLOCK] = "an IV: 16 bytes";

static int failures;

void skey_step(const char *what, int ok)
{
    if (!ok || ERR_peek_error() != 0) {
        failures++;
        (void)printf("FAILED: %s%s\n", what, ok ? ": an error is left" : "");
        program_print_errors(what);
    }
}

void skey_refused(const char *what, int done, const char *text)
{
    const char *data = NULL;
    int found = 0, flags = 0;

    while (ERR_get_error_all(NULL, NULL, NULL, &data, &flags) != 0) {
        found = found || ((flags & ERR_TXT_STRING) != 0 && strstr(data, text) != NULL);
    }
    if (done || !found) {
        failures++;
        (void)printf("FAILED: %s: %s\n", what, done ? "it was done" : "another reason");
    }
}

int skey_failures(void)
{
    return failures;
}

EVP_SKEY *skey_named(const char *uri)
{
    char *copy = OPENSSL_strdup(uri);
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("uri", copy, 0),
                            OSSL_PARAM_construct_end() };
    EVP_SKEY *key = EVP_SKEY_import(NULL, "SC-HSM-AES", NULL, OSSL_SKEYMGMT_SELECT_ALL, params);

    OPENSSL_free(copy);
    return key;
}

void skey_pair_load(struct skey_pair *pair, const char *uri, const char *hex)
{
    char name[32];
    long len = 0;

    memset(pair, 0, sizeof(*pair));
    for (size_t i = 0; i < sizeof(skey_data); i++) {
        skey_data[i] = (unsigned char)(i * 7 % 251);
    }
    pair->bytes = OPENSSL_hexstr2buf(hex, &len);
    pair->len = (size_t)len;
    (void)snprintf(pair->plain_name, sizeof(pair->plain_name), "AES-%u-CBC",
                   8 * (unsigned int)(pair->len % 256));
    (void)snprintf(name, sizeof(name), "SC-HSM-%s", pair->plain_name);
    pair->key = skey_named(uri);
    pair->cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    pair->mac = EVP_MAC_fetch(NULL, "SC-HSM-CMAC", NULL);
    pair->plain = EVP_CIPHER_fetch(NULL, pair->plain_name, "provider=default");
    pair->plain_mac = EVP_MAC_fetch(NULL, "CMAC", "provider=default");
    if (pair->bytes == NULL || pair->key == NULL || pair->cipher == NULL || pair->mac == NULL ||
        pair->plain == NULL || pair->plain_mac == NULL || ERR_peek_error() != 0) {
        program_print_errors("no key, or errors are left");
        exit(1);
    }
}

void skey_pair_free(struct skey_pair *pair)
{
    EVP_SKEY_free(pair->key);
    EVP_CIPHER_free(pair->cipher);
    EVP_CIPHER_free(pair->plain);
    EVP_MAC_free(pair->mac);
    EVP_MAC_free(pair->plain_mac);
    OPENSSL_free(pair->bytes);
}

EVP_CIPHER_CTX *skey_ours(const struct skey_pair *pair, int encrypt, int pad)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    skey_step("a context for the device",
              EVP_CipherInit_SKEY(ctx, pair->cipher, pair->key, skey_iv, sizeof(skey_iv), encrypt,
                                  NULL) == 1 &&
                  EVP_CIPHER_CTX_set_padding(ctx, pad) == 1);
    return ctx;
}

EVP_CIPHER_CTX *skey_theirs(const struct skey_pair *pair, int encrypt, int pad)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    skey_step("a context for software",
              EVP_CipherInit_ex2(ctx, pair->plain, pair->bytes, skey_iv, encrypt, NULL) == 1 &&
                  EVP_CIPHER_CTX_set_padding(ctx, pad) == 1);
    return ctx;
}

/* --- ciphers --------------------------------------------------------------------------------- */

/* What came of a run: how much each call gave, and the IV for what follows after each. */
struct run {
    unsigned char out[ROOM];
    int given[8], calls, total;
    unsigned char iv[8][SKEY_BLOCK];
};

/* Data in parts that end at these places, and the rest. */
static void run_parts(EVP_CIPHER_CTX *ctx, const unsigned char *in, int len, const int *ends,
                      struct run *run)
{
    int at = 0;

    memset(run, 0, sizeof(*run));
    for (int i = 0; i < 3 && at >= 0; i++) {
        int end = i < 2 ? ends[i] : len;

        if (EVP_CipherUpdate(ctx, run->out + run->total, &run->given[run->calls], in + at,
                             end - at) != 1 ||
            EVP_CIPHER_CTX_get_updated_iv(ctx, run->iv[run->calls], SKEY_BLOCK) != 1) {
            run->total = -1;
            return;
        }
        run->total += run->given[run->calls++];
        at = end;
    }
    if (EVP_CipherFinal_ex(ctx, run->out + run->total, &run->given[run->calls]) != 1) {
        run->total = -1;
        return;
    }
    run->total += run->given[run->calls++];
}

static int same_run(const struct run *ours, const struct run *theirs)
{
    return ours->total == theirs->total && ours->calls == theirs->calls &&
           memcmp(ours->given, theirs->given, sizeof(ours->given)) == 0 &&
           memcmp(ours->iv, theirs->iv, sizeof(ours->iv)) == 0 &&
           (ours->total < 0 || memcmp(ours->out, theirs->out, (size_t)ours->total) == 0);
}

/* Encrypts, and decrypts what came out, in these parts. */
static void compare_parts(const struct skey_pair *pair, int pad, int len, int first, int second)
{
    static struct run ours, theirs, back, their_back;
    const int ends[2] = { first, second };
    char what[96];

    for (int encrypt = 1; encrypt >= 0; encrypt--) {
        EVP_CIPHER_CTX *ctx = skey_ours(pair, encrypt, pad);
        EVP_CIPHER_CTX *other = skey_theirs(pair, encrypt, pad);
        const unsigned char *in = encrypt ? skey_data : theirs.out;
        int in_len = encrypt ? len : theirs.total;
        struct run *mine = encrypt ? &ours : &back;

        (void)snprintf(what, sizeof(what), "%s %d bytes in parts to %d and %d, padding %d",
                       encrypt ? "encrypt" : "decrypt", len, first, second, pad);
        run_parts(ctx, in, in_len, ends, mine);
        skey_step(what, mine->total >= 0);
        ERR_set_mark();
        run_parts(other, in, in_len, ends, encrypt ? &theirs : &their_back);
        ERR_pop_to_mark(); /* the default provider leaves one when it tells its IV */
        skey_step(what, encrypt ? same_run(mine, &theirs) && theirs.total >= 0
                                : same_run(mine, &their_back) && mine->total == len);
        EVP_CIPHER_CTX_free(ctx);
        EVP_CIPHER_CTX_free(other);
    }
}

void skey_compare_ciphers(const struct skey_pair *pair)
{
    /* around what one command takes, 976 bytes or with a small buffer 208, and what is handed on */
    static const int parts[][3] = {
        { 208, 0, 0 },       { 209, 1, 208 },          { 976, 0, 976 },
        { 977, 0, 977 },     { 1952, 15, 991 },        { 16384, 0, 16384 },
        { 16385, 1, 16385 }, { SKEY_DATA, 17, 33000 }, { SKEY_DATA, SKEY_DATA, SKEY_DATA }
    };

    for (int len = 0; len <= 3 * SKEY_BLOCK; len++) {
        for (int end = 0; end <= len; end++) {
            compare_parts(pair, 1, len, 0, end);
            if (len % SKEY_BLOCK == 0) {
                compare_parts(pair, 0, len, end, end);
            }
        }
    }
    for (int first = 0; first <= 33; first++) {
        for (int second = first; second <= 33; second++) {
            compare_parts(pair, 1, 33, first, second);
        }
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        compare_parts(pair, 1, parts[i][0], parts[i][1], parts[i][2]);
    }
}

/* --- MACs ------------------------------------------------------------------------------------ */

static void compare_mac(const struct skey_pair *pair, size_t len, size_t first, size_t second)
{
    char name[16];
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(pair->mac), *copy = NULL;
    EVP_MAC_CTX *other = EVP_MAC_CTX_new(pair->plain_mac);
    unsigned char ours[SKEY_BLOCK], copied[SKEY_BLOCK], theirs[SKEY_BLOCK];
    size_t made = 0;
    char what[64];

    memcpy(name, pair->plain_name, sizeof(name));
    (void)snprintf(what, sizeof(what), "CMAC of %zu bytes, parts to %zu and %zu", len, first,
                   second);
    skey_step("the default provider's",
              EVP_MAC_init(other, pair->bytes, pair->len, params) == 1 &&
                  EVP_MAC_update(other, skey_data, len) == 1 &&
                  EVP_MAC_final(other, theirs, &made, sizeof(theirs)) == 1);
    /* the cipher's name is taken, and nothing new */
    skey_step("CMAC begins", EVP_MAC_init_SKEY(ctx, pair->key, len % 2 == 0 ? params : NULL) == 1 &&
                                 EVP_MAC_CTX_get_mac_size(ctx) == SKEY_BLOCK &&
                                 EVP_MAC_update(ctx, skey_data, first) == 1);
    copy = EVP_MAC_CTX_dup(ctx);
    skey_step(what, EVP_MAC_update(ctx, skey_data + first, second - first) == 1 &&
                        EVP_MAC_update(ctx, skey_data + second, len - second) == 1 &&
                        EVP_MAC_final(ctx, NULL, &made, 0) == 1 && made == SKEY_BLOCK &&
                        EVP_MAC_final(ctx, ours, &made, sizeof(ours)) == 1 && made == SKEY_BLOCK &&
                        memcmp(ours, theirs, SKEY_BLOCK) == 0);
    skey_step("its copy's", copy != NULL &&
                                EVP_MAC_update(copy, skey_data + first, len - first) == 1 &&
                                EVP_MAC_final(copy, copied, &made, sizeof(copied)) == 1 &&
                                memcmp(copied, theirs, SKEY_BLOCK) == 0);
    skey_step("once more with the same key",
              EVP_MAC_init(ctx, NULL, 0, NULL) == 1 && EVP_MAC_update(ctx, skey_data, len) == 1 &&
                  EVP_MAC_final(ctx, ours, &made, sizeof(ours)) == 1 &&
                  memcmp(ours, theirs, SKEY_BLOCK) == 0);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_CTX_free(copy);
    EVP_MAC_CTX_free(other);
}

void skey_compare_macs(const struct skey_pair *pair)
{
    static const size_t lens[] = { 0,   1,   15,  16,  17,  31,  32,    33,    64,
                                   208, 209, 976, 977, 992, 993, 16384, 16385, SKEY_DATA };

    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        compare_mac(pair, lens[i], 0, lens[i]);
        compare_mac(pair, lens[i], lens[i] / 3, lens[i] / 2);
    }
    for (size_t end = 0; end <= 33; end += 4) {
        compare_mac(pair, 33, end, end);
    }
}
