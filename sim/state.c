/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include <string.h>

#include <openssl/crypto.h>

#include "fs.h"

/*
 * The encoding is a list of records: type (2 bytes), length (4 bytes), value; numbers big endian.
 * Every record has one line in the table below, which both directions use.
 */
enum {
    REC_DEVICE_CHR = 1,
    REC_DEVICE_KEY = 2,
    REC_FORMER_ISSUER_KEY = 3,
    REC_FORMER_ROOT_KEY = 4,
    REC_ROOT_CERTIFICATE = 5,
    REC_SETUP = 6,
    REC_USER_PIN = 7,
    REC_SO_PIN = 8,
    REC_DOMAIN = 9,
    REC_FILE = 10,
    REC_KEY = 11,
    REC_PKA_KEY = 20,
};

void sim_state_erase(struct sim_state *state)
{
    for (size_t i = 0; i < state->n_keys; i++) {
        sim_key_free(&state->keys[i]);
    }
    OPENSSL_free(state->keys);
    state->keys = NULL;
    state->n_keys = 0;

    size_t kept = 0;
    for (size_t i = 0; i < state->n_files; i++) {
        if (state->files[i].fid == SIM_FID_DEVICE_CERTIFICATE) {
            state->files[kept++] = state->files[i];
        } else {
            sim_buf_free(&state->files[i].content);
        }
    }
    state->n_files = kept;

    state->initialised = false;
    state->transport_pin = false;
    state->options = 0;
    state->pka_total = state->pka_required = 0;
    for (size_t i = 0; i < SIM_MAX_PKA_KEYS; i++) {
        sim_buf_free(&state->pka_keys[i].public_key);
        state->pka_keys[i].chr[0] = '\0';
    }
    state->n_domains = 0;
    memset(state->biometric, 0, sizeof(state->biometric));
    OPENSSL_cleanse(state->domains, sizeof(state->domains));
    OPENSSL_cleanse(&state->user_pin, sizeof(state->user_pin));
    state->dirty = true;
}

void sim_state_free(struct sim_state *state)
{
    sim_state_erase(state);
    for (size_t i = 0; i < state->n_files; i++) {
        sim_buf_free(&state->files[i].content);
    }
    OPENSSL_free(state->files);
    sim_key_free(&state->device_key);
    sim_buf_free(&state->root_certificate);
    OPENSSL_cleanse(state, sizeof(*state));
}

/* Strings: one length byte, then the characters. */
static void put_string(struct sim_buf *out, const char *text)
{
    size_t len = strlen(text);
    sim_buf_put_u8(out, (uint8_t)len);
    sim_buf_put(out, text, len);
}

static bool take_string(struct sim_slice *in, char *text, size_t capacity)
{
    uint8_t len;
    struct sim_slice bytes;
    if (!sim_slice_u8(in, &len) || len >= capacity || !sim_slice_take(in, len, &bytes)) {
        return false;
    }
    memcpy(text, bytes.data, len);
    text[len] = '\0';
    return true;
}

/* In the byte that counts the algorithms of a key. */
enum { NAMES_DOMAIN = 0x80 };

static void put_key(struct sim_buf *out, const struct sim_key *key)
{
    sim_buf_put_u8(out, key->id);
    sim_buf_put_u8(out, (uint8_t)key->kind);
    sim_buf_put_u32(out, key->uses_left);
    sim_buf_put_u8(out, key->domain);
    sim_buf_put_u8(out, (uint8_t)(key->n_algorithms | (key->names_domain ? NAMES_DOMAIN : 0)));
    sim_buf_put(out, key->algorithms, key->n_algorithms);
    put_string(out, key->chr);
    sim_buf_put(out, key->der.data, key->der.len);
}

