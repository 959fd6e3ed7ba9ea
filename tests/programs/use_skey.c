/* SPDX-License-Identifier: Apache-2.0 */
/*
 * use_skey WHAT URI [ARGUMENT]: what a program does with an AES key of a device through EVP_SKEY.
 *
 *   compare URI HEX    everything, and with the key's bytes in the default provider the same
 *   mac URI FILE       the CMAC of a file, in hexadecimal
 *   encrypt URI PIECE  twenty pieces of so many bytes; after a failure, one more
 *   threads URI HEX    eight threads that share the key
 *   forked URI HEX     a context that parent and children go on with
 *   late URI           key and context are freed after libcrypto has cleaned up
 *   derive URI TEXT    what the device derives for this text, in hexadecimal
 *   agreed KEY         EVP_PKEY_derive_SKEY with a private key and its own public part
 *   stored URI         the key by OpenSSL's store
 *
 * Status 77 where this OpenSSL has no such thing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include "program.h"
#include "skey_compare.h"

#define THREADS 8
#define TIMES 20
#define MESSAGE 100 /* bytes, and encrypted 112 */
#define ENCRYPTED 112

static int compare(const char *uri, const char *hex)
{
    struct skey_pair pair;

    skey_pair_load(&pair, uri, hex);
    skey_compare_ciphers(&pair);
    skey_compare_macs(&pair);
    skey_try_contexts(&pair);
    skey_try_refusals(&pair);
    skey_pair_free(&pair);
    (void)printf("%d failures\n", skey_failures());
    return skey_failures() == 0 ? 0 : 1;
}

