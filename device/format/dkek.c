/* SPDX-License-Identifier: Apache-2.0 */
#include "dkek.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#define COUNTER_LEN 4 /* 13.2: SHA-256(DKEK || counter) */

static int check_len(const struct schsm_secret *key, struct schsm_error *err)
{
    if (schsm_secret_len(key) == SCHSM_DKEK_LEN) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "a key encryption key and its shares have %d bytes, not %zu", SCHSM_DKEK_LEN,
                      schsm_secret_len(key));
}

static int sha256(OSSL_LIB_CTX *libctx, const uint8_t *data, size_t len, uint8_t out[32],
                  struct schsm_error *err)
{
    if (EVP_Q_digest(libctx, "SHA256", NULL, data, len, out, NULL) == 1) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not compute SHA-256");
}

int schsm_dkek_kcv(OSSL_LIB_CTX *libctx, const struct schsm_secret *dkek,
                   uint8_t kcv[SCHSM_KCV_LEN], struct schsm_error *err)
{
    uint8_t digest[32];

    if (!check_len(dkek, err) ||
        !sha256(libctx, schsm_secret_data(dkek), SCHSM_DKEK_LEN, digest, err)) {
        return 0;
    }
    memcpy(kcv, digest, SCHSM_KCV_LEN);
    OPENSSL_cleanse(digest, sizeof(digest));
    return 1;
}

void schsm_kcv_text(const uint8_t kcv[SCHSM_KCV_LEN], char text[SCHSM_KCV_TEXT_MAX])
{
    for (size_t i = 0; i < SCHSM_KCV_LEN; i++) {
        (void)snprintf(text + 2 * i, 3, "%02X", kcv[i]);
    }
}

struct schsm_secret *schsm_dkek_derive(OSSL_LIB_CTX *libctx, const struct schsm_secret *dkek,
                                       enum schsm_dkek_use use, struct schsm_error *err)
{
    struct schsm_secret *input = NULL, *derived = NULL;
    uint8_t *in, *out;

    if (!check_len(dkek, err)) {
        return NULL;
    }
    input = schsm_secret_alloc(SCHSM_DKEK_LEN + COUNTER_LEN, &in, err);
    derived = schsm_secret_alloc(SCHSM_DKEK_LEN, &out, err);
    if (input == NULL || derived == NULL) {
        goto fail;
    }
    memcpy(in, schsm_secret_data(dkek), SCHSM_DKEK_LEN);
    in[SCHSM_DKEK_LEN + COUNTER_LEN - 1] = (uint8_t)use;
    if (!sha256(libctx, in, SCHSM_DKEK_LEN + COUNTER_LEN, out, err)) {
        goto fail;
    }
    schsm_secret_free(input);
    return derived;

fail:
    schsm_secret_free(derived);
    schsm_secret_free(input);
    return NULL;
}

struct schsm_secret *schsm_dkek_combine(struct schsm_secret *const *shares, size_t count,
                                        struct schsm_error *err)
{
    struct schsm_secret *dkek;
    uint8_t *key;

    for (size_t i = 0; i < count; i++) {
        if (!check_len(shares[i], err)) {
            return NULL;
        }
    }
    if (count == 0) {
        schsm_fail(err, SCHSM_REASON_ARGUMENT, "a key encryption key has at least one share");
        return NULL;
    }
    dkek = schsm_secret_alloc(SCHSM_DKEK_LEN, &key, err);
    for (size_t i = 0; dkek != NULL && i < count; i++) {
        const uint8_t *share = schsm_secret_data(shares[i]);

        for (size_t k = 0; k < SCHSM_DKEK_LEN; k++) {
            key[k] ^= share[k];
        }
    }
    return dkek;
}
