/* SPDX-License-Identifier: Apache-2.0 */
#include "wrapped.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "aes.h"
#include "apdu.h"
#include "elements.h"
#include "kek.h"

/* Type of a blob (section 14.1). */
enum {
    TYPE_RSA = 0x05,
    TYPE_RSA_CRT = 0x06,
    TYPE_EC = 0x0C,
    TYPE_AES = 0x0F,
};

enum {
    RANDOM_LEN = 8, /* in front of the plaintext */
    MAX_OID = 32,
};

/* Default algorithm (section 14.1). */
static const struct {
    uint8_t type;
    uint8_t len;
    uint8_t oid[10];
} default_algorithms[] = {
    { TYPE_RSA, 10, { 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02, 0x01, 0x02 } },
    { TYPE_RSA_CRT, 10, { 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02, 0x01, 0x02 } },
    { TYPE_EC, 10, { 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02, 0x02, 0x03 } },
    { TYPE_AES, 8, { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01 } },
};

static bool run_cbc(bool encrypt, const struct sim_domain *domain, struct sim_slice in,
                    struct sim_buf *out)
{
    uint8_t key[SIM_KEK_LEN];
    bool ok = sim_kek_derive(domain, SIM_KEK_ENCRYPT, key) &&
              sim_aes_cbc(encrypt, (struct sim_slice){ key, sizeof(key) }, in, out);
    OPENSSL_cleanse(key, sizeof(key));
    return ok;
}

static bool authenticate(const struct sim_domain *domain, struct sim_slice in,
                         uint8_t mac[SIM_AES_BLOCK])
{
    uint8_t key[SIM_KEK_LEN];
    bool ok = sim_kek_derive(domain, SIM_KEK_MAC, key) &&
              sim_aes_cmac((struct sim_slice){ key, sizeof(key) }, in, mac);
    OPENSSL_cleanse(key, sizeof(key));
    return ok;
}

/* --- wrapping ------------------------------------------------------------------------------- */

static uint8_t type_of(const struct sim_key *key, bool crt)
{
    switch (key->kind) {
    case SIM_KEY_RSA:
        return crt ? TYPE_RSA_CRT : TYPE_RSA;
    case SIM_KEY_EC:
    case SIM_KEY_MONTGOMERY:
    case SIM_KEY_EDWARDS:
        return TYPE_EC;
    default:
        return TYPE_AES;
    }
}

static bool put_header(struct sim_buf *out, const struct sim_key *key,
                       const struct sim_domain *domain, bool crt)
{
    uint8_t kcv[SIM_KCV_LEN];
    if (!sim_kek_check_value(domain, kcv)) {
        return false;
    }
    sim_buf_put(out, kcv, sizeof(kcv));
    uint8_t type = type_of(key, crt);
    sim_buf_put_u8(out, type);
    for (size_t i = 0; i < sizeof(default_algorithms) / sizeof(default_algorithms[0]); i++) {
        if (default_algorithms[i].type == type) {
            sim_buf_put_u16(out, default_algorithms[i].len);
            sim_buf_put(out, default_algorithms[i].oid, default_algorithms[i].len);
        }
    }
    sim_buf_put_u16(out, key->n_algorithms);
    sim_buf_put(out, key->algorithms, key->n_algorithms);
    sim_buf_put_u16(out, 0); /* access conditions */
    sim_buf_put_u16(out, 0); /* key OID */
    return true;
}

static bool put_elements(struct sim_buf *out, const struct sim_key *key, bool crt, bool lean)
{
    switch (key->kind) {
    case SIM_KEY_RSA:
        sim_buf_put_u16(out, (uint16_t)key->bits);
        return sim_rsa_put_elements(out, key, crt);
    case SIM_KEY_EC:
        sim_buf_put_u16(out, (uint16_t)(lean ? 8 * key->size : key->bits));
        return sim_ec_put_elements(out, key, lean);
    case SIM_KEY_MONTGOMERY:
    case SIM_KEY_EDWARDS:
        sim_buf_put_u16(out, (uint16_t)(8 * sim_modern_field_bytes(key)));
        return sim_modern_put_elements(out, key);
    default:
        sim_element_put(out, sim_buf_slice(&key->der));
        return true;
    }
}

static bool put_plaintext(struct sim_buf *out, const struct sim_key *key, bool crt,
                          const struct sim_wrapped_form *form)
{
    uint8_t *random = sim_buf_reserve(out, RANDOM_LEN);
    if (random == NULL || RAND_bytes(random, RANDOM_LEN) != 1 ||
        !put_elements(out, key, crt, form->lean)) {
        return false;
    }
    if (out->len % SIM_AES_BLOCK == 0 && !form->pads_always) {
        return !out->failed;
    }
    sim_buf_put_u8(out, 0x80);
    while (!out->failed && out->len % SIM_AES_BLOCK != 0) {
        sim_buf_put_u8(out, 0x00);
    }
    return !out->failed;
}

static bool put_blob(struct sim_buf *out, const struct sim_key *key,
                     const struct sim_domain *domain, bool crt, const struct sim_wrapped_form *form)
{
    struct sim_buf plain = { 0 };
    uint8_t mac[SIM_AES_BLOCK];
    bool ok = put_header(out, key, domain, crt) && put_plaintext(&plain, key, crt, form) &&
              run_cbc(true, domain, sim_buf_slice(&plain), out) &&
              authenticate(domain, sim_buf_slice(out), mac);
    if (ok) {
        sim_buf_put(out, mac, sizeof(mac));
    }
    sim_buf_free(&plain);
    return ok && !out->failed;
}