static int mac(const char *uri, const char *path)
{
    EVP_SKEY *key = skey_named(uri);
    EVP_MAC *method = EVP_MAC_fetch(NULL, "SC-HSM-CMAC", NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(method);
    FILE *file = fopen(path, "rb");
    unsigned char piece[4096], made[SKEY_BLOCK];
    size_t len = 0;
    int ok = key != NULL && file != NULL && EVP_MAC_init_SKEY(ctx, key, NULL) == 1;

    EVP_SKEY_free(key); /* the context has what it needs */
    while (ok && (len = fread(piece, 1, sizeof(piece), file)) > 0) {
        ok = EVP_MAC_update(ctx, piece, len) == 1;
    }
    ok = ok && EVP_MAC_final(ctx, made, &len, sizeof(made)) == 1;
    for (size_t i = 0; ok && i < sizeof(made); i++) {
        (void)printf("%02x", made[i]);
    }
    (void)printf("\n");
    if (!ok || ERR_peek_error() != 0) {
        program_print_errors("mac");
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(method);
    return ok ? 0 : 1;
}

static int encrypt(const char *uri, int piece)
{
    EVP_SKEY *key = skey_named(uri);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "SC-HSM-AES-256-CBC", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char *in = OPENSSL_zalloc((size_t)piece), *out = OPENSSL_malloc((size_t)piece + 16);
    int made = 0, done = 0;
    int ok = key != NULL && in != NULL && out != NULL &&
             EVP_CipherInit_SKEY(ctx, cipher, key, skey_iv, SKEY_BLOCK, 1, NULL) == 1;

    while (ok && done < 20) {
        ok = EVP_CipherUpdate(ctx, out, &made, in, piece) == 1;
        done += ok;
    }
    (void)printf("%d pieces\n", done);
    if (!ok) {
        program_print_errors("encrypt");
        if (key != NULL && EVP_CipherUpdate(ctx, out, &made, in, piece) != 1) {
            program_print_errors("and once more");
        }
    }
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    EVP_SKEY_free(key);
    OPENSSL_free(in);
    OPENSSL_free(out);
    return ok ? 0 : 1;
}

/* --- threads and forks ------------------------------------------------------------------------ */

struct work {
    const struct skey_pair *pair;
    unsigned char expected[ENCRYPTED];
    int failed;
};

/* The rest of the message, and whether all is as expected. */
static int finish(EVP_CIPHER_CTX *ctx, unsigned char *out, int at, int made,
                  const struct work *work)
{
    int more = 0, last = 0;

    return EVP_CipherUpdate(ctx, out + made, &more, skey_data + at, MESSAGE - at) == 1 &&
           EVP_CipherFinal_ex(ctx, out + made + more, &last) == 1 &&
           made + more + last == ENCRYPTED && memcmp(out, work->expected, ENCRYPTED) == 0;
}

static int encrypt_message(const struct work *work)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char out[ENCRYPTED + SKEY_BLOCK];
    int ok = EVP_CipherInit_SKEY(ctx, work->pair->cipher, work->pair->key, skey_iv, SKEY_BLOCK, 1,
                                 NULL) == 1 &&
             finish(ctx, out, 0, 0, work);

    EVP_CIPHER_CTX_free(ctx);
    if (!ok || ERR_peek_error() != 0) {
        program_print_errors("an encryption failed");
        ok = 0;
    }
    return ok;
}

static void *encrypt_many(void *argument)
{
    struct work *work = argument;

    for (int i = 0; i < TIMES && !work->failed; i++) {
        work->failed = !encrypt_message(work);
    }
    return NULL;
}

static void expect(struct work *work, const struct skey_pair *pair)
{
    EVP_CIPHER_CTX *ctx = skey_theirs(pair, 1, 1);
    int made = 0, last = 0;

    work->pair = pair;
    work->failed = EVP_CipherUpdate(ctx, work->expected, &made, skey_data, MESSAGE) != 1 ||
                   EVP_CipherFinal_ex(ctx, work->expected + made, &last) != 1;
    EVP_CIPHER_CTX_free(ctx);
}

static int use_threads(const struct skey_pair *pair)
{
    pthread_t threads[THREADS];
    struct work works[THREADS];
    int failed = 0;

    for (int i = 0; i < THREADS; i++) {
        expect(&works[i], pair);
        if (pthread_create(&threads[i], NULL, encrypt_many, &works[i]) != 0) {
            exit(1);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        failed += works[i].failed;
    }
    return failed;
}

static int use_forks(const struct skey_pair *pair)
{
    unsigned char out[ENCRYPTED + SKEY_BLOCK];
    EVP_CIPHER_CTX *ctx = skey_ours(pair, 1, 1);
    struct work work;
    int made = 0, status = 0, failed = 0;

    expect(&work, pair);
    failed = EVP_CipherUpdate(ctx, out, &made, skey_data, 40) != 1;
    for (int i = 0; i < 2; i++) {
        if (fork() == 0) {
            failed = !finish(ctx, out, 40, made, &work) || !encrypt_message(&work);
            EVP_CIPHER_CTX_free(ctx);
            exit(failed);
        }
    }
    failed += !finish(ctx, out, 40, made, &work);
    for (int i = 0; i < 2; i++) {
        failed += wait(&status) <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    failed += !encrypt_message(&work);
    EVP_CIPHER_CTX_free(ctx);
    return failed;
}

static int at_once(const char *uri, const char *hex, int (*use)(const struct skey_pair *))
{
    struct skey_pair pair;
    int failed;

    skey_pair_load(&pair, uri, hex);
    failed = use(&pair) + skey_failures();
    skey_pair_free(&pair);
    (void)printf("%d failures\n", failed);
    return failed == 0 ? 0 : 1;
}

/* --- the end ------------------------------------------------------------------------------------
 */

static EVP_SKEY *late_key;
static EVP_CIPHER_CTX *late_cipher;
static EVP_MAC_CTX *late_mac;

static void free_late(void)
{
    EVP_SKEY_free(late_key);
    EVP_CIPHER_CTX_free(late_cipher);
    EVP_MAC_CTX_free(late_mac);
    (void)printf("all is freed\n");
}

/* What is registered before libcrypto's first use is called after its cleanup. */
static int late(const char *uri)
{
    unsigned char out[32];
    EVP_CIPHER *cipher = NULL;
    EVP_MAC *method = NULL;
    int made = 0, ok = 0;

    if (atexit(free_late) != 0) {
        return 1;
    }
#if OPENSSL_VERSION_NUMBER >= 0x40000000L
    if (atexit(OPENSSL_cleanup) != 0) {
        return 1;
    }
#endif
    late_key = skey_named(uri);
    cipher = EVP_CIPHER_fetch(NULL, "SC-HSM-AES-256-CBC", NULL);
    method = EVP_MAC_fetch(NULL, "SC-HSM-CMAC", NULL);
    late_cipher = EVP_CIPHER_CTX_new();
    late_mac = EVP_MAC_CTX_new(method);
    ok = late_key != NULL &&
         EVP_CipherInit_SKEY(late_cipher, cipher, late_key, skey_iv, SKEY_BLOCK, 1, NULL) == 1 &&
         EVP_CipherUpdate(late_cipher, out, &made, skey_data, 20) == 1 &&
         EVP_MAC_init_SKEY(late_mac, late_key, NULL) == 1 &&
         EVP_MAC_update(late_mac, skey_data, 20) == 1;
    EVP_CIPHER_free(cipher);
    EVP_MAC_free(method);
    return ok ? 0 : 1;
}

/* --- what later versions have -------------------------------------------------------------------
 */

#ifdef OSSL_FUNC_KDF_SET_SKEY
static void refuse_derivations(EVP_KDF_CTX *ctx, OSSL_PARAM *info)
{
    unsigned char secret[1001] = { 0 };
    OSSL_PARAM key[] = { OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, 32),
                         OSSL_PARAM_construct_end() };
    OSSL_PARAM much[] = { OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, secret, 1001),
                          OSSL_PARAM_construct_end() };

    skey_refused("nothing wanted", EVP_KDF_derive(ctx, secret, 0, NULL) == 1,
                 "nothing is to be derived");
    skey_refused("nothing said", EVP_KDF_derive(ctx, secret, 16, NULL) == 1, "was not said");
    skey_refused("too much said", EVP_KDF_derive(ctx, secret, 16, much) == 1, "1 to 1000 bytes");
    skey_refused("bytes for a key", EVP_KDF_derive(ctx, secret, 16, key) == 1,
                 "not given as bytes");
    skey_refused("more than the device derives", EVP_KDF_derive(ctx, secret, 1000, info) == 1,
                 "1000 are wanted");
}
#endif

static int derive(const char *uri, char *text)
{
#ifdef OSSL_FUNC_KDF_SET_SKEY
    OSSL_PARAM info[] = { OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, text,
                                                            strlen(text)),
                          OSSL_PARAM_construct_end() };
    EVP_SKEY *key = skey_named(uri);
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SC-HSM-DERIVE", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf), *copy = NULL;
    unsigned char secret[32] = { 0 }, copied[32];

    skey_refused("no key", EVP_KDF_derive(ctx, secret, 16, info) == 1, "no key was set");
    EVP_KDF_CTX_reset(ctx);
    skey_step("a key", key != NULL && EVP_KDF_CTX_set_SKEY(ctx, key, NULL) == 1);
    refuse_derivations(ctx, info);
    EVP_SKEY_free(key); /* the context has what it needs */
    skey_step("a secret", EVP_KDF_derive(ctx, secret, sizeof(secret), info) == 1 &&
                              (copy = EVP_KDF_CTX_dup(ctx)) != NULL);
    EVP_KDF_CTX_free(ctx);
    skey_step("its copy's",
              EVP_KDF_derive(copy, copied, 20, NULL) == 1 && memcmp(copied, secret, 20) == 0);
    for (size_t i = 0; i < sizeof(secret); i++) {
        (void)printf("%02x", secret[i]);
    }
    (void)printf("\n");
    EVP_KDF_CTX_free(copy);
    EVP_KDF_free(kdf);
    return skey_failures() == 0 ? 0 : 1;
#else
    (void)uri;
    (void)text;
    return 77;
#endif
}

