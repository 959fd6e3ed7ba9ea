/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_delete URI [PIN]: deletes what the URI names by OSSL_STORE_delete. Ends with status 0 where
 * it did, 1 with the errors on standard error where not, 77 before OpenSSL 3.2.
 */
#include <stdio.h>

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#ifdef OSSL_FUNC_STORE_DELETE

static int give(char *buffer, int size, int writing, void *pin)
{
    (void)writing;
    return pin != NULL ? (int)OPENSSL_strlcpy(buffer, pin, (size_t)size) : -1;
}

int main(int argc, char **argv)
{
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give, 0);
    int ok = 0;

    if (argc < 2 || ui == NULL) {
        return 2;
    }
    ok = OSSL_STORE_delete(argv[1], NULL, NULL, ui, argc > 2 ? argv[2] : NULL, NULL);
    if (!ok || ERR_peek_error() != 0) {
        ERR_print_errors_fp(stderr);
        ok = 0;
    }
    UI_destroy_method(ui);
    return ok ? 0 : 1;
}

#else

int main(void)
{
    puts("OSSL_STORE_delete came with OpenSSL 3.2");
    return 77;
}

#endif
