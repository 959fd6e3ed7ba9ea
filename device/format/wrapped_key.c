/* SPDX-License-Identifier: Apache-2.0 */
#include "wrapped_key.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "blocks.h"
#include "cvc_tags.h"
#include "wrapped_private.h"

/* 14.1, 14.2 */
#define MAC_LEN 16
#define PAD_FIRST 0x80
#define F4_LEN 3 /* bytes of the usual exponent */
#define LISTS 4  /* OID, algorithms, access conditions, key OID */

static const uint8_t oid_rsa[] = { SCHSM_OID_RSA };
static const uint8_t oid_ec[] = { SCHSM_OID_ECDSA };
static const uint8_t oid_aes[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01 };

static const struct form {
    enum schsm_wrapped_form form;
    enum schsm_key_type type;
    const uint8_t *oid; /* what is written */
    size_t oid_len;
    size_t elements; /* 0: the size field is the key's length, and the key follows */
    EVP_PKEY *(*read)(OSSL_LIB_CTX *libctx, const struct schsm_view *elements,
                      struct schsm_error *err);
} forms[] = {
    { SCHSM_WRAPPED_RSA, SCHSM_KEY_RSA, oid_rsa, sizeof(oid_rsa), 3, schsm_wrapped_rsa },
    { SCHSM_WRAPPED_RSA_CRT, SCHSM_KEY_RSA, oid_rsa, sizeof(oid_rsa), 7, schsm_wrapped_rsa_crt },
    { SCHSM_WRAPPED_EC, SCHSM_KEY_EC, oid_ec, sizeof(oid_ec), 7, schsm_wrapped_ec },
    { SCHSM_WRAPPED_AES, SCHSM_KEY_AES, oid_aes, sizeof(oid_aes), 0, NULL },
};

static const struct form *find_form(unsigned int number)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if ((unsigned int)forms[i].form == number) {
            return &forms[i];
        }
    }
    return NULL;
}

static int fail_wrapped(struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_FILE, "the wrapped key is malformed or was cut short");
}

/* Takes a number of bytes off the front of *from; false where there are fewer. */
static bool take_bytes(struct schsm_view *from, size_t len, struct schsm_view *taken)
{
    if (len > from->len) {
        return false;
    }
    *taken = (struct schsm_view){ from->data, len };
    from->data += len;
    from->len -= len;
    return true;
}

/* Takes a length of two bytes, big endian. */
static bool take_size(struct schsm_view *from, size_t *size)
{
    struct schsm_view field;

    if (!take_bytes(from, 2, &field)) {
        return false;
    }
    *size = (size_t)field.data[0] << 8 | field.data[1];
    return true;
}

/* Takes a length of two bytes and as many bytes. */
static bool take_element(struct schsm_view *from, struct schsm_view *element)
{
    size_t size;

    return take_size(from, &size) && take_bytes(from, size, element);
}

int schsm_wrapped_key_parse(const uint8_t *blob, size_t len, struct schsm_wrapped_key *wrapped,
                            struct schsm_error *err)
{
    struct schsm_view left = { blob, len }, kcv, form_byte, lists[LISTS];
    const struct form *form;

    memset(wrapped, 0, sizeof(*wrapped));
    if (len > SCHSM_WRAPPED_MAX || !take_bytes(&left, SCHSM_KCV_LEN, &kcv) ||
        !take_bytes(&left, 1, &form_byte)) {
        return fail_wrapped(err);
    }
    for (size_t i = 0; i < LISTS; i++) {
        if (!take_element(&left, &lists[i])) {
            return fail_wrapped(err);
        }
    }
    if (left.len < SCHSM_BLOCK_LEN + MAC_LEN || (left.len - MAC_LEN) % SCHSM_BLOCK_LEN != 0) {
        return fail_wrapped(err);
    }
    form = find_form(form_byte.data[0]);
    if (form == NULL) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the wrapped key is of type %02X, which is none that we know",
                          form_byte.data[0]);
    }
    memcpy(wrapped->kcv, kcv.data, SCHSM_KCV_LEN);
    wrapped->form = form->form;
    wrapped->type = form->type;
    wrapped->algorithms = lists[1];
    wrapped->whole = (struct schsm_view){ blob, len };
    wrapped->authenticated = (struct schsm_view){ blob, len - MAC_LEN };
    wrapped->ciphertext = (struct schsm_view){ left.data, left.len - MAC_LEN };
    wrapped->mac = (struct schsm_view){ blob + len - MAC_LEN, MAC_LEN };
    return 1;
}

/* Bytes that numbers of a key may be shorter than usual: not all writers keep leading zeros. */
#define SHORTER_MAX 48