#ifdef OSSL_FUNC_KEYEXCH_DERIVE_SKEY
/* libcrypto leaves an error of its own behind (3.6, 4.0) when the key's provider has no key
 * management of that name, although it goes on with another one: nobody else may leave one. */
static void only_about_fetching(void)
{
    const char *function = NULL;

    while (ERR_peek_error_all(NULL, NULL, &function, NULL, NULL) != 0 &&
           strcmp(function, "inner_evp_generic_fetch") == 0) {
        (void)ERR_get_error();
    }
}
#endif

static int agreed(const char *name)
{
#ifdef OSSL_FUNC_KEYEXCH_DERIVE_SKEY
    EVP_PKEY *key = program_first_key(name);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    EVP_SKEYMGMT *mgmt = EVP_SKEYMGMT_fetch(NULL, "GENERIC-SECRET", NULL);
    EVP_SKEY *secret = NULL;
    unsigned char bytes[66];
    const unsigned char *raw = NULL;
    size_t len = sizeof(bytes), raw_len = 0;
    int ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
             EVP_PKEY_derive_set_peer(ctx, key) == 1 && EVP_PKEY_derive(ctx, bytes, &len) == 1;

    skey_step("a secret as bytes", ok);
    for (int named = 0; named < 2; named++) {
        /* Whose key management is to be asked is named, or libcrypto asks us first. */
        secret = EVP_PKEY_derive_SKEY(ctx, named ? mgmt : NULL, "GENERIC-SECRET", NULL, len, NULL);
        if (!named) {
            only_about_fetching();
        }
        skey_step("the same as a key", secret != NULL &&
                                           EVP_SKEY_get0_raw_key(secret, &raw, &raw_len) == 1 &&
                                           raw_len == len && memcmp(raw, bytes, len) == 0);
        EVP_SKEY_free(secret);
    }
    EVP_SKEYMGMT_free(mgmt);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    (void)printf("%d failures\n", skey_failures());
    return skey_failures() == 0 ? 0 : 1;
#else
    (void)name;
    return 77;
#endif
}

