/* SPDX-License-Identifier: Apache-2.0 */
/* RSASSA-PSS encoding and the mask generation function it shares with OAEP. */
#include "rsa_padding.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

/* Known to libcrypto since 3.1, which may be the one that runs us although 3.0 compiled us. */
#ifndef RSA_PSS_SALTLEN_AUTO_DIGEST_MAX
#define RSA_PSS_SALTLEN_AUTO_DIGEST_MAX (-4)
#endif

static size_t digest_size(const EVP_MD *md)
{
    int size = EVP_MD_get_size(md);

    return size > 0 ? (size_t)size : 0;
}

int schsm_rsa_pss_salt_len(int request, const EVP_MD *md, size_t modulus_bits, int minimum,
                           size_t *salt_len, struct schsm_error *err)
{
    size_t em_len =
        (modulus_bits - 1 + 7) / 8; /* one less than the modulus if that has 8k+1 bits */
    size_t hash_len = digest_size(md);
    size_t room;

    if (hash_len == 0 || em_len < hash_len + 2) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a key of %zu bits is too short for PSS with %s", modulus_bits,
                          EVP_MD_get0_name(md));
    }
    room = em_len - hash_len - 2;

    switch (request) {
    case RSA_PSS_SALTLEN_DIGEST:
        *salt_len = hash_len;
        break;
    case RSA_PSS_SALTLEN_AUTO:
    case RSA_PSS_SALTLEN_MAX:
        *salt_len = room;
        break;
    case RSA_PSS_SALTLEN_AUTO_DIGEST_MAX:
        *salt_len = room < hash_len ? room : hash_len;
        break;
    default:
        if (request < 0) {
            return schsm_fail(err, SCHSM_REASON_ARGUMENT, "%d is no PSS salt length", request);
        }
        *salt_len = (size_t)request;
    }

    if (*salt_len > room) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a PSS salt of %zu bytes with %s does not fit into a key of %zu bits",
                          *salt_len, EVP_MD_get0_name(md), modulus_bits);
    }
    if (minimum > 0 && *salt_len < (size_t)minimum) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a PSS salt of %zu bytes is shorter than the %d that the key demands",
                          *salt_len, minimum);
    }
    return 1;
}

int schsm_rsa_mgf1_xor(const EVP_MD *md, const uint8_t *seed, size_t seed_len, uint8_t *data,
                       size_t data_len, struct schsm_error *err)
{
    uint8_t block[EVP_MAX_MD_SIZE];
    size_t block_len = digest_size(md), done = 0, i;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint32_t counter;
    int ok = 0;

    if (ctx == NULL || block_len == 0) {
        goto end;
    }
    for (counter = 0; done < data_len; counter++) {
        uint8_t count[4] = { (uint8_t)(counter >> 24), (uint8_t)(counter >> 16),
                             (uint8_t)(counter >> 8), (uint8_t)counter };

        if (!EVP_DigestInit_ex2(ctx, md, NULL) || !EVP_DigestUpdate(ctx, seed, seed_len) ||
            !EVP_DigestUpdate(ctx, count, sizeof(count)) || !EVP_DigestFinal_ex(ctx, block, NULL)) {
            goto end;
        }
        for (i = 0; i < block_len && done < data_len; i++, done++) {
            data[done] ^= block[i];
        }
    }
    ok = 1;
end:
    OPENSSL_cleanse(block, sizeof(block));
    EVP_MD_CTX_free(ctx);
    if (!ok) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not compute MGF1 with %s",
                   EVP_MD_get0_name(md));
    }
    return ok;
}

/* H = Hash(eight zero bytes || mHash || salt) */
static int hash_salted(const EVP_MD *md, const uint8_t *hash, const uint8_t *salt, size_t salt_len,
                       uint8_t *out)
{
    static const uint8_t zeros[8];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    ok = ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) &&
         EVP_DigestUpdate(ctx, zeros, sizeof(zeros)) &&
         EVP_DigestUpdate(ctx, hash, digest_size(md)) && EVP_DigestUpdate(ctx, salt, salt_len) &&
         EVP_DigestFinal_ex(ctx, out, NULL);
    EVP_MD_CTX_free(ctx);
    return ok;
}

int schsm_rsa_pss_pad(OSSL_LIB_CTX *libctx, const EVP_MD *md, const EVP_MD *mgf1_md,
                      size_t salt_len, const uint8_t *hash, size_t modulus_bits, uint8_t *em,
                      size_t em_len, struct schsm_error *err)
{
    size_t hash_len = digest_size(md);
    size_t top_bits = (modulus_bits - 1) % 8; /* used bits of the first byte; 0: all eight */
    size_t db_len;
    uint8_t *salt, *db, *h;

    if (top_bits == 0) { /* the encoding is one byte shorter than the modulus */
        *em++ = 0;
        em_len--;
    }
    if (hash_len == 0 || em_len < hash_len + 2 || salt_len > em_len - hash_len - 2) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "PSS with %s and a salt of %zu bytes does not fit into %zu bytes",
                          EVP_MD_get0_name(md), salt_len, em_len);
    }

    /* em = DB || H || BC, DB = zeros || 01 || salt */
    db = em;
    db_len = em_len - hash_len - 1;
    h = em + db_len;
    salt = h - salt_len;
    memset(db, 0, db_len);
    db[db_len - salt_len - 1] = 0x01;
    em[em_len - 1] = 0xbc;

    if (salt_len > 0 && RAND_bytes_ex(libctx, salt, salt_len, 0) <= 0) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto gave no random salt for PSS");
    }
    if (!hash_salted(md, hash, salt, salt_len, h)) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not hash with %s",
                          EVP_MD_get0_name(md));
    }
    if (!schsm_rsa_mgf1_xor(mgf1_md, h, hash_len, db, db_len, err)) {
        return 0;
    }
    if (top_bits != 0) {
        em[0] &= (uint8_t)(0xff >> (8 - top_bits));
    }
    return 1;
}
