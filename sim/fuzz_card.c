/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: a card in memory gets a series of commands, each with a 2-byte length before
 * it. Every series starts on the same initialised card, which has RSA, EC and AES keys, a DKEK
 * domain and an XKEK domain, free places for public keys, and a secure channel; and then on a Pico
 * HSM with the same, until its firmware dies.
 *
 * No fuzzer finds a MAC. So what comes to UNWRAP is taken for a blob whose plaintext is not
 * encrypted yet, and is sealed under the DKEK; and 8000 in the length makes a protected command of
 * a header and data objects, with the right MAC behind them. Seeds: tests/fuzz/seeds/card.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include "aes.h"
#include "card.h"
#include "kek.h"
#include "personalise.h"

enum { INS_UNWRAP = 0x74, XKEK_DOMAIN = 1, XKEK_UID = 0x11, PROTECTED = 0x8000 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The kinds of cards, and the encoding of the state that every series starts with. */
enum { N_CARDS = 2 };
static const struct sim_profile *profiles[N_CARDS];
static struct sim_buf starts[N_CARDS];

static void add(struct sim_card *card, struct sim_key *key, bool made)
{
    /* nothing but the key's kind shall stand in the way */
    static const uint8_t all[] = { 0x10, 0x11, 0x18, 0x99, 0x20, 0x21, 0x30, 0x33,
                                   0x40, 0x70, 0x73, 0x80, 0x83, 0x84, 0x92, 0x98 };
    if (!made) {
        abort();
    }
    memcpy(key->algorithms, all, sizeof(all));
    key->n_algorithms = sizeof(all);
    if (!sim_keys_add(&card->state, key)) {
        abort();
    }
}

static void add_keys(struct sim_card *card)
{
    static const uint8_t aes[32] = { 1 };
    struct sim_key key;
    add(card, &key, sim_key_from_pkey(&key, 1, EVP_RSA_gen(1024)));
    add(card, &key, sim_key_from_pkey(&key, 2, EVP_EC_gen("prime256v1")));
    add(card, &key, sim_key_from_aes(&key, 3, (struct sim_slice){ aes, sizeof(aes) }));
    add(card, &key, sim_key_from_pkey(&key, 4, EVP_EC_gen("brainpoolP256r1")));
    sim_keys_find(&card->state, 4)->domain = XKEK_DOMAIN;
}

/* Append check value, header, encrypted rest and MAC; false when there is no header. */
static bool seal(struct sim_buf *out, const struct sim_domain *domain, struct sim_slice in)
{
    uint8_t key[SIM_KEK_LEN], kcv[SIM_KCV_LEN], mac[SIM_AES_BLOCK];
    struct sim_buf plain = { 0 };
    struct sim_slice rest = in, field;
    uint16_t len;
    bool ok = sim_slice_take(&rest, SIM_KCV_LEN + 1, NULL);
    for (int i = 0; ok && i < 4; i++) {
        ok = sim_slice_u16(&rest, &len) && sim_slice_take(&rest, len, &field);
    }
    if (!ok || !sim_kek_check_value(domain, kcv)) {
        return false;
    }
    sim_buf_put(out, kcv, sizeof(kcv));
    sim_buf_put(out, in.data + sizeof(kcv), in.len - rest.len - sizeof(kcv));
    sim_buf_put(&plain, rest.data, rest.len);
    while (!plain.failed && plain.len % SIM_AES_BLOCK != 0) {
        sim_buf_put_u8(&plain, 0);
    }
    ok = sim_kek_derive(domain, SIM_KEK_ENCRYPT, key) &&
         sim_aes_cbc(true, (struct sim_slice){ key, sizeof(key) }, sim_buf_slice(&plain), out) &&
         sim_kek_derive(domain, SIM_KEK_MAC, key) &&
         sim_aes_cmac((struct sim_slice){ key, sizeof(key) }, sim_buf_slice(out), mac);
    if (!ok) {
        abort();
    }
    sim_buf_put(out, mac, sizeof(mac));
    sim_buf_free(&plain);
    return true;
}

static void pad(struct sim_buf *buf)
{
    sim_buf_put_u8(buf, 0x80);
    while (buf->len % SIM_AES_BLOCK != 0) {
        sim_buf_put_u8(buf, 0);
    }
}

/* Header and data objects as a protected command whose MAC is what the card will compute. */
static void protect(const struct sim_sm *sm, struct sim_slice in, struct sim_buf *out)
{
    struct sim_buf input = { 0 };
    uint8_t mac[SIM_AES_BLOCK], counter[SIM_SM_KEY_LEN], header[4];
    memcpy(counter, sm->counter, sizeof(counter));
    counter[sizeof(counter) - 1]++; /* a series is never long enough for a carry that matters */
    memcpy(header, in.data, sizeof(header));
    header[0] |= 0x0C;
    sim_buf_put(&input, counter, sizeof(counter));
    sim_buf_put(&input, header, sizeof(header));
    pad(&input);
    sim_buf_put(&input, in.data + sizeof(header), in.len - sizeof(header));
    pad(&input);
    if (!sim_aes_cmac((struct sim_slice){ sm->mac, sizeof(sm->mac) }, sim_buf_slice(&input), mac)) {
        abort();
    }
    sim_buf_put(out, header, sizeof(header));
    sim_buf_put_u8(out, 0);
    sim_buf_put_u16(out, (uint16_t)(in.len - sizeof(header) + 2 + SIM_SM_MAC_LEN));
    sim_buf_put(out, in.data + sizeof(header), in.len - sizeof(header));
    sim_buf_put(out, "\x8E\x08", 2);
    sim_buf_put(out, mac, SIM_SM_MAC_LEN);
    sim_buf_put_u16(out, 0);
    sim_buf_free(&input);
}

/* The command as the card gets it. */
static void prepare(const struct sim_card *card, struct sim_slice command, bool protected,
                    struct sim_buf *out)
{
    struct sim_apdu apdu;
    struct sim_buf blob = { 0 };
    sim_buf_clear(out);
    if (protected && command.len >= 4 && card->sm.is_active) {
        protect(&card->sm, command, out);
    } else if (sim_apdu_parse(&apdu, command.data, command.len) && apdu.ins == INS_UNWRAP &&
               sim_kek_is_ready(&card->state.domains[0]) &&
               seal(&blob, &card->state.domains[0], apdu.data) && blob.len <= UINT16_MAX) {
        sim_buf_put(out, command.data, 4);
        sim_buf_put_u8(out, 0);
        sim_buf_put_u16(out, (uint16_t)blob.len);
        sim_buf_put(out, blob.data, blob.len);
    } else {
        sim_buf_put(out, command.data, command.len);
    }
    sim_buf_free(&blob);
}

static void add_domains(struct sim_state *state)
{
    struct sim_domain *xkek = &state->domains[XKEK_DOMAIN];
    state->domains[0] = (struct sim_domain){ .created = true, .shares = 1, .kek = { 0x44 } };
    *xkek = (struct sim_domain){ .created = true, .is_xkek = true };
    xkek->uid_len = SIM_UID_LEN;
    memset(xkek->uid, XKEK_UID, xkek->uid_len);
}

static void make_card(size_t i)
{
    /* 3 key domains; 2 of 3 public keys */
    static const uint8_t initialise[] = {
        0x80, 0x50, 0x00, 0x00, 0x20, 0x80, 0x02, 0x00, 0x09, 0x81, 0x06, '6', '4',
        '8',  '2',  '1',  '9',  0x82, 0x08, '5',  '7',  '6',  '2',  '1',  '8', '8',
        '0',  0x91, 0x01, 0x03, 0x93, 0x02, 0x03, 0x02, 0x97, 0x01, 0x03,
    };
    static const uint8_t select[] = { 0x00, 0xA4, 0x04, 0x00, 0x0B, 0xE8, 0x2B, 0x06,
                                      0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01 };
    struct sim_card card = { .profile = profiles[i] };
    struct sim_buf response = { 0 };
    if (!profiles[i]->personalise(&card.state, SIM_DEFAULT_SERIAL) || !sim_card_start(&card)) {
        abort();
    }
    sim_card_transmit(&card, select, sizeof(select), &response);
    sim_card_transmit(&card, initialise, sizeof(initialise), &response);
    add_domains(&card.state);
    add_keys(&card);
    sim_state_encode(&card.state, &starts[i]);
    sim_buf_free(&response);
    sim_card_free(&card);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    profiles[0] = &sim_profile_default;
    profiles[1] = sim_profile_find("pico");
    for (size_t i = 0; i < N_CARDS; i++) {
        make_card(i);
    }
    return 0;
}

static void run(size_t i, struct sim_slice in)
{
    static const uint8_t nonce[SIM_SM_NONCE_LEN];
    struct sim_card card = { .profile = profiles[i] };
    struct sim_slice command;
    struct sim_buf response = { 0 }, prepared = { 0 };
    uint16_t len;
    if (!sim_state_decode(&card.state, sim_buf_slice(&starts[i])) || !sim_card_start(&card)) {
        abort();
    }
    /* most of the card is behind the PIN; a SELECT in the input leads out again */
    card.applet = SIM_APPLET_HSM;
    card.user_verified = true;
    if (!sim_sm_start(&card.sm, (struct sim_slice){ nonce, sizeof(nonce) }, nonce)) {
        abort();
    }
    while (!card.died && sim_slice_u16(&in, &len) &&
           sim_slice_take(&in, len & ~PROTECTED, &command)) {
        prepare(&card, command, (len & PROTECTED) != 0, &prepared);
        sim_card_transmit(&card, prepared.data, prepared.len, &response);
        if (card.died ? response.len != 0 : response.len < 2 || response.len > 65535) {
            abort();
        }
    }
    sim_buf_free(&prepared);
    sim_buf_free(&response);
    sim_card_free(&card);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < N_CARDS; i++) {
        run(i, (struct sim_slice){ data, size });
    }
    return 0;
}
