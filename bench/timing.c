/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timing COUNT unpad | stand-in | KEY: does the time of a decryption tell malformed PKCS#1
 * ciphertexts from good ones? Measures COUNT of each in random order and prints Welch's t of the
 * two groups, for each way to be malformed and for all together. Good ones have messages of random
 * length, as the answers to malformed ones have: the length is the caller's to see.
 *
 *   unpad     our code that takes the padding off, alone
 *   stand-in  the whole of our decryption, with a software key in place of a device
 *   KEY       through the provider, with the key of that file or URI
 *
 * The last line is a control: the same with implicit rejection switched off, where the two differ.
 * The unpadding alone has to show that; beside a whole RSA operation it may be too little to see.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/store.h>

#include "base/error.h"
#include "provider/rsa_padding.h"
#include "../tests/programs/malformed.h"
#include "../tests/provider/stand_in.h"

#define POOL 256 /* different ciphertexts of each group */

struct sample {
    unsigned int group; /* 0: good, 1 and more: malformed in that way */
    double time;
};

struct target {
    OSSL_LIB_CTX *libctx; /* of the key */
    EVP_PKEY *key;        /* NULL: the unpadding alone */
    EVP_PKEY *public_key; /* the default provider's */
    size_t size;
    unsigned char (*inputs)[MALFORMED_BLOCK_MAX]; /* POOL for each group */
};

static void die(const char *what)
{
    (void)fprintf(stderr, "timing: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC_RAW, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int unpad(const struct target *target, const unsigned char *block, int reject)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    unsigned char out[MALFORMED_BLOCK_MAX];
    unsigned char rejection_key[SCHSM_REJECTION_KEY_SIZE];
    size_t out_len = 0;

    /* The key comes from the ciphertext; for what is measured here, any will do. */
    memcpy(rejection_key, block + target->size - sizeof(rejection_key), sizeof(rejection_key));
    return schsm_rsa_pkcs1_unpad(target->libctx, block, target->size, reject ? rejection_key : NULL,
                                 out, &out_len, &err);
}

static int decrypt(const struct target *target, const unsigned char *ciphertext, int reject)
{
    unsigned int flag = reject ? 1 : 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("implicit-rejection", &flag),
                            OSSL_PARAM_construct_end() };
    unsigned char out[MALFORMED_BLOCK_MAX];
    size_t out_len = sizeof(out);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(target->libctx, target->key, NULL);
    int ok = ctx != NULL && EVP_PKEY_decrypt_init_ex(ctx, params) > 0 &&
             EVP_PKEY_decrypt(ctx, out, &out_len, ciphertext, target->size) > 0;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static double measure(const struct target *target, unsigned int group, int reject)
{
    /* Copied to one place, lest the address be what is measured. */
    static unsigned char input[MALFORMED_BLOCK_MAX];
    double start, end;
    int ok;

    memcpy(input, target->inputs[group * POOL + random_below(POOL)], target->size);
    start = now();
    ok = target->key == NULL ? unpad(target, input, reject) : decrypt(target, input, reject);
    end = now();
    if (reject && !ok) {
        die("a decryption failed");
    }
    ERR_clear_error();
    return end - start;
}

static void make_inputs(struct target *target)
{
    unsigned char block[MALFORMED_BLOCK_MAX];
    size_t groups = malformed_kinds + 1;

    target->inputs = calloc(groups * POOL, sizeof(*target->inputs));
    if (target->inputs == NULL) {
        die("no memory");
    }
    for (unsigned int i = 0; i < groups * POOL; i++) {
        unsigned int group = i / POOL;
        size_t size = target->size;

        if (!(group == 0 ? right_block(block, size, random_below((unsigned int)size - 10))
                         : malformed_block(group - 1, block, size))) {
            die("no block could be made");
        }
        if (target->key == NULL) {
            memcpy(target->inputs[i], block, size);
        } else if (!encrypt_block(NULL, target->public_key, block, size, target->inputs[i])) {
            die("a block could not be encrypted");
        }
    }
}

static int by_time(const void *a, const void *b)
{
    double x = ((const struct sample *)a)->time, y = ((const struct sample *)b)->time;

    return (x > y) - (x < y);
}

/* Welch's t of the good samples and of those in the group (0: all malformed ones) that took no
 * longer than limit. */
static double welch(const struct sample *samples, size_t count, unsigned int group, double limit)
{
    double sum[2] = { 0 }, squares[2] = { 0 }, number[2] = { 0 }, mean[2], error = 0;

    for (size_t i = 0; i < count; i++) {
        int side = samples[i].group != 0;

        if (samples[i].time > limit || (side != 0 && group != 0 && samples[i].group != group)) {
            continue;
        }
        number[side]++;
        sum[side] += samples[i].time;
    }
    for (int side = 0; side < 2; side++) {
        mean[side] = sum[side] / number[side];
    }
    for (size_t i = 0; i < count; i++) {
        int side = samples[i].group != 0;

        if (samples[i].time > limit || (side != 0 && group != 0 && samples[i].group != group)) {
            continue;
        }
        squares[side] += (samples[i].time - mean[side]) * (samples[i].time - mean[side]);
    }
    for (int side = 0; side < 2; side++) {
        error += squares[side] / (number[side] - 1) / number[side];
    }
    return (mean[0] - mean[1]) / sqrt(error);
}

static void take(const struct target *target, struct sample *samples, size_t count, int reject)
{
    for (size_t i = 0; i < 50; i++) {
        (void)measure(target, random_below(malformed_kinds + 1), reject); /* to warm up */
    }
    for (size_t i = 0; i < 2 * count; i++) {
        samples[i].group = random_below(2) == 0 ? 0 : 1 + random_below(malformed_kinds);
        samples[i].time = measure(target, samples[i].group, reject);
    }
    qsort(samples, 2 * count, sizeof(*samples), by_time);
}

static void row(const char *name, const struct sample *samples, size_t count, unsigned int group)
{
    /* Interruptions by other processes are long, and none of our doing. */
    (void)printf("%-28s %9.2f %9.2f\n", name, welch(samples, 2 * count, group, INFINITY),
                 welch(samples, 2 * count, group, samples[2 * count * 9 / 10].time));
}

static void compare(const struct target *target, size_t count)
{
    struct sample *samples = calloc(2 * count, sizeof(*samples));

    if (samples == NULL) {
        die("no memory");
    }
    take(target, samples, count, 1);
    (void)printf("median %.1f us                  t     t of the fastest 90%%\n",
                 samples[count].time / 1000);
    for (unsigned int kind = 0; kind < malformed_kinds; kind++) {
        row(malformed_kind_name(kind), samples, count, kind + 1);
    }
    row("all malformed ones", samples, count, 0);
    take(target, samples, count, 0);
    row("control: no rejection", samples, count, 0);
    free(samples);
}

static EVP_PKEY *load(const char *name)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(name, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    if (store != NULL && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) > 0) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        key = info == NULL ? NULL : OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    if (key == NULL) {
        die("no private key there");
    }
    return key;
}

