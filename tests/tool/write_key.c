/* SPDX-License-Identifier: Apache-2.0 */
/* write_key FORMAT FILE: the public key of a PEM file as `sc-hsm pubkey` writes it. */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tool/key_format.h"

int main(int argc, char **argv)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_tool tool = { 0 };
    struct schsm_match match = { 0 };
    FILE *file = argc == 3 ? fopen(argv[2], "re") : NULL;
    EVP_PKEY *key = file != NULL ? PEM_read_PUBKEY(file, NULL, NULL, NULL) : NULL;
    int len = key != NULL ? i2d_PUBKEY(key, &match.object.value) : 0;
    uint8_t *text = NULL;
    size_t text_len = 0;
    int ok = 0;

    if (len <= 0) {
        (void)fprintf(stderr, "usage: write_key FORMAT PEM-FILE\n");
        return 2;
    }
    match.object.value_len = (size_t)len;
    ok = schsm_key_format(&tool, &match, argv[1], &text, &text_len, &err) &&
         fwrite(text, 1, text_len, stdout) == text_len;
    if (!ok) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    OPENSSL_free(text);
    schsm_object_clear(&match.object);
    EVP_PKEY_free(key);
    (void)fclose(file);
    return ok ? 0 : 1;
}
