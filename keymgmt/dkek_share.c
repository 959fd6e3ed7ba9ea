/* SPDX-License-Identifier: Apache-2.0 */
#include "dkek_share.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "format/blocks.h"

/* 13.3 */
#define MAGIC_LEN 8
#define SALT_LEN 8
#define CIPHERTEXT_LEN 48
#define ROUNDS 10000000u
#define MD5_LEN 16
#define DERIVED_LEN 48 /* key and first vector */

#define BASE64_LEN 88 /* digits of a share, with padding */

#define PERCENT_STEP 100000u /* rounds between two calls of the progress function */

static const uint8_t magic[MAGIC_LEN] = { 'S', 'a', 'l', 't', 'e', 'd', '_', '_' };

static void tell_progress(const struct schsm_share_progress *progress, unsigned int part,
                          unsigned int round)
{
    if (progress != NULL && progress->tell != NULL) {
        progress->tell(progress->arg, (part * 100 + round / (ROUNDS / 100)) / 3);
    }
}

/* ROUNDS times MD5: first of the input, then of the result before. */
static bool iterate(EVP_MD_CTX *context, const EVP_MD *md5, const uint8_t *input, size_t input_len,
                    uint8_t out[MD5_LEN], unsigned int part,
                    const struct schsm_share_progress *progress)
{
    if (EVP_DigestInit_ex2(context, md5, NULL) != 1 ||
        EVP_DigestUpdate(context, input, input_len) != 1 ||
        EVP_DigestFinal_ex(context, out, NULL) != 1) {
        return false;
    }
    for (unsigned int round = 1; round < ROUNDS; round++) {
        if (EVP_DigestInit_ex2(context, NULL, NULL) != 1 ||
            EVP_DigestUpdate(context, out, MD5_LEN) != 1 ||
            EVP_DigestFinal_ex(context, out, NULL) != 1) {
            return false;
        }
        if (round % PERCENT_STEP == 0) {
            tell_progress(progress, part, round);
        }
    }
    return true;
}

/* EVP_BytesToKey with MD5, but for the progress. NULL on failure. */
static struct schsm_secret *derive_from_password(OSSL_LIB_CTX *libctx,
                                                 const struct schsm_secret *password,
                                                 const uint8_t salt[SALT_LEN],
                                                 const struct schsm_share_progress *progress,
                                                 struct schsm_error *err)
{
    size_t password_len = schsm_secret_len(password);
    size_t input_len = MD5_LEN + password_len + SALT_LEN;
    struct schsm_secret *derived = NULL, *buffer = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_MD *md5 = EVP_MD_fetch(libctx, "MD5", NULL);
    uint8_t *out, *input;
    bool ok = false;

    derived = schsm_secret_alloc(DERIVED_LEN, &out, err);
    buffer = schsm_secret_alloc(input_len, &input, err);
    if (derived == NULL || buffer == NULL) {
        goto done;
    }
    memcpy(input + MD5_LEN, schsm_secret_data(password), password_len);
    memcpy(input + MD5_LEN + password_len, salt, SALT_LEN);
    ok = context != NULL && md5 != NULL;
    for (unsigned int part = 0; ok && part < DERIVED_LEN / MD5_LEN; part++) {
        /* the first block has no block before it */
        size_t skip = part == 0 ? MD5_LEN : 0;
        uint8_t *block = out + (size_t)part * MD5_LEN;

        ok = iterate(context, md5, input + skip, input_len - skip, block, part, progress);
        memcpy(input, block, MD5_LEN);
    }
    if (!ok) {
        schsm_fail(err, SCHSM_REASON_CRYPTO,
                   "libcrypto has no MD5, which the password of a share needs");
    }

done:
    EVP_MD_free(md5);
    EVP_MD_CTX_free(context);
    schsm_secret_free(buffer);
    if (!ok) {
        schsm_secret_free(derived);
        derived = NULL;
    }
    return derived;
}

/* AES-256-CBC without padding under what the password gave. */
static int crypt_share(OSSL_LIB_CTX *libctx, const struct schsm_secret *derived, bool encrypt,
                       const uint8_t in[CIPHERTEXT_LEN], uint8_t out[CIPHERTEXT_LEN],
                       struct schsm_error *err)
{
    const uint8_t *key = schsm_secret_data(derived), *iv = key + DERIVED_LEN - SCHSM_BLOCK_LEN;

    return schsm_crypt_blocks(libctx, "AES-256-CBC", key, iv, encrypt, in, CIPHERTEXT_LEN, out) ||
           schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not use AES-256-CBC");
}

