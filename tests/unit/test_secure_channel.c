/* SPDX-License-Identifier: Apache-2.0 */
/* The secure channel against a card that this test plays. */
#include "support.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <string.h>

#include "card/secure_channel.h"

#define POINT 65
#define COORDINATE 32

static struct schsm_error err;

static const uint8_t nonce[] = { 0x10, 0x21, 0x32, 0x43, 0x54, 0x65, 0x76, 0x87 };

/* What the card knows after chip authentication. */
struct card {
    EVP_PKEY *key;
    uint8_t point[POINT];
    uint8_t encryption[16], mac[16], counter[16];
};

static void cmac(const uint8_t key[16], const uint8_t *message, size_t len, uint8_t out[8])
{
    uint8_t whole[16];
    size_t whole_len = 0;

    assert_non_null(EVP_Q_mac(NULL, "CMAC", NULL, "AES-128-CBC", NULL, key, 16, message, len, whole,
                              sizeof(whole), &whole_len));
    memcpy(out, whole, 8);
}

static void make_card(struct card *card)
{
    size_t len = 0;

    memset(card, 0, sizeof(*card));
    card->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "brainpoolP256r1");
    assert_non_null(card->key);
    assert_int_equal(EVP_PKEY_get_octet_string_param(card->key, OSSL_PKEY_PARAM_PUB_KEY,
                                                     card->point, sizeof(card->point), &len),
                     1);
    assert_int_equal(len, POINT);
}

static EVP_PKEY *peer_of(const struct schsm_channel_handshake *handshake)
{
    uint8_t point[POINT];
    char group[] = "brainpoolP256r1";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
                                                              sizeof(point)),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *peer = NULL;

    memcpy(point, handshake->command + 4, sizeof(point));
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &peer, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(context);
    return peer;
}

static void derive(const uint8_t *secret, uint8_t number, uint8_t key[16])
{
    uint8_t input[COORDINATE + sizeof(nonce) + 4], digest[20];

    memcpy(input, secret, COORDINATE);
    memcpy(input + COORDINATE, nonce, sizeof(nonce));
    memset(input + COORDINATE + sizeof(nonce), 0, 4);
    input[sizeof(input) - 1] = number;
    assert_int_equal(EVP_Q_digest(NULL, "SHA1", NULL, input, sizeof(input), digest, NULL), 1);
    memcpy(key, digest, 16);
}

/* 7C 14 81 08 nonce 82 08 token */
static struct bytes answer(struct card *card, const struct schsm_channel_handshake *handshake)
{
    static const uint8_t object[] = { 0x7F, 0x49, 0x4F, 0x06, 0x0A, 0x04, 0x00, 0x7F, 0x00,
                                      0x07, 0x02, 0x02, 0x03, 0x02, 0x02, 0x86, 0x41 };
    static const uint8_t head[] = { 0x7C, 0x14, 0x81, 0x08 }, token[] = { 0x82, 0x08 };
    uint8_t secret[COORDINATE], signed_object[sizeof(object) + POINT], out[22];
    EVP_PKEY *peer = peer_of(handshake);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, card->key, NULL);
    size_t len = sizeof(secret);

    assert_int_equal(EVP_PKEY_derive_init(context), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(context, peer), 1);
    assert_int_equal(EVP_PKEY_derive(context, secret, &len), 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    derive(secret, 1, card->encryption);
    derive(secret, 2, card->mac);
    memcpy(signed_object, object, sizeof(object));
    memcpy(signed_object + sizeof(object), handshake->command + 4, POINT);
    memcpy(out, head, sizeof(head));
    memcpy(out + 4, nonce, sizeof(nonce));
    memcpy(out + 12, token, sizeof(token));
    cmac(card->mac, signed_object, sizeof(signed_object), out + 14);
    return copy_bytes(out, sizeof(out));
}

static struct schsm_view point_of(const struct card *card)
{
    return (struct schsm_view){ card->point, sizeof(card->point) };
}

static void open_channel(struct card *card, struct schsm_channel *channel)
{
    struct schsm_channel_handshake handshake;
    struct bytes proof;

    make_card(card);
    assert_int_equal(schsm_channel_start(&handshake, schsm_curve_by_nid(NID_brainpoolP256r1), &err),
                     1);
    assert_int_equal(handshake.command_len, 4 + POINT);
    assert_memory_equal(handshake.command, "\x7C\x43\x80\x41\x04", 5);
    proof = answer(card, &handshake);
    assert_int_equal(
        schsm_channel_finish(&handshake, point_of(card), proof.data, proof.len, channel, &err), 1);
    schsm_channel_handshake_clear(&handshake);
    free_bytes(&proof);
}