static int stored(const char *uri)
{
#ifdef OSSL_STORE_INFO_SKEY
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    OSSL_STORE_INFO *info = NULL;

    if (store != NULL && OSSL_STORE_expect(store, OSSL_STORE_INFO_SKEY) == 1) {
        info = OSSL_STORE_load(store);
    }
    if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_SKEY) {
        const EVP_SKEY *key = OSSL_STORE_INFO_get0_SKEY(info);

        (void)printf("%s of %s\n", EVP_SKEY_get0_key_id(key), EVP_SKEY_get0_skeymgmt_name(key));
    }
    skey_step("a key from the store", info != NULL && OSSL_STORE_eof(store) == 1);
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    return skey_failures() == 0 ? 0 : 1;
#else
    (void)uri;
    return 77;
#endif
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "", *argument = argc > 3 ? argv[3] : "";

    if (strcmp(what, "late") == 0) {
        return late(argv[2]);
    }
#if OPENSSL_VERSION_NUMBER >= 0x40000000L
    /* From 4.0 on libcrypto leaves this to who wants it: the search for leaks does. */
    if (atexit(OPENSSL_cleanup) != 0) {
        return 1;
    }
#endif
    if (strcmp(what, "compare") == 0) {
        return compare(argv[2], argument);
    }
    if (strcmp(what, "mac") == 0) {
        return mac(argv[2], argument);
    }
    if (strcmp(what, "encrypt") == 0) {
        return encrypt(argv[2], (int)program_number(argument));
    }
    if (strcmp(what, "threads") == 0) {
        return at_once(argv[2], argument, use_threads);
    }
    if (strcmp(what, "forked") == 0) {
        return at_once(argv[2], argument, use_forks);
    }
    if (strcmp(what, "derive") == 0 && argc == 4) {
        return derive(argv[2], argv[3]);
    }
    if (strcmp(what, "agreed") == 0) {
        return agreed(argv[2]);
    }
    if (strcmp(what, "stored") == 0) {
        return stored(argv[2]);
    }
    (void)fprintf(stderr, "usage: use_skey WHAT URI [ARGUMENT]\n");
    return 2;
}
