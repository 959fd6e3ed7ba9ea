/* SPDX-License-Identifier: Apache-2.0 */
/* DECIPHER and SYMMETRIC CIPHER of a Pico HSM (protocol sections 6.5, 6.6 and 19). */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "aes.h"
#include "cvc_read.h"
#include "ecdh.h"
#include "pico.h"
#include "public_key.h"
#include "tlv.h"

enum {
    RSA_RAW = 0x21,
    RSA_PKCS1 = 0x22,
    RSA_OAEP = 0x23,
    ECDH = 0x80,
    ECDH_XKEK = 0x84,
    AES_ENCRYPT = 0x10,
    AES_DECRYPT = 0x11,
    AES_CMAC = 0x18,
    AES_DERIVE = 0x99,
    MAX_RSA_LEN = 512,
};

/* What is shorter than the modulus gets zeros behind it. */
static bool decrypt(const struct sim_key *key, uint8_t algorithm, struct sim_slice input,
                    struct sim_buf *out)
{
    uint8_t block[MAX_RSA_LEN] = { 0 }, plain[MAX_RSA_LEN];
    size_t len = sizeof(plain);
    int padding = algorithm == RSA_RAW     ? RSA_NO_PADDING
                  : algorithm == RSA_PKCS1 ? RSA_PKCS1_PADDING
                                           : RSA_PKCS1_OAEP_PADDING;
    if (key->kind != SIM_KEY_RSA || input.len > key->size || key->size > sizeof(block)) {
        return false;
    }
    if (input.len > 0) {
        memcpy(block, input.data, input.len);
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
              (algorithm != RSA_OAEP || (EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
                                         EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1)) &&
              EVP_PKEY_decrypt(ctx, plain, &len, block, key->size) == 1;
    if (ok) {
        sim_buf_put(out, plain, len);
    }
    OPENSSL_cleanse(plain, sizeof(plain));
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* 04 and the x coordinate, or the shared u: nothing else, whatever the 04 promises. */
static uint16_t agree(const struct sim_key *key, struct sim_slice peer, struct sim_buf *out)
{
    struct sim_buf shared = { 0 };
    bool ok = false;
    if (key->kind == SIM_KEY_MONTGOMERY
            ? peer.len != key->size
            : key->kind != SIM_KEY_EC || peer.len != 1 + 2 * key->size || peer.data[0] != 4) {
        return SIM_PICO_INVALID;
    }
    sim_buf_put_u8(out, 0x04);
    if (key->kind == SIM_KEY_MONTGOMERY) {
        ok = sim_modern_agree(key, peer, out);
    } else if (sim_ecdh(key, peer, &shared)) {
        sim_buf_put(out, shared.data + 1, key->size);
        ok = true;
    }
    sim_buf_free(&shared);
    return ok ? SIM_SW_OK : SIM_PICO_FAILED;
}

static struct sim_domain *find_domain(struct sim_state *state, struct sim_slice uid)
{
    for (size_t i = 0; i < state->n_domains; i++) {
        struct sim_domain *domain = &state->domains[i];
        if (domain->is_xkek &&
            sim_slice_equal(uid, (struct sim_slice){ domain->uid, domain->uid_len })) {
            return domain;
        }
    }
    return NULL;
}

/* With a key on another device, whose request names the domain; who made that is not asked. */
static uint16_t agree_xkek(struct sim_card *card, const struct sim_key *key, struct sim_slice data)
{
    struct sim_slice request = data, certificate, uid;
    struct sim_cvc peer;
    struct sim_public_key peer_key;
    struct sim_buf point = { 0 }, shared = { 0 };
    (void)sim_pico_find_object(data, SIM_TAG_REQUEST, &request);
    if (!sim_pico_find_object(request.len > 0 ? request : data, SIM_TAG_CERTIFICATE,
                              &certificate) ||
        !sim_cvc_read(&peer, certificate) ||
        !sim_public_key_parse(&peer_key, peer.public_key, NULL)) {
        return SIM_PICO_INVALID;
    }
    uint16_t sw = SIM_PICO_INVALID;
    if (sim_public_key_put_point(&peer_key, &point)) {
        sw = agree(key, sim_buf_slice(&point), &shared);
    }
    if (sw == SIM_SW_OK && !sim_cvc_key_domain_uid(&peer, &uid)) {
        sw = SIM_SW_WRONG_LENGTH;
    }
    struct sim_domain *domain = sw == SIM_SW_OK ? find_domain(&card->state, uid) : NULL;
    if (domain != NULL && shared.len > SIM_KEK_LEN) {
        memcpy(domain->kek, shared.data + 1, SIM_KEK_LEN);
        domain->is_agreed = true;
        card->state.dirty = true;
    } else if (sw == SIM_SW_OK) {
        sw = SIM_SW_REFERENCE_NOT_FOUND;
    }
    sim_buf_free(&point);
    sim_buf_free(&shared);
    sim_public_key_free(&peer_key);
    return sw;
}

uint16_t sim_pico_decipher(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_key *key;
    uint16_t sw = sim_pico_begin(card, apdu->p1, apdu->p2, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    switch (apdu->p2) {
    case RSA_RAW:
    case RSA_PKCS1:
    case RSA_OAEP:
        return decrypt(key, apdu->p2, apdu->data, out) ? SIM_SW_OK : SIM_PICO_FAILED;
    case ECDH:
        return agree(key, apdu->data, out);
    case ECDH_XKEK:
        return agree_xkek(card, key, apdu->data);
    default:
        return SIM_SW_WRONG_OFFSET;
    }
}

/* HKDF with SHA-256: as many bytes come out as went in. */
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
    if (in.len == 0) {
        return true;
    }
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    uint8_t *to = sim_buf_reserve(out, in.len);
    bool ok = ctx != NULL && to != NULL && EVP_KDF_derive(ctx, to, in.len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

static bool cmac(struct sim_slice key, struct sim_slice in, struct sim_buf *out)
{
    uint8_t *to = sim_buf_reserve(out, SIM_AES_BLOCK);
    return to != NULL && sim_aes_cmac(key, in, to);
}

uint16_t sim_pico_symmetric_cipher(struct sim_card *card, const struct sim_apdu *apdu,
                                   struct sim_buf *out)
{
    struct sim_key *key;
    uint16_t sw = sim_pico_begin(card, apdu->p1, apdu->p2, &key);
    bool ok;
    if (sw != SIM_SW_OK) {
        return sw;
    }
    const struct sim_slice value = sim_buf_slice(&key->der);
    if (key->kind != SIM_KEY_AES || key->size > SIM_MAX_AES) {
        return SIM_PICO_FAILED;
    }
    switch (apdu->p2) {
    case AES_ENCRYPT:
    case AES_DECRYPT:
        if (apdu->data.len % SIM_AES_BLOCK != 0) {
            return SIM_SW_WRONG_LENGTH;
        }
        ok = apdu->data.len == 0 || sim_aes_cbc(apdu->p2 == AES_ENCRYPT, value, apdu->data, out);
        break;
    case AES_CMAC:
        ok = cmac(value, apdu->data, out);
        break;
    case AES_DERIVE:
        ok = derive(value, apdu->data, out);
        break;
    default:
        return SIM_SW_WRONG_OFFSET;
    }
    return ok ? SIM_SW_OK : SIM_PICO_FAILED;
}
