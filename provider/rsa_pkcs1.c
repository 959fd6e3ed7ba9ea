/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#1 v1.5: encoding of signatures; decoding of messages and of TLS premaster secrets. */
#include "rsa_padding.h"

#include <stdatomic.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "constant_time.h"

int schsm_rsa_pkcs1_pad(const uint8_t *data, size_t data_len, uint8_t *em, size_t em_len,
                        struct schsm_error *err)
{
    size_t padding;

    if (em_len < SCHSM_RSA_PKCS1_OVERHEAD || data_len > em_len - SCHSM_RSA_PKCS1_OVERHEAD) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "%zu bytes are too many to sign with PKCS#1 padding and a key of %zu "
                          "bytes",
                          data_len, em_len);
    }
    padding = em_len - data_len - 3;
    em[0] = 0x00;
    em[1] = 0x01;
    memset(em + 2, 0xff, padding);
    em[2 + padding] = 0x00;
    if (data_len > 0) {
        memcpy(em + 3 + padding, data, data_len);
    }
    return 1;
}

int schsm_rsa_digest_prefix(const EVP_MD *md, uint8_t *prefix, size_t *prefix_len,
                            struct schsm_error *err)
{
    static const unsigned char digest[EVP_MAX_MD_SIZE]; /* only its length matters */
    X509_SIG *info = NULL;
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *value;
    unsigned char *der = NULL;
    int nid = EVP_MD_get_type(md), size = EVP_MD_get_size(md), der_len;
    int ok = 0;
    /* libcrypto puts the signature scheme's identifier where SM3's own would be expected. */
    int id = nid == NID_sm3 ? NID_sm3WithRSAEncryption : nid;

    if (nid == NID_md5_sha1) {
        *prefix_len = 0;
        return 1;
    }
    if (nid == NID_undef || size <= 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "%s has no object identifier, as PKCS#1 signatures need it",
                          EVP_MD_get0_name(md));
    }

    if ((info = X509_SIG_new()) == NULL) {
        return schsm_fail_memory(err);
    }
    X509_SIG_getm(info, &algorithm, &value);
    if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(id), V_ASN1_NULL, NULL) &&
        ASN1_OCTET_STRING_set(value, digest, size) && (der_len = i2d_X509_SIG(info, &der)) > size &&
        (size_t)(der_len - size) <= *prefix_len) {
        *prefix_len = (size_t)(der_len - size);
        memcpy(prefix, der, *prefix_len);
        ok = 1;
    }
    OPENSSL_free(der);
    X509_SIG_free(info);
    if (!ok) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not encode a DigestInfo for %s",
                   EVP_MD_get0_name(md));
    }
    return ok;
}

/*
 * The secret of this process behind all rejection keys. Each word is set once, by whoever comes
 * first, without a lock: a lock that another thread holds while the process forks would never be
 * released in the child.
 */
static atomic_uint process_secret[8];

int schsm_rsa_rejection_prepare(OSSL_LIB_CTX *libctx, struct schsm_error *err)
{
    unsigned int fresh[8];
    size_t i;

    if (atomic_load(&process_secret[7]) != 0) {
        return 1;
    }
    if (RAND_priv_bytes_ex(libctx, (unsigned char *)fresh, sizeof(fresh), 0) <= 0) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO,
                          "libcrypto gave no random bytes for implicit rejection");
    }
    for (i = 0; i < 8; i++) {
        unsigned int unset = 0;

        atomic_compare_exchange_strong(&process_secret[i], &unset, fresh[i] | 1u);
    }
    OPENSSL_cleanse(fresh, sizeof(fresh));
    return 1;
}

/*
 * OpenSSL derives its rejection key from the private exponent. Ours stays on the device, so a
 * secret of the process takes its place: the answer to one bad ciphertext is the same as long as
 * the process lives, which is what keeps it from being told from a good one. The modulus keeps two
 * keys of one process from giving related answers.
 */
