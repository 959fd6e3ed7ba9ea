/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_key LABEL FILE [CURVE]: makes a key on the card, on a curve or else RSA-2048, and writes
 * its key reference file, which stands for the key from then on. There is no secret in it.
 *
 *     cc -o generate_key generate_key.c -lcrypto
 *
 * The parameters are those of `openssl genpkey -pkeyopt`. The PIN comes from the configuration, or
 * from the parameters pin-source and pin-value.
 */
#include <stdio.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>

/* A key comes to the card by its algorithm's name, or by a card parameter such as the label. */
static EVP_PKEY *generate(char *label, char *curve)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_name(NULL, curve != NULL ? "SC-HSM-EC" : "SC-HSM-RSA", NULL);
    size_t bits = 2048;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("label", label, 0),
        curve != NULL ? OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0)
                      : OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) <= 0 ||
        EVP_PKEY_CTX_set_params(ctx, params) <= 0 || EVP_PKEY_generate(ctx, &key) <= 0) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

int main(int argc, char **argv)
{
    EVP_PKEY *key = NULL;
    BIO *file = NULL;
    int ok = 0;

    if (argc != 3 && argc != 4) {
        (void)fprintf(stderr, "usage: generate_key LABEL FILE [CURVE]\n");
        return 2;
    }
    /* Opened first, so that no key is made for which there is no place. */
    file = BIO_new_file(argv[2], "w");
    if (file != NULL && (key = generate(argv[1], argc == 4 ? argv[3] : NULL)) != NULL) {
        /* As any private key is written; for this one OpenSSL calls the provider's encoder. */
        ok = PEM_write_bio_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) && BIO_flush(file) > 0;
        (void)printf("a key of %d bits\n", EVP_PKEY_get_bits(key));
    }
    if (!ok) {
        (void)fprintf(stderr,
                      key == NULL ? "no key was made\n" : "the key is there, its file is not\n");
        ERR_print_errors_fp(stderr);
    }
    BIO_free(file);
    EVP_PKEY_free(key);
    return ok ? 0 : 1;
}
