/* SPDX-License-Identifier: Apache-2.0 */
/* RSAES-OAEP decoding. Encoding needs no private key and is the default provider's. */
#include "rsa_padding.h"

#include <string.h>

#include <openssl/crypto.h>

#include "constant_time.h"

/*
 * db = lHash || zeros || 01 || message. Returns the mask of its being well-formed and sets *start
 * to the message's first byte. Looks at every byte whatever it finds: whoever learns which check
 * failed (the first byte in particular, Manger 2001) can decrypt with a few thousand questions.
 */
static size_t find_message(const uint8_t *db, size_t db_len, const uint8_t *label_hash,
                           size_t hash_len, size_t *start)
{
    size_t good, found = 0, i;

    good = schsm_ct_is_zero((size_t)(unsigned int)CRYPTO_memcmp(db, label_hash, hash_len));
    *start = 0;
    for (i = hash_len; i < db_len; i++) {
        size_t is_one = schsm_ct_equal(db[i], 1);
        size_t is_zero = schsm_ct_is_zero(db[i]);

        *start = schsm_ct_select(~found & is_one, i + 1, *start);
        found |= is_one;
        good &= found | is_zero;
    }
    return good & found;
}

int schsm_rsa_oaep_unpad(const EVP_MD *md, const EVP_MD *mgf1_md, const uint8_t *label,
                         size_t label_len, const uint8_t *em, size_t em_len, uint8_t *out,
                         size_t *out_len, struct schsm_error *err)
{
    uint8_t label_hash[EVP_MAX_MD_SIZE], seed[EVP_MAX_MD_SIZE];
    int md_size = EVP_MD_get_size(md);
    size_t hash_len = md_size > 0 ? (size_t)md_size : 0;
    size_t db_len, start, good;
    uint8_t *db = NULL;
    int ok = 0;

    if (hash_len == 0 || em_len < 2 * hash_len + 2) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a key of %zu bytes is too short for OAEP with %s", em_len,
                          EVP_MD_get0_name(md));
    }
    db_len = em_len - hash_len - 1;
    if ((db = OPENSSL_malloc(db_len)) == NULL) {
        return schsm_fail_memory(err);
    }
    if (!EVP_Digest(label != NULL ? label : (const uint8_t *)"", label_len, label_hash, NULL, md,
                    NULL)) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not hash the OAEP label with %s",
                   EVP_MD_get0_name(md));
        goto end;
    }

    /* em = 00 || masked seed || masked db */
    memcpy(seed, em + 1, hash_len);
    memcpy(db, em + 1 + hash_len, db_len);
    if (!schsm_rsa_mgf1_xor(mgf1_md, db, db_len, seed, hash_len, err) ||
        !schsm_rsa_mgf1_xor(mgf1_md, seed, hash_len, db, db_len, err)) {
        goto end;
    }
    good = find_message(db, db_len, label_hash, hash_len, &start);
    good &= schsm_ct_is_zero(em[0]);

    /* All is decided: success and the length, told to the caller, may steer what is done now. */
    if (schsm_ct_tell(good) == 0) {
        schsm_fail(err, SCHSM_REASON_CRYPTO,
                   "the data cannot be decrypted with this key and these OAEP parameters");
        goto end;
    }
    start = schsm_ct_tell(start);
    *out_len = db_len - start;
    memcpy(out, db + start, *out_len);
    ok = 1;
end:
    OPENSSL_clear_free(db, db_len);
    OPENSSL_cleanse(seed, sizeof(seed));
    return ok;
}