static bool take_key(struct sim_slice in, struct sim_key *key)
{
    struct sim_key policy = { 0 };
    struct sim_slice algorithms;
    uint8_t kind;
    if (!sim_slice_u8(&in, &policy.id) || !sim_slice_u8(&in, &kind) ||
        !sim_slice_u32(&in, &policy.uses_left) || !sim_slice_u8(&in, &policy.domain) ||
        !sim_slice_u8(&in, &policy.n_algorithms)) {
        return false;
    }
    policy.names_domain = (policy.n_algorithms & NAMES_DOMAIN) != 0;
    policy.n_algorithms &= (uint8_t)~NAMES_DOMAIN;
    if (policy.n_algorithms > SIM_MAX_ALGORITHMS ||
        !sim_slice_take(&in, policy.n_algorithms, &algorithms) ||
        !take_string(&in, policy.chr, sizeof(policy.chr))) {
        return false;
    }
    if (!(kind == SIM_KEY_AES ? sim_key_from_aes(key, policy.id, in)
                              : sim_key_from_der(key, policy.id, in))) {
        return false;
    }
    if (key->kind != kind) {
        sim_key_free(key);
        return false;
    }
    key->uses_left = policy.uses_left;
    key->domain = policy.domain;
    key->names_domain = policy.names_domain;
    key->n_algorithms = policy.n_algorithms;
    memcpy(key->algorithms, algorithms.data, algorithms.len);
    memcpy(key->chr, policy.chr, sizeof(key->chr));
    return true;
}

static void encode_device_chr(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    (void)i;
    put_string(out, state->device_chr);
}

static bool decode_device_chr(struct sim_state *state, struct sim_slice in)
{
    return take_string(&in, state->device_chr, sizeof(state->device_chr)) && in.len == 0;
}

static void encode_device_key(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    (void)i;
    put_key(out, &state->device_key);
}

/* A Pico HSM makes its own at the first INITIALIZE DEVICE. */
static size_t count_device_key(const struct sim_state *state)
{
    return state->device_key.kind == SIM_KEY_NONE ? 0 : 1;
}

static bool decode_device_key(struct sim_state *state, struct sim_slice in)
{
    return state->device_key.kind == SIM_KEY_NONE && take_key(in, &state->device_key);
}

/* The first versions made an issuer and a root for each card, and kept their keys. */
static bool decode_former_key(struct sim_state *state, struct sim_slice in)
{
    (void)state;
    (void)in;
    return true;
}

static void encode_root_certificate(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    (void)i;
    sim_buf_put(out, state->root_certificate.data, state->root_certificate.len);
}

static bool decode_root_certificate(struct sim_state *state, struct sim_slice in)
{
    sim_buf_clear(&state->root_certificate);
    sim_buf_put(&state->root_certificate, in.data, in.len);
    return !state->root_certificate.failed;
}

static void encode_setup(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    (void)i;
    sim_buf_put_u8(out, state->initialised);
    sim_buf_put_u8(out, state->transport_pin);
    sim_buf_put_u16(out, state->options);
    sim_buf_put_u8(out, state->pka_total);
    sim_buf_put_u8(out, state->pka_required);
    sim_buf_put_u8(out, state->n_domains);
    for (size_t n = 0; n < 2; n++) {
        sim_buf_put_u8(out, state->biometric[n].len);
        sim_buf_put(out, state->biometric[n].value, state->biometric[n].len);
    }
}

static bool decode_setup(struct sim_state *state, struct sim_slice in)
{
    uint8_t initialised, transport;
    if (!sim_slice_u8(&in, &initialised) || initialised > 1 || !sim_slice_u8(&in, &transport) ||
        transport > 1 || !sim_slice_u16(&in, &state->options) ||
        !sim_slice_u8(&in, &state->pka_total) || state->pka_total > SIM_MAX_PKA_KEYS ||
        !sim_slice_u8(&in, &state->pka_required) || !sim_slice_u8(&in, &state->n_domains)) {
        return false;
    }
    state->initialised = initialised;
    state->transport_pin = transport;
    for (size_t n = 0; n < 2; n++) {
        struct sim_aid *aid = &state->biometric[n];
        struct sim_slice value;
        if (!sim_slice_u8(&in, &aid->len) || aid->len > sizeof(aid->value) ||
            !sim_slice_take(&in, aid->len, &value)) {
            return false;
        }
        memcpy(aid->value, value.data, value.len);
    }
    return in.len == 0;
}

