/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_starved CLEAN ALGORITHM [PARAMETER VALUE]...: makes keys on the card again and again,
 * where from the command on that makes the key, 00 46, one of libcrypto's allocations fails: the
 * first, the second and so on, each alone, and then each with all that follow. Whenever no key is
 * handed out, none may be left on the card, unless an error says so and names it. Ends when a key
 * was made without a failure. CLEAN is a shell command that deletes the key, where one is there.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>

#include <winscard.h>

#define POINTS_MAX 100000
#define EACH 40 /* so many first ones are tried each, of those behind them ever fewer */

/* --- memory that runs out -------------------------------------------------------------------- */

static bool armed; /* the next 00 46 begins the count */
static bool counting;
static bool lasting; /* all that follow fail, too */
static bool failed;  /* one did */
static long left;    /* allocations that succeed before */

static bool fails_now(void)
{
    if (!counting || (failed && !lasting) || left-- > 0) {
        return false;
    }
    failed = true;
    left = 0;
    return true;
}

static void *starving_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size == 0 || fails_now() ? NULL : malloc(size);
}

static void *starving_realloc(void *p, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size == 0) {
        free(p);
        return NULL;
    }
    return fails_now() ? NULL : realloc(p, size);
}

static void starving_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

/* In place of libpcsclite's, for the provider as well. */
__attribute__((visibility("default"))) LONG
SCardTransmit(SCARDHANDLE hCard, const SCARD_IO_REQUEST *pioSendPci, LPCBYTE pbSendBuffer,
              DWORD cbSendLength, SCARD_IO_REQUEST *pioRecvPci, LPBYTE pbRecvBuffer,
              LPDWORD pcbRecvLength)
{
    void *library = dlopen("libpcsclite.so.1", RTLD_NOW);
    __typeof__(SCardTransmit) *real = NULL;

    if (library != NULL) {
        *(void **)&real = dlsym(library, "SCardTransmit");
    }
    if (real == NULL) {
        abort();
    }
    if (armed && cbSendLength > 1 && pbSendBuffer[0] == 0x00 && pbSendBuffer[1] == 0x46) {
        armed = false;
        counting = true;
    }
    return real(hCard, pioSendPci, pbSendBuffer, cbSendLength, pioRecvPci, pbRecvBuffer,
                pcbRecvLength);
}

/* --- keys ------------------------------------------------------------------------------------ */

static EVP_PKEY *make_key(char **words)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, words[0], NULL);
    EVP_PKEY *key = NULL;
    int ok = ctx != NULL && EVP_PKEY_keygen_init(ctx) > 0;

    for (int i = 1; ok && words[i] != NULL && words[i + 1] != NULL; i += 2) {
        ok = EVP_PKEY_CTX_ctrl_str(ctx, words[i], words[i + 1]) > 0;
    }
    if (!ok) {
        ERR_print_errors_fp(stderr);
        exit(2);
    }
    armed = true;
    failed = false;
    if (EVP_PKEY_generate(ctx, &key) <= 0) {
        key = NULL;
    }
    armed = counting = false;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* How many keys are on the card. */
static unsigned int keys(void)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open("sc-hsm:type=private", NULL, NULL, NULL, NULL);
    unsigned int count = 0;

    while (store != NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        count += info != NULL ? 1 : 0;
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    ERR_clear_error();
    return count;
}

/* Whether the error queue names a key that stays; empties it. */
static bool is_named(void)
{
    const char *data = NULL;
    bool named = false;
    int flags = 0;

    while (ERR_get_error_all(NULL, NULL, NULL, &data, &flags) != 0) {
        named = named || ((flags & ERR_TXT_STRING) != 0 && strstr(data, "key reference") != NULL &&
                          (strstr(data, "stays on") != NULL || strstr(data, "left on") != NULL));
    }
    return named;
}

int main(int argc, char **argv)
{
    unsigned int named = 0, removed = 0, made = 0;

    if (argc < 3 ||
        CRYPTO_set_mem_functions(starving_malloc, starving_realloc, starving_free) != 1) {
        (void)fprintf(stderr, "usage: generate_starved CLEAN ALGORITHM [PARAMETER VALUE]...\n");
        return 2;
    }
    for (int all = 0; all < 2; all++) {
        bool ended = false;

        lasting = all != 0;
        for (long point = 0; !ended && point < POINTS_MAX; point += 1 + point / EACH) {
            EVP_PKEY *key = NULL;
            unsigned int now;
            bool tells;

            left = point;
            key = make_key(argv + 2);
            ended = !failed;
            tells = is_named();
            now = keys();
            if (key == NULL && ended) {
                (void)fprintf(stderr, "no key was made although nothing failed\n");
                return 1;
            }
            if (key == NULL && now != 0 && !tells) {
                (void)fprintf(stderr,
                              "allocation %ld%s: a key stays on the card, and nobody says so\n",
                              point, lasting ? " and all that follow" : "");
                return 1;
            }
            made += key != NULL ? 1 : 0;
            named += key == NULL && now != 0 ? 1 : 0;
            removed += key == NULL && now == 0 ? 1 : 0;
            EVP_PKEY_free(key);
            /* NOLINTNEXTLINE(cert-env33-c): the command is the test's own */
            if (now != 0 && (system(argv[1]) != 0 || keys() != 0)) {
                (void)fprintf(stderr, "allocation %ld: the key cannot be deleted\n", point);
                return 1;
            }
        }
    }
    (void)printf("%u keys were handed out, %u removed again, %u named\n", made, removed, named);
    return removed > 0 ? 0 : 1;
}
