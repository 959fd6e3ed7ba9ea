/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatch tables of all operations; provider.c gathers them into the algorithm tables. */
#ifndef SCHSM_PROVIDER_IMPLEMENTATIONS_H
#define SCHSM_PROVIDER_IMPLEMENTATIONS_H

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

extern const OSSL_DISPATCH schsm_keymgmt_rsa[];
extern const OSSL_DISPATCH schsm_keymgmt_rsa_pss[];
extern const OSSL_DISPATCH schsm_keymgmt_ec[];
extern const OSSL_DISPATCH schsm_keymgmt_ed25519[];
extern const OSSL_DISPATCH schsm_keymgmt_ed448[];
extern const OSSL_DISPATCH schsm_keymgmt_x25519[];
extern const OSSL_DISPATCH schsm_keymgmt_x448[];
/* SC-HSM-RSA, SC-HSM-RSA-PSS, SC-HSM-EC, SC-HSM-ED25519, ...: generate on the device */
extern const OSSL_DISPATCH schsm_keymgmt_device_rsa[];
extern const OSSL_DISPATCH schsm_keymgmt_device_rsa_pss[];
extern const OSSL_DISPATCH schsm_keymgmt_device_ec[];
extern const OSSL_DISPATCH schsm_keymgmt_device_ed25519[];
extern const OSSL_DISPATCH schsm_keymgmt_device_ed448[];
extern const OSSL_DISPATCH schsm_keymgmt_device_x25519[];
extern const OSSL_DISPATCH schsm_keymgmt_device_x448[];

extern const OSSL_DISPATCH schsm_signature_rsa[];
extern const OSSL_DISPATCH schsm_signature_ecdsa[];
extern const OSSL_DISPATCH schsm_signature_eddsa[];
/*
 * OpenSSL 3.4 and later have an algorithm for each digest as well. X(symbol, scheme, digest,
 * names): the names are the default provider's, all or some; a name must not be in two rows.
 */
#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
/* clang-format off */
#define SCHSM_MESSAGE_ALGORITHMS(X)                                                                \
    X(rsa_ripemd160, rsa, "RIPEMD160", "RSA-RIPEMD160:ripemd160WithRSA:1.3.36.3.3.1.2")            \
    X(rsa_sha1, rsa, "SHA1", "RSA-SHA1:RSA-SHA-1:sha1WithRSAEncryption:1.2.840.113549.1.1.5")      \
    X(rsa_sha224, rsa, "SHA224",                                                                   \
      "RSA-SHA2-224:RSA-SHA224:sha224WithRSAEncryption:1.2.840.113549.1.1.14")                     \
    X(rsa_sha256, rsa, "SHA256",                                                                   \
      "RSA-SHA2-256:RSA-SHA256:sha256WithRSAEncryption:1.2.840.113549.1.1.11")                     \
    X(rsa_sha384, rsa, "SHA384",                                                                   \
      "RSA-SHA2-384:RSA-SHA384:sha384WithRSAEncryption:1.2.840.113549.1.1.12")                     \
    X(rsa_sha512, rsa, "SHA512",                                                                   \
      "RSA-SHA2-512:RSA-SHA512:sha512WithRSAEncryption:1.2.840.113549.1.1.13")                     \
    X(rsa_sha512_224, rsa, "SHA512-224", "RSA-SHA2-512/224:RSA-SHA512-224:"                        \
      "sha512-224WithRSAEncryption:1.2.840.113549.1.1.15")                                         \
    X(rsa_sha512_256, rsa, "SHA512-256", "RSA-SHA2-512/256:RSA-SHA512-256:"                        \
      "sha512-256WithRSAEncryption:1.2.840.113549.1.1.16")                                         \
    X(rsa_sha3_224, rsa, "SHA3-224",                                                               \
      "RSA-SHA3-224:id-rsassa-pkcs1-v1_5-with-sha3-224:2.16.840.1.101.3.4.3.13")                   \
    X(rsa_sha3_256, rsa, "SHA3-256",                                                               \
      "RSA-SHA3-256:id-rsassa-pkcs1-v1_5-with-sha3-256:2.16.840.1.101.3.4.3.14")                   \
    X(rsa_sha3_384, rsa, "SHA3-384",                                                               \
      "RSA-SHA3-384:id-rsassa-pkcs1-v1_5-with-sha3-384:2.16.840.1.101.3.4.3.15")                   \
    X(rsa_sha3_512, rsa, "SHA3-512",                                                               \
      "RSA-SHA3-512:id-rsassa-pkcs1-v1_5-with-sha3-512:2.16.840.1.101.3.4.3.16")                   \
    X(ecdsa_sha1, ecdsa, "SHA1", "ECDSA-SHA1:ECDSA-SHA-1:ecdsa-with-SHA1:1.2.840.10045.4.1")       \
    X(ecdsa_sha224, ecdsa, "SHA224",                                                               \
      "ECDSA-SHA2-224:ECDSA-SHA224:ecdsa-with-SHA224:1.2.840.10045.4.3.1")                         \
    X(ecdsa_sha256, ecdsa, "SHA256",                                                               \
      "ECDSA-SHA2-256:ECDSA-SHA256:ecdsa-with-SHA256:1.2.840.10045.4.3.2")                         \
    X(ecdsa_sha384, ecdsa, "SHA384",                                                               \
      "ECDSA-SHA2-384:ECDSA-SHA384:ecdsa-with-SHA384:1.2.840.10045.4.3.3")                         \
    X(ecdsa_sha512, ecdsa, "SHA512",                                                               \
      "ECDSA-SHA2-512:ECDSA-SHA512:ecdsa-with-SHA512:1.2.840.10045.4.3.4")                         \
    X(ecdsa_sha3_224, ecdsa, "SHA3-224", "ECDSA-SHA3-224:ecdsa_with_SHA3-224:"                     \
      "id-ecdsa-with-sha3-224:2.16.840.1.101.3.4.3.9")                                             \
    X(ecdsa_sha3_256, ecdsa, "SHA3-256", "ECDSA-SHA3-256:ecdsa_with_SHA3-256:"                     \
      "id-ecdsa-with-sha3-256:2.16.840.1.101.3.4.3.10")                                            \
    X(ecdsa_sha3_384, ecdsa, "SHA3-384", "ECDSA-SHA3-384:ecdsa_with_SHA3-384:"                     \
      "id-ecdsa-with-sha3-384:2.16.840.1.101.3.4.3.11")                                            \
    X(ecdsa_sha3_512, ecdsa, "SHA3-512", "ECDSA-SHA3-512:ecdsa_with_SHA3-512:"                     \
      "id-ecdsa-with-sha3-512:2.16.840.1.101.3.4.3.12")