int schsm_rsa_rejection_key(OSSL_LIB_CTX *libctx, const uint8_t *modulus, size_t modulus_len,
                            const uint8_t *ciphertext, size_t ciphertext_len,
                            uint8_t key[SCHSM_REJECTION_KEY_SIZE], struct schsm_error *err)
{
    unsigned int secret[8];
    uint8_t key_secret[SCHSM_REJECTION_KEY_SIZE];
    size_t len, i;
    int ok;

    if (!schsm_rsa_rejection_prepare(libctx, err)) {
        return 0;
    }
    for (i = 0; i < 8; i++) {
        secret[i] = atomic_load(&process_secret[i]);
    }
    ok = EVP_Q_mac(libctx, "HMAC", NULL, "SHA256", NULL, secret, sizeof(secret), modulus,
                   modulus_len, key_secret, sizeof(key_secret), &len) != NULL &&
         EVP_Q_mac(libctx, "HMAC", NULL, "SHA256", NULL, key_secret, sizeof(key_secret), ciphertext,
                   ciphertext_len, key, SCHSM_REJECTION_KEY_SIZE, &len) != NULL;
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(key_secret, sizeof(key_secret));
    if (!ok) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not compute HMAC with SHA-256");
    }
    return ok;
}

/* out = HMAC(key, 0 || label || bits) || HMAC(key, 1 || label || bits) || ...; counts in 16 bits */
static int expand(OSSL_LIB_CTX *libctx, const uint8_t *key, const char *label, uint8_t *out,
                  size_t out_len)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(libctx, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    uint8_t bits[2] = { (uint8_t)(out_len * 8 >> 8), (uint8_t)(out_len * 8) };
    uint8_t block[32];
    size_t done, i;
    int ok = 0;

    if (ctx == NULL) {
        goto end;
    }
    for (done = 0, i = 0; done < out_len; i++) {
        uint8_t count[2] = { (uint8_t)(i >> 8), (uint8_t)i };
        size_t part = out_len - done < sizeof(block) ? out_len - done : sizeof(block);
        size_t len;

        if (!EVP_MAC_init(ctx, key, SCHSM_REJECTION_KEY_SIZE, params) ||
            !EVP_MAC_update(ctx, count, sizeof(count)) ||
            !EVP_MAC_update(ctx, (const unsigned char *)label, strlen(label)) ||
            !EVP_MAC_update(ctx, bits, sizeof(bits)) ||
            !EVP_MAC_final(ctx, block, &len, sizeof(block))) {
            goto end;
        }
        memcpy(out + done, block, part);
        done += part;
    }
    ok = 1;
end:
    OPENSSL_cleanse(block, sizeof(block));
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return ok;
}

/*
 * A length below limit from 128 candidates of 16 bits, each cut to the bits that limit has. The
 * last that fits is taken: a rejection loop of fixed length, in which all candidates fail with
 * probability 2^-128.
 */
static size_t choose_length(const uint8_t candidates[256], size_t limit)
{
    size_t mask = limit, length = 0, i;

    for (i = 1; i < 16; i *= 2) {
        mask |= mask >> i;
    }
    for (i = 0; i < 256; i += 2) {
        size_t candidate = (((size_t)candidates[i] << 8) | candidates[i + 1]) & mask;

        length = schsm_ct_select(schsm_ct_less(candidate, limit), candidate, length);
    }
    return length;
}

/* 00 02 || at least eight non-zero bytes || 00 || message; returns the mask of its being so. */
static size_t find_message(const uint8_t *em, size_t em_len, size_t *start)
{
    size_t good = schsm_ct_is_zero(em[0]) & schsm_ct_equal(em[1], 2);
    size_t found = 0, separator = 0, i;

    for (i = 2; i < em_len; i++) {
        size_t is_zero = schsm_ct_is_zero(em[i]);

        separator = schsm_ct_select(~found & is_zero, i, separator);
        found |= is_zero;
    }
    *start = separator + 1;
    return good & found & ~schsm_ct_less(*start, SCHSM_RSA_PKCS1_OVERHEAD);
}

