/* SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/x509.h>

#define ROOM 1024     /* bytes: every signature and ciphertext */
#define SECRET_LEN 32 /* of what is encrypted, and of an agreement on P-256 */

/* --- signatures ------------------------------------------------------------------------------ */

static int set_padding(EVP_PKEY_CTX *ctx, int padding)
{
    return padding == 0 || (EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0 &&
                            (padding != RSA_PKCS1_PSS_PADDING ||
                             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0));
}

static int sign(EVP_PKEY *key, int padding, const char *text, unsigned char *out, size_t *out_len)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    int ok = md != NULL && EVP_DigestSignInit_ex(md, &ctx, "SHA256", NULL, NULL, key, NULL) > 0 &&
             set_padding(ctx, padding) &&
             EVP_DigestSign(md, out, out_len, (const unsigned char *)text, strlen(text)) > 0;

    EVP_MD_CTX_free(md);
    return ok;
}

static int is_signature(const struct program_key *key, int padding, const char *text,
                        const unsigned char *in, size_t in_len)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    int ok = md != NULL &&
             EVP_DigestVerifyInit_ex(md, &ctx, "SHA256", key->other, NULL, key->judge, NULL) > 0 &&
             set_padding(ctx, padding) &&
             EVP_DigestVerify(md, in, in_len, (const unsigned char *)text, strlen(text)) == 1;

    EVP_MD_CTX_free(md);
    return ok;
}

static enum outcome sign_with(EVP_PKEY *key, const struct program_key *judge, int padding,
                              unsigned int number)
{
    unsigned char signature[ROOM];
    size_t len = sizeof(signature);
    char text[32];

    (void)snprintf(text, sizeof(text), "message %u", number);
    if (!sign(key, padding, text, signature, &len)) {
        return OUTCOME_REFUSED;
    }
    return is_signature(judge, padding, text, signature, len) ? OUTCOME_OK : OUTCOME_WRONG;
}

static enum outcome run_pkcs1(const struct operations_keys *keys, unsigned int number)
{
    return sign_with(keys->rsa.key, &keys->rsa, RSA_PKCS1_PADDING, number);
}

static enum outcome run_pss(const struct operations_keys *keys, unsigned int number)
{
    return sign_with(keys->rsa.key, &keys->rsa, RSA_PKCS1_PSS_PADDING, number);
}

static enum outcome run_ecdsa(const struct operations_keys *keys, unsigned int number)
{
    return sign_with(keys->ec.key, &keys->ec, 0, number);
}

/* --- decryption and key agreement ------------------------------------------------------------ */

static int encrypt(const struct program_key *key, const unsigned char *in, unsigned char *out,
                   size_t *out_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(key->other, key->judge, NULL);
    int ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) > 0 &&
             EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
             EVP_PKEY_encrypt(ctx, out, out_len, in, SECRET_LEN) > 0;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static enum outcome run_oaep(const struct operations_keys *keys, unsigned int number)
{
    unsigned char secret[SECRET_LEN], sent[ROOM], opened[ROOM];
    size_t sent_len = sizeof(sent), opened_len = sizeof(opened);
    EVP_PKEY_CTX *ctx = NULL;
    int ok = 0;

    (void)number;
    if (RAND_bytes(secret, sizeof(secret)) <= 0 || !encrypt(&keys->rsa, secret, sent, &sent_len)) {
        return OUTCOME_WRONG;
    }
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, keys->rsa.key, NULL);
    ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) > 0 &&
         EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
         EVP_PKEY_decrypt(ctx, opened, &opened_len, sent, sent_len) > 0;
    EVP_PKEY_CTX_free(ctx);
    if (!ok) {
        return OUTCOME_REFUSED;
    }
    return opened_len == SECRET_LEN && memcmp(opened, secret, SECRET_LEN) == 0 ? OUTCOME_OK
                                                                               : OUTCOME_WRONG;
}

static int derive(OSSL_LIB_CTX *context, EVP_PKEY *key, EVP_PKEY *peer,
                  unsigned char out[SECRET_LEN])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(context, key, NULL);
    size_t len = SECRET_LEN;
    int ok = ctx != NULL && EVP_PKEY_derive_init(ctx) > 0 &&
             EVP_PKEY_derive_set_peer(ctx, peer) > 0 && EVP_PKEY_derive(ctx, out, &len) > 0 &&
             len == SECRET_LEN;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* A public key as another library context has it. */
static EVP_PKEY *carry_over(EVP_PKEY *key, OSSL_LIB_CTX *context)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    const unsigned char *next = der;
    EVP_PKEY *result = len > 0 ? d2i_PUBKEY_ex(NULL, &next, len, context, NULL) : NULL;

    OPENSSL_free(der);
    return result;
}

static enum outcome run_ecdh(const struct operations_keys *keys, unsigned int number)
{
    unsigned char ours[SECRET_LEN], theirs[SECRET_LEN];
    enum outcome outcome = OUTCOME_WRONG;
    EVP_PKEY *peer = EVP_PKEY_Q_keygen(keys->ec.other, NULL, "EC", "P-256");
    EVP_PKEY *public = peer != NULL ? carry_over(peer, NULL) : NULL;

    (void)number;
    if (public != NULL && derive(keys->ec.other, peer, keys->ec.judge, theirs)) {
        if (!derive(NULL, keys->ec.key, public, ours)) {
            outcome = OUTCOME_REFUSED;
        } else if (memcmp(ours, theirs, SECRET_LEN) == 0) {
            outcome = OUTCOME_OK;
        }
    }
    EVP_PKEY_free(public);
    EVP_PKEY_free(peer);
    return outcome;
}

/* --- loading and listing --------------------------------------------------------------------- */

/* Loads the key anew and signs with it, so that it is known to be the right one. */
static enum outcome load(const struct operations_keys *keys, const char *const names[2],
                         unsigned int number)
{
    int which = number % 2 == 0 ? 0 : 1;
    const struct program_key *judge = which == 0 ? &keys->rsa : &keys->ec;
    EVP_PKEY *key = program_first_key(names[which]);
    enum outcome outcome = OUTCOME_REFUSED;

    if (key != NULL) {
        outcome = sign_with(key, judge, which == 0 ? RSA_PKCS1_PADDING : 0, number);
    }
    EVP_PKEY_free(key);
    return outcome;
}

static enum outcome run_load_file(const struct operations_keys *keys, unsigned int number)
{
    return load(keys, keys->files, number);
}

static enum outcome run_load_uri(const struct operations_keys *keys, unsigned int number)
{
    return load(keys, keys->uris, number);
}

int operations_list(const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    int count = 0;

    if (store == NULL) {
        return -1;
    }
    while (!OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        count += info != NULL;
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return ERR_peek_error() == 0 ? count : -1;
}

static enum outcome run_list(const struct operations_keys *keys, unsigned int number)
{
    int count = operations_list(keys->everything);

    (void)number;
    if (count < 0) {
        return OUTCOME_REFUSED;
    }
    return (unsigned int)count == keys->everything_count ? OUTCOME_OK : OUTCOME_WRONG;
}

const struct operation operations[] = {
    { "rsa-pkcs1", run_pkcs1, 4 },   { "rsa-pss", run_pss, 4 }, { "rsa-oaep", run_oaep, 4 },
    { "ecdsa", run_ecdsa, 6 },       { "ecdh", run_ecdh, 4 },   { "load-file", run_load_file, 3 },
    { "load-uri", run_load_uri, 2 }, { "list", run_list, 1 },
};
const size_t operations_count = sizeof(operations) / sizeof(operations[0]);
