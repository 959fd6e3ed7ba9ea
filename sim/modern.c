/* SPDX-License-Identifier: Apache-2.0 */
#include "modern.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "elements.h"
#include "keys.h"

/* RFC 7748 and RFC 8032. */
static const uint8_t p_25519[] = { 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xED };
static const uint8_t n_25519[] = { 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                   0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0xDE, 0xF9, 0xDE, 0xA2, 0xF7,
                                   0x9C, 0xD6, 0x58, 0x12, 0x63, 0x1A, 0x5C, 0xF5, 0xD3, 0xED };
static const uint8_t base_x25519[] = { 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                       0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                       0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                       0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00 };
static const uint8_t base_ed25519[] = { 0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66 };
static const uint8_t p_448[] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF,
                                 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
static const uint8_t n_448[] = { 0x3F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7C, 0xCA,
                                 0x23, 0xE9, 0xC4, 0x4E, 0xDB, 0x49, 0xAE, 0xD6, 0x36, 0x90,
                                 0x21, 0x6C, 0xC2, 0x72, 0x8D, 0xC5, 0x8F, 0x55, 0x23, 0x78,
                                 0xC2, 0x92, 0xAB, 0x58, 0x44, 0xF3 };
static const uint8_t base_x448[] = { 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x00 };
static const uint8_t base_ed448[] = { 0x14, 0xFA, 0x30, 0xF2, 0x5B, 0x79, 0x08, 0x98, 0xAD, 0xC8,
                                      0xD7, 0x4E, 0x2C, 0x13, 0xBD, 0xFD, 0xC4, 0x39, 0x7C, 0xE6,
                                      0x1C, 0xFF, 0xD3, 0x3A, 0xD7, 0xC2, 0xA0, 0x05, 0x1E, 0x9C,
                                      0x78, 0x87, 0x40, 0x98, 0xA3, 0x6C, 0x73, 0x73, 0xEA, 0x4B,
                                      0x62, 0xC7, 0xC9, 0x56, 0x37, 0x20, 0x76, 0x88, 0x24, 0xBC,
                                      0xB6, 0x6E, 0x71, 0x46, 0x3F, 0x69, 0x00 };

/* (A + 2) / 4 of the Montgomery curves; a and d of the Edwards curves. */
static const uint8_t a_x25519[] = { 0x01, 0xDB, 0x42 };
static const uint8_t a_x448[] = { 0x98, 0xAA };
static const uint8_t a_ed25519[] = { 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xEC };
static const uint8_t d_ed25519[] = { 0x52, 0x03, 0x6C, 0xEE, 0x2B, 0x6F, 0xFE, 0x73,
                                     0x8C, 0xC7, 0x40, 0x79, 0x77, 0x79, 0xE8, 0x98,
                                     0x00, 0x70, 0x0A, 0x4D, 0x41, 0x41, 0xD8, 0xAB,
                                     0x75, 0xEB, 0x4D, 0xCA, 0x13, 0x59, 0x78, 0xA3 };
static const uint8_t a_ed448[] = { 0x01 };
static const uint8_t d_ed448[] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0x67, 0x56 };

#define BYTES(array)                                                                               \
    {                                                                                              \
        array, sizeof(array)                                                                       \
    }
static const struct sim_modern_curve curves[] = {
    { "X25519",
      SIM_KEY_MONTGOMERY,
      32,
      32,
      BYTES(p_25519),
      BYTES(n_25519),
      BYTES(base_x25519),
      BYTES(a_x25519),
      { NULL, 0 } },
    { "ED25519", SIM_KEY_EDWARDS, 32, 32, BYTES(p_25519), BYTES(n_25519), BYTES(base_ed25519),
      BYTES(a_ed25519), BYTES(d_ed25519) },
    { "X448",
      SIM_KEY_MONTGOMERY,
      56,
      56,
      BYTES(p_448),
      BYTES(n_448),
      BYTES(base_x448),
      BYTES(a_x448),
      { NULL, 0 } },
    { "ED448", SIM_KEY_EDWARDS, 56, 57, BYTES(p_448), BYTES(n_448), BYTES(base_ed448),
      BYTES(a_ed448), BYTES(d_ed448) },
};
enum { N_CURVES = sizeof(curves) / sizeof(curves[0]) };

