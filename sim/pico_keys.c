/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a Pico HSM: how they are found, described, vouched for and stored. */
#include <stdio.h>
#include <string.h>

#include "fs.h"
#include "pico.h"
#include "tlv.h"

bool sim_pico_find_object(struct sim_slice in, uint32_t tag, struct sim_slice *value)
{
    uint32_t found;
    while (in.len > 0 && sim_tlv_next(&in, &found, value)) {
        if (found == tag) {
            return true;
        }
    }
    *value = (struct sim_slice){ 0 };
    return false;
}

struct sim_key *sim_pico_find_key(struct sim_state *state, uint8_t id)
{
    if (id != 0) {
        return sim_keys_find(state, id);
    }
    return state->device_key.kind == SIM_KEY_NONE ? NULL : &state->device_key;
}

uint16_t sim_pico_begin(struct sim_card *card, uint8_t id, uint8_t algorithm, struct sim_key **key)
{
    *key = sim_pico_find_key(&card->state, id);
    if (*key == NULL) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    /* it is looked at, and never counted down */
    if ((*key)->uses_left == 0) {
        return SIM_SW_NO_SPACE;
    }
    if ((*key)->n_algorithms > 0 &&
        memchr((*key)->algorithms, algorithm, (*key)->n_algorithms) == NULL) {
        return SIM_SW_CONDITIONS;
    }
    sim_latency_add(card, SIM_OPERATION_USE, *key);
    return SIM_SW_OK;
}

/* --- the description ------------------------------------------------------------------------ */

/* Tag and usage of a description by kind of key (section 10). */
static const struct kind {
    enum sim_key_kind kind;
    uint8_t tag;
    struct sim_slice usage;
} kinds[] = {
    { SIM_KEY_RSA, 0x30, { (const uint8_t *)"\x02\x74", 2 } },
    { SIM_KEY_EC, 0xA0, { (const uint8_t *)"\x07\x20\x80", 3 } },
    { SIM_KEY_MONTGOMERY, 0xA0, { (const uint8_t *)"\x07\x20\x80", 3 } },
    { SIM_KEY_EDWARDS, 0xA0, { (const uint8_t *)"\x07\x20\x80", 3 } },
    { SIM_KEY_AES, 0xA8, { (const uint8_t *)"\x07\xC0\x10", 3 } },
};

/* Sizes are whole bytes, of an RSA key its two primes', and no number minds its sign. */
static void put_size(struct sim_buf *out, const struct sim_key *key)
{
    size_t bits = 8 * (key->kind == SIM_KEY_RSA ? key->size + key->size % 2 : key->size);
    const uint8_t number[] = { (uint8_t)(bits >> 8), (uint8_t)bits };
    sim_tlv_put(out, 0x02, number, sizeof(number));
}

static void put_sequence(struct sim_buf *out, uint32_t tag, struct sim_buf *content)
{
    sim_tlv_put_buf(out, tag, content);
    sim_buf_clear(content);
}

static bool put_description(struct sim_buf *out, const struct sim_key *key, const char *label,
                            struct sim_slice id)
{
    struct sim_buf body = { 0 }, part = { 0 }, inner = { 0 };
    const struct kind *kind = kinds;
    while (kind->kind != key->kind) {
        kind++;
    }
    sim_tlv_put(&part, 0x0C, label, strlen(label));
    put_sequence(&body, 0x30, &part);
    sim_tlv_put(&part, 0x04, id.data, id.len);
    sim_tlv_put(&part, 0x03, kind->usage.data, kind->usage.len);
    put_sequence(&body, 0x30, &part);
    if (key->kind == SIM_KEY_AES) {
        put_size(&inner, key);
        put_sequence(&part, 0x30, &inner);
        put_sequence(&body, 0xA0, &part);
    }
    sim_tlv_put(&inner, 0x04, NULL, 0);
    put_sequence(&part, 0x30, &inner);
    if (key->kind != SIM_KEY_AES) {
        put_size(&part, key);
    }
    sim_tlv_put_buf(&inner, 0x30, &part);
    put_sequence(&body, 0xA1, &inner);
    sim_tlv_put_buf(out, kind->tag, &body);
    sim_buf_free(&inner);
    sim_buf_free(&part);
    sim_buf_free(&body);
    return !out->failed;
}

/* --- the request ---------------------------------------------------------------------------- */

/* A number without leading zeros, of at least one byte. */
static void put_number(struct sim_buf *out, uint32_t tag, struct sim_slice number)
{
    while (number.len > 1 && number.data[0] == 0) {
        sim_slice_take(&number, 1, NULL);
    }
    sim_tlv_put(out, tag, number.data, number.len);
}

static bool put_curve(struct sim_buf *out, const struct sim_curve *curve)
{
    struct sim_curve_storage storage;
    struct sim_curve_params params;
    if (!sim_curve_load_params(curve, &storage, &params)) {
        return false;
    }
    put_number(out, SIM_TAG_PRIME, params.p);
    put_number(out, SIM_TAG_A, params.a);
    put_number(out, SIM_TAG_B, params.b);
    sim_tlv_put(out, SIM_TAG_GENERATOR, params.generator.data, params.generator.len);
    put_number(out, SIM_TAG_ORDER, params.order);
    return true;
}

