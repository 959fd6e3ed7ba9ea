/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit_orders ORDER NAME: a program that lets go of its key and its SSL_CTX late, in one of the
 * orders in which programs end. NAME: a key reference file or URI, or "software" for a key that is
 * made on the host by whichever provider is the first one. Ends with status 0 and without a signal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/store.h>

static EVP_PKEY *key;
static SSL_CTX *tls;
static EVP_MD_CTX *signing; /* an operation that never ended */
static int late;            /* what is static is freed by a destructor */

static void let_go(void)
{
    EVP_MD_CTX_free(signing);
    EVP_PKEY_free(key);
    SSL_CTX_free(tls);
    signing = NULL;
    key = NULL;
    tls = NULL;
}

/* As a static object of C++ would, behind all that was registered with atexit. */
__attribute__((destructor)) static void at_the_very_end(void)
{
    if (late) {
        let_go();
    }
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "%s\n", what);
    ERR_print_errors_fp(stderr);
    _exit(1);
}

static void load(const char *name)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(name, NULL, NULL, NULL, NULL);

    if (store == NULL || !OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY)) {
        fail("the store does not open");
    }
    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        key = info == NULL ? NULL : OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
        if (OSSL_STORE_error(store)) {
            break;
        }
    }
    OSSL_STORE_close(store);
}

/* An error of ours, for its text to be loaded; what is said of it must be whole. */
static void provoke(void)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open("sc-hsm:colour=red", NULL, NULL, NULL, NULL);
    char text[256] = "";

    OSSL_STORE_close(store);
    ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
    if (strstr(text, ":sc-hsm:") == NULL || strstr(text, ":malformed URI") == NULL) {
        fail("the error does not say what it is");
    }
    ERR_clear_error();
}

static void use(void)
{
    unsigned char sig[1024];
    size_t len = sizeof(sig);

    signing = EVP_MD_CTX_new();
    tls = SSL_CTX_new(TLS_server_method());
    if (signing == NULL || tls == NULL || SSL_CTX_use_PrivateKey(tls, key) != 1 ||
        EVP_DigestSignInit_ex(signing, NULL, "SHA256", NULL, NULL, key, NULL) <= 0 ||
        EVP_DigestSign(signing, sig, &len, (const unsigned char *)"x", 1) <= 0) {
        fail("no signature");
    }
}

/* Lets go in a child that ends by exit, with the parent's handlers. */
static void in_a_child(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        (void)fprintf(stderr, "the child ended with %x\n", (unsigned int)status);
        _exit(1);
    }
}

int main(int argc, char **argv)
{
    const char *order = argc == 3 ? argv[1] : "";
    int forks = strncmp(order, "forked-", 7) == 0;

    if (forks) {
        order += 7;
    }
    /* Registered before libcrypto's own, it is called after it. */
    if (strcmp(order, "early-atexit") == 0 && atexit(let_go) != 0) {
        return 1;
    }
    provoke();
    if (argc == 3 && strcmp(argv[2], "software") == 0) {
        key = EVP_EC_gen("P-256");
    } else if (argc == 3) {
        load(argv[2]);
    }
    if (key == NULL) {
        fail("no key");
    }
    use();
    if (strcmp(order, "destructor") == 0) {
        late = 1;
    } else if (strcmp(order, "late-atexit") == 0) {
        if (atexit(let_go) != 0) {
            return 1;
        }
    } else if (strcmp(order, "cleanup") == 0) {
        if (forks) {
            in_a_child();
        }
        OPENSSL_cleanup();
        let_go();
    } else if (strcmp(order, "never") == 0) {
        late = 0;
    } else if (strcmp(order, "early-atexit") != 0) {
        return 2;
    }
    if (forks) {
        in_a_child();
    }
    return 0;
}
