/* SPDX-License-Identifier: Apache-2.0 */
/* Private operations: each is one mechanism. Those of AES keys are in pkcs11_cipher.c. */
#include "pkcs11_private.h"

#include <string.h>

#include <openssl/crypto.h>

#include "format/curve.h"
#include "format/ecdsa.h"

#define RESULT_MAX SCHSM_MODULUS_MAX /* bytes: the longest signature */

/* For each operation its mechanism, 0 where there is none that we use; hash, where PSS has to be
 * told it. */
static const struct {
    unsigned long mechanism;
    unsigned long hash;
} mechanisms[SCHSM_OPERATION_COUNT] = {
    [SCHSM_OP_RSA_SIGN] = { CKM_RSA_X_509, 0 },
    [SCHSM_OP_RSA_DECRYPT] = { CKM_RSA_X_509, 0 },
    [SCHSM_OP_ECDSA_SIGN] = { CKM_ECDSA, 0 },
    [SCHSM_OP_ECDH] = { CKM_ECDH1_DERIVE, 0 },
    [SCHSM_OP_RSA_PKCS1_SIGN] = { CKM_RSA_PKCS, 0 },
    [SCHSM_OP_RSA_PSS_SIGN] = { CKM_RSA_PKCS_PSS, 0 },
    [SCHSM_OP_RSA_PKCS1_SIGN_SHA1] = { CKM_SHA1_RSA_PKCS, 0 },
    [SCHSM_OP_RSA_PKCS1_SIGN_SHA256] = { CKM_SHA256_RSA_PKCS, 0 },
    [SCHSM_OP_RSA_PKCS1_SIGN_SHA384] = { CKM_SHA384_RSA_PKCS, 0 },
    [SCHSM_OP_RSA_PKCS1_SIGN_SHA512] = { CKM_SHA512_RSA_PKCS, 0 },
    [SCHSM_OP_RSA_PSS_SIGN_SHA1] = { CKM_SHA1_RSA_PKCS_PSS, CKM_SHA_1 },
    [SCHSM_OP_RSA_PSS_SIGN_SHA256] = { CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256 },
    [SCHSM_OP_RSA_PSS_SIGN_SHA384] = { CKM_SHA384_RSA_PKCS_PSS, CKM_SHA384 },
    [SCHSM_OP_RSA_PSS_SIGN_SHA512] = { CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512 },
    [SCHSM_OP_ECDSA_SIGN_SHA1] = { CKM_ECDSA_SHA1, 0 },
    [SCHSM_OP_ECDSA_SIGN_SHA224] = { CKM_ECDSA_SHA224, 0 },
    [SCHSM_OP_ECDSA_SIGN_SHA256] = { CKM_ECDSA_SHA256, 0 },
    [SCHSM_OP_ECDSA_SIGN_SHA384] = { CKM_ECDSA_SHA384, 0 },
    [SCHSM_OP_ECDSA_SIGN_SHA512] = { CKM_ECDSA_SHA512, 0 },
    [SCHSM_OP_AES_CBC_ENCRYPT] = { CKM_AES_CBC, 0 },
    [SCHSM_OP_AES_CBC_DECRYPT] = { CKM_AES_CBC, 0 },
    [SCHSM_OP_AES_CMAC] = { CKM_AES_CMAC, 0 },
};

/* MGF1 with the same hash, salt as long as it (operation.h). */
static const struct {
    unsigned long hash, mgf;
    size_t len;
} hashes[] = {
    { CKM_SHA_1, CKG_MGF1_SHA1, 20 },
    { CKM_SHA256, CKG_MGF1_SHA256, 32 },
    { CKM_SHA384, CKG_MGF1_SHA384, 48 },
    { CKM_SHA512, CKG_MGF1_SHA512, 64 },
};

static int choose_mechanism(const struct schsm_pkcs11_operation *op, struct ck_mechanism *mechanism,
                            struct ck_rsa_pss_parameter *pss, struct schsm_error *err)
{
    unsigned long hash = mechanisms[op->operation].hash;

    memset(mechanism, 0, sizeof(*mechanism));
    mechanism->type = mechanisms[op->operation].mechanism;
    if (schsm_operation_traits(op->operation)->padding != SCHSM_PADDING_PSS) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        if (hash != 0 ? hashes[i].hash == hash : hashes[i].len == op->in_len) {
            *pss = (struct ck_rsa_pss_parameter){ hashes[i].hash, hashes[i].mgf, hashes[i].len };
            mechanism->parameter = pss;
            mechanism->parameter_len = sizeof(*pss);
            return 1;
        }
    }
    return schsm_fail(err, SCHSM_REASON_ARGUMENT, "no hash has %zu bytes", op->in_len);
}

