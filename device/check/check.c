/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "format/curve.h"
#include "format/same_key.h"

/* The RSA public operation bare: what was signed, padding and all. RSA-PSS keys know no other. */
static int open_block(EVP_PKEY *key, const uint8_t *sig, size_t sig_len, uint8_t *block)
{
    BIGNUM *n = NULL, *e = NULL, *number = BN_bin2bn(sig, (int)sig_len, NULL);
    BN_CTX *ctx = BN_CTX_new();
    int ok = number != NULL && ctx != NULL &&
             EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) &&
             EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) &&
             BN_mod_exp(number, number, e, n, ctx) &&
             BN_bn2binpad(number, block, (int)sig_len) == (int)sig_len;

    BN_CTX_free(ctx);
    BN_clear_free(number); /* a deciphered block may have been in it */
    BN_free(e);
    BN_free(n);
    return ok;
}

/* A block that was signed as it came, or what stands in PKCS#1 padding (RFC 8017, 9.2). */
static int block_fits(EVP_PKEY *key, bool padded, const uint8_t *in, size_t in_len,
                      const uint8_t *sig, size_t sig_len)
{
    uint8_t *block = OPENSSL_malloc(sig_len);
    size_t at = 0;
    int fits = block != NULL && in_len <= sig_len && open_block(key, sig, sig_len, block);

    if (fits && padded) {
        fits = block[0] == 0x00 && block[1] == 0x01;
        for (at = 2; at < sig_len && block[at] == 0xFF; at++) {
        }
        fits = fits && at < sig_len && block[at++] == 0x00;
    }
    fits = fits && sig_len - at == in_len && memcmp(block + at, in, in_len) == 0;
    OPENSSL_free(block);
    return fits;
}

/* The hash that PSS takes for one of this length (see SCHSM_OP_RSA_PSS_SIGN). */
static const char *pss_digest(size_t len)
{
    static const struct {
        size_t len;
        const char *name;
    } digests[] = { { 20, "SHA1" }, { 32, "SHA256" }, { 48, "SHA384" }, { 64, "SHA512" } };

    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        if (digests[i].len == len) {
            return digests[i].name;
        }
    }
    return "unknown";
}

static int hash_fits(OSSL_LIB_CTX *libctx, EVP_PKEY *key,
                     const struct schsm_operation_traits *traits, const char *digest,
                     const uint8_t *hash, size_t hash_len, const uint8_t *sig, size_t sig_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    EVP_MD *md = digest == NULL ? NULL : EVP_MD_fetch(libctx, digest, NULL);
    int fits = ctx != NULL && (digest == NULL || md != NULL) && EVP_PKEY_verify_init(ctx) > 0;

    if (traits->padding == SCHSM_PADDING_PSS) {
        fits = fits && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0;
    }
    fits = fits && (md == NULL || EVP_PKEY_CTX_set_signature_md(ctx, md) > 0) &&
           EVP_PKEY_verify(ctx, sig, sig_len, hash, hash_len) > 0;
    EVP_MD_free(md);
    EVP_PKEY_CTX_free(ctx);
    return fits;
}

/* PureEdDSA: of the message itself. */
static int pure_signature_fits(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const uint8_t *message,
                               size_t len, const uint8_t *sig, size_t sig_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int fits = ctx != NULL &&
               EVP_DigestVerifyInit_ex(ctx, NULL, NULL, libctx, NULL, key, NULL) > 0 &&
               EVP_DigestVerify(ctx, sig, sig_len, message, len) > 0;

    EVP_MD_CTX_free(ctx);
    return fits;
}

