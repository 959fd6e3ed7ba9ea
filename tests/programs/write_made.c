/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_made ALGORITHM OPTION VALUE FORM FILE: makes a key on the device and writes its private
 * part in one of the forms that programs ask for; genpkey does it as "pkcs8-memory" from
 * OpenSSL 4.0 on. Ends with 3 where a key was made that could not be written.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "program.h"

#define PASS "a pass phrase"

static int pkcs8(BIO *out, EVP_PKEY *key)
{
    return i2d_PKCS8PrivateKey_bio(out, key, NULL, NULL, 0, NULL, NULL);
}

static int pkcs8_encrypted(BIO *out, EVP_PKEY *key)
{
    return i2d_PKCS8PrivateKey_bio(out, key, EVP_aes_256_cbc(), PASS, (int)strlen(PASS), NULL,
                                   NULL);
}

static int pem(BIO *out, EVP_PKEY *key)
{
    return PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
}

static int pem_encrypted(BIO *out, EVP_PKEY *key)
{
    return PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), PASS, (int)strlen(PASS), NULL,
                                         NULL);
}

static int der(BIO *out, EVP_PKEY *key)
{
    return i2d_PrivateKey_bio(out, key);
}

static int encoded(BIO *out, EVP_PKEY *key)
{
    OSSL_ENCODER_CTX *ctx = OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER",
                                                          "EncryptedPrivateKeyInfo", NULL);
    int ok = ctx != NULL && OSSL_ENCODER_CTX_set_cipher(ctx, "AES-256-CBC", NULL) &&
             OSSL_ENCODER_CTX_set_passphrase(ctx, (const unsigned char *)PASS, strlen(PASS)) &&
             OSSL_ENCODER_to_bio(ctx, out);

    OSSL_ENCODER_CTX_free(ctx);
    return ok;
}

static const struct {
    const char *name;
    int (*write)(BIO *out, EVP_PKEY *key);
} forms[] = {
    { "pkcs8", pkcs8 }, { "pkcs8-encrypted", pkcs8_encrypted },
    { "pem", pem },     { "pem-encrypted", pem_encrypted },
    { "der", der },     { "encoded", encoded },
};

/* The form's name, and -memory behind it where the bytes go to memory first. */
static int write_form(const char *form, EVP_PKEY *key, BIO *file)
{
    const char *end = strstr(form, "-memory");
    size_t len = end != NULL ? (size_t)(end - form) : strlen(form);
    BIO *memory = end != NULL ? BIO_new(BIO_s_mem()) : NULL;
    char *bytes = NULL;
    int ok = 0;

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strlen(forms[i].name) == len && strncmp(form, forms[i].name, len) == 0) {
            ok = forms[i].write(memory != NULL ? memory : file, key) > 0;
        }
    }
    if (ok && memory != NULL) {
        long held = BIO_get_mem_data(memory, &bytes);

        ok = held > 0 && BIO_write(file, bytes, (int)held) == (int)held;
    }
    BIO_free(memory);
    return ok;
}

int main(int argc, char **argv)
{
    EVP_PKEY_CTX *ctx = argc == 6 ? EVP_PKEY_CTX_new_from_name(NULL, argv[1], NULL) : NULL;
    BIO *file = argc == 6 ? BIO_new_file(argv[5], "wb") : NULL;
    EVP_PKEY *key = NULL;
    int status = 2;

    if (ctx == NULL || file == NULL) {
        (void)fprintf(stderr, "usage: write_made ALGORITHM OPTION VALUE FORM FILE\n");
    } else if (EVP_PKEY_keygen_init(ctx) <= 0 ||
               EVP_PKEY_CTX_ctrl_str(ctx, argv[2], argv[3]) <= 0 ||
               EVP_PKEY_generate(ctx, &key) <= 0) {
        program_print_errors("making the key");
        status = 1;
    } else if (!write_form(argv[4], key, file)) {
        program_print_errors("writing the key");
        status = 3;
    } else {
        status = 0;
    }
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    BIO_free(file);
    return status;
}