unsigned int schsm_wrapped_key_bits(const struct schsm_wrapped_key *wrapped)
{
    static const unsigned int sizes[] = { SCHSM_RSA_SIZES };
    size_t len = wrapped->ciphertext.len;
    unsigned int bits = 0;

    if (wrapped->form == SCHSM_WRAPPED_AES) {
        return len <= 2 * (size_t)SCHSM_BLOCK_LEN ? 128 : 256;
    }
    for (size_t i = 0; wrapped->type == SCHSM_KEY_RSA && i < sizeof(sizes) / sizeof(sizes[0]);
         i++) {
        size_t modulus = sizes[i] / 8, plain = SCHSM_WRAPPED_RANDOM_LEN + 2;

        plain += wrapped->form == SCHSM_WRAPPED_RSA_CRT
                     ? (size_t)7 * 2 + 5 * (modulus / 2) + modulus + F4_LEN
                     : (size_t)3 * 2 + 2 * modulus + F4_LEN;
        /* at most, the exponent has as many bytes as the modulus */
        if (len + SHORTER_MAX >= plain && len <= plain + modulus + SCHSM_BLOCK_LEN) {
            bits = sizes[i];
        }
    }
    return bits;
}

/* AES-256-CMAC with the key derived for it. */
static int compute_mac(OSSL_LIB_CTX *libctx, const struct schsm_secret *dkek,
                       struct schsm_view message, uint8_t mac[MAC_LEN], struct schsm_error *err)
{
    struct schsm_secret *key = schsm_dkek_derive(libctx, dkek, SCHSM_DKEK_AUTHENTICATION, err);
    size_t len = 0;
    int ok;

    if (key == NULL) {
        return 0;
    }
    ok = EVP_Q_mac(libctx, "CMAC", NULL, "AES-256-CBC", NULL, schsm_secret_data(key),
                   schsm_secret_len(key), message.data, message.len, mac, MAC_LEN, &len) != NULL &&
         len == MAC_LEN;
    schsm_secret_free(key);
    return ok ? 1
              : schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not compute an AES-256-CMAC");
}

/* AES-256-CBC with the key derived for it, the first vector being zero, without padding. */
static int crypt_plaintext(OSSL_LIB_CTX *libctx, const struct schsm_secret *dkek, bool encrypt,
                           struct schsm_view in, uint8_t *out, struct schsm_error *err)
{
    static const uint8_t iv[SCHSM_BLOCK_LEN];
    struct schsm_secret *key = schsm_dkek_derive(libctx, dkek, SCHSM_DKEK_ENCRYPTION, err);
    int ok;

    if (key == NULL) {
        return 0;
    }
    ok = schsm_crypt_blocks(libctx, "AES-256-CBC", schsm_secret_data(key), iv, encrypt, in.data,
                            in.len, out);
    schsm_secret_free(key);
    return ok ? 1 : schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not use AES-256-CBC");
}

int schsm_wrapped_key_verify(OSSL_LIB_CTX *libctx, const struct schsm_wrapped_key *wrapped,
                             const struct schsm_secret *dkek, struct schsm_error *err)
{
    char theirs[SCHSM_KCV_TEXT_MAX], ours[SCHSM_KCV_TEXT_MAX];
    uint8_t kcv[SCHSM_KCV_LEN], mac[MAC_LEN];

    if (!schsm_dkek_kcv(libctx, dkek, kcv, err)) {
        return 0;
    }
    if (memcmp(kcv, wrapped->kcv, sizeof(kcv)) != 0) {
        schsm_kcv_text(wrapped->kcv, theirs);
        schsm_kcv_text(kcv, ours);
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "the key was wrapped under the DKEK with key check value %s, not under "
                          "the one with %s",
                          theirs, ours);
    }
    if (!compute_mac(libctx, dkek, wrapped->authenticated, mac, err)) {
        return 0;
    }
    if (CRYPTO_memcmp(mac, wrapped->mac.data, MAC_LEN) != 0) {
        return schsm_fail(err, SCHSM_REASON_FILE,
                          "the wrapped key was changed or damaged: its authentication code is "
                          "wrong; take another copy of it");
    }
    return 1;
}

/* The plaintext behind the random bytes; view points into the secret, which the caller frees. */
static struct schsm_secret *open_blob(OSSL_LIB_CTX *libctx, const struct schsm_wrapped_key *wrapped,
                                      const struct schsm_secret *dkek, struct schsm_view *content,
                                      struct schsm_error *err)
{
    struct schsm_secret *plaintext;
    uint8_t *bytes;