int schsm_signature_fits(OSSL_LIB_CTX *libctx, EVP_PKEY *key, enum schsm_operation operation,
                         const uint8_t *in, size_t in_len, const uint8_t *sig, size_t sig_len)
{
    const struct schsm_operation_traits *traits = schsm_operation_traits(operation);
    uint8_t hash[EVP_MAX_MD_SIZE];
    const char *digest = traits->digest;
    int fits = 0;

    ERR_set_mark();
    switch (traits->input) {
    case SCHSM_INPUT_BLOCK:
    case SCHSM_INPUT_DIGEST_INFO:
        fits = block_fits(key, traits->padding == SCHSM_PADDING_PKCS1, in, in_len, sig, sig_len);
        break;
    case SCHSM_INPUT_MESSAGE:
        fits = EVP_Q_digest(libctx, digest, NULL, in, in_len, hash, &in_len) &&
               hash_fits(libctx, key, traits, digest, hash, in_len, sig, sig_len);
        break;
    case SCHSM_INPUT_HASH:
        digest = traits->padding == SCHSM_PADDING_PSS ? pss_digest(in_len) : NULL;
        fits = hash_fits(libctx, key, traits, digest, in, in_len, sig, sig_len);
        break;
    case SCHSM_INPUT_PURE_MESSAGE:
        fits = pure_signature_fits(libctx, key, in, in_len, sig, sig_len);
        break;
    case SCHSM_INPUT_POINT:
    case SCHSM_INPUT_ECX_PUBLIC:
    case SCHSM_INPUT_CIPHER_BLOCKS:
    case SCHSM_INPUT_CIPHER_TEXT:
    case SCHSM_INPUT_INFO:
        break; /* no signature */
    }
    ERR_pop_to_mark();
    return fits;
}

/* Whether the device shows the public part that we have: 1, 0, or -1 where it does not tell.
 * *beside: what it shows is no proof, see struct schsm_object. */
static int shows_public_part(const struct schsm_expected_key *key, struct schsm_device *device,
                             const struct schsm_object *object, const struct schsm_login *login,
                             bool *beside, struct schsm_error *err)
{
    struct schsm_object shown = *object;
    const unsigned char *p = NULL;
    EVP_PKEY *public_key = NULL;
    int same = -1;

    shown.value = NULL;
    shown.value_len = 0;
    if (!schsm_device_read(device, &shown, login, err)) {
        return -1;
    }
    *beside = shown.told_beside;
    p = shown.value;
    ERR_set_mark();
    public_key = d2i_PUBKEY_ex(NULL, &p, (long)shown.value_len, key->libctx, NULL);
    if (public_key != NULL) {
        same = schsm_same_public_key(key->public_key, public_key);
    } else {
        schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                   "%s: OpenSSL cannot use the public key that the device shows", key->name);
    }
    ERR_pop_to_mark();
    EVP_PKEY_free(public_key);
    schsm_object_clear(&shown);
    return same;
}

static int fail_replaced(const struct schsm_expected_key *key, const struct schsm_object *object,
                         struct schsm_error *err)
{
    if (object->key_ref < 0) {
        return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                          "%s: the device holds another key of this name than the key reference "
                          "says: insert the device that has it, or write the reference again with "
                          "'openssl pkey -in URI -out FILE'",
                          key->name);
    }
    return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                      "%s: the device holds another key under key-ref %d than the key reference "
                      "says: insert the device that has it, or write the reference again with "
                      "'openssl pkey -in sc-hsm:key-ref=%d -out FILE'",
                      key->name, object->key_ref, object->key_ref);
}

/* What the device answered is wrong: because it has another key, or in spite of having ours. */
static int fail_wrong_result(const struct schsm_expected_key *key, const struct schsm_asked *asked,
                             const char *what, struct schsm_error *err)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    bool beside = false;

    if (shows_public_part(key, asked->device, asked->object, asked->login, &beside, &ignored) ==
        0) {
        return fail_replaced(key, asked->object, err);
    }
    return schsm_fail(err, SCHSM_REASON_WRONG_KEY,
                      "%s: the %s that the device answered does not fit the key's public part and "
                      "was not handed out: either the device holds another key now, or it computes "
                      "wrongly and should not be used any more",
                      key->name, what);
}

/* The secret that a key pair of ours, made for that, has with the public part. */
static int make_known_secret(const struct schsm_expected_key *key, uint8_t point[SCHSM_POINT_MAX],
                             size_t *point_len, uint8_t *secret, size_t *secret_len)
{
    EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_from_pkey(key->libctx, key->public_key, NULL);
    EVP_PKEY_CTX *deriving = NULL;
    EVP_PKEY *pair = NULL;
    int ok = 0;

    ERR_set_mark();
    if (making != NULL && EVP_PKEY_keygen_init(making) > 0 &&
        EVP_PKEY_generate(making, &pair) > 0) {
        deriving = EVP_PKEY_CTX_new_from_pkey(key->libctx, pair, NULL);
    }
    ok = deriving != NULL && EVP_PKEY_derive_init(deriving) > 0 &&
         EVP_PKEY_derive_set_peer(deriving, key->public_key) > 0 &&
         EVP_PKEY_derive(deriving, secret, secret_len) > 0 &&
         EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, point, SCHSM_POINT_MAX,
                                         point_len);
    ERR_pop_to_mark();
    EVP_PKEY_CTX_free(deriving);
    EVP_PKEY_CTX_free(making);
    EVP_PKEY_free(pair);
    return ok;
}