static bool put_rsa(struct sim_buf *out, const struct sim_key *key)
{
    struct sim_buf modulus = { 0 }, exponent = { 0 };
    bool ok = sim_key_put_modulus(key, &modulus) && sim_key_put_exponent(key, &exponent);
    sim_tlv_put(out, SIM_TAG_OID, sim_oid_rsa_sha256.data, sim_oid_rsa_sha256.len);
    sim_tlv_put_buf(out, SIM_TAG_PRIME, &modulus);
    sim_tlv_put_buf(out, SIM_TAG_A, &exponent);
    sim_buf_free(&modulus);
    sim_buf_free(&exponent);
    return ok;
}

static bool put_modern(struct sim_buf *out, const struct sim_key *key)
{
    /* id-RI-ECDH-SHA-256 */
    static const uint8_t oid[] = { 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x05, 0x02, 0x03 };
    const struct sim_modern_curve *curve = key->modern;
    struct sim_buf point = { 0 };
    bool ok = sim_modern_put_public(key, &point);
    sim_tlv_put(out, SIM_TAG_OID, oid, sizeof(oid));
    sim_tlv_put(out, 0x81, curve->p.data, curve->p.len);
    sim_tlv_put(out, 0x82, curve->n.data, curve->n.len);
    sim_tlv_put(out, 0x83, curve->base.data, curve->base.len);
    sim_tlv_put_buf(out, 0x84, &point);
    sim_buf_free(&point);
    return ok;
}

bool sim_pico_put_public_key(struct sim_buf *out, const struct sim_key *key)
{
    struct sim_buf point = { 0 };
    if (key->kind == SIM_KEY_RSA) {
        return put_rsa(out, key);
    }
    if (key->kind != SIM_KEY_EC) {
        return put_modern(out, key);
    }
    sim_tlv_put(out, SIM_TAG_OID, sim_oid_ecdsa_sha256.data, sim_oid_ecdsa_sha256.len);
    bool ok = put_curve(out, key->curve) && sim_key_put_point(key, &point);
    sim_tlv_put_buf(out, SIM_TAG_PUBLIC_POINT, &point);
    sim_tlv_put(out, SIM_TAG_COFACTOR, "\x01", 1);
    sim_buf_free(&point);
    return ok;
}

bool sim_pico_put_request(struct sim_buf *out, const struct sim_state *state,
                          const struct sim_key *key, struct sim_cvc_request names)
{
    const struct sim_slice device = { (const uint8_t *)state->device_chr,
                                      strlen(state->device_chr) };
    struct sim_buf public_key = { 0 };
    bool ok = sim_pico_put_public_key(&public_key, key);
    names.public_key = sim_buf_slice(&public_key);
    names.car = names.car.len > 0 ? names.car : device;
    names.chr = names.chr.len > 0 ? names.chr : device;
    ok = ok && sim_cvc_put_request(out, &names, key, &state->device_key);
    sim_buf_free(&public_key);
    return ok;
}

/* --- storing -------------------------------------------------------------------------------- */

static uint16_t replace_file(struct sim_state *state, uint8_t prefix, uint8_t id,
                             const struct sim_buf *content)
{
    return sim_fs_replace(state, (uint16_t)(prefix << 8 | id), sim_buf_slice(content));
}

uint16_t sim_pico_store_key(struct sim_card *card, struct sim_key *key,
                            const struct sim_buf *request)
{
    struct sim_state *state = &card->state;
    struct sim_buf description = { 0 };
    uint8_t id = key->id;
    char name[4];
    (void)snprintf(name, sizeof(name), "%u", id);
    const struct sim_slice key_id = { (const uint8_t *)name, strlen(name) };
    uint16_t sw = put_description(&description, key, "", key_id) ? SIM_SW_OK : SIM_PICO_FAILED;
    sim_latency_add(card, SIM_OPERATION_GENERATE, key);
    if (sw == SIM_SW_OK && id == 0) {
        /* nobody is told that the device's own key is gone */
        sim_key_free(&state->device_key);
        state->device_key = *key;
        state->dirty = true;
        *key = (struct sim_key){ 0 };
    } else if (sw == SIM_SW_OK) {
        struct sim_key *place = sim_keys_find(state, id);
        if (place != NULL) {
            sim_key_free(place);
            *place = *key;
            state->dirty = true;
            *key = (struct sim_key){ 0 };
        } else {
            sw = sim_keys_store(state, key);
        }
    }
    if (sw == SIM_SW_OK) {
        sw = replace_file(state, SIM_PREFIX_DESCRIPTION, id, &description);
    }
    if (sw == SIM_SW_OK && request != NULL) {
        sw = replace_file(state, SIM_PREFIX_CERTIFICATE, id, request);
    }
    sim_buf_free(&description);
    sim_key_free(key);
    return sw;
}

bool sim_pico_describe_device(struct sim_state *state)
{
    static const uint8_t id[20] = { 0 };
    struct sim_buf description = { 0 };
    bool ok = put_description(&description, &state->device_key, "ESPICOHSMTR",
                              (struct sim_slice){ id, sizeof(id) }) &&
              replace_file(state, SIM_PREFIX_DESCRIPTION, 0, &description) == SIM_SW_OK;
    sim_buf_free(&description);
    return ok;
}
