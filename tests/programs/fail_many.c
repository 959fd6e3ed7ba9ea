/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fail_many KEY COUNT THREADS: loads the key of a file or URI anew and signs with it, COUNT times
 * in so many threads, where neither is expected to go well: each time one of both must fail, with a
 * sentence of ours or of OpenSSL's. Six characters ###### in KEY stand for the number of the
 * attempt. Prints how many failed; status 1 where one went well, or failed without a word.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "program.h"

#define THREADS_MAX 64
#define NUMBER "######"

struct work {
    const char *key;
    unsigned int count;
    atomic_uint next, failed;
    atomic_bool told; /* the first one's errors are shown */
};

static int sign(EVP_PKEY *key)
{
    static const unsigned char text[] = "a text";
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t len = sizeof(signature);
    int ok = context != NULL &&
             EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) > 0 &&
             EVP_DigestSign(context, signature, &len, text, sizeof(text)) > 0;

    EVP_MD_CTX_free(context);
    return ok;
}

static void put_number(char *name, unsigned int number)
{
    char digits[sizeof(NUMBER)], *at = strstr(name, NUMBER);

    if (at != NULL) {
        (void)snprintf(digits, sizeof(digits), "%06u", number % 1000000);
        memcpy(at, digits, strlen(NUMBER));
    }
}

static void *fail_on(void *argument)
{
    struct work *work = argument;
    unsigned int number;

    while ((number = atomic_fetch_add(&work->next, 1)) < work->count) {
        char name[4096];
        EVP_PKEY *key;
        int ok;

        (void)snprintf(name, sizeof(name), "%s", work->key);
        put_number(name, number);
        ERR_clear_error();
        key = program_first_key(name);
        ok = key != NULL && sign(key);
        EVP_PKEY_free(key);
        if (!ok && ERR_peek_error() != 0) {
            atomic_fetch_add(&work->failed, 1);
        } else {
            (void)fprintf(stderr, "number %u %s\n", number,
                          ok ? "went well" : "failed without a word");
        }
        if (!ok && !atomic_exchange(&work->told, true)) {
            program_print_errors("the first one's errors:");
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct work work = { .key = NULL };
    pthread_t threads[THREADS_MAX];
    unsigned int wanted = 0, started = 0;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: fail_many KEY COUNT THREADS\n");
        return 2;
    }
    work.key = argv[1];
    work.count = program_number(argv[2]);
    wanted = program_number(argv[3]);
    while (started < wanted && started < THREADS_MAX &&
           pthread_create(&threads[started], NULL, fail_on, &work) == 0) {
        started++;
    }
    for (unsigned int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%u failed\n", atomic_load(&work.failed));
    return atomic_load(&work.failed) == work.count ? 0 : 1;
}
