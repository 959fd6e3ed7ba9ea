/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "apdu.h"
#include "memory.h"
#include "state.h"

static bool describe(struct sim_key *key)
{
    int bits = EVP_PKEY_get_bits(key->pkey);
    if (bits <= 0) {
        return false;
    }
    key->bits = (unsigned)bits;
    if (EVP_PKEY_is_a(key->pkey, "RSA")) {
        key->kind = SIM_KEY_RSA;
        key->size = (key->bits + 7) / 8;
        return true;
    }
    key->modern = sim_modern_curve_of(key->pkey);
    if (key->modern != NULL) {
        key->kind = key->modern->kind;
        key->size = key->modern->public_bytes;
        return true;
    }
    char group[64];
    if (!EVP_PKEY_is_a(key->pkey, "EC") ||
        !EVP_PKEY_get_group_name(key->pkey, group, sizeof(group), NULL)) {
        return false;
    }
    key->kind = SIM_KEY_EC;
    key->curve = sim_curve_by_name(group);
    if (key->curve == NULL) {
        return false;
    }
    key->bits = key->curve->bits;
    key->size = key->curve->field_bytes;
    return true;
}

static void start(struct sim_key *key, uint8_t id, EVP_PKEY *pkey)
{
    *key = (struct sim_key){ .id = id, .pkey = pkey, .uses_left = SIM_USES_UNLIMITED };
}

bool sim_key_from_pkey(struct sim_key *key, uint8_t id, EVP_PKEY *pkey)
{
    start(key, id, pkey);
    unsigned char *der = NULL;
    int len = pkey == NULL ? -1 : i2d_PrivateKey(pkey, &der);
    if (len > 0) {
        sim_buf_put(&key->der, der, (size_t)len);
        OPENSSL_clear_free(der, (size_t)len);
    }
    if (len <= 0 || key->der.failed || !describe(key)) {
        sim_key_free(key);
        return false;
    }
    return true;
}

bool sim_key_from_der(struct sim_key *key, uint8_t id, struct sim_slice der)
{
    const unsigned char *at = der.data;
    start(key, id, NULL);
    if (der.len > 0 && der.len <= 65536) {
        key->pkey = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
    }
    sim_buf_put(&key->der, der.data, der.len);
    if (key->pkey == NULL || at != der.data + der.len || key->der.failed || !describe(key)) {
        sim_key_free(key);
        return false;
    }
    return true;
}

bool sim_rsa_size_exists(unsigned bits)
{
    static const unsigned sizes[] = { 1024, 1536, 2048, 3072, 4096 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i] == bits) {
            return true;
        }
    }
    return false;
}

bool sim_key_from_aes(struct sim_key *key, uint8_t id, struct sim_slice value)
{
    start(key, id, NULL);
    sim_buf_put(&key->der, value.data, value.len);
    if ((value.len != 16 && value.len != 24 && value.len != SIM_MAX_AES &&
         value.len != SIM_MAX_SECRET) ||
        key->der.failed) {
        sim_key_free(key);
        return false;
    }
    key->kind = SIM_KEY_AES;
    key->size = value.len;
    key->bits = (unsigned)value.len * 8;
    return true;
}

void sim_key_free(struct sim_key *key)
{
    EVP_PKEY_free(key->pkey);
    sim_buf_free(&key->der);
    *key = (struct sim_key){ 0 };
}

struct sim_key *sim_keys_find(struct sim_state *state, uint8_t id)
{
    for (size_t i = 0; i < state->n_keys; i++) {
        if (state->keys[i].id == id) {
            return &state->keys[i];
        }
    }
    return NULL;
}

bool sim_keys_add(struct sim_state *state, struct sim_key *key)
{
    struct sim_key *grown =
        OPENSSL_realloc(state->keys, (state->n_keys + 1) * sizeof(state->keys[0]));
    if (grown == NULL) {
        return false;
    }
    state->keys = grown;
    state->keys[state->n_keys++] = *key;
    *key = (struct sim_key){ 0 };
    state->dirty = true;
    return true;
}

uint16_t sim_keys_store(struct sim_state *state, struct sim_key *key)
{
    uint8_t id = key->id;
    uint16_t sw = SIM_SW_EXISTS;
    if (id != 0 && sim_keys_find(state, id) == NULL) {
        size_t used = sim_memory_used(state);
        sw = sim_keys_add(state, key) ? SIM_SW_OK : SIM_SW_NO_SPACE;
        if (sim_memory_is_exceeded(state, used)) {
            sim_keys_remove(state, id);
            sw = SIM_SW_NO_SPACE;
        }
    }
    sim_key_free(key);
    return sw;
}

bool sim_keys_remove(struct sim_state *state, uint8_t id)
{
    struct sim_key *key = sim_keys_find(state, id);
    if (key == NULL) {
        return false;
    }
    size_t behind = (size_t)(state->keys + state->n_keys - (key + 1));
    sim_key_free(key);
    memmove(key, key + 1, behind * sizeof(*key));
    state->n_keys--;
    state->dirty = true;
    return true;
}

uint16_t sim_key_check(const struct sim_key *key, uint8_t algorithm)
{
    if (key->n_algorithms > 0 && memchr(key->algorithms, algorithm, key->n_algorithms) == NULL) {
        return SIM_SW_NOT_SUPPORTED;
    }
    if (key->uses_left == 0) {
        return SIM_SW_NOT_USABLE;
    }
    return SIM_SW_OK;
}

void sim_key_used(struct sim_state *state, struct sim_key *key)
{
    if (key->uses_left == SIM_USES_UNLIMITED) {
        return;
    }
    key->uses_left--;
    state->dirty = true;
}

bool sim_key_put_point(const struct sim_key *key, struct sim_buf *out)
{
    unsigned char *point = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(key->pkey, &point);
    bool ok = len == 1 + 2 * key->size && point[0] == 0x04;
    if (ok) {
        sim_buf_put(out, point, len);
    }
    OPENSSL_free(point);
    return ok;
}

bool sim_key_put_modulus(const struct sim_key *key, struct sim_buf *out)
{
    BIGNUM *modulus = NULL;
    bool ok = EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &modulus);
    uint8_t *to = ok ? sim_buf_reserve(out, key->size) : NULL;
    ok = to != NULL && BN_bn2binpad(modulus, to, (int)key->size) == (int)key->size;
    BN_free(modulus);
    return ok;
}

bool sim_key_put_exponent(const struct sim_key *key, struct sim_buf *out)
{
    BIGNUM *exponent = NULL;
    bool ok = EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_E, &exponent);
    int len = ok ? BN_num_bytes(exponent) : 0;
    uint8_t *to = ok ? sim_buf_reserve(out, (size_t)len) : NULL;
    ok = to != NULL && BN_bn2bin(exponent, to) == len;
    BN_free(exponent);
    return ok;
}