static void close_channel(struct card *card, struct schsm_channel *channel)
{
    schsm_channel_clear(channel);
    EVP_PKEY_free(card->key);
}

/* The card's MAC over its counter, and blocks that are padded here. */
static void card_mac(const struct card *card, const uint8_t *header, const uint8_t *objects,
                     size_t len, uint8_t out[8])
{
    uint8_t message[256] = { 0 };
    size_t at = 16;

    memcpy(message, card->counter, 16);
    if (header != NULL) {
        memcpy(message + at, header, 4);
        message[at + 4] = 0x80;
        at += 16;
    }
    memcpy(message + at, objects, len);
    message[at + len] = 0x80;
    cmac(card->mac, message, at + (len / 16 + 1) * 16, out);
}

static void card_decrypt(const struct card *card, const uint8_t *in, size_t len, uint8_t *out)
{
    uint8_t iv[16];
    int n = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    assert_int_equal(EVP_EncryptInit_ex2(context, EVP_aes_128_ecb(), card->encryption, NULL, NULL),
                     1);
    assert_int_equal(EVP_EncryptUpdate(context, iv, &n, card->counter, 16), 1);
    assert_int_equal(EVP_DecryptInit_ex2(context, EVP_aes_128_cbc(), card->encryption, iv, NULL),
                     1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(context, 0), 1);
    assert_int_equal(EVP_DecryptUpdate(context, out, &n, in, (int)len), 1);
    EVP_CIPHER_CTX_free(context);
}

static const struct schsm_apdu verify = {
    .ins = SCHSM_INS_VERIFY, .p2 = 0x81, .data = (const uint8_t *)"648219", .data_len = 6
};

/* 99 02 status word 8E 08 mac */
static struct bytes respond(struct card *card, unsigned int status_word)
{
    uint8_t out[14] = { 0x99, 0x02, (uint8_t)(status_word >> 8), (uint8_t)status_word, 0x8E, 0x08 };

    card->counter[15]++;
    card_mac(card, NULL, out, 4, out + 6);
    return copy_bytes(out, sizeof(out));
}

static int unwrap(struct schsm_channel *channel, const struct bytes *response,
                  unsigned int status_word, size_t *out_len)
{
    return schsm_channel_unwrap(channel, &verify, response->data, response->len, &status_word, NULL,
                                out_len, &err);
}

static void a_pin_goes_encrypted_and_its_answer_comes_back(void **state)
{
    static const uint8_t header[] = { 0x0C, 0x20, 0x00, 0x81 };
    uint8_t data[64], plain[16], mac[8];
    size_t len = sizeof(data), out_len = 0;
    struct schsm_channel channel;
    struct schsm_apdu wrapped;
    struct bytes response;
    struct card card;

    (void)state;
    open_channel(&card, &channel);
    assert_int_equal(schsm_channel_wrap(&channel, &verify, data, &len, &wrapped, &err), 1);
    assert_int_equal(wrapped.cla, 0x0C);
    assert_int_equal(wrapped.le, 256);
    assert_int_equal(len, 3 + 16 + 10);
    assert_memory_equal(data, "\x87\x11\x01", 3);
    card.counter[15]++;
    card_mac(&card, header, data, 19, mac);
    assert_memory_equal(data + 19, "\x8E\x08", 2);
    assert_memory_equal(data + 21, mac, 8);
    card_decrypt(&card, data + 3, 16, plain);
    assert_memory_equal(plain, "648219\x80\0\0\0\0\0\0\0\0\0", 16);
    response = respond(&card, 0x9000);
    assert_int_equal(unwrap(&channel, &response, 0x9000, &out_len), 1);
    assert_int_equal(out_len, 0);
    free_bytes(&response);
    close_channel(&card, &channel);
}