static void put_pin(struct sim_buf *out, const struct sim_pin *pin)
{
    sim_buf_put_u8(out, pin->tries_max);
    sim_buf_put_u8(out, pin->tries_left);
    sim_buf_put(out, pin->value, pin->len);
}

static bool take_pin(struct sim_slice in, struct sim_pin *pin)
{
    if (!sim_slice_u8(&in, &pin->tries_max) || !sim_slice_u8(&in, &pin->tries_left) ||
        pin->tries_max > SIM_SO_PIN_TRIES || pin->tries_left > pin->tries_max ||
        in.len > sizeof(pin->value)) {
        return false;
    }
    pin->len = (uint8_t)in.len;
    memcpy(pin->value, in.data, in.len);
    return true;
}

static void encode_user_pin(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    (void)i;
    put_pin(out, &state->user_pin);
}

static bool decode_user_pin(struct sim_state *state, struct sim_slice in)
{
    return take_pin(in, &state->user_pin);
}

static void encode_so_pin(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    (void)i;
    put_pin(out, &state->so_pin);
}

static bool decode_so_pin(struct sim_state *state, struct sim_slice in)
{
    return take_pin(in, &state->so_pin);
}

static size_t count_domains(const struct sim_state *state)
{
    return state->n_domains;
}

static void encode_domain(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    const struct sim_domain *domain = &state->domains[i];
    sim_buf_put_u8(out, (uint8_t)i);
    sim_buf_put_u8(out, domain->created);
    sim_buf_put_u8(out, domain->shares);
    sim_buf_put_u8(out, domain->outstanding);
    sim_buf_put(out, domain->kek, sizeof(domain->kek));
    if (domain->is_xkek) {
        sim_buf_put_u8(out, domain->is_agreed);
        sim_buf_put(out, domain->uid, domain->uid_len);
    }
}

static bool decode_domain(struct sim_state *state, struct sim_slice in)
{
    uint8_t i, created;
    struct sim_slice kek;
    if (!sim_slice_u8(&in, &i) || i >= SIM_MAX_DOMAINS || !sim_slice_u8(&in, &created) ||
        created > 1) {
        return false;
    }
    struct sim_domain *domain = &state->domains[i];
    domain->created = created;
    if (!sim_slice_u8(&in, &domain->shares) || !sim_slice_u8(&in, &domain->outstanding) ||
        domain->outstanding > domain->shares || !sim_slice_take(&in, SIM_KEK_LEN, &kek)) {
        return false;
    }
    memcpy(domain->kek, kek.data, kek.len);
    domain->is_xkek = in.len > 0;
    if (!domain->is_xkek) {
        return true;
    }
    uint8_t agreed;
    struct sim_slice uid;
    if (!sim_slice_u8(&in, &agreed) || agreed > 1 || in.len > SIM_MAX_UID ||
        !sim_slice_take(&in, in.len, &uid)) {
        return false;
    }
    domain->is_agreed = agreed;
    domain->uid_len = (uint8_t)uid.len;
    memcpy(domain->uid, uid.data, uid.len);
    return true;
}

static size_t count_pka_keys(const struct sim_state *state)
{
    return state->pka_total;
}

static void encode_pka_key(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    const struct sim_pka_key *key = &state->pka_keys[i];
    sim_buf_put_u8(out, (uint8_t)i);
    put_string(out, key->chr);
    sim_buf_put(out, key->public_key.data, key->public_key.len);
}

static bool decode_pka_key(struct sim_state *state, struct sim_slice in)
{
    uint8_t i;
    if (!sim_slice_u8(&in, &i) || i >= SIM_MAX_PKA_KEYS) {
        return false;
    }
    struct sim_pka_key *key = &state->pka_keys[i];
    sim_buf_clear(&key->public_key);
    if (!take_string(&in, key->chr, sizeof(key->chr))) {
        return false;
    }
    sim_buf_put(&key->public_key, in.data, in.len);
    return !key->public_key.failed;
}

static size_t count_files(const struct sim_state *state)
{
    return state->n_files;
}

static void encode_file(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    sim_buf_put_u16(out, state->files[i].fid);
    sim_buf_put(out, state->files[i].content.data, state->files[i].content.len);
}

