/* SPDX-License-Identifier: Apache-2.0 */
/* Writing encrypted files. How long the content is need not be known before, so all that encloses
 * it is of indefinite length (BER), as 'openssl cms -stream' writes it. */
#include "encrypted_format.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#define CONTENT_KEY_LEN 32
#define HEAD_MAX 512

#define BEGIN_SEQUENCE "\x30\x80"
#define BEGIN_CONTEXT_0 "\xA0\x80"
#define END "\0\0"

static const struct {
    unsigned int bits;
    uint8_t wrap, gcm; /* 2.16.840.1.101.3.4.1.x */
} sizes[] = { { 128, 5, 6 }, { 192, 25, 26 }, { 256, 45, 46 } };

uint8_t schsm_oid_aes_wrap(unsigned int bits)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i].bits == bits) {
            return sizes[i].wrap;
        }
    }
    return 0;
}

uint8_t schsm_oid_aes_gcm(unsigned int bits)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i].bits == bits) {
            return sizes[i].gcm;
        }
    }
    return 0;
}

EVP_CIPHER_CTX *schsm_gcm_begin(OSSL_LIB_CTX *libctx, bool encrypt,
                                const struct schsm_secret *content_key, struct schsm_view nonce,
                                struct schsm_error *err)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = NULL;
    char name[32];
    int ok;

    (void)snprintf(name, sizeof(name), "AES-%zu-GCM", schsm_secret_len(content_key) * 8);
    ERR_set_mark();
    cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    ok = ctx != NULL && cipher != NULL &&
         EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, encrypt, NULL) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)nonce.len, NULL) == 1 &&
         EVP_CipherInit_ex2(ctx, NULL, schsm_secret_data(content_key), nonce.data, encrypt, NULL) ==
             1;
    ERR_pop_to_mark();
    EVP_CIPHER_free(cipher);
    if (!ok) {
        EVP_CIPHER_CTX_free(ctx);
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot do AES-GCM");
        return NULL;
    }
    return ctx;
}

/* last: one more byte; 0: none. */
static void put_oid(struct schsm_tlv_writer *writer, const char *oid, uint8_t last)
{
    size_t element = schsm_tlv_begin(writer, 0x06);

    schsm_tlv_put_raw(writer, (const uint8_t *)oid, strlen(oid));
    schsm_tlv_put_raw(writer, &last, last != 0 ? 1 : 0);
    schsm_tlv_end(writer, element);
}

static void put_text(struct schsm_tlv_writer *writer, const char *bytes)
{
    schsm_tlv_put_raw(writer, (const uint8_t *)bytes, 2);
}

/* What others find the key by: its id, else its label, else its key reference. */
static void put_key_identifier(struct schsm_tlv_writer *writer, const struct schsm_object *object)
{
    if (object->id_len > 0) {
        schsm_tlv_put(writer, 0x04, object->id, object->id_len);
    } else if (object->label[0] != '\0') {
        schsm_tlv_put_text(writer, 0x04, object->label);
    } else {
        schsm_tlv_put_byte(writer, 0x04, (uint8_t)object->key_ref);
    }
}

/* RFC 5652, 6.2.3: KEKRecipientInfo */
static void put_recipient(struct schsm_tlv_writer *writer, const struct schsm_object *object,
                          const uint8_t *wrapped, size_t wrapped_len)
{
    size_t set = schsm_tlv_begin(writer, 0x31);
    size_t recipient = schsm_tlv_begin(writer, 0xA2);
    size_t inner;

    schsm_tlv_put_integer(writer, 4);
    inner = schsm_tlv_begin(writer, 0x30);
    put_key_identifier(writer, object);
    schsm_tlv_end(writer, inner);
    inner = schsm_tlv_begin(writer, 0x30);
    put_oid(writer, SCHSM_OID_NIST_AES, schsm_oid_aes_wrap(object->bits));
    schsm_tlv_end(writer, inner);
    schsm_tlv_put(writer, 0x04, wrapped, wrapped_len);
    schsm_tlv_end(writer, recipient);
    schsm_tlv_end(writer, set);
}

/* Everything up to the content. */
static int write_head(const struct schsm_object *object, const uint8_t *wrapped, size_t wrapped_len,
                      const uint8_t *nonce, const struct schsm_bytes_out *out,
                      struct schsm_error *err)
{
    uint8_t head[HEAD_MAX];
    struct schsm_tlv_writer writer;
    size_t algorithm, parameters;

