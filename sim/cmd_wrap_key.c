/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WRAP KEY 80 72 KEYID 92 and UNWRAP KEY 80 74 NEWID 93 (protocol sections 6.9 and 6.10): a key
 * leaves the card, and comes onto it, under the key encryption key of its domain.
 */
#include "commands.h"
#include "fs.h"
#include "private_op.h"
#include "wrapped.h"
#include "kek.h"

enum {
    ALGORITHM_WRAP = 0x92,
    ALGORITHM_UNWRAP = 0x93,
};

uint16_t sim_cmd_wrap_key(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    const struct sim_state *state = &card->state;
    struct sim_key *key;
    if (apdu->p2 != ALGORITHM_WRAP) {
        return SIM_SW_WRONG_P1P2;
    }
    if (apdu->data.len != 0) {
        return SIM_SW_WRONG_LENGTH;
    }
    if (state->n_domains == 0) {
        return SIM_SW_UNKNOWN_INS;
    }
    uint16_t sw = sim_private_op_begin(card, apdu->p1, SIM_KEY_NONE, ALGORITHM_WRAP, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (key->domain >= state->n_domains || !sim_kek_is_ready(&state->domains[key->domain])) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    sw = sim_private_op_count(card, key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    return sim_wrapped_put(out, key, &state->domains[key->domain], &card->profile->wrapped)
               ? SIM_SW_OK
               : SIM_SW_INTERNAL;
}

/* The blob may come with the command, or stand in a file because it is longer than a command. */
static uint16_t find_blob(struct sim_card *card, const struct sim_apdu *apdu,
                          struct sim_slice *blob)
{
    const struct sim_file *file = sim_fs_find(&card->state, SIM_FID_WRAPPED_KEY);
    if (apdu->data.len == 0 && file == NULL) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    *blob = apdu->data.len == 0 ? sim_buf_slice(&file->content) : apdu->data;
    return SIM_SW_OK;
}

uint16_t sim_cmd_unwrap_key(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    struct sim_slice blob;
    struct sim_key key = { 0 };
    (void)out;
    if (apdu->p2 != ALGORITHM_UNWRAP) {
        return SIM_SW_WRONG_P1P2;
    }
    if (state->n_domains == 0) {
        return SIM_SW_UNKNOWN_INS;
    }
    if (apdu->p1 == 0 || sim_keys_find(state, apdu->p1) != NULL) {
        return SIM_SW_EXISTS;
    }
    uint16_t sw = find_blob(card, apdu, &blob);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if (blob.len < SIM_KCV_LEN) {
        return SIM_SW_WRONG_DATA;
    }
    int domain = sim_wrapped_find_domain(state, blob);
    if (domain < 0) {
        return SIM_SW_REFERENCE_NOT_FOUND; /* section 19.6 */
    }
    sw = sim_wrapped_open(blob, &state->domains[domain], &card->profile->wrapped, apdu->p1, &key);
    if (sw != SIM_SW_OK) {
        return sw;
    }
    if ((key.kind == SIM_KEY_RSA && key.bits > card->profile->device->max_rsa_bits) ||
        (key.kind == SIM_KEY_EC && key.bits > card->profile->device->max_curve_bits) ||
        (key.kind == SIM_KEY_AES && !card->profile->device->key_domains)) {
        sim_key_free(&key);
        return SIM_SW_NOT_SUPPORTED;
    }
    key.domain = (uint8_t)domain;
    sw = sim_keys_store(state, &key);
    if (sw == SIM_SW_OK && apdu->data.len == 0) {
        sim_fs_remove(state, SIM_FID_WRAPPED_KEY);
    }
    return sw;
}