static void an_answer_that_was_changed_is_refused(void **state)
{
    struct schsm_channel channel;
    struct schsm_apdu wrapped;
    struct bytes response;
    uint8_t data[64];
    size_t len = sizeof(data), out_len = 0;
    struct card card;

    (void)state;
    open_channel(&card, &channel);
    assert_int_equal(schsm_channel_wrap(&channel, &verify, data, &len, &wrapped, &err), 1);
    card.counter[15]++;
    response = respond(&card, 0x9000);
    for (size_t bit = 0; bit < 8 * response.len; bit++) {
        struct schsm_channel copy = channel;

        response.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(unwrap(&copy, &response, 0x9000, &out_len), 0);
        response.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < response.len; cut++) {
        struct bytes shorter = copy_bytes(response.data, cut);
        struct schsm_channel copy = channel;

        assert_int_equal(unwrap(&copy, &shorter, 0x9000, &out_len), 0);
        assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
        free_bytes(&shorter);
    }
    { /* 9000 outside an error, as a Pico HSM answers a wrong PIN: the protected one counts */
        struct schsm_channel copy = channel;
        struct card other = card;
        unsigned int status_word = 0x9000;
        struct bytes refusal;

        other.counter[15]--; /* in place of the answer above */
        refusal = respond(&other, 0x63C2);
        assert_int_equal(schsm_channel_unwrap(&copy, &verify, refusal.data, refusal.len,
                                              &status_word, NULL, &out_len, &err),
                         1);
        assert_int_equal(status_word, 0x63C2);
        free_bytes(&refusal);
    }
    { /* another status word outside, and the same answer a second time */
        struct schsm_channel copy = channel;

        assert_int_equal(unwrap(&copy, &response, 0x63C2, &out_len), 0);
        copy = channel;
        assert_int_equal(unwrap(&copy, &response, 0x9000, &out_len), 1);
        assert_int_equal(unwrap(&copy, &response, 0x9000, &out_len), 0);
    }
    free_bytes(&response);
    close_channel(&card, &channel);
}

static void a_card_without_its_key_is_refused(void **state)
{
    struct schsm_channel_handshake handshake;
    struct schsm_channel channel;
    struct card card, other;
    struct bytes proof;

    (void)state;
    make_card(&card);
    make_card(&other);
    assert_int_equal(schsm_channel_start(&handshake, schsm_curve_by_nid(NID_brainpoolP256r1), &err),
                     1);
    proof = answer(&other, &handshake);
    assert_int_equal(
        schsm_channel_finish(&handshake, point_of(&card), proof.data, proof.len, &channel, &err),
        0);
    assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    schsm_channel_clear(&channel);
    schsm_channel_handshake_clear(&handshake);
    free_bytes(&proof);
    EVP_PKEY_free(card.key);
    EVP_PKEY_free(other.key);
}

static void malformed_proofs_are_refused(void **state)
{
    static const char *const bad[] = { "",
                                       "7C00",
                                       "7C0A81081021324354657687",
                                       "7C1481081021324354657687820700000000000000",
                                       "7C1481081021324354657687820900000000000000000000",
                                       "30148108102132435465768782080000000000000000" };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct schsm_channel_handshake handshake;
        struct schsm_channel channel;
        struct bytes proof = from_hex(bad[i]);
        struct card card;

        make_card(&card);
        assert_int_equal(
            schsm_channel_start(&handshake, schsm_curve_by_nid(NID_brainpoolP256r1), &err), 1);
        assert_int_equal(schsm_channel_finish(&handshake, point_of(&card), proof.data, proof.len,
                                              &channel, &err),
                         0);
        assert_int_equal(err.reason, SCHSM_REASON_DEVICE_DATA);
        schsm_channel_clear(&channel);
        schsm_channel_handshake_clear(&handshake);
        free_bytes(&proof);
        EVP_PKEY_free(card.key);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    struct schsm_channel channel;
    struct schsm_apdu wrapped;
    uint8_t data[64];
    struct card card;

    (void)state;
    open_channel(&card, &channel);
    for (size_t room = 0; room < 29; room++) {
        size_t len = room;

        assert_int_equal(schsm_channel_wrap(&channel, &verify, data, &len, &wrapped, &err), 0);
    }
    close_channel(&card, &channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pin_goes_encrypted_and_its_answer_comes_back),
        cmocka_unit_test(an_answer_that_was_changed_is_refused),
        cmocka_unit_test(a_card_without_its_key_is_refused),
        cmocka_unit_test(malformed_proofs_are_refused),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
