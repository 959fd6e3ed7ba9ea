/* SPDX-License-Identifier: Apache-2.0 */
#include "secure_channel.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/params.h>

#include "format/blocks.h"
#include "format/cvc_tags.h"
#include "format/status_word.h"

/* Section 17.1 */
#define TAG_DYNAMIC 0x7C
#define TAG_EPHEMERAL 0x80
#define TAG_NONCE 0x81
#define TAG_TOKEN 0x82
#define TOKEN_LEN 8
#define NONCE_MAX 32
#define OID_LEN 10

/* Section 17.2 */
#define TAG_CIPHERTEXT_EVEN 0x87
#define TAG_CIPHERTEXT_ODD 0x85
#define TAG_LE 0x97
#define TAG_STATUS 0x99
#define TAG_MAC 0x8E
#define MAC_LEN 8
#define PADDING_INDICATOR 0x01
#define PADDING 0x80

/* What this channel carries at most, with its padding: a chunk of a file. */
#define DATA_MAX (SCHSM_APDU_READ_CHUNK + 40)

const uint8_t schsm_channel_protocol[12] = { 0x80, OID_LEN, SCHSM_OID_SMARTCARD, 0x03, 0x02, 0x02 };

static int fail_messaging(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto failed at secure messaging");
}

static size_t padded(size_t len)
{
    return (len / SCHSM_BLOCK_LEN + 1) * SCHSM_BLOCK_LEN;
}

/* A MAC that is being computed: CMAC with AES-128, of which the first eight bytes count. */
static EVP_MAC_CTX *mac_start(OSSL_LIB_CTX *library, const uint8_t key[SCHSM_CHANNEL_KEY])
{
    char cipher[] = "AES-128-CBC";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(library, "CMAC", NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);

    if (context != NULL && EVP_MAC_init(context, key, SCHSM_CHANNEL_KEY, params) != 1) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    EVP_MAC_free(mac);
    return context;
}

static bool mac_padding(EVP_MAC_CTX *context, size_t len)
{
    static const uint8_t padding[SCHSM_BLOCK_LEN] = { PADDING };

    return EVP_MAC_update(context, padding, padded(len) - len) == 1;
}

static bool mac_finish(EVP_MAC_CTX *context, uint8_t out[MAC_LEN])
{
    uint8_t whole[SCHSM_BLOCK_LEN];
    size_t len = 0;

    if (EVP_MAC_final(context, whole, &len, sizeof(whole)) != 1 || len != sizeof(whole)) {
        return false;
    }
    memcpy(out, whole, MAC_LEN);
    return true;
}

/* The data's IV is the encrypted counter (17.2). */
static bool cipher_data(const struct schsm_channel *channel, bool encrypt, const uint8_t *in,
                        size_t len, uint8_t *out)
{
    uint8_t iv[SCHSM_BLOCK_LEN];

    return schsm_crypt_blocks(channel->library, "AES-128-ECB", channel->encryption, NULL, true,
                              channel->counter, sizeof(iv), iv) &&
           schsm_crypt_blocks(channel->library, "AES-128-CBC", channel->encryption, iv, encrypt, in,
                              len, out);
}

static void count_message(struct schsm_channel *channel)
{
    for (size_t i = sizeof(channel->counter); i-- > 0;) {
        if (++channel->counter[i] != 0) {
            return;
        }
    }
}

int schsm_channel_start(struct schsm_channel_handshake *handshake, const struct schsm_curve *curve,
                        struct schsm_error *err)
{
    uint8_t point[SCHSM_POINT_MAX];
    struct schsm_tlv_writer writer;
    size_t len = 0, dynamic;

    memset(handshake, 0, sizeof(*handshake));
    handshake->curve = curve;
    handshake->library = OSSL_LIB_CTX_new();
    if (handshake->library != NULL) {
        handshake->key = EVP_PKEY_Q_keygen(handshake->library, NULL, "EC", OBJ_nid2sn(curve->nid));
    }
    if (handshake->key == NULL ||
        EVP_PKEY_get_octet_string_param(handshake->key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                        sizeof(point), &len) != 1 ||
        len != 1 + 2 * curve->field_len || point[0] != 0x04) {
        return fail_messaging(err);
    }
    schsm_tlv_write(&writer, handshake->command, sizeof(handshake->command));
    dynamic = schsm_tlv_begin(&writer, TAG_DYNAMIC);
    schsm_tlv_put(&writer, TAG_EPHEMERAL, point, len);
    schsm_tlv_end(&writer, dynamic);
    if (writer.failed) {
        return fail_messaging(err);
    }
    handshake->command_len = writer.len;
    return 1;
}

