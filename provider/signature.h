/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What RSA and ECDSA signatures have in common: everything but the private operation.
 *
 * Each context has a twin, the default provider's context for the same operation on the same
 * key's public part, in our own library context. The twin parses, checks and answers all
 * parameters, AlgorithmIdentifiers included, so that ours are the default provider's in every
 * version of OpenSSL. It also does the whole operation where no device is needed: verification,
 * and signing with software keys. For a device key we hash and pad ourselves, by the parameters
 * that the twin holds, and the device does the private operation.
 *
 * A key whose algorithm list permits only signatures that the device hashes itself needs the
 * message. Its first SCHSM_MESSAGE_MAX bytes are kept while it is hashed: what TLS, requests and
 * CMS sign is that short, and no device takes much more in one command.
 */
#ifndef SCHSM_PROVIDER_SIGNATURE_H
#define SCHSM_PROVIDER_SIGNATURE_H

#include <stdbool.h>

#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

#include "digest.h"
#include "pkey.h"

/* What the algorithm puts on its parameters; static const. */
struct schsm_signature_scheme {
    const char *name;           /* the default provider's, for its parameter tables */
    const OSSL_PARAM *settable; /* what a device honours, honoured.h */
    /*
     * Signs data, a digest if one is set, with the device. The caller has checked that sig_size is
     * at least the key's signature size.
     */
    int (*device_sign)(void *vctx, unsigned char *sig, size_t *sig_len, size_t sig_size,
                       const unsigned char *data, size_t data_len);
};

extern const struct schsm_signature_scheme schsm_signature_scheme_rsa;
extern const struct schsm_signature_scheme schsm_signature_scheme_ecdsa;

struct schsm_signature {
    const struct schsm_signature_scheme *scheme;
    const char *digest;      /* of an algorithm that has it in its name; static */
    unsigned char *expected; /* the signature to verify a message by, before it is complete */
    size_t expected_len;
    struct schsm_provider *prov;
    struct schsm_pkey *key;  /* NULL before the first init */
    bool on_device;          /* signing with a device key; else the twin does it all */
    EVP_PKEY_CTX *twin;      /* NULL before init; owned by twin_digest if that is set */
    EVP_MD_CTX *twin_digest; /* for DigestSign and DigestVerify */
    EVP_MD_CTX *hash;        /* DigestSign on a device: the message so far */
    EVP_MD *md, *mgf1_md;    /* as last used on a device, kept to save fetching */
    unsigned char *message;  /* what was hashed, as long as message_whole is set */
    size_t message_len;
    bool message_whole;
};

void *schsm_signature_new(void *provctx, const struct schsm_signature_scheme *scheme);

/* The digest in force into ctx->md, its size to *size; 0 and ctx->md NULL where none is set. */
int schsm_signature_digest(struct schsm_signature *ctx, size_t *size);

/*
 * Adds the operation that signs the message with ctx->md, hashed by the device, where there is one
 * and the message is at hand. 0 where there is one, but not the message.
 */
int schsm_signature_attempt_message(const struct schsm_signature *ctx, enum schsm_key_type key_type,
                                    enum schsm_padding padding, struct schsm_attempts *attempts);

/* The hint for that case. */
#define SCHSM_HINT_MESSAGE                                                                         \
    "or the algorithm that hashes as well and a message of at most 1000 bytes"

OSSL_FUNC_signature_freectx_fn schsm_signature_free;
OSSL_FUNC_signature_dupctx_fn schsm_signature_dup;
OSSL_FUNC_signature_sign_init_fn schsm_signature_sign_init;
OSSL_FUNC_signature_sign_fn schsm_signature_sign;
OSSL_FUNC_signature_verify_init_fn schsm_signature_verify_init;
OSSL_FUNC_signature_verify_fn schsm_signature_verify;
OSSL_FUNC_signature_verify_recover_fn schsm_signature_verify_recover;
OSSL_FUNC_signature_digest_sign_init_fn schsm_signature_digest_sign_init;
OSSL_FUNC_signature_digest_sign_update_fn schsm_signature_digest_sign_update;
OSSL_FUNC_signature_digest_sign_final_fn schsm_signature_digest_sign_final;
OSSL_FUNC_signature_digest_sign_fn schsm_signature_digest_sign;
OSSL_FUNC_signature_digest_verify_init_fn schsm_signature_digest_verify_init;
OSSL_FUNC_signature_digest_verify_update_fn schsm_signature_digest_verify_update;
OSSL_FUNC_signature_digest_verify_final_fn schsm_signature_digest_verify_final;
OSSL_FUNC_signature_digest_verify_fn schsm_signature_digest_verify;
OSSL_FUNC_signature_get_ctx_params_fn schsm_signature_get_params;
OSSL_FUNC_signature_set_ctx_params_fn schsm_signature_set_params;
OSSL_FUNC_signature_get_ctx_md_params_fn schsm_signature_get_md_params;
OSSL_FUNC_signature_gettable_ctx_md_params_fn schsm_signature_gettable_md_params;
OSSL_FUNC_signature_set_ctx_md_params_fn schsm_signature_set_md_params;
OSSL_FUNC_signature_settable_ctx_md_params_fn schsm_signature_settable_md_params;

/* Static tables of the default provider; vctx may be NULL. */
const OSSL_PARAM *schsm_signature_gettable_params(const struct schsm_signature_scheme *scheme,
                                                  void *vctx, void *provctx);
const OSSL_PARAM *schsm_signature_settable_params(const struct schsm_signature_scheme *scheme,
                                                  void *vctx, void *provctx);

/* For the algorithms' own init functions: a fresh twin, started by one of EVP_PKEY_*_init_ex. */
int schsm_signature_start(struct schsm_signature *ctx, void *vkey, bool sign,
                          int (*init)(EVP_PKEY_CTX *twin, const OSSL_PARAM params[]),
                          const OSSL_PARAM params[]);

#endif
