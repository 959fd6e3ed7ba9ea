/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature of a request or certificate. The host hashes and pads, which every key can that may
 * do anything; one that its policy keeps to less is asked in the ways that are left.
 */
#include "issue.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "format/curve.h"
#include "format/ecx.h"
#include "model/operation.h"
#include "check/check.h"

#define SIGNATURE_MAX (SCHSM_MODULUS_MAX + SCHSM_ECDSA_DER_MAX)

/* AlgorithmIdentifiers: RFC 4055 (RSA), RFC 5758 (ECDSA), RFC 8410 (EdDSA). */
static const uint8_t rsa_sha256[] = { 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                      0xF7, 0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00 };
/* id-RSASSA-PSS with SHA-256, MGF1 with SHA-256, and a salt of 32 bytes */
static const uint8_t rsa_pss_sha256[] = {
    0x30, 0x41, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A, 0x30,
    0x34, 0xA0, 0x0F, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
    0x02, 0x01, 0x05, 0x00, 0xA1, 0x1C, 0x30, 0x1A, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
    0xF7, 0x0D, 0x01, 0x01, 0x08, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xA2, 0x03, 0x02, 0x01, 0x20
};
static const uint8_t ecdsa_sha256[] = { 0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                        0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02 };
static const uint8_t ecdsa_sha384[] = { 0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                        0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03 };
static const uint8_t ecdsa_sha512[] = { 0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                        0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04 };
static const uint8_t ed25519[] = { 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70 };
static const uint8_t ed448[] = { 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x71 };

/* What stands before a SHA-256 hash in a DigestInfo (RFC 8017, 9.2). */
static const uint8_t digest_info_sha256[] = { 0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60,
                                              0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                              0x01, 0x05, 0x00, 0x04, 0x20 };

#define WAYS_MAX 3

struct schsm_signature_scheme {
    const char *key; /* libcrypto's name of the key's type */
    int bits;        /* EC: of the longest curve that it is for; else 0 */
    bool pss;
    const uint8_t *algorithm;
    size_t algorithm_len;
    const char *digest; /* NULL: none */
    size_t way_count;   /* how the device may be asked, one after the other */
    enum schsm_operation ways[WAYS_MAX];
};

#define ALGORITHM(bytes) .algorithm = (bytes), .algorithm_len = sizeof(bytes)

static const struct schsm_signature_scheme schemes[] = {
    { .key = "RSA",
      ALGORITHM(rsa_sha256),
      .digest = "SHA256",
      .way_count = 3,
      .ways = { SCHSM_OP_RSA_SIGN, SCHSM_OP_RSA_PKCS1_SIGN, SCHSM_OP_RSA_PKCS1_SIGN_SHA256 } },
    { .key = "RSA",
      .pss = true,
      ALGORITHM(rsa_pss_sha256),
      .digest = "SHA256",
      .way_count = 2,
      .ways = { SCHSM_OP_RSA_PSS_SIGN, SCHSM_OP_RSA_PSS_SIGN_SHA256 } },
    { .key = "EC",
      .bits = 256,
      ALGORITHM(ecdsa_sha256),
      .digest = "SHA256",
      .way_count = 2,
      .ways = { SCHSM_OP_ECDSA_SIGN, SCHSM_OP_ECDSA_SIGN_SHA256 } },
    { .key = "EC",
      .bits = 384,
      ALGORITHM(ecdsa_sha384),
      .digest = "SHA384",
      .way_count = 2,
      .ways = { SCHSM_OP_ECDSA_SIGN, SCHSM_OP_ECDSA_SIGN_SHA384 } },
    { .key = "EC",
      .bits = 521,
      ALGORITHM(ecdsa_sha512),
      .digest = "SHA512",
      .way_count = 2,
      .ways = { SCHSM_OP_ECDSA_SIGN, SCHSM_OP_ECDSA_SIGN_SHA512 } },
    { .key = "ED25519", ALGORITHM(ed25519), .way_count = 1, .ways = { SCHSM_OP_EDDSA_SIGN } },
    { .key = "ED448", ALGORITHM(ed448), .way_count = 1, .ways = { SCHSM_OP_EDDSA_SIGN } },
};

/* Whether the key's policy leaves PSS as the only way to sign. */
static bool permits_pss_alone(const struct schsm_issue *issue)
{
    struct schsm_error ignored = SCHSM_ERROR_INIT;
    struct schsm_key_policy policy = { .known = false };
    bool pss = false;

    if (!schsm_device_key_policy(issue->key->device, &issue->key->object, &policy, &ignored)) {
        return false;
    }
    for (size_t i = 0; i < policy.algorithms_len; i++) {
        uint8_t permitted = policy.algorithms[i];

        for (size_t k = 0; k < schemes[0].way_count; k++) {
            if (schsm_operation_traits(schemes[0].ways[k])->algorithm == permitted) {
                return false;
            }
        }
        for (size_t k = 0; k < schemes[1].way_count; k++) {
            pss = pss || schsm_operation_traits(schemes[1].ways[k])->algorithm == permitted;
        }
    }
    return pss;
}