static int fail_token_result(const char *what, size_t len, struct schsm_error *err)
{
    return schsm_fail(err, SCHSM_REASON_DEVICE_DATA, "the token's %s of %zu bytes is malformed",
                      what, len);
}

/* A number as long as the modulus, which only a block tells; some modules leave out zeros. */
static int take_token_rsa(const struct schsm_pkcs11_operation *op, const uint8_t *result,
                          size_t len, struct schsm_error *err)
{
    bool block = schsm_operation_traits(op->operation)->input == SCHSM_INPUT_BLOCK;
    size_t whole = block ? op->in_len : len;

    if (len == 0 || len > whole) {
        return fail_token_result("RSA result", len, err);
    }
    if (whole > op->capacity) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "the buffer is too small for the result");
    }
    memset(op->out, 0, whole - len);
    memcpy(op->out + whole - len, result, len);
    *op->out_len = whole;
    return 1;
}

static int take_token_result(const struct schsm_pkcs11_operation *op, const uint8_t *result,
                             size_t len, struct schsm_error *err)
{
    if (schsm_operation_traits(op->operation)->key_type == SCHSM_KEY_RSA) {
        return take_token_rsa(op, result, len, err);
    }
    if (len == 0 || len % 2 != 0 || len / 2 > SCHSM_FIELD_MAX) {
        return fail_token_result("ECDSA signature", len, err);
    }
    *op->out_len = op->capacity;
    return schsm_ecdsa_der(result, len, op->out, op->out_len, err);
}

/* Signs or decrypts: begin, the PIN once more where the key wants it, end. */
static int transform(struct schsm_pkcs11_token *token, const struct schsm_pkcs11_operation *op,
                     const struct schsm_pkcs11_key *key, struct schsm_error *err)
{
    bool decrypts = op->operation == SCHSM_OP_RSA_DECRYPT;
    uint8_t result[RESULT_MAX];
    unsigned long len = sizeof(result);
    struct ck_rsa_pss_parameter pss;
    struct ck_mechanism mechanism;
    ck_rv rv;
    int ok = 0;

    if (!choose_mechanism(op, &mechanism, &pss, err)) {
        return 0;
    }
    rv = decrypts ? SCHSM_PKCS11(token, decrypt_init, &mechanism, key->handle)
                  : SCHSM_PKCS11(token, sign_init, &mechanism, key->handle);
    if (rv == CKR_OK && key->always_authenticate &&
        !schsm_pkcs11_login_context(token, op->login, err)) {
        return 0;
    }
    if (rv == CKR_OK) {
        rv = decrypts ? SCHSM_PKCS11(token, decrypt, op->in, op->in_len, result, &len)
                      : SCHSM_PKCS11(token, sign, op->in, op->in_len, result, &len);
    }
    if (rv != CKR_OK) {
        return schsm_pkcs11_fail_to(token, rv, decrypts ? "decrypt" : "sign", err);
    }
    ok = len <= sizeof(result) ? take_token_result(op, result, len, err)
                               : fail_token_result("result", len, err);
    OPENSSL_cleanse(result, sizeof(result));
    return ok;
}

/* The shared secret is a key for a moment, made so that its value can be read. */
static int take_token_secret(struct schsm_pkcs11_token *token,
                             const struct schsm_pkcs11_operation *op, ck_handle secret,
                             struct schsm_error *err)
{
    struct ck_attribute value = { CKA_VALUE, NULL, 0 };
    size_t field = (op->in_len - 1) / 2;
    int ok = schsm_pkcs11_read(token, secret, &value, 1, err);

    if (ok && (value.len == 0 || value.len > field)) {
        ok = fail_token_result("shared secret", value.len, err);
    }
    if (ok) {
        memset(op->out, 0, field - value.len);
        memcpy(op->out + field - value.len, value.value, value.len);
        *op->out_len = field;
    }
    schsm_pkcs11_free(&value, 1);
    return ok;
}

