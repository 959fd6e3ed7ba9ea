/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decrypt_file KEY CERTIFICATE FILE: decrypts a CMS message (DER) to standard output, as this makes
 * one:
 *
 *     openssl cms -encrypt -binary -aes256 -in text -outform DER -out text.p7 certificate.pem
 *
 * The message itself is under a key of its own; the card decrypts that (RSA) or agrees on it (EC),
 * and OpenSSL does the rest. KEY is a key reference file or a URI.
 *
 *     cc -o decrypt_file decrypt_file.c -lcrypto
 */
#include <stdio.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>

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

static X509 *load_certificate(const char *name)
{
    BIO *file = BIO_new_file(name, "r");
    X509 *certificate = file == NULL ? NULL : PEM_read_bio_X509(file, NULL, NULL, NULL);

    BIO_free(file);
    return certificate;
}

static CMS_ContentInfo *load_message(const char *name)
{
    BIO *file = BIO_new_file(name, "rb");
    CMS_ContentInfo *message = file == NULL ? NULL : d2i_CMS_bio(file, NULL);

    BIO_free(file);
    return message;
}

int main(int argc, char **argv)
{
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    CMS_ContentInfo *message = NULL;
    BIO *out = NULL;
    int ok = 0;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: decrypt_file KEY CERTIFICATE FILE\n");
        return 2;
    }
    /* The certificate tells which of the message's recipients we are. */
    if ((message = load_message(argv[3])) != NULL &&
        (certificate = load_certificate(argv[2])) != NULL && (key = load_key(argv[1])) != NULL &&
        (out = BIO_new_fp(stdout, BIO_NOCLOSE)) != NULL) {
        ok = CMS_decrypt(message, key, certificate, NULL, out, 0) && BIO_flush(out) > 0;
    }
    if (!ok) {
        (void)fprintf(stderr, "the message could not be decrypted\n");
        ERR_print_errors_fp(stderr);
    }
    BIO_free(out);
    EVP_PKEY_free(key);
    X509_free(certificate);
    CMS_ContentInfo_free(message);
    return ok ? 0 : 1;
}
