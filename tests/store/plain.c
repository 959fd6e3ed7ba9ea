/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_plain NAME PIN: a program that opens a store without OSSL_STORE_expect, as nginx does, and
 * takes the first key that comes. Prints whether it opened, what came, how often it was asked for a
 * pass phrase, and whether the key signs. Status 0: it has a key.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "asked.h"

int main(int argc, char **argv)
{
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
    OSSL_STORE_CTX *store = NULL;
    EVP_PKEY *key = NULL;

    if (argc != 3) {
        return 2;
    }
    store = OSSL_STORE_open_ex(argv[1], NULL, NULL, ui, argv[2], NULL, NULL, NULL);
    printf("opened: %d\n", store != NULL);
    while (store != NULL && key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL) {
            break;
        }
        printf("came: %s\n", OSSL_STORE_INFO_type_string(OSSL_STORE_INFO_get_type(info)));
        key = OSSL_STORE_INFO_get1_PKEY(info);
        ERR_clear_error(); /* of asking a certificate for its key */
        OSSL_STORE_INFO_free(info);
    }
    printf("asked: %d\n", asked);
    printf("signs: %d\n", key != NULL && key_signs(key));
    ERR_print_errors_fp(stdout);
    EVP_PKEY_free(key);
    OSSL_STORE_close(store);
    UI_destroy_method(ui);
    return key == NULL;
}