static int derive_on_token(struct schsm_pkcs11_token *token,
                           const struct schsm_pkcs11_operation *op,
                           const struct schsm_pkcs11_key *key, struct schsm_error *err)
{
    unsigned long class = CKO_SECRET_KEY, type = CKK_GENERIC_SECRET, len = (op->in_len - 1) / 2;
    unsigned char yes = CK_TRUE, no = CK_FALSE;
    const struct ck_attribute template[] = {
        { CKA_CLASS, &class, sizeof(class) }, { CKA_KEY_TYPE, &type, sizeof(type) },
        { CKA_TOKEN, &no, sizeof(no) },       { CKA_PRIVATE, &no, sizeof(no) },
        { CKA_SENSITIVE, &no, sizeof(no) },   { CKA_EXTRACTABLE, &yes, sizeof(yes) },
        { CKA_VALUE_LEN, &len, sizeof(len) },
    };
    unsigned long count = sizeof(template) / sizeof(template[0]);
    /* an OCTET STRING, as some modules want the point; the point alone as others do */
    uint8_t wrapped[SCHSM_POINT_MAX + 3];
    struct ck_ecdh1_parameter parameter = { CKD_NULL, 0, NULL, op->in_len, wrapped };
    struct ck_mechanism mechanism = { CKM_ECDH1_DERIVE, &parameter, sizeof(parameter) };
    ck_handle secret = CK_INVALID_HANDLE;
    struct schsm_tlv_writer writer;
    ck_rv rv;
    int ok;

    if (key->always_authenticate) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the key wants its PIN for each use, which PKCS#11 does not provide for "
                          "key agreement");
    }
    memcpy(wrapped, op->in, op->in_len);
    rv = SCHSM_PKCS11(token, derive_key, &mechanism, key->handle, template, count, &secret);
    if (rv == CKR_MECHANISM_PARAM_INVALID || rv == CKR_ARGUMENTS_BAD || rv == CKR_GENERAL_ERROR) {
        schsm_tlv_write(&writer, wrapped, sizeof(wrapped));
        schsm_tlv_put(&writer, 0x04, op->in, op->in_len);
        parameter.point_len = writer.len;
        rv = SCHSM_PKCS11(token, derive_key, &mechanism, key->handle, template, count, &secret);
    }
    if (rv != CKR_OK) {
        return schsm_pkcs11_fail_to(token, rv, "agree on a key", err);
    }
    ok = take_token_secret(token, op, secret, err);
    (void)SCHSM_PKCS11(token, destroy_object, secret);
    return ok;
}

static int operate_on_token(struct schsm_pkcs11_token *token, void *arg, struct schsm_error *err)
{
    const struct schsm_pkcs11_key *key = NULL;
    const struct schsm_pkcs11_operation *op = arg;

    if (!schsm_pkcs11_find_key(token, op->key, &key, err)) {
        return 0;
    }
    if (schsm_operation_traits(op->operation)->key_type == SCHSM_KEY_AES) {
        return schsm_pkcs11_cipher(token, op, key, err);
    }
    return op->operation == SCHSM_OP_ECDH ? derive_on_token(token, op, key, err)
                                          : transform(token, op, key, err);
}

int schsm_pkcs11_device_operate(struct schsm_device *dev, enum schsm_operation operation,
                                const struct schsm_object *key, const struct schsm_login *login,
                                const uint8_t *in, size_t in_len, uint8_t *out, size_t *out_len,
                                struct schsm_error *err)
{
    struct schsm_pkcs11_operation op = {
        operation, key, login, in, in_len, out, *out_len, out_len
    };
    const struct schsm_pkcs11_job job = {
        .run = operate_on_token,
        .arg = &op,
        .login = op.login,
        .object = op.login->object != NULL ? op.login->object
                  : key->label[0] != 0     ? key->label
                                           : NULL,
    };

    *out_len = 0;
    if (operation == SCHSM_OP_AES_DERIVE) {
        return schsm_fail(
            err, SCHSM_REASON_UNSUPPORTED,
            "secrets are derived from AES keys on a SmartCard-HSM only, not through a "
            "PKCS#11 module");
    }
    if (mechanisms[operation].mechanism == 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "Ed25519, Ed448, X25519 and X448 keys are used on a Pico HSM only, not "
                          "through a PKCS#11 module");
    }
    return schsm_operation_check(operation, SCHSM_MODULUS_MAX, in, in_len, op.capacity, err) &&
           schsm_pkcs11_run(schsm_pkcs11_token(dev), &job, err);
}
