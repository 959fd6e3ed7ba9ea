/* SPDX-License-Identifier: Apache-2.0 */
#include "secure_messaging.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "aes.h"
#include "cvc_format.h"
#include "tlv.h"

enum {
    TAG_CRYPTOGRAM_ODD = 0x85,  /* of commands with an odd INS */
    TAG_CRYPTOGRAM_EVEN = 0x87, /* the others: a byte 01 before it tells the padding */
    TAG_MAC = 0x8E,
    TAG_LE = 0x97,
    TAG_STATUS = 0x99,
    PADDING = 0x80, /* then zeros to a whole block */
    CLASS_PROTECTED = 0x0C,
};

static const uint8_t protocol[] = { 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x03, 0x02, 0x02 };
const struct sim_slice sim_sm_protocol = { protocol, sizeof(protocol) };

/* First bytes of SHA-1(secret ‖ nonce ‖ use), use 1 for encryption and 2 for the MAC. */
static bool derive(struct sim_slice secret, const uint8_t nonce[SIM_SM_NONCE_LEN], uint32_t use,
                   uint8_t key[SIM_SM_KEY_LEN])
{
    uint8_t digest[20];
    struct sim_buf input = { 0 };
    sim_buf_put(&input, secret.data, secret.len);
    sim_buf_put(&input, nonce, SIM_SM_NONCE_LEN);
    sim_buf_put_u32(&input, use);
    bool ok =
        !input.failed && EVP_Q_digest(NULL, "SHA1", NULL, input.data, input.len, digest, NULL) == 1;
    if (ok) {
        memcpy(key, digest, SIM_SM_KEY_LEN);
    }
    OPENSSL_cleanse(digest, sizeof(digest));
    sim_buf_free(&input);
    return ok;
}

void sim_sm_end(struct sim_sm *sm)
{
    unsigned epoch = sm->epoch + 1;
    OPENSSL_cleanse(sm, sizeof(*sm));
    sm->epoch = epoch;
}

bool sim_sm_start(struct sim_sm *sm, struct sim_slice secret, const uint8_t nonce[SIM_SM_NONCE_LEN])
{
    sim_sm_end(sm);
    if (!derive(secret, nonce, 1, sm->enc) || !derive(secret, nonce, 2, sm->mac)) {
        sim_sm_end(sm);
        return false;
    }
    sm->is_active = true;
    return true;
}

static bool truncated_cmac(const struct sim_sm *sm, struct sim_slice in,
                           uint8_t mac[SIM_SM_MAC_LEN])
{
    uint8_t whole[SIM_AES_BLOCK];
    bool ok = sim_aes_cmac((struct sim_slice){ sm->mac, sizeof(sm->mac) }, in, whole);
    memcpy(mac, whole, SIM_SM_MAC_LEN);
    return ok;
}

bool sim_sm_token(const struct sim_sm *sm, struct sim_slice point, uint8_t token[SIM_SM_MAC_LEN])
{
    struct sim_buf content = { 0 }, key = { 0 };
    sim_tlv_put(&content, SIM_TAG_OID, protocol, sizeof(protocol));
    sim_tlv_put(&content, SIM_TAG_PUBLIC_POINT, point.data, point.len);
    sim_tlv_put_buf(&key, SIM_TAG_PUBLIC_KEY, &content);
    bool ok = !key.failed && truncated_cmac(sm, sim_buf_slice(&key), token);
    sim_buf_free(&content);
    sim_buf_free(&key);
    return ok;
}

static void count(struct sim_sm *sm)
{
    for (size_t i = sizeof(sm->counter); i-- > 0 && ++sm->counter[i] == 0;) {
    }
}

static void pad(struct sim_buf *buf)
{
    sim_buf_put_u8(buf, PADDING);
    while (buf->len % SIM_AES_BLOCK != 0 && !buf->failed) {
        sim_buf_put_u8(buf, 0);
    }
}

static bool unpad(struct sim_buf *buf)
{
    size_t len = buf->len;
    while (len > 0 && buf->data[len - 1] == 0) {
        len--;
    }
    if (len == 0 || buf->data[len - 1] != PADDING || buf->len - (len - 1) > SIM_AES_BLOCK) {
        return false;
    }
    buf->len = len - 1;
    return true;
}

/*
 * CBC whose IV is the encrypted counter. The block cipher alone is CBC of one block with a zero
 * IV; the IV goes into the first block on encryption and out of it on decryption.
 */
static bool crypt(const struct sim_sm *sm, bool encrypt, struct sim_slice in, struct sim_buf *out)
{
    const struct sim_slice key = { sm->enc, sizeof(sm->enc) };
    struct sim_buf iv = { 0 }, blocks = { 0 };
    sim_buf_put(&blocks, in.data, in.len);
    bool ok = in.len > 0 && in.len % SIM_AES_BLOCK == 0 && !blocks.failed &&
              sim_aes_cbc(true, key, (struct sim_slice){ sm->counter, sizeof(sm->counter) }, &iv);
    size_t start = out->len;
    for (size_t i = 0; ok && encrypt && i < SIM_AES_BLOCK; i++) {
        blocks.data[i] ^= iv.data[i];
    }
    ok = ok && sim_aes_cbc(encrypt, key, sim_buf_slice(&blocks), out);
    for (size_t i = 0; ok && !encrypt && i < SIM_AES_BLOCK; i++) {
        out->data[start + i] ^= iv.data[i];
    }
    sim_buf_free(&iv);
    sim_buf_free(&blocks);
    return ok;
}

