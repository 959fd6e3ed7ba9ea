/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include "fs.h"

/*
 * The vendor says that 38 RSA-2048, 19 RSA-4096, 300 P-256, 150 P-521 or 300 AES keys fit into
 * the 76 KB of a real device: one byte for each bit of an asymmetric key, and as much for any AES
 * key as for P-256. That is less than an EC key with its request takes, so the figures cannot
 * count the files that come with every key: request and description cost nothing up to the length
 * that they have at generation.
 */
enum {
    AES_KEY_COST = 256,
    DESCRIPTION_COVERED = 128,
    PREFIX_DESCRIPTION = 0xC4,
};

static size_t key_cost(const struct sim_key *key)
{
    return key->kind == SIM_KEY_AES ? AES_KEY_COST : 8 * key->size;
}

/* Length up to which the request of this key is paid for with the key. */
static size_t request_covered(const struct sim_key *key)
{
    switch (key->kind) {
    case SIM_KEY_RSA:
        return 2 * key->size + 256; /* modulus, signature, and what is around them */
    case SIM_KEY_EC:
        return 10 * key->size + 192; /* domain parameters, point, signature */
    default:
        return 0;
    }
}

static size_t covered(const struct sim_state *state, uint16_t fid)
{
    uint8_t prefix = (uint8_t)(fid >> 8);
    const struct sim_key *key = NULL;
    if (prefix != PREFIX_DESCRIPTION && prefix != SIM_PREFIX_CERTIFICATE) {
        return 0;
    }
    for (size_t i = 0; i < state->n_keys; i++) {
        if (state->keys[i].id == (uint8_t)fid) {
            key = &state->keys[i];
        }
    }
    if (key == NULL) {
        return 0;
    }
    return prefix == PREFIX_DESCRIPTION ? DESCRIPTION_COVERED : request_covered(key);
}

static size_t file_cost(const struct sim_state *state, const struct sim_file *file)
{
    /* the device's own certificate is there from the start, the scratch file is no object */
    if (file->fid == SIM_FID_DEVICE_CERTIFICATE || file->fid == SIM_FID_WRAPPED_KEY) {
        return 0;
    }
    size_t paid = covered(state, file->fid);
    return file->content.len > paid ? file->content.len - paid : 0;
}

size_t sim_memory_used(const struct sim_state *state)
{
    size_t used = 0;
    for (size_t i = 0; i < state->n_files; i++) {
        used += file_cost(state, &state->files[i]);
    }
    for (size_t i = 0; i < state->n_keys; i++) {
        used += key_cost(&state->keys[i]);
    }
    return used;
}

bool sim_memory_is_exceeded(const struct sim_state *state, size_t before)
{
    if (state->capacity == 0) {
        return false;
    }
    size_t used = sim_memory_used(state);
    return used > before && used > state->capacity;
}

uint32_t sim_memory_left(const struct sim_state *state)
{
    size_t used = sim_memory_used(state);
    size_t capacity = state->capacity != 0 ? state->capacity : UINT32_MAX;
    size_t left = used < capacity ? capacity - used : 0;
    return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}
