/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a Pico HSM: SELECT, ENUMERATE OBJECTS, READ and UPDATE BINARY, DELETE FILE. */
#include <string.h>

#include "binary.h"
#include "fs.h"
#include "pico.h"
#include "policy.h"

enum {
    P1_BY_NAME = 0x04,
    P1_BY_ID = 0x00,
    FID_DIR = 0x2F00,
    FID_ATR = 0x2F01,
    FID_DEVICE_DESCRIPTION = SIM_PREFIX_DESCRIPTION << 8,
    FID_DEVICE_KEY = SIM_PREFIX_KEY << 8,
    FID_DEVICE_REQUEST = SIM_PREFIX_CERTIFICATE << 8,
    MAX_OFFSET = 0x7FFF,
};

static const uint8_t hsm_aid[] = {
    0xE8, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01
};

bool sim_pico_built_in(uint16_t fid, struct sim_buf *content)
{
    static const char maker[] = "Pol Henarejos", label[] = "Pico-HSM";
    struct sim_buf inner = { 0 };
    if (fid == FID_DIR) {
        sim_tlv_put(&inner, 0x4F, hsm_aid, sizeof(hsm_aid));
        sim_tlv_put(&inner, 0x50, label, strlen(label));
        sim_tlv_put_buf(content, 0x61, &inner);
    } else if (fid == SIM_FID_TOKEN_INFO) {
        static const uint8_t board[8] = { 0 }; /* its serial number, zero in the emulation */
        sim_tlv_put(&inner, 0x02, "\x06", 1);
        sim_tlv_put(&inner, 0x04, board, sizeof(board));
        sim_tlv_put(&inner, 0x0C, maker, strlen(maker));
        sim_tlv_put(&inner, 0x80, label, strlen(label));
        sim_tlv_put(&inner, 0x03, "\x04\x30", 2);
        sim_tlv_put_buf(content, 0x30, &inner);
    }
    sim_buf_free(&inner);
    return fid == FID_DIR || fid == FID_ATR || fid == SIM_FID_TOKEN_INFO;
}

/* Files of the device itself, which are there even when nothing stands in them. */
static bool is_device_file(uint16_t fid)
{
    return fid == FID_DEVICE_DESCRIPTION || fid == FID_DEVICE_REQUEST || fid == FID_DEVICE_KEY ||
           fid == SIM_FID_DEVICE_CERTIFICATE;
}

/* Bytes that a key takes in the flash, as SELECT tells them. */
static size_t stored_len(const struct sim_key *key)
{
    switch (key->kind) {
    case SIM_KEY_EC:
    case SIM_KEY_MONTGOMERY:
    case SIM_KEY_EDWARDS:
        return 1 + key->size; /* a byte for the curve */
    default:
        return key->size;
    }
}

static void put_policy(const struct sim_key *key, struct sim_buf *out)
{
    const uint32_t uses = key->uses_left;
    const uint8_t counter[] = { (uint8_t)(uses >> 24), (uint8_t)(uses >> 16), (uint8_t)(uses >> 8),
                                (uint8_t)uses };
    if (uses != SIM_USES_UNLIMITED) {
        sim_tlv_put(out, SIM_TAG_USES, counter, sizeof(counter));
    }
    if (key->n_algorithms > 0) {
        sim_tlv_put(out, SIM_TAG_ALGORITHMS, key->algorithms, key->n_algorithms);
    }
    if (key->names_domain) {
        sim_tlv_put(out, SIM_TAG_DOMAIN, &key->domain, 1);
    }
}

static uint16_t describe(struct sim_card *card, uint16_t fid, size_t len, const struct sim_key *key,
                         struct sim_buf *out)
{
    struct sim_buf fci = { 0 }, policy = { 0 };
    const uint8_t size[] = { (uint8_t)(len >> 8), (uint8_t)len };
    const uint8_t id[] = { (uint8_t)(fid >> 8), (uint8_t)fid };
    card->current_fid = fid;
    sim_tlv_put(&fci, 0x81, size, sizeof(size));
    sim_tlv_put(&fci, 0x82, "\x01", 1);
    sim_tlv_put(&fci, 0x83, id, sizeof(id));
    sim_tlv_put(&fci, 0x8A, "\x05", 1);
    if (key != NULL) {
        put_policy(key, &policy);
    }
    if (policy.len > 0) {
        /* the length in its long form */
        sim_buf_put(&fci, "\xA5\x81", 2);
        sim_buf_put_u8(&fci, (uint8_t)policy.len);
        sim_buf_put(&fci, policy.data, policy.len);
    }
    sim_tlv_put_buf(out, 0x62, &fci);
    sim_buf_free(&policy);
    sim_buf_free(&fci);
    return SIM_SW_OK;
}

