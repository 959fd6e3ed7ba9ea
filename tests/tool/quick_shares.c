/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In front of libcrypto in the tool (LD_PRELOAD): of the ten million rounds of MD5 that the
 * password of a DKEK share takes, one is left, so that a test may have many shares. Nobody else
 * reads the files that come out of it.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#define EXPORTED __attribute__((visibility("default")))

static bool again; /* a further round with a context that was used before: it leaves all as it is */

/* The function of that name which would be called without us. */
static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL) {
        (void)fprintf(stderr, "quick_shares: there is no %s\n", name);
        abort();
    }
    return function;
}

EXPORTED int EVP_DigestInit_ex2(EVP_MD_CTX *ctx, const EVP_MD *type, const OSSL_PARAM params[])
{
    static __typeof__(EVP_DigestInit_ex2) *real;

    again = type == NULL;
    if (again) {
        return 1;
    }
    if (real == NULL) {
        *(void **)&real = next("EVP_DigestInit_ex2");
    }
    return real(ctx, type, params);
}

EXPORTED int EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t count)
{
    static __typeof__(EVP_DigestUpdate) *real;

    if (again) {
        return 1;
    }
    if (real == NULL) {
        *(void **)&real = next("EVP_DigestUpdate");
    }
    return real(ctx, data, count);
}

EXPORTED int EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *md, unsigned int *size)
{
    static __typeof__(EVP_DigestFinal_ex) *real;

    if (again) {
        return 1;
    }
    if (real == NULL) {
        *(void **)&real = next("EVP_DigestFinal_ex");
    }
    return real(ctx, md, size);
}

/* With the context its rounds are over. */
EXPORTED void EVP_MD_CTX_free(EVP_MD_CTX *ctx)
{
    static __typeof__(EVP_MD_CTX_free) *real;

    again = false;
    if (real == NULL) {
        *(void **)&real = next("EVP_MD_CTX_free");
    }
    real(ctx);
}