const struct schsm_signature_scheme *schsm_signature_scheme(const struct schsm_issue *issue,
                                                            EVP_PKEY *public_key,
                                                            struct schsm_error *err)
{
    bool pss = EVP_PKEY_is_a(public_key, "RSA") && (issue->pss || permits_pss_alone(issue));

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (EVP_PKEY_is_a(public_key, schemes[i].key) && schemes[i].pss == pss &&
            (schemes[i].bits == 0 || EVP_PKEY_get_bits(public_key) <= schemes[i].bits)) {
            return &schemes[i];
        }
    }
    schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
               "this key signs nothing: an RSA, EC, Ed25519 or Ed448 key is needed");
    return NULL;
}

struct schsm_view schsm_signature_algorithm(const struct schsm_signature_scheme *scheme)
{
    return (struct schsm_view){ scheme->algorithm, scheme->algorithm_len };
}

/* 00 01 FF .. FF 00 DigestInfo, as long as the modulus (RFC 8017, 9.2) */
static int pad_pkcs1(size_t modulus, const uint8_t *info, size_t len, uint8_t *block,
                     struct schsm_error *err)
{
    if (modulus > SCHSM_MODULUS_MAX || modulus < len + 11) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED, "RSA keys of %zu bits are not used here",
                          8 * modulus);
    }
    memset(block, 0xFF, modulus);
    block[0] = 0x00;
    block[1] = 0x01;
    block[modulus - len - 1] = 0x00;
    memcpy(block + modulus - len, info, len);
    return 1;
}

/* What the device gets in this way. *input points to the message or into block. */
static int prepare(enum schsm_operation way, EVP_PKEY *key, const uint8_t *hash, size_t hash_len,
                   struct schsm_view message, uint8_t block[SCHSM_MODULUS_MAX],
                   struct schsm_view *input, struct schsm_error *err)
{
    uint8_t info[sizeof(digest_info_sha256) + EVP_MAX_MD_SIZE];
    size_t info_len = sizeof(digest_info_sha256) + hash_len;
    size_t modulus = (size_t)EVP_PKEY_get_size(key);
    size_t order = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;

    *input = message;
    memcpy(info, digest_info_sha256, sizeof(digest_info_sha256));
    memcpy(info + sizeof(digest_info_sha256), hash, hash_len);
    switch (schsm_operation_traits(way)->input) {
    case SCHSM_INPUT_BLOCK:
        *input = (struct schsm_view){ block, modulus };
        return pad_pkcs1(modulus, info, info_len, block, err);
    case SCHSM_INPUT_DIGEST_INFO:
        memcpy(block, info, info_len);
        *input = (struct schsm_view){ block, info_len };
        return 1;
    case SCHSM_INPUT_HASH: /* ECDSA takes the leftmost bits of a hash that is longer (FIPS 186-5) */
        *input =
            (struct schsm_view){ hash,
                                 EVP_PKEY_is_a(key, "EC") && order < hash_len ? order : hash_len };
        return 1;
    case SCHSM_INPUT_MESSAGE:
    case SCHSM_INPUT_PURE_MESSAGE:
    case SCHSM_INPUT_POINT:
    case SCHSM_INPUT_ECX_PUBLIC:
    case SCHSM_INPUT_CIPHER_BLOCKS:
    case SCHSM_INPUT_CIPHER_TEXT:
    case SCHSM_INPUT_INFO:
        break;
    }
    return 1;
}

int schsm_signature_make(const struct schsm_issue *issue, EVP_PKEY *public_key,
                         const struct schsm_signature_scheme *scheme, const uint8_t *message,
                         size_t len, uint8_t **signature, size_t *signature_len,
                         struct schsm_error *err)
{
    const struct schsm_match *key = issue->key;
    uint8_t hash[EVP_MAX_MD_SIZE] = { 0 }, block[SCHSM_MODULUS_MAX], result[SIGNATURE_MAX];
    struct schsm_error found = SCHSM_ERROR_INIT;
    size_t hash_len = 0, result_len = 0;
    struct schsm_view input;
    int ok = 0;

    *signature = NULL;
    if (scheme->digest != NULL && EVP_Q_digest(issue->context->libctx, scheme->digest, NULL,
                                               message, len, hash, &hash_len) != 1) {
        return schsm_fail(err, SCHSM_REASON_CRYPTO, "libcrypto could not compute %s",
                          scheme->digest);
    }
    for (size_t i = 0; i < scheme->way_count && !ok; i++) {
        if (!prepare(scheme->ways[i], public_key, hash, hash_len,
                     (struct schsm_view){ message, len }, block, &input, &found)) {
            break;
        }
        result_len = sizeof(result);
        ok = schsm_device_operate(key->device, scheme->ways[i], &key->object, issue->login,
                                  input.data, input.len, result, &result_len, &found);
        if (!ok && found.reason != SCHSM_REASON_NOT_PERMITTED) {
            break;
        }
    }
    if (!ok) {
        return schsm_fail_as(err, &found);
    }
    *signature = OPENSSL_memdup(result, result_len);
    *signature_len = result_len;
    return *signature != NULL ? 1 : schsm_fail_memory(err);
}