/* MAC over the counter, the header of a command (NULL in answers), and the data objects. */
static bool authenticate(const struct sim_sm *sm, const struct sim_apdu *header,
                         struct sim_slice objects, uint8_t mac[SIM_SM_MAC_LEN])
{
    struct sim_buf input = { 0 };
    sim_buf_put(&input, sm->counter, sizeof(sm->counter));
    if (header != NULL) {
        const uint8_t bytes[] = { header->cla, header->ins, header->p1, header->p2 };
        sim_buf_put(&input, bytes, sizeof(bytes));
        pad(&input);
    }
    sim_buf_put(&input, objects.data, objects.len);
    pad(&input);
    bool ok = !input.failed && truncated_cmac(sm, sim_buf_slice(&input), mac);
    sim_buf_free(&input);
    return ok;
}

/* The objects of a protected command; `data` NULL where absent. */
struct objects {
    struct sim_slice odd, even, le, mac;
};

static const struct sim_tlv_object known_objects[] = {
    { TAG_CRYPTOGRAM_ODD, SIM_AES_BLOCK, SIZE_MAX, offsetof(struct objects, odd) },
    { TAG_CRYPTOGRAM_EVEN, 1 + SIM_AES_BLOCK, SIZE_MAX, offsetof(struct objects, even) },
    { TAG_LE, 1, 2, offsetof(struct objects, le) },
    { TAG_MAC, SIM_SM_MAC_LEN, SIM_SM_MAC_LEN, offsetof(struct objects, mac) },
    { 0 },
};

/* Le as in a short or an extended command. */
static size_t parse_le(struct sim_slice le)
{
    size_t value = 0;
    for (size_t i = 0; i < le.len; i++) {
        value = value << 8 | le.data[i];
    }
    return value != 0 || le.len == 0 ? value : (size_t)1 << (8 * le.len);
}

static bool decrypt(const struct sim_sm *sm, uint8_t ins, const struct objects *objects,
                    struct sim_buf *data)
{
    struct sim_slice cryptogram = objects->odd;
    if ((ins & 1) == 0) {
        struct sim_slice padding;
        cryptogram = objects->even;
        if (!sim_slice_take(&cryptogram, 1, &padding) || padding.data[0] != 0x01) {
            return false;
        }
    }
    return crypt(sm, false, cryptogram, data) && unpad(data);
}

uint16_t sim_sm_unwrap(struct sim_sm *sm, const struct sim_apdu *apdu, struct sim_apdu *plain,
                       struct sim_buf *data)
{
    struct objects objects = { 0 };
    uint8_t mac[SIM_SM_MAC_LEN];
    count(sm);
    if (apdu->data.len == 0) {
        return SIM_SW_SM_MISSING;
    }
    if (!sim_tlv_parse(apdu->data, known_objects, &objects)) {
        return SIM_SW_SM_WRONG;
    }
    bool is_odd = (apdu->ins & 1) != 0;
    bool has_data = objects.odd.data != NULL || objects.even.data != NULL;
    /* the implementation on genuine cards has no command without data and Le (section 17.2) */
    if (objects.mac.data == NULL || (!has_data && objects.le.data == NULL)) {
        return SIM_SW_SM_MISSING;
    }
    if ((is_odd ? objects.even.data : objects.odd.data) != NULL) {
        return SIM_SW_SM_WRONG;
    }
    /* the MAC covers everything before it, so it must be the last object */
    const size_t mac_object = 2 + SIM_SM_MAC_LEN;
    if (objects.mac.data + objects.mac.len != apdu->data.data + apdu->data.len ||
        apdu->data.len <= mac_object) {
        return SIM_SW_SM_WRONG;
    }
    struct sim_slice covered = { apdu->data.data, apdu->data.len - mac_object };
    if (!authenticate(sm, apdu, covered, mac) ||
        CRYPTO_memcmp(mac, objects.mac.data, sizeof(mac)) != 0) {
        return SIM_SW_SM_WRONG;
    }
    if (has_data && !decrypt(sm, apdu->ins, &objects, data)) {
        return SIM_SW_SM_WRONG;
    }
    *plain = *apdu;
    plain->cla = (uint8_t)(apdu->cla & ~CLASS_PROTECTED);
    plain->data = sim_buf_slice(data);
    plain->le = parse_le(objects.le);
    return SIM_SW_OK;
}

bool sim_sm_wrap(struct sim_sm *sm, uint8_t ins, uint16_t sw, struct sim_buf *data)
{
    struct sim_buf cryptogram = { 0 }, objects = { 0 };
    const uint8_t status[] = { (uint8_t)(sw >> 8), (uint8_t)sw };
    uint8_t mac[SIM_SM_MAC_LEN];
    bool ok = true;
    bool is_odd = (ins & 1) != 0;
    count(sm);
    if (data->len > 0) {
        if (!is_odd) {
            sim_buf_put_u8(&cryptogram, 0x01);
        }
        pad(data);
        ok = !data->failed && crypt(sm, true, sim_buf_slice(data), &cryptogram);
        sim_tlv_put_buf(&objects, is_odd ? TAG_CRYPTOGRAM_ODD : TAG_CRYPTOGRAM_EVEN, &cryptogram);
    }
    sim_tlv_put(&objects, TAG_STATUS, status, sizeof(status));
    ok = ok && !objects.failed && authenticate(sm, NULL, sim_buf_slice(&objects), mac);
    sim_buf_clear(data);
    if (ok) {
        sim_buf_put(data, objects.data, objects.len);
        sim_tlv_put(data, TAG_MAC, mac, sizeof(mac));
    }
    sim_buf_free(&cryptogram);
    sim_buf_free(&objects);
    return ok && !data->failed;
}
