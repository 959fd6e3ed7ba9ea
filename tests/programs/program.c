/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/store.h>
#include <openssl/x509.h>

#define SIGNATURE_MAX 1024

void program_print_errors(const char *what)
{
    (void)fprintf(stderr, "%s\n", what);
    ERR_print_errors_fp(stderr);
}

static void die(const char *what)
{
    program_print_errors(what);
    exit(1);
}

EVP_PKEY *program_first_key(const char *name)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(name, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    if (store == NULL) {
        return NULL;
    }
    OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL) {
            break;
        }
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            key = OSSL_STORE_INFO_get1_PKEY(info);
        }
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return key;
}

void program_load_key(struct program_key *key, const char *name)
{
    unsigned char *der = NULL;
    const unsigned char *next = NULL;
    int len = 0;

    memset(key, 0, sizeof(*key));
#if OPENSSL_VERSION_NUMBER >= 0x40000000L
    /* From 4.0 on libcrypto leaves this to who wants it: valgrind does. */
    if (atexit(OPENSSL_cleanup) != 0) {
        die("no room for one more function at exit");
    }
#endif
    key->key = program_first_key(name);
    if (key->key == NULL) {
        die("no private key there");
    }
    if (ERR_peek_error() != 0) {
        die("the key was loaded, but errors were left in the queue");
    }
    key->other = OSSL_LIB_CTX_new();
    if (key->other != NULL) {
        key->default_provider = OSSL_PROVIDER_load(key->other, "default");
    }
    if (key->default_provider == NULL) {
        die("no default provider");
    }
    len = i2d_PUBKEY(key->key, &der);
    if (len <= 0) {
        die("no public key");
    }
    next = der;
    key->judge = d2i_PUBKEY_ex(NULL, &next, len, key->other, NULL);
    OPENSSL_free(der);
    if (key->judge == NULL) {
        die("the public key is not readable by the default provider");
    }
}

void program_free_key(struct program_key *key)
{
    EVP_PKEY_free(key->key);
    EVP_PKEY_free(key->judge);
    OSSL_PROVIDER_unload(key->default_provider);
    OSSL_LIB_CTX_free(key->other);
    memset(key, 0, sizeof(*key));
}

static int verify(const struct program_key *key, const unsigned char *text, size_t text_len,
                  const unsigned char *signature, size_t signature_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL &&
             EVP_DigestVerifyInit_ex(context, NULL, "SHA256", key->other, NULL, key->judge, NULL) &&
             EVP_DigestVerify(context, signature, signature_len, text, text_len) == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

int program_sign(const struct program_key *key, unsigned int number)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t signature_len = sizeof(signature);
    char text[64];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int text_len = snprintf(text, sizeof(text), "message %u", number);
    int ok =
        context != NULL && text_len > 0 &&
        EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key->key, NULL) &&
        EVP_DigestSign(context, signature, &signature_len, (unsigned char *)text, (size_t)text_len);

    EVP_MD_CTX_free(context);
    if (!ok) {
        return 0;
    }
    if (!verify(key, (unsigned char *)text, (size_t)text_len, signature, signature_len)) {
        (void)fprintf(stderr, "signature %u is wrong\n", number);
        return 0;
    }
    if (ERR_peek_error() != 0) {
        (void)fprintf(stderr, "signature %u is good, but errors were left in the queue\n", number);
        return 0;
    }
    return 1;
}

void program_say_errors(void)
{
    const char *data = NULL, *between = "failed: ";
    unsigned long code;
    int flags = 0;

    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *reason = ERR_reason_error_string(code);

        (void)printf("%s%s: %s", between, reason == NULL ? "?" : reason,
                     (flags & ERR_TXT_STRING) != 0 ? data : "");
        between = "; ";
    }
    (void)printf("\n");
}

void program_end_late(void)
{
    const char *scale = getenv("SC_HSM_TEST_SCALE");

    (void)alarm(30 * (scale != NULL ? program_number(scale) : 1));
}

unsigned int program_number(const char *text)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || number == 0 || number > 1000000) {
        (void)fprintf(stderr, "'%s' is no number from 1 to 1000000\n", text);
        exit(2);
    }
    return (unsigned int)number;
}