    if (!schsm_wrapped_key_verify(libctx, wrapped, dkek, err)) {
        return NULL;
    }
    plaintext = schsm_secret_alloc(wrapped->ciphertext.len, &bytes, err);
    if (plaintext == NULL) {
        return NULL;
    }
    if (!crypt_plaintext(libctx, dkek, false, wrapped->ciphertext, bytes, err)) {
        schsm_secret_free(plaintext);
        return NULL;
    }
    /* a block is longer than the random bytes */
    *content = (struct schsm_view){ bytes + SCHSM_WRAPPED_RANDOM_LEN,
                                    wrapped->ciphertext.len - SCHSM_WRAPPED_RANDOM_LEN };
    return plaintext;
}

EVP_PKEY *schsm_wrapped_key_private(OSSL_LIB_CTX *libctx, const struct schsm_wrapped_key *wrapped,
                                    const struct schsm_secret *dkek, struct schsm_error *err)
{
    const struct form *form = find_form(wrapped->form);
    struct schsm_view elements[SCHSM_WRAPPED_ELEMENTS_MAX], content;
    struct schsm_secret *plaintext = NULL;
    EVP_PKEY *key = NULL;
    size_t size;

    if (form == NULL || form->read == NULL) {
        schsm_fail(err, SCHSM_REASON_ARGUMENT, "the wrapped key is no RSA or EC key");
        return NULL;
    }
    plaintext = open_blob(libctx, wrapped, dkek, &content, err);
    if (plaintext == NULL) {
        return NULL;
    }
    /* The size is not looked at: the elements tell it, and not all writers agree on it. What
     * follows them is padding, which not all writers add. */
    if (!take_size(&content, &size)) {
        fail_wrapped(err);
        goto done;
    }
    for (size_t i = 0; i < form->elements; i++) {
        if (!take_element(&content, &elements[i])) {
            fail_wrapped(err);
            goto done;
        }
    }
    key = form->read(libctx, elements, err);

done:
    schsm_secret_free(plaintext);
    return key;
}

static bool is_aes_length(size_t len)
{
    return len == 16 || len == 24 || len == 32;
}

struct schsm_secret *schsm_wrapped_key_secret(OSSL_LIB_CTX *libctx,
                                              const struct schsm_wrapped_key *wrapped,
                                              const struct schsm_secret *dkek,
                                              struct schsm_error *err)
{
    struct schsm_secret *plaintext = NULL, *key = NULL;
    struct schsm_view content, bytes;

    if (wrapped->form != SCHSM_WRAPPED_AES) {
        schsm_fail(err, SCHSM_REASON_ARGUMENT, "the wrapped key is no AES key");
        return NULL;
    }
    plaintext = open_blob(libctx, wrapped, dkek, &content, err);
    if (plaintext == NULL) {
        return NULL;
    }
    if (take_element(&content, &bytes) && is_aes_length(bytes.len)) {
        key = schsm_secret_new(bytes.data, bytes.len, err);
    } else {
        fail_wrapped(err);
    }
    schsm_secret_free(plaintext);
    return key;
}

/* The random bytes at the beginning of a plaintext. */
static int put_random(OSSL_LIB_CTX *libctx, const struct schsm_wrapping *wrapping,
                      struct schsm_tlv_writer *writer, struct schsm_error *err)
{
    uint8_t random[SCHSM_WRAPPED_RANDOM_LEN];

    if (wrapping->random != NULL) {
        schsm_tlv_put_raw(writer, wrapping->random, SCHSM_WRAPPED_RANDOM_LEN);
        return 1;
    }
    if (RAND_priv_bytes_ex(libctx, random, sizeof(random), 0) != 1) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto has no random numbers");
    }
    schsm_tlv_put_raw(writer, random, sizeof(random));
    return 1;
}

/* ISO 9797-1 method 2, a whole block where the length fits already, as genuine cards pad. */
static void put_padding(struct schsm_tlv_writer *writer)
{
    static const uint8_t padding[SCHSM_BLOCK_LEN] = { PAD_FIRST };

    schsm_tlv_put_raw(writer, padding, SCHSM_BLOCK_LEN - writer->len % SCHSM_BLOCK_LEN);
}

