/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign_file KEY FILE SIGNATURE: signs a file with SHA-256 and the first private key that KEY names:
 * a key reference file, or a URI such as sc-hsm:label=web.
 *
 *     cc -o sign_file sign_file.c -lcrypto
 *
 * Nothing here knows of the card: openssl.cnf loads the provider (see openssl.cnf.sample), and the
 * key brings its signature along.
 */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>
#include <openssl/ui.h>

/* The first private key. Where no PIN is configured, the terminal is asked for it. */
static EVP_PKEY *load_key(const char *name)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(name, UI_OpenSSL(), NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    if (store != NULL && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY)) {
        while (key == NULL && !OSSL_STORE_eof(store)) {
            OSSL_STORE_INFO *info = OSSL_STORE_load(store);

            if (info == NULL) {
                break; /* the reason is in the error queue */
            }
            key = OSSL_STORE_INFO_get1_PKEY(info);
            OSSL_STORE_INFO_free(info);
        }
    }
    OSSL_STORE_close(store);
    return key;
}

static int sign(EVP_PKEY *key, FILE *in, FILE *out)
{
    unsigned char buffer[4096];
    unsigned char *signature = NULL;
    size_t len;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = 0;

    if (ctx == NULL || !EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL)) {
        goto end;
    }
    while ((len = fread(buffer, 1, sizeof(buffer), in)) > 0) {
        if (!EVP_DigestSignUpdate(ctx, buffer, len)) {
            goto end;
        }
    }
    /* Asked for its length first; that sends nothing to the card. */
    if (ferror(in) || !EVP_DigestSignFinal(ctx, NULL, &len) ||
        (signature = OPENSSL_malloc(len)) == NULL || !EVP_DigestSignFinal(ctx, signature, &len)) {
        goto end;
    }
    ok = fwrite(signature, 1, len, out) == len;
end:
    OPENSSL_free(signature);
    EVP_MD_CTX_free(ctx);
    return ok;
}

int main(int argc, char **argv)
{
    EVP_PKEY *key = NULL;
    FILE *in = NULL, *out = NULL;
    int ok = 0;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: sign_file KEY FILE SIGNATURE\n");
        return 2;
    }
    in = fopen(argv[2], "rb");
    if (in == NULL) {
        perror(argv[2]);
        return 1;
    }
    key = load_key(argv[1]);
    out = key == NULL ? NULL : fopen(argv[3], "wb");
    if (out != NULL) {
        ok = sign(key, in, out);
        ok = fclose(out) == 0 && ok;
    }
    if (!ok) {
        (void)fprintf(stderr, "no signature was made\n");
        ERR_print_errors_fp(stderr);
    }
    EVP_PKEY_free(key);
    (void)fclose(in);
    return ok ? 0 : 1;
}