void schsm_channel_handshake_clear(struct schsm_channel_handshake *handshake)
{
    EVP_PKEY_free(handshake->key);
    OSSL_LIB_CTX_free(handshake->library);
    memset(handshake, 0, sizeof(*handshake));
}

void schsm_channel_clear(struct schsm_channel *channel)
{
    OSSL_LIB_CTX_free(channel->library);
    OPENSSL_cleanse(channel, sizeof(*channel));
}

static EVP_PKEY *device_key(const struct schsm_channel_handshake *handshake,
                            struct schsm_view device_point)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(handshake->library, "EC", NULL);
    /* libcrypto's structure serves both directions, and so is not constant */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                         (char *)OBJ_nid2sn(handshake->curve->nid), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)device_point.data,
                                          device_point.len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1) {
        (void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

/* K: the x coordinate. */
static bool agree(const struct schsm_channel_handshake *handshake, struct schsm_view device_point,
                  uint8_t secret[SCHSM_FIELD_MAX])
{
    EVP_PKEY *peer = device_key(handshake, device_point);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(handshake->library, handshake->key, NULL);
    size_t len = SCHSM_FIELD_MAX;
    bool ok = peer != NULL && context != NULL && EVP_PKEY_derive_init(context) == 1 &&
              EVP_PKEY_derive_set_peer(context, peer) == 1 &&
              EVP_PKEY_derive(context, secret, &len) == 1 && len == handshake->curve->field_len;

    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    return ok;
}

/* SHA-1(K || nonce || number): its first 16 bytes. */
static bool derive_key(OSSL_LIB_CTX *library, const uint8_t *secret, size_t secret_len,
                       struct schsm_view nonce, uint8_t number, uint8_t key[SCHSM_CHANNEL_KEY])
{
    uint8_t input[SCHSM_FIELD_MAX + NONCE_MAX + 4], digest[20];
    size_t len = secret_len + nonce.len;
    size_t digest_len = 0;
    bool ok;

    memcpy(input, secret, secret_len);
    memcpy(input + secret_len, nonce.data, nonce.len);
    memset(input + len, 0, 3);
    input[len + 3] = number;
    ok = EVP_Q_digest(library, "SHA1", NULL, input, len + 4, digest, &digest_len) == 1 &&
         digest_len == sizeof(digest);
    if (ok) {
        memcpy(key, digest, SCHSM_CHANNEL_KEY);
    }
    OPENSSL_cleanse(input, sizeof(input));
    OPENSSL_cleanse(digest, sizeof(digest));
    return ok;
}

/* The device's token: MAC over the ephemeral key as a public key object. */
static bool compute_token(const struct schsm_channel_handshake *handshake,
                          const uint8_t key[SCHSM_CHANNEL_KEY], uint8_t token[TOKEN_LEN])
{
    size_t point_len = 1 + 2 * handshake->curve->field_len;
    uint8_t object[16 + OID_LEN + SCHSM_POINT_MAX];
    struct schsm_tlv_writer writer;
    EVP_MAC_CTX *mac = NULL;
    size_t mark;
    bool ok;

    schsm_tlv_write(&writer, object, sizeof(object));
    mark = schsm_tlv_begin(&writer, SCHSM_CVC_KEY);
    schsm_tlv_put(&writer, SCHSM_CVC_OID, schsm_channel_protocol + 2, OID_LEN);
    schsm_tlv_put(&writer, SCHSM_CVC_POINT, handshake->command + handshake->command_len - point_len,
                  point_len);
    schsm_tlv_end(&writer, mark);
    mac = mac_start(handshake->library, key);
    ok = !writer.failed && mac != NULL && EVP_MAC_update(mac, object, writer.len) == 1 &&
         mac_finish(mac, token);
    EVP_MAC_CTX_free(mac);
    return ok;
}

int schsm_channel_finish(struct schsm_channel_handshake *handshake, struct schsm_view device_point,
                         const uint8_t *answer, size_t answer_len, struct schsm_channel *channel,
                         struct schsm_error *err)
{
    uint8_t secret[SCHSM_FIELD_MAX], token[TOKEN_LEN];
    struct schsm_tlv dynamic, nonce, proof;
    int ok = 0;

    memset(channel, 0, sizeof(*channel));
    if (!schsm_tlv_first(answer, answer_len, &dynamic) || dynamic.tag != TAG_DYNAMIC ||
        !schsm_tlv_find(dynamic.value.data, dynamic.value.len, TAG_NONCE, &nonce) ||
        !schsm_tlv_find(dynamic.value.data, dynamic.value.len, TAG_TOKEN, &proof) ||
        nonce.value.len == 0 || nonce.value.len > NONCE_MAX || proof.value.len != TOKEN_LEN) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the device's answer to chip authentication is malformed");
    }
    (void)ERR_set_mark();
    ok = agree(handshake, device_point, secret) &&
         derive_key(handshake->library, secret, handshake->curve->field_len, nonce.value, 1,
                    channel->encryption) &&
         derive_key(handshake->library, secret, handshake->curve->field_len, nonce.value, 2,
                    channel->mac) &&
         compute_token(handshake, channel->mac, token);
    (void)ERR_pop_to_mark(); /* our own error says it */
    OPENSSL_cleanse(secret, sizeof(secret));
    EVP_PKEY_free(handshake->key);
    handshake->key = NULL;
    channel->library = handshake->library; /* the channel goes on with it */
    handshake->library = NULL;
    if (!ok) {
        return fail_messaging(err);
    }
    if (CRYPTO_memcmp(token, proof.value.data, sizeof(token)) != 0) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "the device does not hold the key of its device certificate, or somebody "
                          "is between it and this program");
    }
    return 1;
}