const struct sim_modern_curve *sim_modern_curve_of(const EVP_PKEY *pkey)
{
    for (size_t i = 0; i < N_CURVES; i++) {
        if (EVP_PKEY_is_a(pkey, curves[i].name)) {
            return &curves[i];
        }
    }
    return NULL;
}

const struct sim_modern_curve *sim_modern_curve_find(struct sim_slice p, struct sim_slice base)
{
    for (size_t i = 0; i < N_CURVES; i += 2) {
        if (sim_slice_equal(curves[i].p, p)) {
            bool is_montgomery = base.len > 0 && base.data[0] == curves[i].base.data[0] &&
                                 (p.len < SIM_MODERN_FIELD || base.len == p.len);
            return is_montgomery ? &curves[i] : &curves[i + 1];
        }
    }
    return NULL;
}

EVP_PKEY *sim_modern_generate(const struct sim_modern_curve *curve)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, curve->name);
}

bool sim_modern_put_public(const struct sim_key *key, struct sim_buf *out)
{
    uint8_t public[SIM_MODERN_PUBLIC];
    size_t len = sizeof(public);
    bool ok = EVP_PKEY_get_raw_public_key(key->pkey, public, &len) == 1;
    if (ok) {
        sim_buf_put(out, public, len);
    }
    return ok;
}

size_t sim_modern_field_bytes(const struct sim_key *key)
{
    return key->modern->field_bytes;
}

bool sim_modern_agree(const struct sim_key *key, struct sim_slice peer, struct sim_buf *out)
{
    uint8_t secret[SIM_MODERN_PUBLIC];
    size_t len = sizeof(secret);
    EVP_PKEY *other =
        EVP_PKEY_new_raw_public_key_ex(NULL, key->modern->name, NULL, peer.data, peer.len);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = other != NULL && ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
              EVP_PKEY_derive_set_peer(ctx, other) == 1 && EVP_PKEY_derive(ctx, secret, &len) == 1;
    if (ok) {
        sim_buf_put(out, secret, len);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
    return ok;
}

bool sim_modern_sign(const struct sim_key *key, struct sim_slice message, struct sim_buf *out)
{
    uint8_t signature[2 * SIM_MODERN_PUBLIC];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL &&
              EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key->pkey, NULL) == 1 &&
              EVP_DigestSign(ctx, signature, &len, message.data, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (ok) {
        sim_buf_put(out, signature, len);
    }
    return ok;
}

/* Little endian bytes as a number without leading zeros. */
static void put_reversed(struct sim_buf *out, const uint8_t *bytes, size_t len)
{
    uint8_t number[SIM_MODERN_PUBLIC];
    while (len > 0 && bytes[len - 1] == 0) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        number[i] = bytes[len - 1 - i];
    }
    sim_element_put(out, (struct sim_slice){ number, len });
    OPENSSL_cleanse(number, sizeof(number));
}

/* The private scalar of X25519 and X448 as it is used, with its fixed bits (RFC 7748). */
static void clamp(const struct sim_key *key, uint8_t *scalar, size_t len)
{
    if (key->kind == SIM_KEY_MONTGOMERY && len == 32) {
        scalar[0] &= 0xF8;
        scalar[31] = (uint8_t)((scalar[31] & 0x7F) | 0x40);
    } else if (key->kind == SIM_KEY_MONTGOMERY) {
        scalar[0] &= 0xFC;
        scalar[len - 1] |= 0x80;
    }
}

bool sim_modern_put_elements(struct sim_buf *out, const struct sim_key *key)
{
    const struct sim_modern_curve *curve = key->modern;
    struct sim_buf point = { 0 };
    uint8_t private[SIM_MODERN_PUBLIC];
    size_t len = sizeof(private);
    bool ok = EVP_PKEY_get_raw_private_key(key->pkey, private, &len) == 1 &&
              sim_modern_put_public(key, &point);
    if (ok) {
        clamp(key, private, len);
        sim_element_put(out, curve->a);
        sim_element_put(out, curve->b);
        sim_element_put(out, curve->p);
        sim_element_put(out, curve->n);
        sim_element_put(out, curve->base);
        put_reversed(out, private, len);
        sim_element_put(out, sim_buf_slice(&point));
    }
    OPENSSL_cleanse(private, sizeof(private));
    sim_buf_free(&point);
    return ok && !out->failed;
}
