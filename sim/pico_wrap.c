/* SPDX-License-Identifier: Apache-2.0 */
/* WRAP KEY and UNWRAP KEY of a Pico HSM (protocol sections 6.9, 6.10 and 19.5). */
#include <string.h>

#include "fs.h"
#include "kek.h"
#include "pico.h"
#include "wrapped.h"

enum {
    ALGORITHM_WRAP = 0x92,
    ALGORITHM_UNWRAP = 0x93,
    TYPE_OFFSET = SIM_KCV_LEN,
    TYPE_RSA = 0x05,
    TYPE_RSA_CRT = 0x06,
    TYPE_EC = 0x0C,
    TYPE_AES = 0x0F,
    /* a blob of all parts of RSA-2048 has 971 bytes; its plaintext fits, that of 3072 does not */
    MAX_CRT_BLOB = 1100,
};

uint16_t sim_pico_wrap_key(struct sim_card *card, const struct sim_apdu *apdu, struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    const struct sim_key *key = sim_pico_find_key(state, apdu->p1);
    if (apdu->p2 != ALGORITHM_WRAP) {
        return SIM_SW_WRONG_OFFSET;
    }
    if (key == NULL) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    const struct sim_domain *domain = &state->domains[key->domain];
    /* it takes an XKEK domain for one without shares */
    if (key->domain >= state->n_domains || !sim_kek_is_ready(domain) || domain->is_xkek ||
        domain->shares == 0) {
        return SIM_SW_REFERENCE_NOT_FOUND;
    }
    if (key->n_algorithms > 0 &&
        memchr(key->algorithms, ALGORITHM_WRAP, key->n_algorithms) == NULL) {
        return SIM_SW_CONDITIONS;
    }
    return sim_wrapped_put(out, key, domain, &card->profile->wrapped) ? SIM_SW_OK : SIM_PICO_FAILED;
}

/* A request of the device's for a key that it did not make, under its own name. */
static uint16_t store(struct sim_card *card, struct sim_key *key)
{
    const char *name = card->state.device_chr;
    struct sim_cvc_request names = { .outer_car = { (const uint8_t *)name, strlen(name) } };
    struct sim_buf request = { 0 };
    uint16_t sw = SIM_PICO_FAILED;
    bool has_request = key->kind != SIM_KEY_AES;
    if (!has_request ||
        (sim_pico_put_request(&request, &card->state, key, names) && sim_pico_settle_key(key))) {
        sw = sim_pico_store_key(card, key, has_request ? &request : NULL);
    }
    sim_buf_free(&request);
    sim_key_free(key);
    return sw;
}

uint16_t sim_pico_unwrap_key(struct sim_card *card, const struct sim_apdu *apdu,
                             struct sim_buf *out)
{
    struct sim_state *state = &card->state;
    const struct sim_file *file = sim_fs_find(state, SIM_FID_WRAPPED_KEY);
    struct sim_slice blob = apdu->data;
    struct sim_key key = { 0 };
    (void)out;
    if (apdu->p2 != ALGORITHM_UNWRAP) {
        return SIM_SW_WRONG_OFFSET;
    }
    if (blob.len == 0 && (file == NULL || file->content.len == 0)) {
        return SIM_SW_FILE_NOT_FOUND;
    }
    if (blob.len == 0) {
        blob = sim_buf_slice(&file->content);
    }
    uint8_t type = blob.len > TYPE_OFFSET ? blob.data[TYPE_OFFSET] : TYPE_AES;
    if (type != TYPE_RSA && type != TYPE_RSA_CRT && type != TYPE_EC && type != TYPE_AES) {
        return SIM_PICO_INVALID;
    }
    int domain = sim_wrapped_find_domain(state, blob);
    if (domain < 0) {
        return SIM_PICO_FAILED;
    }
    if (type == TYPE_RSA_CRT && blob.len > MAX_CRT_BLOB) {
        return sim_card_die(card, "UNWRAP of type 06 above RSA-2048");
    }
    if (sim_wrapped_open(blob, &state->domains[domain], &card->profile->wrapped, apdu->p1, &key) !=
        SIM_SW_OK) {
        return SIM_PICO_FAILED;
    }
    key.domain = (uint8_t)domain;
    key.names_domain = true;
    return store(card, &key);
}