/* DO 87 or 85: the data, padded and encrypted. */
static bool put_ciphertext(const struct schsm_channel *channel, const struct schsm_apdu *plain,
                           struct schsm_tlv_writer *writer)
{
    uint8_t buffer[DATA_MAX], encrypted[1 + DATA_MAX];
    bool odd = plain->ins % 2 == 1, ok;
    size_t len = padded(plain->data_len);

    if (plain->data_len > DATA_MAX - SCHSM_BLOCK_LEN) {
        return false;
    }
    memcpy(buffer, plain->data, plain->data_len);
    memset(buffer + plain->data_len, 0, len - plain->data_len);
    buffer[plain->data_len] = PADDING;
    encrypted[0] = PADDING_INDICATOR;
    ok = cipher_data(channel, true, buffer, len, encrypted + 1);
    OPENSSL_cleanse(buffer, sizeof(buffer));
    if (!ok) {
        return false;
    }
    if (odd) {
        schsm_tlv_put(writer, TAG_CIPHERTEXT_ODD, encrypted + 1, len);
    } else {
        schsm_tlv_put(writer, TAG_CIPHERTEXT_EVEN, encrypted, len + 1);
    }
    return true;
}

/* DO 97: Le in one byte, or in two where one does not do. */
static void put_le(struct schsm_tlv_writer *writer, size_t le)
{
    const uint8_t bytes[] = { (uint8_t)(le >> 8), (uint8_t)le };

    if (le == 0) {
        return;
    }
    schsm_tlv_put(writer, TAG_LE, le <= SCHSM_APDU_SHORT_LE_MAX ? bytes + 1 : bytes,
                  le <= SCHSM_APDU_SHORT_LE_MAX ? 1 : 2);
}

static bool put_mac(const struct schsm_channel *channel, const struct schsm_apdu *wrapped,
                    struct schsm_tlv_writer *writer)
{
    const uint8_t header[] = { wrapped->cla, wrapped->ins, wrapped->p1, wrapped->p2 };
    EVP_MAC_CTX *context = mac_start(channel->library, channel->mac);
    uint8_t mac[MAC_LEN];
    bool ok = context != NULL &&
              EVP_MAC_update(context, channel->counter, sizeof(channel->counter)) == 1 &&
              EVP_MAC_update(context, header, sizeof(header)) == 1 &&
              mac_padding(context, sizeof(header)) &&
              (writer->len == 0 || (EVP_MAC_update(context, writer->out, writer->len) == 1 &&
                                    mac_padding(context, writer->len))) &&
              mac_finish(context, mac);

    EVP_MAC_CTX_free(context);
    if (ok) {
        schsm_tlv_put(writer, TAG_MAC, mac, sizeof(mac));
    }
    return ok;
}

int schsm_channel_wrap(struct schsm_channel *channel, const struct schsm_apdu *plain, uint8_t *data,
                       size_t *data_len, struct schsm_apdu *wrapped, struct schsm_error *err)
{
    struct schsm_tlv_writer writer;

    count_message(channel);
    *wrapped = *plain;
    wrapped->cla |= SCHSM_CLA_SECURE;
    if (plain->le <= SCHSM_APDU_SHORT_LE_MAX) {
        wrapped->le = SCHSM_APDU_SHORT_LE_MAX;
    } else {
        wrapped->le = plain->le + SCHSM_CHANNEL_OVERHEAD < SCHSM_APDU_LE_MAX
                          ? plain->le + SCHSM_CHANNEL_OVERHEAD
                          : SCHSM_APDU_LE_MAX;
    }
    schsm_tlv_write(&writer, data, *data_len);
    if (plain->data_len > 0 && !put_ciphertext(channel, plain, &writer)) {
        return fail_messaging(err);
    }
    put_le(&writer, plain->le);
    if (writer.failed || !put_mac(channel, wrapped, &writer) || writer.failed) {
        return fail_messaging(err);
    }
    *data_len = writer.len;
    wrapped->data = data;
    wrapped->data_len = writer.len;
    return 1;
}