/* Writes the whole blob around a plaintext. */
static int seal(OSSL_LIB_CTX *libctx, const struct form *form,
                const struct schsm_wrapping *wrapping, struct schsm_view plaintext, uint8_t *blob,
                size_t *blob_len, struct schsm_error *err)
{
    uint8_t kcv[SCHSM_KCV_LEN], kind = (uint8_t)form->form;
    struct schsm_tlv_writer writer;

    if (!schsm_dkek_kcv(libctx, wrapping->dkek, kcv, err)) {
        return 0;
    }
    schsm_tlv_write(&writer, blob, *blob_len);
    schsm_tlv_put_raw(&writer, kcv, sizeof(kcv));
    schsm_tlv_put_raw(&writer, &kind, 1);
    schsm_wrapped_put_element(&writer, form->oid, form->oid_len);
    schsm_wrapped_put_element(&writer, wrapping->algorithms, wrapping->algorithms_len);
    schsm_wrapped_put_element(&writer, NULL, 0);
    schsm_wrapped_put_element(&writer, NULL, 0);
    if (writer.failed || plaintext.len + MAC_LEN > writer.capacity - writer.len) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer for a wrapped key is too small");
    }
    if (!crypt_plaintext(libctx, wrapping->dkek, true, plaintext, blob + writer.len, err)) {
        return 0;
    }
    writer.len += plaintext.len;
    if (!compute_mac(libctx, wrapping->dkek, (struct schsm_view){ blob, writer.len },
                     blob + writer.len, err)) {
        return 0;
    }
    *blob_len = writer.len + MAC_LEN;
    return 1;
}

/* The size field and the elements of a private key. */
static int put_private(OSSL_LIB_CTX *libctx, EVP_PKEY *key, bool plain_rsa,
                       struct schsm_tlv_writer *writer, enum schsm_wrapped_form *form,
                       struct schsm_error *err)
{
    if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
        *form = plain_rsa ? SCHSM_WRAPPED_RSA : SCHSM_WRAPPED_RSA_CRT;
        return schsm_wrapped_put_rsa(libctx, key, plain_rsa, writer, err);
    }
    if (EVP_PKEY_is_a(key, "EC") == 1) {
        *form = SCHSM_WRAPPED_EC;
        return schsm_wrapped_put_ec(libctx, key, writer, err);
    }
    return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                      "a SmartCard-HSM has RSA and EC keys, not %s keys",
                      EVP_PKEY_get0_type_name(key) != NULL ? EVP_PKEY_get0_type_name(key) : "such");
}

/* Wraps what is to be written: key, or secret where key is NULL. */
static int wrap_content(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const struct schsm_secret *secret,
                        const struct schsm_wrapping *wrapping, uint8_t *blob, size_t *blob_len,
                        struct schsm_error *err)
{
    enum schsm_wrapped_form form = SCHSM_WRAPPED_AES;
    struct schsm_secret *plaintext = NULL;
    struct schsm_tlv_writer writer;
    uint8_t *bytes;
    int ok = 0;

    if (wrapping->algorithms_len > SCHSM_ALGORITHMS_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a key takes at most %d algorithms, not %zu",
                          SCHSM_ALGORITHMS_MAX, wrapping->algorithms_len);
    }
    plaintext = schsm_secret_alloc(SCHSM_WRAPPED_MAX, &bytes, err);
    if (plaintext == NULL) {
        return 0;
    }
    schsm_tlv_write(&writer, bytes, SCHSM_WRAPPED_MAX);
    if (!put_random(libctx, wrapping, &writer, err)) {
        goto done;
    }
    if (key == NULL) {
        schsm_wrapped_put_element(&writer, schsm_secret_data(secret), schsm_secret_len(secret));
    } else if (!put_private(libctx, key, wrapping->plain_rsa, &writer, &form, err)) {
        goto done;
    }
    put_padding(&writer);
    if (writer.failed) {
        schsm_fail(err, SCHSM_REASON_ARGUMENT, "the key is too long to be wrapped");
        goto done;
    }
    ok = seal(libctx, find_form(form), wrapping, (struct schsm_view){ bytes, writer.len }, blob,
              blob_len, err);

done:
    schsm_secret_free(plaintext);
    return ok;
}

int schsm_wrapped_key_from_private(OSSL_LIB_CTX *libctx, EVP_PKEY *key,
                                   const struct schsm_wrapping *wrapping, uint8_t *blob,
                                   size_t *blob_len, struct schsm_error *err)
{
    return wrap_content(libctx, key, NULL, wrapping, blob, blob_len, err);
}

int schsm_wrapped_key_from_secret(OSSL_LIB_CTX *libctx, const struct schsm_secret *secret,
                                  const struct schsm_wrapping *wrapping, uint8_t *blob,
                                  size_t *blob_len, struct schsm_error *err)
{
    return is_aes_length(schsm_secret_len(secret))
               ? wrap_content(libctx, NULL, secret, wrapping, blob, blob_len, err)
               : schsm_fail(err, SCHSM_REASON_ARGUMENT,
                            "an AES key has 16, 24 or 32 bytes, not %zu", schsm_secret_len(secret));
}