static uint16_t select_file(struct sim_card *card, uint16_t fid, struct sim_buf *out)
{
    struct sim_buf built_in = { 0 };
    const struct sim_file *file = sim_fs_find(&card->state, fid);
    uint16_t sw = SIM_SW_FILE_NOT_FOUND;
    if (fid >> 8 == SIM_PREFIX_KEY) {
        const struct sim_key *key = sim_pico_find_key(&card->state, (uint8_t)fid);
        if (key != NULL || fid == FID_DEVICE_KEY) {
            sw = describe(card, fid, key == NULL ? 0 : stored_len(key), key, out);
        }
    } else if (sim_pico_built_in(fid, &built_in)) {
        sw = file != NULL ? sim_card_die(card, "SELECT of a built-in file that was written")
                          : describe(card, fid, built_in.len, NULL, out);
    } else if (file != NULL || is_device_file(fid)) {
        sw = describe(card, fid, file == NULL ? 0 : file->content.len, NULL, out);
    }
    sim_buf_free(&built_in);
    return sw;
}

static uint16_t select_application(struct sim_card *card, struct sim_buf *out)
{
    struct sim_buf fci = { 0 };
    const uint8_t attributes[] = { (uint8_t)(card->state.options >> 8),
                                   (uint8_t)card->state.options, 0xFF, card->profile->major,
                                   card->profile->minor };
    card->applet = SIM_APPLET_HSM;
    sim_card_clear_security(card);
    sim_tlv_put(&fci, 0x81, "\x00\x00", 2);
    sim_tlv_put(&fci, 0x82, "\x01", 1);
    sim_tlv_put(&fci, 0x83, "\x00\x00", 2);
    /* the name lacks its first byte, and the one behind it in the firmware stands at its end */
    sim_buf_put_u8(&fci, 0x84);
    sim_buf_put_u8(&fci, sizeof(hsm_aid));
    sim_buf_put(&fci, hsm_aid + 1, sizeof(hsm_aid) - 1);
    sim_buf_put_u8(&fci, 0x30);
    sim_tlv_put(&fci, 0x8A, "\x05", 1);
    sim_tlv_put(&fci, 0x85, attributes, sizeof(attributes));
    sim_tlv_put_buf(out, 0x62, &fci);
    sim_buf_free(&fci);
    return SIM_SW_OK;
}

uint16_t sim_pico_select(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_slice data = apdu->data;
    uint16_t fid = 0;
    bool wants_answer = (apdu->p2 & 0xFC) == 0x00 || (apdu->p2 & 0xFC) == 0x04;
    if (apdu->p1 == P1_BY_NAME && (apdu->p2 == 0x00 || apdu->p2 == 0x04)) {
        return sim_slice_equal((struct sim_slice){ hsm_aid, sizeof(hsm_aid) }, data)
                   ? select_application(card, out)
                   : SIM_SW_FILE_NOT_FOUND;
    }
    if (card->applet == SIM_APPLET_NONE) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    if (data.len == 2 && sim_slice_u16(&data, &fid) && fid != 0) {
        uint16_t sw = select_file(card, fid, out);
        return sw == SIM_SW_OK && !wants_answer ? SIM_SW_WRONG_P1P2 : sw;
    }
    if (apdu->p1 == P1_BY_ID && data.len > 2) {
        return sim_card_die(card, "SELECT of a path");
    }
    return wants_answer ? SIM_SW_FILE_NOT_FOUND : SIM_SW_WRONG_P1P2;
}

uint16_t sim_pico_enumerate_objects(struct sim_card *card, const struct sim_apdu *apdu,
                                    struct sim_buf *out)
{
    static const uint8_t prefixes[] = { 0xC4, 0xC8, 0xC9 };
    const struct sim_state *state = &card->state;
    (void)apdu;
    sim_buf_put_u16(out, FID_DEVICE_DESCRIPTION);
    sim_buf_put_u16(out, FID_DEVICE_KEY);
    for (size_t i = 0; i < state->n_keys; i++) {
        sim_buf_put_u16(out, (uint16_t)(SIM_PREFIX_KEY << 8 | state->keys[i].id));
    }
    for (size_t p = 0; p < sizeof(prefixes); p++) {
        for (size_t i = 0; i < state->n_files; i++) {
            uint16_t fid = state->files[i].fid;
            if (fid >> 8 == prefixes[p] && fid != FID_DEVICE_DESCRIPTION) {
                sim_buf_put_u16(out, fid);
            }
        }
    }
    return SIM_SW_OK;
}

static uint16_t read_from(const struct sim_buf *content, size_t offset, uint16_t beyond,
                          struct sim_buf *out)
{
    if (offset > content->len) {
        return beyond;
    }
    /* the whole rest, whatever was asked for: the dispatcher keeps what does not fit */
    sim_buf_put(out, content->data + offset, content->len - offset);
    return SIM_SW_OK;
}