int schsm_rsa_pkcs1_unpad(OSSL_LIB_CTX *libctx, const uint8_t *em, size_t em_len,
                          const uint8_t *rejection_key, uint8_t *out, size_t *out_len,
                          struct schsm_error *err)
{
    uint8_t candidates[256];
    uint8_t *synthetic = NULL;
    size_t good, start, i;
    int ok = 0;

    /* Beyond 65535 bits the counts of `expand` would wrap. */
    if (em_len < SCHSM_RSA_PKCS1_OVERHEAD || em_len > 8191) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "PKCS#1 decryption does not work with a key of %zu bytes", em_len);
    }
    good = find_message(em, em_len, &start);

    if (rejection_key == NULL) {
        if (schsm_ct_tell(good) == 0) {
            return schsm_fail(err, SCHSM_REASON_CRYPTO,
                              "the data cannot be decrypted with this key and PKCS#1 padding");
        }
        start = schsm_ct_tell(start);
        *out_len = em_len - start;
        memcpy(out, em + start, *out_len);
        return 1;
    }

    /* Made for good messages too, so that the time is the same. */
    if ((synthetic = OPENSSL_malloc(em_len)) == NULL) {
        return schsm_fail_memory(err);
    }
    if (!expand(libctx, rejection_key, "length", candidates, sizeof(candidates)) ||
        !expand(libctx, rejection_key, "message", synthetic, em_len)) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not compute HMAC with SHA-256");
        goto end;
    }
    i = choose_length(candidates, em_len - SCHSM_RSA_PKCS1_OVERHEAD + 1);
    /* The length is the caller's to see from here on; which of the two messages it is, is not. */
    start = schsm_ct_tell(schsm_ct_select(good, start, em_len - i));
    *out_len = em_len - start;
    for (i = start; i < em_len; i++) {
        out[i - start] = schsm_ct_select_byte(good, em[i], synthetic[i]);
    }
    ok = 1;
end:
    OPENSSL_clear_free(synthetic, em_len);
    OPENSSL_cleanse(candidates, sizeof(candidates));
    return ok;
}

static size_t is_version(const uint8_t *secret, unsigned int version)
{
    return schsm_ct_equal(secret[0], (version >> 8) & 0xff) &
           schsm_ct_equal(secret[1], version & 0xff);
}

int schsm_rsa_tls_unpad(OSSL_LIB_CTX *libctx, const uint8_t *em, size_t em_len,
                        unsigned int client_version, unsigned int negotiated_version,
                        uint8_t out[SCHSM_TLS_PREMASTER_SIZE], struct schsm_error *err)
{
    uint8_t fallback[SCHSM_TLS_PREMASTER_SIZE];
    const uint8_t *secret;
    size_t good, version, i;

    if (em_len < SCHSM_TLS_PREMASTER_SIZE + SCHSM_RSA_PKCS1_OVERHEAD) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a key of %zu bytes is too short for TLS key exchange", em_len);
    }
    /* First, not only when needed: the time it takes would tell. */
    if (RAND_priv_bytes_ex(libctx, fallback, sizeof(fallback), 0) <= 0) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO,
                          "libcrypto gave no random bytes for TLS key exchange");
    }

    /* The separator has one place only, as the length is known. */
    secret = em + em_len - SCHSM_TLS_PREMASTER_SIZE;
    good = schsm_ct_is_zero(em[0]) & schsm_ct_equal(em[1], 2) & schsm_ct_is_zero(secret[-1]);
    for (i = 2; i < em_len - SCHSM_TLS_PREMASTER_SIZE - 1; i++) {
        good &= ~schsm_ct_is_zero(em[i]);
    }
    version = is_version(secret, client_version);
    if (negotiated_version != 0) {
        version |= is_version(secret, negotiated_version);
    }
    good &= version;

    for (i = 0; i < SCHSM_TLS_PREMASTER_SIZE; i++) {
        out[i] = schsm_ct_select_byte(good, secret[i], fallback[i]);
    }
    OPENSSL_cleanse(fallback, sizeof(fallback));
    return 1;
}
