/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_file PUBLIC FILE SIGNATURE: verifies what sign_file has made, with a public key or a
 * certificate in PEM.
 *
 *     cc -o verify_file verify_file.c -lcrypto
 *
 * Verifying needs no card and no provider but OpenSSL's own, whatever openssl.cnf says: a library
 * context of one's own, with the default provider alone.
 */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

static EVP_PKEY *load_public(OSSL_LIB_CTX *libctx, const char *name)
{
    BIO *file = BIO_new_file(name, "r");
    X509 *certificate = X509_new_ex(libctx, NULL);
    EVP_PKEY *key = NULL;

    if (file != NULL && certificate != NULL) {
        ERR_set_mark();
        if (PEM_read_bio_X509(file, &certificate, NULL, NULL) != NULL) {
            key = X509_get_pubkey(certificate);
        } else if (BIO_seek(file, 0) >= 0) {
            key = PEM_read_bio_PUBKEY_ex(file, NULL, NULL, NULL, libctx, NULL);
        }
        if (key != NULL) {
            ERR_pop_to_mark(); /* that it is no certificate does not matter */
        } else {
            ERR_clear_last_mark();
        }
    }
    X509_free(certificate);
    BIO_free(file);
    return key;
}

/* 1: good, 0: not. */
static int verify(OSSL_LIB_CTX *libctx, EVP_PKEY *key, FILE *in, FILE *signature_file)
{
    unsigned char buffer[4096], signature[1024];
    size_t len, signature_len = fread(signature, 1, sizeof(signature), signature_file);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx != NULL && EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", libctx, NULL, key, NULL);

    while (ok && (len = fread(buffer, 1, sizeof(buffer), in)) > 0) {
        ok = EVP_DigestVerifyUpdate(ctx, buffer, len);
    }
    ok = ok && !ferror(in) && EVP_DigestVerifyFinal(ctx, signature, signature_len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

int main(int argc, char **argv)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider = libctx == NULL ? NULL : OSSL_PROVIDER_load(libctx, "default");
    EVP_PKEY *key = NULL;
    FILE *in = NULL, *signature = NULL;
    int ok = 0;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: verify_file PUBLIC FILE SIGNATURE\n");
    } else if ((in = fopen(argv[2], "rb")) == NULL) {
        perror(argv[2]);
    } else if ((signature = fopen(argv[3], "rb")) == NULL) {
        perror(argv[3]);
    } else if (provider != NULL && (key = load_public(libctx, argv[1])) != NULL) {
        ok = verify(libctx, key, in, signature);
        (void)printf(ok ? "the signature is good\n" : "the signature is NOT good\n");
    }
    ERR_print_errors_fp(stderr);
    if (in != NULL) {
        (void)fclose(in);
    }
    if (signature != NULL) {
        (void)fclose(signature);
    }
    EVP_PKEY_free(key);
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(libctx);
    return ok ? 0 : 1;
}
