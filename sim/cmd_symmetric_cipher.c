/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SYMMETRIC CIPHER 80 78 KEYID ALGORITHM: encryption, CMAC and derivation with AES keys (protocol
 * section 6.6).
 */
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "aes.h"
#include "commands.h"
#include "private_op.h"

enum { DERIVED_LEN = 32 };

static bool encrypt(struct sim_slice key, struct sim_slice in, struct sim_buf *out)
{
    return sim_aes_cbc(true, key, in, out);
}

static bool decrypt(struct sim_slice key, struct sim_slice in, struct sim_buf *out)
{
    return sim_aes_cbc(false, key, in, out);
}

static bool cmac(struct sim_slice key, struct sim_slice in, struct sim_buf *out)
{
    uint8_t *to = sim_buf_reserve(out, SIM_AES_BLOCK);
    return to != NULL && sim_aes_cmac(key, in, to);
}

/*
 * Genuine cards extract and expand as in SP 800-56C, with parameters that are not published. Here
 * it is HKDF (RFC 5869, one of the constructions of SP 800-56C) with SHA-256: the key as secret,
 * no salt, the command data as info, 32 bytes out.
 */
static bool derive(struct sim_slice key, struct sim_slice in, struct sim_buf *out)
{
    static char digest[] = "SHA256";
    /* libcrypto wants memory that it may write to, and does not */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key.data, key.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)in.data, in.len),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    uint8_t *to = sim_buf_reserve(out, DERIVED_LEN);
    bool ok = ctx != NULL && to != NULL && EVP_KDF_derive(ctx, to, DERIVED_LEN, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

static const struct algorithm {
    uint8_t id;
    bool whole_blocks;
    bool (*run)(struct sim_slice key, struct sim_slice in, struct sim_buf *out);
} algorithms[] = {
    { 0x10, true, encrypt },
    { 0x11, true, decrypt },
    { 0x18, false, cmac },
    { 0x99, false, derive },
};

uint16_t sim_cmd_symmetric_cipher(struct sim_card *card, const struct sim_apdu *apdu,
                                  struct sim_buf *out)
{
    struct sim_key *key;
    const struct algorithm *algorithm = NULL;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (algorithms[i].id == apdu->p2) {
            algorithm = &algorithms[i];
        }
    }
    if (algorithm == NULL) {
        return SIM_SW_NOT_SUPPORTED;
    }
    uint16_t sw = sim_private_op_begin(card, apdu->p1, SIM_KEY_AES, algorithm->id, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (algorithm->whole_blocks && (apdu->data.len == 0 || apdu->data.len % SIM_AES_BLOCK != 0)) {
        return SIM_SW_WRONG_LENGTH;
    }
    sw = sim_private_op_count(card, key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    return algorithm->run(sim_buf_slice(&key->der), apdu->data, out) ? SIM_SW_OK : SIM_SW_INTERNAL;
}
