/* SPDX-License-Identifier: Apache-2.0 */
/* DECIPHER 80 62 KEYID ALGORITHM: RSA decryption and ECDH (protocol section 6.5). */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "commands.h"
#include "ecdh.h"
#include "private_op.h"
#include "xkek.h"

/* RSA with one of libcrypto's paddings; `md` for OAEP, MGF1 included. */
static bool rsa_decrypt(const struct sim_key *key, int padding, const EVP_MD *md,
                        struct sim_slice input, struct sim_buf *out)
{
    uint8_t plain[512];
    size_t len = sizeof(plain);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
              (md == NULL || (EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
                              EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1)) &&
              EVP_PKEY_decrypt(ctx, plain, &len, input.data, input.len) == 1;
    if (ok) {
        sim_buf_put(out, plain, len);
    }
    OPENSSL_cleanse(plain, sizeof(plain));
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool decrypt_raw(const struct sim_key *key, struct sim_slice input, struct sim_buf *out)
{
    return rsa_decrypt(key, RSA_NO_PADDING, NULL, input, out);
}

/*
 * Unpadded here and not by libcrypto, whose newer versions answer bad padding with random data; a
 * real card says 6A80.
 */
static bool decrypt_pkcs1(const struct sim_key *key, struct sim_slice input, struct sim_buf *out)
{
    struct sim_buf block = { 0 };
    bool ok = decrypt_raw(key, input, &block) && block.len == key->size && block.data[0] == 0x00 &&
              block.data[1] == 0x02;
    size_t at = 2;
    while (ok && at < block.len && block.data[at] != 0x00) {
        at++;
    }
    /* at least eight padding bytes, and the zero behind them */
    ok = ok && at >= 10 && at < block.len;
    if (ok) {
        sim_buf_put(out, block.data + at + 1, block.len - at - 1);
    }
    sim_buf_free(&block);
    return ok;
}

/* Which hash genuine cards use here is not documented; this is the one that is known. */
static bool decrypt_oaep(const struct sim_key *key, struct sim_slice input, struct sim_buf *out)
{
    return rsa_decrypt(key, RSA_PKCS1_OAEP_PADDING, EVP_sha256(), input, out);
}

static const struct algorithm {
    uint8_t id;
    enum sim_key_kind kind;
    bool (*run)(const struct sim_key *key, struct sim_slice input, struct sim_buf *out);
    /* where the input is the request of a peer's key */
    uint16_t (*agree)(struct sim_card *card, struct sim_key *key, struct sim_slice peer,
                      struct sim_buf *out);
} algorithms[] = {
    { 0x21, SIM_KEY_RSA, decrypt_raw, NULL },           { 0x22, SIM_KEY_RSA, decrypt_pkcs1, NULL },
    { 0x23, SIM_KEY_RSA, decrypt_oaep, NULL },          { 0x80, SIM_KEY_EC, sim_ecdh, NULL },
    { 0x83, SIM_KEY_EC, NULL, sim_xkek_authenticated }, { 0x84, SIM_KEY_EC, NULL, sim_xkek_agree },
};

static bool length_fits(const struct sim_key *key, struct sim_slice data)
{
    if (key->kind == SIM_KEY_RSA) {
        return data.len == key->size;
    }
    return data.len == 1 + 2 * key->size && data.data[0] == 0x04;
}

uint16_t sim_cmd_decipher(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
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
    uint16_t sw = sim_private_op_begin(card, apdu->p1, algorithm->kind, algorithm->id, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (algorithm->run != NULL && !length_fits(key, apdu->data)) {
        return SIM_SW_WRONG_LENGTH;
    }
    sw = sim_private_op_count(card, key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (algorithm->agree != NULL) {
        return algorithm->agree(card, key, apdu->data, out);
    }
    return algorithm->run(key, apdu->data, out) ? SIM_SW_OK : SIM_SW_WRONG_DATA;
}