uint16_t sim_pico_read_binary(struct sim_card *card, const struct sim_apdu *apdu,
                              struct sim_buf *out)
{
    struct sim_slice data = apdu->data;
    struct sim_buf built_in = { 0 };
    size_t offset;
    uint16_t fid = sim_binary_fid(card, apdu), sw;
    if (fid == 0) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    const struct sim_file *file = sim_fs_find(&card->state, fid);
    bool is_key = fid >> 8 == SIM_PREFIX_KEY;
    if (is_key ? sim_pico_find_key(&card->state, (uint8_t)fid) == NULL && fid != FID_DEVICE_KEY
               : file == NULL && !is_device_file(fid) && !sim_pico_built_in(fid, &built_in)) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    sim_buf_clear(&built_in);
    if (!sim_binary_take_offset(&data, &offset)) {
        sw = SIM_SW_WRONG_LENGTH;
    } else if (offset > MAX_OFFSET) {
        sw = SIM_SW_WRONG_OFFSET;
    } else if (is_key || !sim_binary_allowed(card, sim_fs_rights(fid).read == SIM_ACCESS_USER
                                                       ? SIM_ACCESS_USER
                                                       : SIM_ACCESS_FREE)) {
        sw = SIM_SW_NOT_AUTHENTICATED;
    } else if (sim_pico_built_in(fid, &built_in)) {
        sw = file != NULL ? sim_card_die(card, "READ of a built-in file that was written")
                          : read_from(&built_in, offset, SIM_SW_WRONG_OFFSET, out);
    } else if (file == NULL) {
        sw = SIM_SW_OK; /* empty, whatever the offset */
    } else {
        sw = read_from(&file->content, offset, SIM_SW_END_OF_FILE, out);
    }
    sim_buf_free(&built_in);
    return sw;
}

/* Write at an offset, with zeros in a gap. */
static uint16_t write_at(struct sim_state *state, const struct sim_file *file, size_t offset,
                         struct sim_slice content)
{
    struct sim_buf whole = { 0 };
    if (file == NULL || file->content.len == 0) {
        return SIM_PICO_INVALID;
    }
    if (offset + content.len > SIM_PICO_MAX_FILE) {
        return SIM_SW_WRONG_LENGTH;
    }
    sim_buf_put(&whole, file->content.data, file->content.len);
    while (whole.len < offset + content.len && !whole.failed) {
        sim_buf_put_u8(&whole, 0);
    }
    if (content.len > 0 && !whole.failed) {
        memcpy(whole.data + offset, content.data, content.len);
    }
    uint16_t sw = whole.failed ? SIM_SW_MEMORY_FAILURE
                               : sim_fs_replace(state, file->fid, sim_buf_slice(&whole));
    sim_buf_free(&whole);
    return sw;
}

uint16_t sim_pico_update_binary(struct sim_card *card, const struct sim_apdu *apdu,
                                struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    struct sim_slice at = { 0 }, content = { 0 };
    size_t offset = 0;
    uint16_t fid = sim_binary_fid(card, apdu);
    (void)out;
    if (sim_pico_find_object(apdu->data, 0x54, &at)) {
        for (size_t i = 0; i < at.len; i++) {
            offset = (offset << 8 | at.data[i]) & 0xFFFF;
        }
    }
    (void)sim_pico_find_object(apdu->data, 0x53, &content);
    if (fid == 0) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    /* the key is overwritten with what is none */
    if (fid >> 8 == SIM_PREFIX_KEY) {
        sim_keys_remove(state, (uint8_t)fid);
        return SIM_SW_OK;
    }
    if (offset == 0 && content.len == 0) {
        card->current_fid = fid; /* "create, then write the current file" */
    }
    if (offset > 0) {
        return write_at(state, sim_fs_find(state, fid), offset, content);
    }
    return sim_fs_replace(state, fid, content);
}

uint16_t sim_pico_delete_file(struct sim_card *card, const struct sim_apdu *apdu,
                              struct sim_buf *out)
{
    struct sim_slice data = apdu->data;
    struct sim_buf built_in = { 0 };
    uint16_t fid = card->current_fid;
    (void)out;
    if (data.len > 0 && !sim_slice_u16(&data, &fid)) {
        return SIM_SW_WRONG_LENGTH;
    }
    bool is_built_in = sim_pico_built_in(fid, &built_in);
    sim_buf_free(&built_in);
    if (fid == FID_DEVICE_DESCRIPTION || fid == FID_DEVICE_REQUEST || fid == FID_DEVICE_KEY) {
        return SIM_SW_NOT_AUTHENTICATED;
    }
    if (fid == SIM_FID_DEVICE_CERTIFICATE) {
        /* says that it failed, and has emptied it: the dispatcher must not undo that */
        (void)sim_fs_replace(&card->state, fid, (struct sim_slice){ 0 });
        (void)sim_card_commit(card);
        return SIM_PICO_FAILED;
    }
    if (is_built_in) {
        return fid == FID_ATR ? SIM_PICO_FAILED : sim_card_die(card, "DELETE of a built-in file");
    }
    if (fid >> 8 == SIM_PREFIX_KEY) {
        return sim_keys_remove(&card->state, (uint8_t)fid) ? SIM_SW_OK : SIM_SW_FILE_NOT_FOUND;
    }
    return sim_fs_remove(&card->state, fid) ? SIM_SW_OK : SIM_SW_FILE_NOT_FOUND;
}
