/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures as a server makes them: one key loaded by OSSL_STORE from a file or URI, a new
 * EVP_DigestSign with SHA-256 for each signature.
 *
 *     bench_evp [--together] [--threads N | --processes N] COUNT KEY
 */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>

#include "measure.h"

static EVP_PKEY *load(const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    if (store == NULL || !OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY)) {
        OSSL_STORE_close(store);
        return NULL;
    }
    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL) {
            break;
        }
        key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return key;
}

static int sign(void *arg)
{
    static const unsigned char message[64] = { 0x5A };
    EVP_PKEY *key = arg;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t len = sizeof(signature);
    int ok = ctx != NULL && EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) > 0 &&
             EVP_DigestSign(ctx, signature, &len, message, sizeof(message)) > 0;

    EVP_MD_CTX_free(ctx);
    if (!ok) {
        ERR_print_errors_fp(stderr);
    }
    return ok;
}

int main(int argc, char **argv)
{
    struct bench_plan plan = { .operate = sign };
    int next = bench_plan_parse(&plan, argc, argv);
    EVP_PKEY *key = NULL;
    int status = 1;

    if (next < 0 || argc - next != 1) {
        (void)fprintf(stderr,
                      "usage: bench_evp [--together] [--threads N | --processes N] COUNT KEY\n");
        return 2;
    }
    key = load(argv[next]);
    if (key == NULL) {
        ERR_print_errors_fp(stderr);
        return 1;
    }
    plan.arg = key;
    status = bench_run(&plan);
    EVP_PKEY_free(key);
    return status;
}
