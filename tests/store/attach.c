/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_attach FILE PIN: a program that reads keys on devices, and no others, from a file: once
 * from the file itself and once from memory. Says for each whether there was a key, how often it
 * was asked for a pass phrase, whether the key signs, and how many bytes were left unread.
 */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "asked.h"

#define ROOM 65536 /* bytes of a file */

/* Status: 0 with a key. */
static int attach(const char *where, BIO *in, UI_METHOD *ui, char *pin)
{
    static unsigned char rest[ROOM];
    OSSL_STORE_CTX *store = OSSL_STORE_attach(in, "sc-hsm", NULL, NULL, ui, pin, NULL, NULL, NULL);
    OSSL_STORE_INFO *info = store == NULL ? NULL : OSSL_STORE_load(store);
    EVP_PKEY *key = info == NULL ? NULL : OSSL_STORE_INFO_get1_PKEY(info);
    int left = BIO_read(in, rest, sizeof(rest));

    printf("%s: attached %d, key %d, asked %d, signs %d, left %d\n", where, store != NULL,
           key != NULL, asked, key != NULL && key_signs(key), left > 0 ? left : 0);
    printf("%s: ended %d\n", where, store == NULL || OSSL_STORE_eof(store));
    ERR_print_errors_fp(stdout);
    asked = 0;
    OSSL_STORE_INFO_free(info);
    EVP_PKEY_free(key);
    OSSL_STORE_close(store);
    return key == NULL;
}

int main(int argc, char **argv)
{
    static unsigned char data[ROOM];
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
    BIO *file = argc == 3 ? BIO_new_file(argv[1], "rb") : NULL, *memory = NULL;
    int len, status;

    if (file == NULL) {
        (void)fprintf(stderr, "usage: store_attach FILE PIN\n");
        return 2;
    }
    len = BIO_read(file, data, sizeof(data));
    (void)BIO_reset(file);
    memory = BIO_new_mem_buf(data, len);
    status = attach("file", file, ui, argv[2]) | attach("memory", memory, ui, argv[2]);
    BIO_free(file);
    BIO_free(memory);
    UI_destroy_method(ui);
    return status;
}