/* For a device that does not tell a key's public part, or tells it without proof: it shows that it
 * has the key by deriving a secret that we know. 1, 0, or -1 where it cannot be told. */
static int derives_known_secret(const struct schsm_expected_key *key,
                                const struct schsm_asked *asked, struct schsm_error *err)
{
    uint8_t point[SCHSM_POINT_MAX], known[SCHSM_FIELD_MAX], answered[SCHSM_FIELD_MAX];
    size_t point_len = 0, known_len = sizeof(known), answered_len = sizeof(answered);

    if (!make_known_secret(key, point, &point_len, known, &known_len)) {
        schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto cannot make a key pair to compare with");
        return -1;
    }
    if (!schsm_device_operate(asked->device, asked->operation, asked->object, asked->login, point,
                              point_len, answered, &answered_len, err)) {
        return -1;
    }
    return known_len == answered_len && CRYPTO_memcmp(known, answered, known_len) == 0;
}

/* Agreement: nothing shows whether a secret is right but the key that made it. */
static int compare_public_part(const struct schsm_expected_key *key, struct schsm_checked *checked,
                               const struct schsm_asked *asked, struct schsm_error *err)
{
    unsigned long connection = schsm_device_connection(asked->device);
    struct schsm_error found = SCHSM_ERROR_INIT;
    bool beside = false;
    int shown = 0;

    if (atomic_load(&checked->public_part) == connection) {
        return 1;
    }
    shown = shows_public_part(key, asked->device, asked->object, asked->login, &beside, &found);
    if ((shown > 0 && beside) || (shown < 0 && found.reason == SCHSM_REASON_NO_PUBLIC_KEY)) {
        shown = derives_known_secret(key, asked, &found);
    }
    if (shown == 0) {
        return fail_replaced(key, asked->object, err);
    }
    if (shown < 0) {
        if (err != NULL) {
            *err = found;
        }
        return schsm_fail_context(err, "%s: whether the secret is that of this key cannot be told",
                                  key->name);
    }
    atomic_store(&checked->public_part, connection);
    return 1;
}

int schsm_check_result(const struct schsm_expected_key *key, struct schsm_checked *checked,
                       const struct schsm_asked *asked, uint8_t *out, size_t *out_len,
                       struct schsm_error *err)
{
    unsigned long connection = schsm_device_connection(asked->device);
    int ok = 1;

    if (asked->operation == SCHSM_OP_ECDH || asked->operation == SCHSM_OP_ECX_DERIVE) {
        ok = compare_public_part(key, checked, asked, err);
    } else if (!key->first_only || atomic_load(&checked->result) != connection) {
        bool decrypts = asked->operation == SCHSM_OP_RSA_DECRYPT;

        ERR_set_mark();
        ok = decrypts ? block_fits(key->public_key, false, asked->in, asked->in_len, out, *out_len)
                      : schsm_signature_fits(key->libctx, key->public_key, asked->operation,
                                             asked->in, asked->in_len, out, *out_len);
        ERR_pop_to_mark();
        if (ok) {
            atomic_store(&checked->result, connection);
        } else {
            (void)fail_wrong_result(key, asked, decrypts ? "plaintext" : "signature", err);
        }
    }
    if (!ok) {
        OPENSSL_cleanse(out, *out_len);
        *out_len = 0;
    }
    return ok;
}

int schsm_check_device(const struct schsm_expected_key *key, struct schsm_device *device,
                       const struct schsm_object *object, const struct schsm_login *login,
                       struct schsm_error *err)
{
    bool beside = false;
    int shown = shows_public_part(key, device, object, login, &beside, err);

    return shown == 0 ? fail_replaced(key, object, err) : shown > 0;
}