    schsm_tlv_write(&writer, head, sizeof(head));
    put_text(&writer, BEGIN_SEQUENCE);
    put_oid(&writer, SCHSM_OID_AUTH_ENVELOPED_DATA, 0);
    put_text(&writer, BEGIN_CONTEXT_0);
    put_text(&writer, BEGIN_SEQUENCE);
    schsm_tlv_put_integer(&writer, 0);
    put_recipient(&writer, object, wrapped, wrapped_len);
    put_text(&writer, BEGIN_SEQUENCE);
    put_oid(&writer, SCHSM_OID_DATA, 0);
    algorithm = schsm_tlv_begin(&writer, 0x30);
    put_oid(&writer, SCHSM_OID_NIST_AES, schsm_oid_aes_gcm(CONTENT_KEY_LEN * 8));
    parameters = schsm_tlv_begin(&writer, 0x30);
    schsm_tlv_put(&writer, 0x04, nonce, SCHSM_GCM_NONCE_LEN);
    schsm_tlv_put_integer(&writer, SCHSM_GCM_TAG_LEN);
    schsm_tlv_end(&writer, parameters);
    schsm_tlv_end(&writer, algorithm);
    put_text(&writer, BEGIN_CONTEXT_0);
    return writer.failed ? schsm_fail(err, SCHSM_REASON_ARGUMENT, "the key's id is too long")
                         : out->write(out->arg, head, writer.len, err);
}

/* One OCTET STRING of the content. */
static int write_piece(const struct schsm_bytes_out *out, const uint8_t *bytes, size_t len,
                       struct schsm_error *err)
{
    uint8_t head[4] = { 0x04, 0x82, (uint8_t)(len >> 8), (uint8_t)len };

    return out->write(out->arg, head, sizeof(head), err) && out->write(out->arg, bytes, len, err);
}

static int write_content(EVP_CIPHER_CTX *ctx, const struct schsm_bytes_in *in,
                         const struct schsm_bytes_out *out, struct schsm_error *err)
{
    uint8_t plain[SCHSM_CONTENT_PIECE], encrypted[SCHSM_CONTENT_PIECE];
    size_t len = sizeof(plain);
    uint64_t total = 0;
    int made = 0, ok = 1;

    while (ok && len == sizeof(plain)) {
        ok = in->read(in->arg, plain, &len, err);
        total += len;
        if (ok && total > SCHSM_GCM_MAX) {
            ok = schsm_fail(err, SCHSM_REASON_BAD_INPUT,
                            "more than 64 GB cannot be encrypted as one file: split it");
        }
        if (ok && len > 0) {
            ok = (EVP_EncryptUpdate(ctx, encrypted, &made, plain, (int)len) == 1 &&
                  made == (int)len) ||
                 schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not encrypt");
            ok = ok && write_piece(out, encrypted, len, err);
        }
    }
    OPENSSL_cleanse(plain, sizeof(plain));
    return ok;
}

/* Ends content, its algorithm's sequence, and with the tag between them all that is open. */
static int write_end(EVP_CIPHER_CTX *ctx, const struct schsm_bytes_out *out,
                     struct schsm_error *err)
{
    uint8_t end[64], tag[SCHSM_GCM_TAG_LEN];
    struct schsm_tlv_writer writer;
    int none = 0;

    if (EVP_EncryptFinal_ex(ctx, end, &none) != 1 || none != 0 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag) != 1) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not encrypt");
    }
    schsm_tlv_write(&writer, end, sizeof(end));
    put_text(&writer, END);
    put_text(&writer, END);
    schsm_tlv_put(&writer, 0x04, tag, sizeof(tag));
    put_text(&writer, END);
    put_text(&writer, END);
    put_text(&writer, END);
    return out->write(out->arg, end, writer.len, err);
}

int schsm_encrypt_file(OSSL_LIB_CTX *libctx, const struct schsm_secret_key *key,
                       const struct schsm_bytes_in *in, const struct schsm_bytes_out *out,
                       struct schsm_error *err)
{
    uint8_t nonce[SCHSM_GCM_NONCE_LEN], wrapped[CONTENT_KEY_LEN + SCHSM_KEY_WRAP_MORE];
    uint8_t *value = NULL;
    struct schsm_secret *content_key = NULL;
    EVP_CIPHER_CTX *ctx = NULL;
    int ok = 0;

    if (schsm_oid_aes_wrap(key->object->bits) == 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the device does not tell how long this AES key is, and a file that is "
                          "encrypted for it has to say so");
    }
    content_key = schsm_secret_alloc(CONTENT_KEY_LEN, &value, err);
    if (content_key == NULL) {
        return 0;
    }
    if (RAND_priv_bytes_ex(libctx, value, CONTENT_KEY_LEN, 0) != 1 ||
        RAND_bytes_ex(libctx, nonce, sizeof(nonce), 0) != 1) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto has no random numbers");
        goto done;
    }
    if (!schsm_secret_key_wrap(key, content_key, wrapped, err)) {
        goto done;
    }
    ctx = schsm_gcm_begin(libctx, true, content_key, (struct schsm_view){ nonce, sizeof(nonce) },
                          err);
    ok = ctx != NULL && write_head(key->object, wrapped, sizeof(wrapped), nonce, out, err) &&
         write_content(ctx, in, out, err) && write_end(ctx, out, err);

done:
    EVP_CIPHER_CTX_free(ctx);
    schsm_secret_free(content_key);
    return ok;
}