bool sim_wrapped_put(struct sim_buf *out, const struct sim_key *key,
                     const struct sim_domain *domain, const struct sim_wrapped_form *form)
{
    struct sim_buf blob = { 0 };
    bool ok = put_blob(&blob, key, domain, true, form);
    if (ok && blob.len > form->max && key->kind == SIM_KEY_RSA) {
        sim_buf_clear(&blob);
        ok = put_blob(&blob, key, domain, false, form);
    }
    if (ok) {
        sim_buf_put(out, blob.data, blob.len);
    }
    sim_buf_free(&blob);
    return ok;
}

/* --- unwrapping ----------------------------------------------------------------------------- */

struct blob {
    uint8_t type;
    struct sim_slice algorithms;
    struct sim_slice access_conditions;
    struct sim_slice ciphertext;
};

int sim_wrapped_find_domain(const struct sim_state *state, struct sim_slice blob)
{
    struct sim_slice wanted;
    uint8_t kcv[SIM_KCV_LEN];
    if (!sim_slice_take(&blob, SIM_KCV_LEN, &wanted)) {
        return -1;
    }
    for (int i = 0; i < state->n_domains; i++) {
        if (sim_kek_is_ready(&state->domains[i]) && sim_kek_check_value(&state->domains[i], kcv) &&
            memcmp(kcv, wanted.data, sizeof(kcv)) == 0) {
            return i;
        }
    }
    return -1;
}

/* Split a blob, the MAC of which has been cut off. */
static bool parse(struct sim_slice in, struct blob *blob)
{
    struct sim_slice oid;
    return sim_slice_take(&in, SIM_KCV_LEN, NULL) && sim_slice_u8(&in, &blob->type) &&
           sim_element_take(&in, MAX_OID, &oid) &&
           sim_element_take(&in, SIM_MAX_ALGORITHMS, &blob->algorithms) &&
           sim_element_take(&in, UINT16_MAX, &blob->access_conditions) &&
           sim_element_take(&in, MAX_OID, &oid) && sim_slice_take(&in, in.len, &blob->ciphertext) &&
           blob->ciphertext.len > 0 && blob->ciphertext.len % SIM_AES_BLOCK == 0;
}

static uint16_t make_key(uint8_t type, struct sim_slice plain, uint8_t id, bool lean,
                         struct sim_key *key)
{
    uint16_t size, sw;
    struct sim_slice value;
    EVP_PKEY *pkey = NULL;
    if (!sim_slice_take(&plain, RANDOM_LEN, NULL)) {
        return SIM_SW_WRONG_DATA;
    }
    if (type == TYPE_AES) {
        /* the size is at the same time the length of the only element */
        return sim_element_take(&plain, SIM_MAX_AES, &value) && sim_key_from_aes(key, id, value)
                   ? SIM_SW_OK
                   : SIM_SW_WRONG_DATA;
    }
    if (!sim_slice_u16(&plain, &size)) {
        return SIM_SW_WRONG_DATA;
    }
    switch (type) {
    case TYPE_RSA:
    case TYPE_RSA_CRT:
        sw = sim_rsa_from_elements(plain, size, type == TYPE_RSA_CRT, &pkey);
        break;
    case TYPE_EC:
        sw = sim_ec_from_elements(plain, size, lean, &pkey);
        break;
    default:
        return SIM_SW_NOT_SUPPORTED;
    }
    if (sw == SIM_SW_OK && !sim_key_from_pkey(key, id, pkey)) {
        sw = SIM_SW_INTERNAL;
    }
    return sw;
}

uint16_t sim_wrapped_open(struct sim_slice blob, const struct sim_domain *domain,
                          const struct sim_wrapped_form *form, uint8_t id, struct sim_key *key)
{
    struct sim_slice mac, covered = blob;
    struct sim_buf plain = { 0 };
    struct blob parts;
    uint8_t expected[SIM_AES_BLOCK];
    if (blob.len < SIM_AES_BLOCK) {
        return SIM_SW_WRONG_DATA;
    }
    covered.len -= SIM_AES_BLOCK;
    mac = (struct sim_slice){ blob.data + covered.len, SIM_AES_BLOCK };
    if (!authenticate(domain, covered, expected)) {
        return SIM_SW_INTERNAL;
    }
    /* access conditions were never seen, and what is not understood cannot be kept */
    if (CRYPTO_memcmp(expected, mac.data, SIM_AES_BLOCK) != 0 || !parse(covered, &parts) ||
        parts.access_conditions.len != 0) {
        return SIM_SW_WRONG_DATA;
    }
    uint16_t sw = SIM_SW_INTERNAL;
    if (run_cbc(false, domain, parts.ciphertext, &plain)) {
        sw = make_key(parts.type, sim_buf_slice(&plain), id, form->lean, key);
    }
    if (sw == SIM_SW_OK) {
        key->n_algorithms = (uint8_t)parts.algorithms.len;
        if (key->n_algorithms > 0) {
            memcpy(key->algorithms, parts.algorithms.data, parts.algorithms.len);
        }
    }
    sim_buf_free(&plain);
    return sw;
}