/* clang-format on */
#else
#define SCHSM_MESSAGE_ALGORITHMS(X)
#endif

#define SCHSM_DECLARE(symbol, scheme, digest, names)                                               \
    extern const OSSL_DISPATCH schsm_signature_##symbol[];
SCHSM_MESSAGE_ALGORITHMS(SCHSM_DECLARE)
#undef SCHSM_DECLARE

extern const OSSL_DISPATCH schsm_asym_cipher_rsa[];
extern const OSSL_DISPATCH schsm_keyexch_ecdh[];
extern const OSSL_DISPATCH schsm_keyexch_ecx[];
extern const OSSL_DISPATCH schsm_kem_rsa[];
/* OpenSSL 3.2 and later. */
#ifdef OSSL_FUNC_KEM_AUTH_ENCAPSULATE_INIT
extern const OSSL_DISPATCH schsm_kem_dhkem[];
#endif

/* OpenSSL 3.5 and later. */
#ifdef OSSL_OP_SKEYMGMT
extern const OSSL_DISPATCH schsm_skeymgmt_aes[];
extern const OSSL_DISPATCH schsm_cipher_aes_128_cbc[];
extern const OSSL_DISPATCH schsm_cipher_aes_192_cbc[];
extern const OSSL_DISPATCH schsm_cipher_aes_256_cbc[];
extern const OSSL_DISPATCH schsm_mac_cmac[];
#endif
/* OpenSSL 3.6 and later. */
#ifdef OSSL_FUNC_KDF_SET_SKEY
extern const OSSL_DISPATCH schsm_kdf_derive[];
#endif

extern const OSSL_DISPATCH schsm_store[];

extern const OSSL_DISPATCH schsm_decoder_pem[];
extern const OSSL_DISPATCH schsm_decoder_der_rsa[];
extern const OSSL_DISPATCH schsm_decoder_der_rsa_pss[];
extern const OSSL_DISPATCH schsm_decoder_der_ec[];
extern const OSSL_DISPATCH schsm_decoder_der_ed25519[];
extern const OSSL_DISPATCH schsm_decoder_der_ed448[];
extern const OSSL_DISPATCH schsm_decoder_der_x25519[];
extern const OSSL_DISPATCH schsm_decoder_der_x448[];

/*
 * The forms that encoders write, the same for all key types, because the key knows its own.
 * X(symbol, output, structure): the last ones are for whoever names no structure, see encoder.c.
 */
/* clang-format off */
#define SCHSM_ENCODER_FORMS(X)                                                                     \
    X(pkcs8_pem, "pem", "PrivateKeyInfo")                                                          \
    X(pkcs8_der, "der", "PrivateKeyInfo")                                                          \
    X(encrypted_pkcs8_pem, "pem", "EncryptedPrivateKeyInfo")                                       \
    X(encrypted_pkcs8_der, "der", "EncryptedPrivateKeyInfo")                                       \
    X(spki_pem, "pem", "SubjectPublicKeyInfo")                                                     \
    X(spki_der, "der", "SubjectPublicKeyInfo")                                                     \
    X(specific_pem, "pem", "type-specific")                                                        \
    X(specific_der, "der", "type-specific")                                                        \
    X(text, "text", NULL)                                                                          \
    X(any_pem, "pem", NULL)                                                                        \
    X(any_der, "der", NULL)

/* Only EC: the default provider's encoders import no SM2 key of ours, so they cannot do it. */
#define SCHSM_ENCODER_FORMS_EC(X)                                                                  \
    X(ec_pem, "pem", "EC")                                                                         \
    X(ec_der, "der", "EC")                                                                         \
    X(x9_62_pem, "pem", "X9.62")                                                                   \
    X(x9_62_der, "der", "X9.62")                                                                   \
    X(blob, "blob", NULL)
/* clang-format on */

#define SCHSM_DECLARE(symbol, output, structure)                                                   \
    extern const OSSL_DISPATCH schsm_encoder_##symbol[];
SCHSM_ENCODER_FORMS(SCHSM_DECLARE)
SCHSM_ENCODER_FORMS_EC(SCHSM_DECLARE)
#undef SCHSM_DECLARE

#endif
