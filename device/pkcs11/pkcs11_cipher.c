/* SPDX-License-Identifier: Apache-2.0 */
/* What an AES key does: each operation is one mechanism, of a single call. */
#include "pkcs11_private.h"

#include <openssl/crypto.h>

static const struct cipher {
    enum schsm_operation operation;
    const char *what;
} ciphers[] = {
    { SCHSM_OP_AES_CBC_ENCRYPT, "encrypt" },
    { SCHSM_OP_AES_CBC_DECRYPT, "decrypt" },
    { SCHSM_OP_AES_CMAC, "make a CMAC" },
};

static const char *words_for(enum schsm_operation operation)
{
    size_t i = 0;

    while (i + 1 < sizeof(ciphers) / sizeof(ciphers[0]) && ciphers[i].operation != operation) {
        i++;
    }
    return ciphers[i].what;
}

static ck_rv begin(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_operation *op,
                   ck_handle key)
{
    uint8_t iv[SCHSM_AES_BLOCK] = { 0 };
    struct ck_mechanism mechanism = { CKM_AES_CBC, iv, sizeof(iv) };

    switch (op->operation) {
    case SCHSM_OP_AES_CMAC:
        mechanism = (struct ck_mechanism){ CKM_AES_CMAC, NULL, 0 };
        return SCHSM_PKCS11(token, sign_init, &mechanism, key);
    case SCHSM_OP_AES_CBC_DECRYPT:
        return SCHSM_PKCS11(token, decrypt_init, &mechanism, key);
    default:
        return SCHSM_PKCS11(token, encrypt_init, &mechanism, key);
    }
}

static ck_rv finish(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_operation *op,
                    unsigned long *len)
{
    switch (op->operation) {
    case SCHSM_OP_AES_CMAC:
        return SCHSM_PKCS11(token, sign, op->in, op->in_len, op->out, len);
    case SCHSM_OP_AES_CBC_DECRYPT:
        return SCHSM_PKCS11(token, decrypt, op->in, op->in_len, op->out, len);
    default:
        return SCHSM_PKCS11(token, encrypt, op->in, op->in_len, op->out, len);
    }
}

int schsm_pkcs11_cipher(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_operation *op,
                        const struct schsm_pkcs11_key *key, struct schsm_error *err)
{
    size_t wanted = op->operation == SCHSM_OP_AES_CMAC ? SCHSM_AES_BLOCK : op->in_len;
    unsigned long len = op->capacity;
    ck_rv rv = begin(token, op, key->handle);

    if (rv == CKR_OK && key->always_authenticate &&
        !schsm_pkcs11_login_context(token, op->login, err)) {
        return 0;
    }
    if (rv == CKR_OK) {
        rv = finish(token, op, &len);
    }
    if (rv != CKR_OK) {
        return schsm_pkcs11_fail_to(token, rv, words_for(op->operation), err);
    }
    if (len != wanted) {
        OPENSSL_cleanse(op->out, op->capacity);
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the token's result has %lu bytes in place of %zu", len, wanted);
    }
    *op->out_len = len;
    return 1;
}
