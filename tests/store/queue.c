/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_queue NAME WRONG RIGHT: the error queue around loading a private key, with a wrong and the
 * right PIN given by the application's callback. Prints the last sentence of each failure.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ERR_print_errors_fp(stdout);                                                           \
            printf("FAILED in line %d: %s\n", __LINE__, #condition);                               \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static int give(char *buffer, int size, int writing, void *pin)
{
    (void)writing;
    return (int)OPENSSL_strlcpy(buffer, pin, (size_t)size);
}

static EVP_PKEY *from_store(const char *name, char *pin)
{
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give, 0);
    OSSL_STORE_CTX *store = OSSL_STORE_open_ex(name, NULL, NULL, ui, pin, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    EXPECT(ui != NULL && store != NULL && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY));
    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        key = info != NULL ? OSSL_STORE_INFO_get1_PKEY(info) : NULL;
        OSSL_STORE_INFO_free(info);
        if (OSSL_STORE_error(store)) {
            break;
        }
    }
    OSSL_STORE_close(store);
    UI_destroy_method(ui);
    return key;
}

static EVP_PKEY *from_pem(const char *name, char *pin)
{
    BIO *in = BIO_new_file(name, "r");
    EVP_PKEY *key = NULL;

    EXPECT(in != NULL);
    key = PEM_read_bio_PrivateKey(in, NULL, give, pin);
    BIO_free(in);
    return key;
}

/* Whether the queue has an error of our provider; prints its sentence. Leaves the queue. */
static int has_sentence(void)
{
    const char *text = NULL;
    int flags = 0;
    unsigned long code = ERR_peek_last_error_all(NULL, NULL, NULL, &text, &flags);

    if (code != 0) {
        printf("last: %s: %s\n", ERR_lib_error_string(code), (flags & ERR_TXT_STRING) ? text : "");
    }
    return code != 0;
}

/* An application's own mark, after a failure whose errors it left on the queue. */
static void marks_behave(void)
{
    unsigned long last = ERR_peek_last_error();

    EXPECT(ERR_set_mark());
    ERR_raise(ERR_LIB_USER, 1);
    ERR_raise(ERR_LIB_USER, 2);
    EXPECT(ERR_GET_REASON(ERR_peek_last_error()) == 2);
    EXPECT(ERR_pop_to_mark());
    EXPECT(ERR_peek_last_error() == last);
}

static void drains(void)
{
    int count = 0;

    while (ERR_get_error() != 0) {
        EXPECT(++count <= 16);
    }
    EXPECT(ERR_peek_error() == 0);
    EXPECT(!ERR_pop_to_mark()); /* no mark outlives the errors */
}

/* How many of an application's marks our error would swallow. */
static int marks_left(void)
{
    int count = 0;

    while (ERR_pop_to_mark()) {
        count++;
    }
    return count;
}

static void fails(const char *what, EVP_PKEY *(*load)(const char *name, char *pin),
                  const char *name, char *pin)
{
    printf("%s\n", what);
    ERR_clear_error();
    EXPECT(load(name, pin) == NULL && has_sentence());
    marks_behave();
    drains();

    /* An error that was there before stays where it is. */
    ERR_raise(ERR_LIB_USER, 7);
    EXPECT(load(name, pin) == NULL);
    EXPECT(ERR_GET_REASON(ERR_peek_error()) == 7 && ERR_peek_last_error() != ERR_peek_error());
    marks_behave();
    drains();

    EXPECT(load(name, pin) == NULL);
    printf("marks left: %d\n", marks_left());
    ERR_clear_error();
}

/* After failures on the same thread, a success leaves nothing. */
static void works(EVP_PKEY *(*load)(const char *name, char *pin), const char *name, char *pin)
{
    EVP_PKEY *key = load(name, pin);

    EXPECT(key != NULL && ERR_peek_error() == 0);
    EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        return 2;
    }
    bool is_file = strncmp(argv[1], "sc-hsm:", 7) != 0;

    /* A PIN that was proven is not asked for again, so the wrong one comes first. */
    fails("store", from_store, argv[1], argv[2]);
    if (is_file) {
        fails("PEM", from_pem, argv[1], argv[2]);
        works(from_pem, argv[1], argv[3]);
    }
    works(from_store, argv[1], argv[3]);
    return 0;
}
