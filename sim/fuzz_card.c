/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: a card in memory gets a series of commands, each with a 2-byte length before
 * it. Every series starts on the same initialised card with one RSA and one EC key.
 */
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include "card.h"
#include "personalise.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sim_buf start; /* encoding of the state that every series starts with */

static void add_key(struct sim_card *card, uint8_t id, EVP_PKEY *pkey)
{
    struct sim_key key;
    if (!sim_key_from_pkey(&key, id, pkey) || !sim_keys_add(&card->state, &key)) {
        abort();
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const uint8_t initialise[] = {
        0x80, 0x50, 0x00, 0x00, 0x1C, 0x80, 0x02, 0x00, 0x01, 0x81, 0x06,
        '6',  '4',  '8',  '2',  '1',  '9',  0x82, 0x08, '5',  '7',  '6',
        '2',  '1',  '8',  '8',  '0',  0x91, 0x01, 0x03, 0x92, 0x01, 0x02,
    };
    struct sim_card card = { 0 };
    struct sim_buf response = { 0 };
    (void)argc;
    (void)argv;
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if (!sim_personalise(&card.state, SIM_DEFAULT_SERIAL) || !sim_card_start(&card)) {
        abort();
    }
    sim_card_transmit(&card, initialise, sizeof(initialise), &response);
    add_key(&card, 1, EVP_RSA_gen(1024));
    add_key(&card, 2, EVP_EC_gen("prime256v1"));
    sim_state_encode(&card.state, &start);
    sim_buf_free(&response);
    sim_card_free(&card);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_card card = { 0 };
    struct sim_slice in = { data, size }, command;
    struct sim_buf response = { 0 };
    uint16_t len;
    if (!sim_state_decode(&card.state, sim_buf_slice(&start)) || !sim_card_start(&card)) {
        abort();
    }
    /* most of the card is behind the PIN; a SELECT in the input leads out again */
    card.user_verified = true;
    while (sim_slice_u16(&in, &len) && sim_slice_take(&in, len, &command)) {
        sim_card_transmit(&card, command.data, command.len, &response);
        if (response.len < 2 || response.len > 65535) {
            abort();
        }
    }
    sim_buf_free(&response);
    sim_card_free(&card);
    return 0;
}
