/* SPDX-License-Identifier: Apache-2.0 */
#include "fs.h"

#include <string.h>

#include <openssl/crypto.h>

#include "apdu.h"
#include "memory.h"
#include "state.h"

static const struct {
    uint16_t mask, fid;
    struct sim_file_rights rights;
} rights_table[] = {
    { 0xFFFF, SIM_FID_DEVICE_CERTIFICATE, { SIM_ACCESS_FREE, SIM_ACCESS_NEVER, SIM_ACCESS_NEVER } },
    { 0xFFFF, SIM_FID_TOKEN_INFO, { SIM_ACCESS_FREE, SIM_ACCESS_USER, SIM_ACCESS_USER } },
    { 0xFFFF, SIM_FID_WRAPPED_KEY, { SIM_ACCESS_FREE, SIM_ACCESS_USER, SIM_ACCESS_USER } },
    { 0xFFFF, 0xCC00, { SIM_ACCESS_NEVER, SIM_ACCESS_NEVER, SIM_ACCESS_NEVER } },
    { 0xFF00, 0xCC00, { SIM_ACCESS_NEVER, SIM_ACCESS_NEVER, SIM_ACCESS_USER } },
    { 0xFF00, 0xC400, { SIM_ACCESS_FREE, SIM_ACCESS_USER, SIM_ACCESS_USER } },
    { 0xFF00, 0xC800, { SIM_ACCESS_FREE, SIM_ACCESS_USER, SIM_ACCESS_USER } },
    { 0xFF00, 0xC900, { SIM_ACCESS_FREE, SIM_ACCESS_USER, SIM_ACCESS_USER } },
    { 0xFF00, 0xCA00, { SIM_ACCESS_FREE, SIM_ACCESS_USER, SIM_ACCESS_USER } },
    { 0xFF00, 0xCB00, { SIM_ACCESS_FREE, SIM_ACCESS_USER, SIM_ACCESS_USER } },
    { 0xFF00, 0xCD00, { SIM_ACCESS_USER, SIM_ACCESS_USER, SIM_ACCESS_USER } },
    { 0xFF00, 0xCE00, { SIM_ACCESS_FREE, SIM_ACCESS_USER, SIM_ACCESS_USER } },
    { 0xFF00, 0xCF00, { SIM_ACCESS_FREE, SIM_ACCESS_USER, SIM_ACCESS_USER } },
};

struct sim_file_rights sim_fs_rights(uint16_t fid)
{
    for (size_t i = 0; i < sizeof(rights_table) / sizeof(rights_table[0]); i++) {
        if ((fid & rights_table[i].mask) == rights_table[i].fid) {
            return rights_table[i].rights;
        }
    }
    return (struct sim_file_rights){ 0 };
}

struct sim_file *sim_fs_find(struct sim_state *state, uint16_t fid)
{
    for (size_t i = 0; i < state->n_files; i++) {
        if (state->files[i].fid == fid) {
            return &state->files[i];
        }
    }
    return NULL;
}

static struct sim_file *find_or_create(struct sim_state *state, uint16_t fid)
{
    struct sim_file *file = sim_fs_find(state, fid);
    if (file != NULL) {
        return file;
    }
    struct sim_file *grown =
        OPENSSL_realloc(state->files, (state->n_files + 1) * sizeof(state->files[0]));
    if (grown == NULL) {
        return NULL;
    }
    state->files = grown;
    file = &state->files[state->n_files++];
    *file = (struct sim_file){ .fid = fid };
    state->dirty = true;
    return file;
}

uint16_t sim_fs_write(struct sim_state *state, uint16_t fid, size_t offset, struct sim_slice data)
{
    struct sim_file *file = sim_fs_find(state, fid);
    size_t old_len = file == NULL ? 0 : file->content.len;
    size_t end = offset + data.len;
    if (fid == SIM_FID_WRAPPED_KEY && offset == 0 && old_len > 0) {
        sim_buf_clear(&file->content);
        old_len = 0;
        state->dirty = true;
    }
    if (offset > old_len) {
        return SIM_SW_WRONG_OFFSET;
    }
    if (end > SIM_MAX_FILE) {
        return SIM_SW_NO_SPACE;
    }
    size_t growth = end > old_len ? end - old_len : 0;
    file = find_or_create(state, fid);
    if (file == NULL) {
        return SIM_SW_NO_SPACE;
    }
    size_t used = state->capacity == 0 ? 0 : sim_memory_used(state);
    if (growth > 0 && sim_buf_reserve(&file->content, growth) == NULL) {
        return SIM_SW_NO_SPACE;
    }
    if (sim_memory_is_exceeded(state, used)) {
        file->content.len = old_len;
        return SIM_SW_NO_SPACE;
    }
    if (data.len == 0 || file->content.data == NULL) {
        return SIM_SW_OK;
    }
    memcpy(file->content.data + offset, data.data, data.len);
    state->dirty = true;
    return SIM_SW_OK;
}

uint16_t sim_fs_replace(struct sim_state *state, uint16_t fid, struct sim_slice data)
{
    sim_fs_remove(state, fid);
    return sim_fs_write(state, fid, 0, data);
}

bool sim_fs_remove(struct sim_state *state, uint16_t fid)
{
    struct sim_file *file = sim_fs_find(state, fid);
    if (file == NULL) {
        return false;
    }
    size_t behind = (size_t)(state->files + state->n_files - (file + 1));
    sim_buf_free(&file->content);
    memmove(file, file + 1, behind * sizeof(*file));
    state->n_files--;
    state->dirty = true;
    return true;
}