int schsm_dkek_share_check(const uint8_t *file, size_t len, struct schsm_error *err)
{
    if (len == SCHSM_SHARE_FILE_LEN && memcmp(file, magic, MAGIC_LEN) == 0) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_FILE,
                      "this is no file of a DKEK share, or it was cut short: one has %d bytes, or "
                      "their base64, and begins with Salted__",
                      SCHSM_SHARE_FILE_LEN);
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Of a text whose digits make 64 bytes; false for any other. */
static bool decode_printout(const uint8_t *text, size_t len, uint8_t file[SCHSM_SHARE_FILE_LEN])
{
    uint8_t digits[BASE64_LEN], bytes[BASE64_LEN];
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        if (is_space(text[i])) {
            continue;
        }
        if (count == sizeof(digits)) {
            return false;
        }
        digits[count++] = text[i];
    }
    /* what padding stands for counts as decoded */
    if (count != sizeof(digits) ||
        EVP_DecodeBlock(bytes, digits, (int)count) != BASE64_LEN / 4 * 3) {
        return false;
    }
    memcpy(file, bytes, SCHSM_SHARE_FILE_LEN);
    return true;
}

int schsm_dkek_share_extract(const uint8_t *content, size_t len, uint8_t file[SCHSM_SHARE_FILE_LEN],
                             struct schsm_error *err)
{
    size_t end = len;

    while (end > SCHSM_SHARE_FILE_LEN && is_space(content[end - 1])) {
        end--;
    }
    if (end == SCHSM_SHARE_FILE_LEN) {
        memcpy(file, content, SCHSM_SHARE_FILE_LEN);
    } else if (!decode_printout(content, len, file)) {
        return schsm_dkek_share_check(content, len, err);
    }
    return schsm_dkek_share_check(file, SCHSM_SHARE_FILE_LEN, err);
}

struct schsm_secret *schsm_dkek_share_open(OSSL_LIB_CTX *libctx, const uint8_t *file, size_t len,
                                           const struct schsm_secret *password,
                                           const struct schsm_share_progress *progress,
                                           struct schsm_error *err)
{
    struct schsm_secret *derived = NULL, *plaintext = NULL, *share = NULL;
    uint8_t *bytes, wrong = 0;

    if (!schsm_dkek_share_check(file, len, err)) {
        return NULL;
    }
    derived = derive_from_password(libctx, password, file + MAGIC_LEN, progress, err);
    plaintext = schsm_secret_alloc(CIPHERTEXT_LEN, &bytes, err);
    if (derived == NULL || plaintext == NULL ||
        !crypt_share(libctx, derived, false, file + MAGIC_LEN + SALT_LEN, bytes, err)) {
        goto done;
    }
    /* the whole last block is padding; nothing less tells a wrong password well enough */
    for (size_t i = SCHSM_DKEK_LEN; i < CIPHERTEXT_LEN; i++) {
        wrong |= (uint8_t)(bytes[i] ^ SCHSM_BLOCK_LEN);
    }
    if (wrong != 0) {
        schsm_fail(err, SCHSM_REASON_FILE,
                   "the share cannot be decrypted: the password is wrong, or the file is damaged");
        goto done;
    }
    share = schsm_secret_new(bytes, SCHSM_DKEK_LEN, err);

done:
    schsm_secret_free(plaintext);
    schsm_secret_free(derived);
    return share;
}

int schsm_dkek_share_seal(OSSL_LIB_CTX *libctx, const struct schsm_secret *share,
                          const struct schsm_secret *password,
                          const struct schsm_share_progress *progress,
                          uint8_t file[SCHSM_SHARE_FILE_LEN], struct schsm_error *err)
{
    struct schsm_secret *derived = NULL, *plaintext = NULL;
    uint8_t *bytes;
    int ok = 0;

    if (schsm_secret_len(share) != SCHSM_DKEK_LEN || schsm_secret_len(password) == 0) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a DKEK share has %d bytes, and its password at least one",
                          SCHSM_DKEK_LEN);
    }
    memcpy(file, magic, MAGIC_LEN);
    if (RAND_bytes_ex(libctx, file + MAGIC_LEN, SALT_LEN, 0) != 1) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto has no random numbers");
    }
    derived = derive_from_password(libctx, password, file + MAGIC_LEN, progress, err);
    plaintext = schsm_secret_alloc(CIPHERTEXT_LEN, &bytes, err);
    if (derived != NULL && plaintext != NULL) {
        memcpy(bytes, schsm_secret_data(share), SCHSM_DKEK_LEN);
        memset(bytes + SCHSM_DKEK_LEN, SCHSM_BLOCK_LEN, SCHSM_BLOCK_LEN);
        ok = crypt_share(libctx, derived, true, bytes, file + MAGIC_LEN + SALT_LEN, err);
    }
    schsm_secret_free(plaintext);
    schsm_secret_free(derived);
    return ok;
}

struct schsm_secret *schsm_dkek_share_new(OSSL_LIB_CTX *libctx, struct schsm_error *err)
{
    uint8_t *bytes;
    struct schsm_secret *share = schsm_secret_alloc(SCHSM_DKEK_LEN, &bytes, err);

    if (share != NULL && RAND_priv_bytes_ex(libctx, bytes, SCHSM_DKEK_LEN, 0) != 1) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto has no random numbers");
        schsm_secret_free(share);
        share = NULL;
    }
    return share;
}