static bool decode_file(struct sim_state *state, struct sim_slice in)
{
    uint16_t fid;
    return sim_slice_u16(&in, &fid) && sim_fs_find(state, fid) == NULL &&
           sim_fs_write(state, fid, 0, in) == 0x9000;
}

static size_t count_keys(const struct sim_state *state)
{
    return state->n_keys;
}

static void encode_key(const struct sim_state *state, size_t i, struct sim_buf *out)
{
    put_key(out, &state->keys[i]);
}

static bool decode_key(struct sim_state *state, struct sim_slice in)
{
    struct sim_key key;
    if (!take_key(in, &key)) {
        return false;
    }
    if (sim_keys_find(state, key.id) == NULL && sim_keys_add(state, &key)) {
        return true;
    }
    sim_key_free(&key);
    return false;
}

static size_t count_one(const struct sim_state *state)
{
    (void)state;
    return 1;
}

static size_t count_none(const struct sim_state *state)
{
    (void)state;
    return 0;
}

static const struct record {
    uint16_t type;
    size_t (*count)(const struct sim_state *state);
    void (*encode)(const struct sim_state *state, size_t i, struct sim_buf *out);
    bool (*decode)(struct sim_state *state, struct sim_slice in);
} records[] = {
    { REC_DEVICE_CHR, count_one, encode_device_chr, decode_device_chr },
    { REC_DEVICE_KEY, count_device_key, encode_device_key, decode_device_key },
    { REC_FORMER_ISSUER_KEY, count_none, NULL, decode_former_key },
    { REC_FORMER_ROOT_KEY, count_none, NULL, decode_former_key },
    { REC_ROOT_CERTIFICATE, count_one, encode_root_certificate, decode_root_certificate },
    { REC_SETUP, count_one, encode_setup, decode_setup },
    { REC_USER_PIN, count_one, encode_user_pin, decode_user_pin },
    { REC_SO_PIN, count_one, encode_so_pin, decode_so_pin },
    { REC_DOMAIN, count_domains, encode_domain, decode_domain },
    { REC_FILE, count_files, encode_file, decode_file },
    { REC_KEY, count_keys, encode_key, decode_key },
    { REC_PKA_KEY, count_pka_keys, encode_pka_key, decode_pka_key },
};

void sim_state_encode(const struct sim_state *state, struct sim_buf *out)
{
    struct sim_buf value = { 0 };
    for (size_t r = 0; r < sizeof(records) / sizeof(records[0]); r++) {
        for (size_t i = 0; i < records[r].count(state); i++) {
            sim_buf_clear(&value);
            records[r].encode(state, i, &value);
            if (value.failed || value.len > UINT32_MAX) {
                out->failed = true;
            }
            sim_buf_put_u16(out, records[r].type);
            sim_buf_put_u32(out, (uint32_t)value.len);
            sim_buf_put(out, value.data, value.len);
        }
    }
    sim_buf_free(&value);
}

static bool decode_record(struct sim_state *state, uint16_t type, struct sim_slice value)
{
    for (size_t r = 0; r < sizeof(records) / sizeof(records[0]); r++) {
        if (records[r].type == type) {
            return records[r].decode(state, value);
        }
    }
    return false;
}

bool sim_state_decode(struct sim_state *state, struct sim_slice in)
{
    /* what is on a card stays there, also if there is more of it than a new key would find room */
    size_t capacity = state->capacity;
    sim_state_free(state);
    while (in.len > 0) {
        uint16_t type;
        uint32_t len;
        struct sim_slice value;
        if (!sim_slice_u16(&in, &type) || !sim_slice_u32(&in, &len) ||
            !sim_slice_take(&in, len, &value) || !decode_record(state, type, value)) {
            sim_state_free(state);
            return false;
        }
    }
    /* without these the card could not answer its first commands */
    const struct sim_file *chain = sim_fs_find(state, SIM_FID_DEVICE_CERTIFICATE);
    if (state->device_chr[0] == '\0' || chain == NULL ||
        (state->device_key.pkey == NULL && chain->content.len > 0)) {
        sim_state_free(state);
        return false;
    }
    state->capacity = capacity;
    state->dirty = false;
    return true;
}
