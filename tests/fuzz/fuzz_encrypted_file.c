/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input as an encrypted file, for a device whose AES key is known here. The first byte says
 * whether what is written can be abandoned. What is handed out has to be authentic, and a file that
 * is made of the content comes back.
 */
#include "fuzz.h"

#include <string.h>

#include <openssl/evp.h>

#include "keymgmt/encrypted_file.h"

#define OUT_MAX 65536

struct bytes {
    const uint8_t *data; /* to be read */
    size_t left;
    uint8_t *out; /* what was written */
    size_t len;
};

/* One block or more of AES-256-CBC with the key 00 01 .. 1F, as a device does it. */
static int operate(struct schsm_device *dev, enum schsm_operation operation,
                   const struct schsm_object *key, const struct schsm_login *login,
                   const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                   struct schsm_error *err)
{
    static const uint8_t iv[16];
    uint8_t value[32];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;

    (void)dev;
    (void)key;
    (void)login;
    (void)err;
    for (size_t i = 0; i < sizeof(value); i++) {
        value[i] = (uint8_t)i;
    }
    REQUIRE(*out_len >= in_len && in_len % 16 == 0);
    REQUIRE(EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, value, iv,
                              operation == SCHSM_OP_AES_CBC_ENCRYPT) == 1 &&
            EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
            EVP_CipherUpdate(ctx, out, &len, in, (int)in_len) == 1 && len == (int)in_len);
    EVP_CIPHER_CTX_free(ctx);
    *out_len = in_len;
    return 1;
}

static int read_bytes(void *arg, uint8_t *out, size_t *len, struct schsm_error *err)
{
    struct bytes *bytes = arg;

    (void)err;
    *len = *len < bytes->left ? *len : bytes->left;
    if (*len > 0) {
        memcpy(out, bytes->data, *len);
    }
    bytes->data += *len;
    bytes->left -= *len;
    return 1;
}

static int write_bytes(void *arg, const void *written, size_t len, struct schsm_error *err)
{
    struct bytes *bytes = arg;

    if (len > OUT_MAX - bytes->len) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "too long for this test");
    }
    memcpy(bytes->out + bytes->len, written, len);
    bytes->len += len;
    return 1;
}

static int run(bool encrypt, bool can_abandon, const uint8_t *data, size_t len, uint8_t *out,
               size_t *out_len, struct schsm_error *err)
{
    static const struct schsm_device_ops ops = { .operate = operate };
    struct schsm_device device = { &ops };
    const struct schsm_object object = {
        .type = SCHSM_OBJECT_SECRET, .key_ref = 1, .bits = 256, .id = { 0x10 }, .id_len = 1
    };
    const struct schsm_secret_key key = { &device, &object, NULL };
    struct bytes bytes = { data, len, out, 0 };
    const struct schsm_bytes_in from = { read_bytes, &bytes };
    const struct schsm_bytes_out to = { write_bytes, &bytes, can_abandon };
    int ok = encrypt ? schsm_encrypt_file(NULL, &key, &from, &to, err)
                     : schsm_decrypt_file(NULL, &key, &from, &to, err);

    *out_len = bytes.len;
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct schsm_error err = SCHSM_ERROR_INIT;
    uint8_t *plain = malloc(OUT_MAX), *file = malloc(OUT_MAX), *again = malloc(OUT_MAX);
    size_t plain_len = 0, file_len = 0, again_len = 0;
    bool can_abandon;

    REQUIRE(plain != NULL && file != NULL && again != NULL);
    if (len == 0) {
        goto done;
    }
    can_abandon = data[0] % 2 == 0;
    if (!run(false, can_abandon, data + 1, len - 1, plain, &plain_len, &err)) {
        REQUIRE(err.reason == SCHSM_REASON_FILE || err.reason == SCHSM_REASON_WRONG_KEY ||
                err.reason == SCHSM_REASON_UNSUPPORTED);
        REQUIRE(can_abandon || plain_len == 0 || plain_len > OUT_MAX / 2);
        goto done;
    }
    if (plain_len < OUT_MAX / 2) {
        REQUIRE(run(true, true, plain, plain_len, file, &file_len, &err));
        REQUIRE(run(false, true, file, file_len, again, &again_len, &err));
        REQUIRE(again_len == plain_len && memcmp(again, plain, plain_len) == 0);
    }

done:
    free(plain);
    free(file);
    free(again);
    return 0;
}
