/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encapsulate OPERATION PUBLIC-KEY FILE: encapsulates a secret for a public key in PEM, writes the
 * encapsulation to the file and says the secret in hex. OPERATION: RSASVE or DHKEM. Status 77 where
 * this OpenSSL has no such operation. For use with the default provider alone, as a judge.
 */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#define ROOM 1024 /* bytes: every encapsulation and every secret */

/* 1: done; 0: failed; -2: there is no such operation */
static int encapsulate(EVP_PKEY *key, const char *operation, unsigned char *wrapped,
                       size_t *wrapped_len, unsigned char *secret, size_t *secret_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int done = ctx == NULL ? 0 : EVP_PKEY_encapsulate_init(ctx, NULL);

    if (done > 0) {
        done = EVP_PKEY_CTX_set_kem_op(ctx, operation) > 0 &&
               EVP_PKEY_encapsulate(ctx, wrapped, wrapped_len, secret, secret_len) > 0;
    }
    EVP_PKEY_CTX_free(ctx);
    return done;
}

int main(int argc, char **argv)
{
    unsigned char wrapped[ROOM], secret[ROOM];
    size_t wrapped_len = ROOM, secret_len = ROOM;
    FILE *file = argc == 4 ? fopen(argv[2], "rb") : NULL;
    EVP_PKEY *key = file == NULL ? NULL : PEM_read_PUBKEY(file, NULL, NULL, NULL);
    int done = 0;

    if (argc != 4 || key == NULL) {
        (void)fprintf(stderr, "usage: encapsulate OPERATION PUBLIC-KEY FILE\n");
        return 2;
    }
    (void)fclose(file);
    done = encapsulate(key, argv[1], wrapped, &wrapped_len, secret, &secret_len);
    EVP_PKEY_free(key);
    if (done <= 0) {
        ERR_print_errors_fp(stderr);
        return done == -2 ? 77 : 1;
    }
    file = fopen(argv[3], "wb");
    if (file == NULL || fwrite(wrapped, 1, wrapped_len, file) != wrapped_len || fclose(file) != 0) {
        perror(argv[3]);
        return 1;
    }
    for (size_t i = 0; i < secret_len; i++) {
        (void)printf("%02x", secret[i]);
    }
    (void)printf("\n");
    return 0;
}
