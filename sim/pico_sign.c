/* SPDX-License-Identifier: Apache-2.0 */
/* SIGN of a Pico HSM (protocol sections 6.4 and 19). */
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "pico.h"

enum { RSA_DIGEST_INFO = 0x30, RSA_PSS_HASH = 0x40, MAX_RSA_LEN = 512 };

static const struct algorithm {
    uint8_t id;
    bool is_rsa;
    int padding;
    const char *digest; /* the device hashes; NULL: the input is what is signed */
} algorithms[] = {
    { 0x20, true, RSA_NO_PADDING, NULL },
    { 0x31, true, RSA_PKCS1_PADDING, "SHA1" },
    { 0x32, true, RSA_PKCS1_PADDING, "SHA224" },
    { 0x33, true, RSA_PKCS1_PADDING, "SHA256" },
    { 0x34, true, RSA_PKCS1_PADDING, "SHA384" },
    { 0x35, true, RSA_PKCS1_PADDING, "SHA512" },
    { RSA_PSS_HASH, true, RSA_PKCS1_PSS_PADDING, NULL },
    { 0x41, true, RSA_PKCS1_PSS_PADDING, "SHA1" },
    { 0x42, true, RSA_PKCS1_PSS_PADDING, "SHA224" },
    { 0x43, true, RSA_PKCS1_PSS_PADDING, "SHA256" },
    { 0x44, true, RSA_PKCS1_PSS_PADDING, "SHA384" },
    { 0x45, true, RSA_PKCS1_PSS_PADDING, "SHA512" },
    { 0x70, false, 0, NULL },
    { 0x71, false, 0, "SHA1" },
    { 0x72, false, 0, "SHA224" },
    { 0x73, false, 0, "SHA256" },
    { 0x74, false, 0, "SHA384" },
    { 0x75, false, 0, "SHA512" },
};

static const struct {
    size_t len;
    const char *digest;
} hashes[] = {
    { 20, "SHA1" }, { 28, "SHA224" }, { 32, "SHA256" }, { 48, "SHA384" }, { 64, "SHA512" },
};

static const char *hash_by_length(size_t len)
{
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        if (hashes[i].len == len) {
            return hashes[i].digest;
        }
    }
    return NULL;
}

static const struct algorithm *find_algorithm(uint8_t id)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (algorithms[i].id == id) {
            return &algorithms[i];
        }
    }
    return NULL;
}

static bool sign(const struct sim_key *key, int padding, const char *digest, struct sim_slice input,
                 struct sim_buf *out)
{
    uint8_t signature[2 * MAX_RSA_LEN];
    size_t len = sizeof(signature);
    const EVP_MD *md = digest == NULL ? NULL : EVP_get_digestbyname(digest);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
              (md == NULL || EVP_PKEY_CTX_set_signature_md(ctx, md) == 1) &&
              (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1) &&
              (padding != RSA_PKCS1_PSS_PADDING ||
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1) &&
              EVP_PKEY_sign(ctx, signature, &len, input.data, input.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (ok) {
        sim_buf_put(out, signature, len);
    }
    return ok;
}

/* The private operation alone; what is shorter than the modulus gets zeros behind it. */
static bool sign_raw(const struct sim_key *key, struct sim_slice input, struct sim_buf *out)
{
    uint8_t block[MAX_RSA_LEN] = { 0 };
    if (input.len > key->size || key->size > sizeof(block)) {
        return false;
    }
    if (input.len > 0) {
        memcpy(block, input.data, input.len);
    }
    return sign(key, RSA_NO_PADDING, NULL, (struct sim_slice){ block, key->size }, out);
}

static bool sign_rsa(const struct sim_key *key, const struct algorithm *algorithm,
                     struct sim_slice input, struct sim_buf *out)
{
    const char *digest = algorithm->digest;
    if (algorithm->id == RSA_PSS_HASH) {
        digest = hash_by_length(input.len);
    }
    /* PSS of something that is no hash value is not padded at all */
    return digest == NULL ? sign_raw(key, input, out)
                          : sign(key, algorithm->padding, digest, input, out);
}

static bool sign_elliptic(const struct sim_key *key, struct sim_slice input, struct sim_buf *out)
{
    static const uint8_t zero = 0;
    if (key->kind == SIM_KEY_EDWARDS) {
        return sim_modern_sign(key, input, out);
    }
    /* libcrypto does not sign nothing; mbed TLS takes it for zero */
    return key->kind == SIM_KEY_EC &&
           sign(key, 0, NULL, input.len > 0 ? input : (struct sim_slice){ &zero, 1 }, out);
}

uint16_t sim_pico_sign(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    const struct algorithm *algorithm = find_algorithm(apdu->p2);
    struct sim_slice input = apdu->data;
    uint8_t hash[EVP_MAX_MD_SIZE];
    struct sim_key *key;
    uint16_t sw = sim_pico_begin(card, apdu->p1, apdu->p2, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (algorithm == NULL) {
        /* a DigestInfo is taken apart, and then not found as long as it was: it never works */
        return apdu->p2 == RSA_DIGEST_INFO ? SIM_PICO_FAILED : SIM_SW_WRONG_P1P2;
    }
    if (!algorithm->is_rsa && key->kind == SIM_KEY_RSA) {
        return sim_card_die(card, "ECDSA with an RSA key");
    }
    if (algorithm->digest != NULL) {
        size_t len = 0;
        if (EVP_Q_digest(NULL, algorithm->digest, NULL, input.data, input.len, hash, &len) != 1) {
            return SIM_PICO_FAILED;
        }
        input = (struct sim_slice){ hash, len };
    }
    bool ok = algorithm->is_rsa ? key->kind == SIM_KEY_RSA && sign_rsa(key, algorithm, input, out)
                                : sign_elliptic(key, input, out);
    card->answers_whole = algorithm->is_rsa;
    return ok ? SIM_SW_OK : SIM_PICO_FAILED;
}