/* The same public key for the default provider, whose encryption touches nothing of ours. */
static EVP_PKEY *public_part(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    const unsigned char *next = der;
    EVP_PKEY *made = len <= 0 ? NULL : d2i_PUBKEY_ex(NULL, &next, len, NULL, "provider=default");

    OPENSSL_free(der);
    if (made == NULL) {
        die("no public key");
    }
    return made;
}

int main(int argc, char **argv)
{
    struct target target = { 0 };
    EVP_PKEY *software = NULL;
    unsigned long count;

    if (argc != 3 || (count = strtoul(argv[1], NULL, 10)) < 100 || count > 10000000) {
        (void)fprintf(stderr,
                      "usage: timing COUNT unpad | stand-in | KEY; a count of 100 and more\n");
        return 2;
    }
    if (strcmp(argv[2], "unpad") == 0) {
        target.size = 256;
    } else if (strcmp(argv[2], "stand-in") == 0) {
        software = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
        target.libctx = stand_in_new();
        target.key = software == NULL ? NULL : stand_in_key(target.libctx, software, true);
        if (target.key == NULL) {
            die("the stand-in does not work");
        }
        target.public_key = public_part(software);
    } else {
        target.key = load(argv[2]);
        target.public_key = public_part(target.key);
    }
    if (target.key != NULL) {
        target.size = (size_t)EVP_PKEY_get_size(target.key);
    }
    if (target.size < 128 || target.size > MALFORMED_BLOCK_MAX) {
        die("an RSA key of 1024 to 4096 bits is needed");
    }
    make_inputs(&target);
    compare(&target, count);

    free(target.inputs);
    EVP_PKEY_free(target.key);
    EVP_PKEY_free(target.public_key);
    EVP_PKEY_free(software);
    if (target.libctx != NULL) {
        stand_in_free(target.libctx);
    }
    return 0;
}
