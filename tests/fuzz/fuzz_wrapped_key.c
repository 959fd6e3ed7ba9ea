/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input as a wrapped key, and as what is inside one: its first byte is the form, the rest the
 * plaintext, around which a good blob is made. A key that comes out goes in again.
 */
#include "fuzz.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "format/wrapped_key.h"

#define PLAINTEXT_MAX 2048
#define HEADER_LEN 17

static struct schsm_secret *new_dkek(void)
{
    uint8_t bytes[SCHSM_DKEK_LEN];
    struct schsm_secret *dkek;

    memset(bytes, 0x44, sizeof(bytes));
    dkek = schsm_secret_new(bytes, sizeof(bytes), NULL);
    REQUIRE(dkek != NULL);
    return dkek;
}

static void wrap_again(EVP_PKEY *key, const struct schsm_secret *dkek)
{
    const struct schsm_wrapping wrapping = { .dkek = dkek };
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_wrapped_key wrapped;
    uint8_t blob[SCHSM_WRAPPED_MAX];
    size_t len = sizeof(blob);
    EVP_PKEY *again;

    if (!schsm_wrapped_key_from_private(NULL, key, &wrapping, blob, &len, &err)) {
        REQUIRE(err.reason == SCHSM_REASON_UNSUPPORTED); /* a size that no card has */
        return;
    }
    REQUIRE(schsm_wrapped_key_parse(blob, len, &wrapped, NULL));
    again = schsm_wrapped_key_private(NULL, &wrapped, dkek, NULL);
    REQUIRE(again != NULL && EVP_PKEY_eq(key, again) == 1);
    EVP_PKEY_free(again);
}

static void open_blob(const uint8_t *blob, size_t len, const struct schsm_secret *dkek)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    struct schsm_wrapped_key wrapped;
    struct schsm_secret *secret = NULL;
    EVP_PKEY *key = NULL;

    if (!schsm_wrapped_key_parse(blob, len, &wrapped, &err)) {
        REQUIRE(err.reason == SCHSM_REASON_FILE || err.reason == SCHSM_REASON_UNSUPPORTED);
        return;
    }
    if (wrapped.type == SCHSM_KEY_AES) {
        secret = schsm_wrapped_key_secret(NULL, &wrapped, dkek, &err);
    } else {
        key = schsm_wrapped_key_private(NULL, &wrapped, dkek, &err);
    }
    REQUIRE(secret != NULL || key != NULL || err.reason != SCHSM_REASON_NONE);
    if (key != NULL) {
        wrap_again(key, dkek);
    }
    EVP_PKEY_free(key);
    schsm_secret_free(secret);
}

static void seal(uint8_t form, const uint8_t *plaintext, size_t len,
                 const struct schsm_secret *dkek)
{
    static const uint8_t iv[16];
    uint8_t blob[HEADER_LEN + PLAINTEXT_MAX + 16] = { 0 };
    struct schsm_secret *kenc = schsm_dkek_derive(NULL, dkek, SCHSM_DKEK_ENCRYPTION, NULL);
    struct schsm_secret *kmac = schsm_dkek_derive(NULL, dkek, SCHSM_DKEK_AUTHENTICATION, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = 0;

    REQUIRE(kenc != NULL && kmac != NULL && context != NULL);
    REQUIRE(schsm_dkek_kcv(NULL, dkek, blob, NULL));
    blob[SCHSM_KCV_LEN] = form;
    REQUIRE(EVP_EncryptInit_ex(context, EVP_aes_256_cbc(), NULL, schsm_secret_data(kenc), iv) == 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    REQUIRE(EVP_EncryptUpdate(context, blob + HEADER_LEN, &done, plaintext, (int)len) == 1);
    REQUIRE(EVP_Q_mac(NULL, "CMAC", NULL, "AES-256-CBC", NULL, schsm_secret_data(kmac),
                      schsm_secret_len(kmac), blob, HEADER_LEN + len, blob + HEADER_LEN + len, 16,
                      NULL) != NULL);
    open_blob(blob, HEADER_LEN + len + 16, dkek);
    EVP_CIPHER_CTX_free(context);
    schsm_secret_free(kmac);
    schsm_secret_free(kenc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_secret *dkek = new_dkek();

    open_blob(data, len, dkek);
    if (len > 0 && len - 1 <= PLAINTEXT_MAX) {
        seal(data[0], data + 1, (len - 1) / 16 * 16, dkek);
    }
    REQUIRE(ERR_peek_error() == 0);
    schsm_secret_free(dkek);
    return 0;
}
