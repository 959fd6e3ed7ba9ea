/* SPDX-License-Identifier: Apache-2.0 */
/* SIGN 80 68 KEYID ALGORITHM (protocol section 6.4). */
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "commands.h"
#include "private_op.h"

/* What the command data is. */
enum input {
    INPUT_BLOCK,       /* exactly as long as the modulus */
    INPUT_DIGEST_INFO, /* anything that PKCS#1 v1.5 padding leaves room for */
    INPUT_HASH,        /* a hash value; for PSS its length names the hash */
    INPUT_MESSAGE,     /* the card hashes */
};

static const struct algorithm {
    uint8_t id;
    enum sim_key_kind kind;
    int padding; /* RSA only */
    enum input input;
    const char *digest;
} algorithms[] = {
    { 0x20, SIM_KEY_RSA, RSA_NO_PADDING, INPUT_BLOCK, NULL },
    { 0x30, SIM_KEY_RSA, RSA_PKCS1_PADDING, INPUT_DIGEST_INFO, NULL },
    { 0x31, SIM_KEY_RSA, RSA_PKCS1_PADDING, INPUT_MESSAGE, "SHA1" },
    { 0x33, SIM_KEY_RSA, RSA_PKCS1_PADDING, INPUT_MESSAGE, "SHA256" },
    { 0x34, SIM_KEY_RSA, RSA_PKCS1_PADDING, INPUT_MESSAGE, "SHA384" },
    { 0x35, SIM_KEY_RSA, RSA_PKCS1_PADDING, INPUT_MESSAGE, "SHA512" },
    { 0x40, SIM_KEY_RSA, RSA_PKCS1_PSS_PADDING, INPUT_HASH, NULL },
    { 0x41, SIM_KEY_RSA, RSA_PKCS1_PSS_PADDING, INPUT_MESSAGE, "SHA1" },
    { 0x43, SIM_KEY_RSA, RSA_PKCS1_PSS_PADDING, INPUT_MESSAGE, "SHA256" },
    { 0x44, SIM_KEY_RSA, RSA_PKCS1_PSS_PADDING, INPUT_MESSAGE, "SHA384" },
    { 0x45, SIM_KEY_RSA, RSA_PKCS1_PSS_PADDING, INPUT_MESSAGE, "SHA512" },
    { 0x70, SIM_KEY_EC, 0, INPUT_HASH, NULL },
    { 0x71, SIM_KEY_EC, 0, INPUT_MESSAGE, "SHA1" },
    { 0x72, SIM_KEY_EC, 0, INPUT_MESSAGE, "SHA224" },
    { 0x73, SIM_KEY_EC, 0, INPUT_MESSAGE, "SHA256" },
    { 0x74, SIM_KEY_EC, 0, INPUT_MESSAGE, "SHA384" },
    { 0x75, SIM_KEY_EC, 0, INPUT_MESSAGE, "SHA512" },
};

static const struct {
    size_t len;
    const char *digest;
} pss_hashes[] = {
    { 20, "SHA1" },
    { 32, "SHA256" },
    { 48, "SHA384" },
    { 64, "SHA512" },
};

/* 11 bytes is the smallest PKCS#1 v1.5 padding */
enum { PKCS1_OVERHEAD = 11 };

static const struct algorithm *find_algorithm(uint8_t id)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (algorithms[i].id == id) {
            return &algorithms[i];
        }
    }
    return NULL;
}

static const char *pss_hash_by_length(size_t len)
{
    for (size_t i = 0; i < sizeof(pss_hashes) / sizeof(pss_hashes[0]); i++) {
        if (pss_hashes[i].len == len) {
            return pss_hashes[i].digest;
        }
    }
    return NULL;
}

static bool length_fits(const struct algorithm *algorithm, const struct sim_key *key, size_t len)
{
    switch (algorithm->input) {
    case INPUT_BLOCK:
        return len == key->size;
    case INPUT_DIGEST_INFO:
        return len > 0 && len <= key->size - PKCS1_OVERHEAD;
    case INPUT_HASH:
        return algorithm->kind == SIM_KEY_EC ? len > 0 : pss_hash_by_length(len) != NULL;
    case INPUT_MESSAGE:
    default:
        return true; /* the empty message too */
    }
}

static bool set_up(EVP_PKEY_CTX *ctx, const struct algorithm *algorithm, const char *digest)
{
    const EVP_MD *md = digest == NULL ? NULL : EVP_get_digestbyname(digest);
    if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1) {
        return false;
    }
    if (md != NULL && EVP_PKEY_CTX_set_signature_md(ctx, md) != 1) {
        return false;
    }
    if (algorithm->kind != SIM_KEY_RSA) {
        return true;
    }
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, algorithm->padding) != 1) {
        return false;
    }
    /* MGF1 with the same hash is libcrypto's default */
    return algorithm->padding != RSA_PKCS1_PSS_PADDING ||
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool sign(const struct algorithm *algorithm, const struct sim_key *key,
                 struct sim_slice input, struct sim_buf *out)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    const char *digest = algorithm->digest;
    if (algorithm->input == INPUT_MESSAGE) {
        size_t hash_len = 0;
        if (EVP_Q_digest(NULL, digest, NULL, input.data, input.len, hash, &hash_len) != 1) {
            return false;
        }
        input = (struct sim_slice){ hash, hash_len };
    } else if (algorithm->padding == RSA_PKCS1_PSS_PADDING) {
        digest = pss_hash_by_length(input.len);
    }
    uint8_t signature[1024];
    size_t len = sizeof(signature);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = set_up(ctx, algorithm, digest) &&
              EVP_PKEY_sign(ctx, signature, &len, input.data, input.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (ok) {
        sim_buf_put(out, signature, len);
    }
    return ok;
}

uint16_t sim_cmd_sign(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_key *key;
    const struct algorithm *algorithm = find_algorithm(apdu->p2);
    if (algorithm == NULL) {
        return SIM_SW_NOT_SUPPORTED;
    }
    uint16_t sw = sim_private_op_begin(card, apdu->p1, algorithm->kind, algorithm->id, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (!length_fits(algorithm, key, apdu->data.len)) {
        return SIM_SW_WRONG_LENGTH;
    }
    sw = sim_private_op_count(card, key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    /* what is left to fail is the input: a value not below the modulus, PSS without room */
    return sign(algorithm, key, apdu->data, out) ? SIM_SW_OK : SIM_SW_WRONG_DATA;
}