static int fail_forged(struct schsm_error *err)
{
    return schsm_fail(
        err, SCHSM_REASON_WRONG_KEY,
        "the device's answer is not authentic: it was changed on its way, or somebody "
        "is between the device and this program");
}

static bool is_authentic(const struct schsm_channel *channel, const uint8_t *signed_part,
                         size_t signed_len, struct schsm_view mac)
{
    EVP_MAC_CTX *context = mac_start(channel->library, channel->mac);
    uint8_t expected[MAC_LEN];
    bool ok = context != NULL &&
              EVP_MAC_update(context, channel->counter, sizeof(channel->counter)) == 1 &&
              EVP_MAC_update(context, signed_part, signed_len) == 1 &&
              mac_padding(context, signed_len) && mac_finish(context, expected);

    EVP_MAC_CTX_free(context);
    return ok && mac.len == MAC_LEN && CRYPTO_memcmp(expected, mac.data, MAC_LEN) == 0;
}

static int decrypt(const struct schsm_channel *channel, struct schsm_view ciphertext, uint8_t *out,
                   size_t *out_len, struct schsm_error *err)
{
    uint8_t plain[DATA_MAX];
    size_t len = ciphertext.len;
    int ok = 0;

    if (len == 0 || len > sizeof(plain) || len % SCHSM_BLOCK_LEN != 0 ||
        !cipher_data(channel, false, ciphertext.data, len, plain)) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the device's protected answer is malformed");
    }
    while (len > 0 && plain[len - 1] == 0) {
        len--;
    }
    if (len == 0 || plain[len - 1] != PADDING || len - 1 > *out_len) {
        schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the device's protected answer is malformed");
    } else {
        *out_len = len - 1;
        if (*out_len > 0) {
            memcpy(out, plain, *out_len);
        }
        ok = 1;
    }
    OPENSSL_cleanse(plain, sizeof(plain));
    return ok;
}

int schsm_channel_unwrap(struct schsm_channel *channel, const struct schsm_apdu *plain,
                         const uint8_t *response, size_t response_len, unsigned int *status_word,
                         uint8_t *out, size_t *out_len, struct schsm_error *err)
{
    unsigned int told;
    uint32_t ciphertext_tag = plain->ins % 2 == 1 ? TAG_CIPHERTEXT_ODD : TAG_CIPHERTEXT_EVEN;
    struct schsm_view ciphertext = { NULL, 0 }, status = { NULL, 0 }, mac = { NULL, 0 };
    struct schsm_tlv_reader reader;
    struct schsm_tlv tlv;
    size_t signed_len = 0;

    count_message(channel);
    schsm_tlv_read(&reader, response, response_len);
    while (schsm_tlv_next(&reader, &tlv)) {
        if (tlv.tag == TAG_MAC) {
            mac = tlv.value;
            break;
        }
        if (tlv.tag == ciphertext_tag) {
            ciphertext = tlv.value;
        } else if (tlv.tag == TAG_STATUS) {
            status = tlv.value;
        }
        signed_len = response_len - reader.left;
    }
    if (mac.len != MAC_LEN || reader.left != 0 || signed_len == 0 ||
        !is_authentic(channel, response, signed_len, mac)) {
        return fail_forged(err);
    }
    if (status.len != 2) {
        return fail_forged(err);
    }
    /* The protected one counts. A Pico HSM puts 9000 behind every answer that it protects. */
    told = (unsigned int)status.data[0] << 8 | status.data[1];
    if (told != *status_word && *status_word != SCHSM_SW_OK) {
        return fail_forged(err);
    }
    *status_word = told;
    if (ciphertext.len == 0) {
        *out_len = 0;
        return 1;
    }
    if (ciphertext_tag == TAG_CIPHERTEXT_EVEN) {
        if (ciphertext.data[0] != PADDING_INDICATOR) {
            return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                              "the device's protected answer is malformed");
        }
        ciphertext.data++;
        ciphertext.len--;
    }
    return decrypt(channel, ciphertext, out, out_len, err);
}
