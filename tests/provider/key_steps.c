/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_steps KEY CERTIFICATE: takes every step that programs take with a private key, KEY being a
 * file or a URI. After each, libcrypto's error queue must be empty, and what the key tells of
 * itself must be what OpenSSL's own provider tells of the certificate's public key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <openssl/x509.h>

static int failures;

/* The step's outcome and what it left behind. */
static void step(const char *name, int ok)
{
    if (!ok || ERR_peek_error() != 0) {
        failures++;
        printf("FAILED: %s%s\n", name, ok ? ": it left this behind" : "");
        ERR_print_errors_fp(stdout);
    }
}

static EVP_PKEY *load_key(const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    step("OSSL_STORE_open", store != NULL);
    if (store == NULL) {
        return NULL;
    }
    step("OSSL_STORE_expect", OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY));
    while (store != NULL && key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL) {
            key = OSSL_STORE_INFO_get1_PKEY(info);
        }
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    step("OSSL_STORE_load", key != NULL);
    return key;
}

static X509 *load_certificate(const char *file)
{
    BIO *in = BIO_new_file(file, "r");
    X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);

    BIO_free(in);
    step("PEM_read_bio_X509", certificate != NULL);
    return certificate;
}

/* The certificate's key where there is no provider but OpenSSL's own. */
static EVP_PKEY *plain_key(OSSL_LIB_CTX *libctx, X509 *certificate)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    EVP_PKEY *key;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

    p = der;
    key = d2i_PUBKEY_ex(NULL, &p, len, libctx, NULL);
    OPENSSL_free(der);
    step("d2i_PUBKEY_ex", key != NULL);
    return key;
}

/* One parameter of a key, as bytes; -1 where it has none. */
static long get_param(const EVP_PKEY *key, const OSSL_PARAM *described, unsigned char value[1024])
{
    OSSL_PARAM params[2] = { *described, OSSL_PARAM_construct_end() };
    long long number = 0;

    memset(value, 0, 1024);
    params[0].data = value;
    params[0].data_size = 1024;
    if (described->data_type == OSSL_PARAM_INTEGER) {
        params[0].data = &number;
        params[0].data_size = sizeof(number);
    }
    params[0].return_size = OSSL_PARAM_UNMODIFIED;
    ERR_set_mark();
    if (!EVP_PKEY_get_params(key, params) || !OSSL_PARAM_modified(params)) {
        ERR_pop_to_mark();
        return -1;
    }
    ERR_clear_last_mark();
    if (described->data_type == OSSL_PARAM_INTEGER) {
        memcpy(value, &number, sizeof(number));
    }
    return (long)params[0].return_size;
}

static void compare_params(const char *name, const EVP_PKEY *key, const EVP_PKEY *plain)
{
    const OSSL_PARAM *p = EVP_PKEY_gettable_params(plain);
    unsigned char value[1024], plain_value[1024];
    int compared = 0;

    for (; p != NULL && p->key != NULL; p++) {
        long len = get_param(key, p, value);
        long plain_len = get_param(plain, p, plain_value);
        char text[200];

        (void)snprintf(text, sizeof(text), "%s: parameter %s", name, p->key);
        step(text, len == plain_len && memcmp(value, plain_value, sizeof(value)) == 0);
        compared += plain_len >= 0;
    }
    step("enough parameters were compared", compared >= 5);
    for (p = EVP_PKEY_gettable_params(key); p != NULL && p->key != NULL; p++) {
        (void)get_param(key, p, value);
        step(p->key, 1);
    }
}

static void compare_getters(const EVP_PKEY *key, const EVP_PKEY *plain)
{
    char name[80] = "", plain_name[80] = "";
    size_t len = 0;
    int kind, plain_kind;

    step("EVP_PKEY_get_bits", EVP_PKEY_get_bits(key) == EVP_PKEY_get_bits(plain));
    step("EVP_PKEY_get_security_bits",
         EVP_PKEY_get_security_bits(key) == EVP_PKEY_get_security_bits(plain));
    step("EVP_PKEY_get_size", EVP_PKEY_get_size(key) == EVP_PKEY_get_size(plain));
    step("EVP_PKEY_get_id", EVP_PKEY_get_id(key) == EVP_PKEY_get_id(plain));
    step("EVP_PKEY_get_base_id", EVP_PKEY_get_base_id(key) == EVP_PKEY_get_base_id(plain));
    step("EVP_PKEY_can_sign", EVP_PKEY_can_sign(key) == EVP_PKEY_can_sign(plain));
    kind = EVP_PKEY_get_default_digest_name((EVP_PKEY *)key, name, sizeof(name));
    plain_kind =
        EVP_PKEY_get_default_digest_name((EVP_PKEY *)plain, plain_name, sizeof(plain_name));
    step("EVP_PKEY_get_default_digest_name", kind == plain_kind && strcmp(name, plain_name) == 0);
    if (EVP_PKEY_is_a(key, "EC")) {
        unsigned char *point = NULL, *plain_point = NULL;
        size_t point_len = EVP_PKEY_get1_encoded_public_key((EVP_PKEY *)key, &point);
        size_t plain_len = EVP_PKEY_get1_encoded_public_key((EVP_PKEY *)plain, &plain_point);

        step("EVP_PKEY_get1_encoded_public_key",
             point_len > 0 && point_len == plain_len && memcmp(point, plain_point, plain_len) == 0);
        OPENSSL_free(point);
        OPENSSL_free(plain_point);
        step("EVP_PKEY_get_group_name",
             EVP_PKEY_get_group_name(key, name, sizeof(name), &len) &&
                 EVP_PKEY_get_group_name(plain, plain_name, sizeof(plain_name), &len) &&
                 strcmp(name, plain_name) == 0);
    }
}

static void sign_and_verify(EVP_PKEY *key, EVP_PKEY *verifier, const char *name)
{
    static const unsigned char message[] = "to be signed";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    unsigned char sig[600], again[600];
    size_t len = 0, again_len = sizeof(again);

    step(name, EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) == 1);
    step("EVP_DigestSignUpdate", EVP_DigestSignUpdate(ctx, message, sizeof(message)) == 1);
    step("EVP_MD_CTX_copy_ex", EVP_MD_CTX_copy_ex(copy, ctx) == 1);
    step("EVP_DigestSignFinal, length", EVP_DigestSignFinal(ctx, NULL, &len) == 1);
    step("EVP_DigestSignFinal", len <= sizeof(sig) && EVP_DigestSignFinal(ctx, sig, &len) == 1);
    step("of the copy", EVP_DigestSignFinal(copy, again, &again_len) == 1);
    EVP_MD_CTX_free(copy);
    EVP_MD_CTX_free(ctx);
    ctx = EVP_MD_CTX_new();
    step("EVP_DigestVerifyInit_ex",
         EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, verifier, NULL) == 1);
    step("EVP_DigestVerify", EVP_DigestVerify(ctx, sig, len, message, sizeof(message)) == 1);
    EVP_MD_CTX_free(ctx);
    ctx = EVP_MD_CTX_new();
    step("EVP_DigestVerifyInit_ex",
         EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) == 1);
    step("EVP_DigestVerify, copy",
         EVP_DigestVerify(ctx, again, again_len, message, sizeof(message)) == 1);
    EVP_MD_CTX_free(ctx);
}

#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
/* Signed by our algorithm, verified by OpenSSL's own. */
static void sign_message(EVP_PKEY *key, EVP_PKEY *plain, OSSL_LIB_CTX *plain_libctx)
{
    static const unsigned char message[] = "to be signed";
    const char *name = EVP_PKEY_is_a(key, "EC") ? "ECDSA-SHA2-256" : "RSA-SHA2-256";
    EVP_SIGNATURE *ours = EVP_SIGNATURE_fetch(NULL, name, "provider=sc-hsm");
    EVP_SIGNATURE *theirs = EVP_SIGNATURE_fetch(plain_libctx, name, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    unsigned char sig[1024];
    size_t len = sizeof(sig);

    step("EVP_PKEY_sign_message_init", EVP_PKEY_sign_message_init(ctx, ours, NULL) == 1);
    step("EVP_PKEY_sign_message_update",
         EVP_PKEY_sign_message_update(ctx, message, sizeof(message)) == 1);
    step("EVP_PKEY_sign_message_final", EVP_PKEY_sign_message_final(ctx, sig, &len) == 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new_from_pkey(plain_libctx, plain, NULL);
    step("EVP_PKEY_verify_message_init", EVP_PKEY_verify_message_init(ctx, theirs, NULL) == 1);
    step("EVP_PKEY_verify", EVP_PKEY_verify(ctx, sig, len, message, sizeof(message)) == 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new(key, NULL);
    step("EVP_PKEY_verify_message_init", EVP_PKEY_verify_message_init(ctx, ours, NULL) == 1);
    step("EVP_PKEY_verify", EVP_PKEY_verify(ctx, sig, len, message, sizeof(message)) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_SIGNATURE_free(theirs);
    EVP_SIGNATURE_free(ours);
}
#endif

static void decrypt(EVP_PKEY *key, EVP_PKEY *public_key)
{
    static const unsigned char secret[24] = "a secret";
    unsigned char cipher[600], plain[600];
    size_t cipher_len = sizeof(cipher), plain_len = sizeof(plain);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public_key, NULL);

    step("EVP_PKEY_encrypt_init", EVP_PKEY_encrypt_init(ctx) == 1);
    step("EVP_PKEY_encrypt",
         EVP_PKEY_encrypt(ctx, cipher, &cipher_len, secret, sizeof(secret)) == 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new(key, NULL);
    step("EVP_PKEY_decrypt_init", EVP_PKEY_decrypt_init(ctx) == 1);
    step("EVP_PKEY_decrypt", EVP_PKEY_decrypt(ctx, plain, &plain_len, cipher, cipher_len) == 1 &&
                                 plain_len == sizeof(secret) &&
                                 memcmp(plain, secret, sizeof(secret)) == 0);
    EVP_PKEY_CTX_free(ctx);
}

static void derive(EVP_PKEY *key, EVP_PKEY *public_key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public_key, NULL);
    EVP_PKEY *peer = NULL;
    unsigned char ours[100], theirs[100];
    size_t our_len = sizeof(ours), their_len = sizeof(theirs);

    step("EVP_PKEY_keygen_init", EVP_PKEY_keygen_init(ctx) == 1);
    step("EVP_PKEY_generate, a peer on the key's curve", EVP_PKEY_generate(ctx, &peer) == 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new(key, NULL);
    step("EVP_PKEY_derive_init", EVP_PKEY_derive_init(ctx) == 1);
    step("EVP_PKEY_derive_set_peer", EVP_PKEY_derive_set_peer(ctx, peer) == 1);
    step("EVP_PKEY_derive", EVP_PKEY_derive(ctx, ours, &our_len) == 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new(peer, NULL);
    step("the peer's EVP_PKEY_derive_init", EVP_PKEY_derive_init(ctx) == 1);
    step("the peer's EVP_PKEY_derive_set_peer", EVP_PKEY_derive_set_peer(ctx, public_key) == 1);
    step("the peer's EVP_PKEY_derive", EVP_PKEY_derive(ctx, theirs, &their_len) == 1);
    step("one secret", our_len == their_len && memcmp(ours, theirs, our_len) == 0);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
}

static int signs(EVP_PKEY *key)
{
    static const unsigned char message[] = "to be signed";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char sig[600];
    size_t len = sizeof(sig);
    int ok = EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
             EVP_DigestSign(ctx, sig, &len, message, sizeof(message)) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}

/* A key that has the curve and no more. */
static void copy_parameters(EVP_PKEY *key)
{
    EVP_PKEY *empty = EVP_PKEY_new();
    int refused;

    step("EVP_PKEY_copy_parameters", EVP_PKEY_copy_parameters(empty, key) == 1);
    step("EVP_PKEY_parameters_eq", EVP_PKEY_parameters_eq(empty, key) == 1);
    refused = EVP_PKEY_eq(empty, key) != 1 && !signs(empty);
    ERR_clear_error();
    step("parameters alone are not the key and sign nothing", refused);
    EVP_PKEY_free(empty);
}

static void encode(EVP_PKEY *key, EVP_PKEY *plain)
{
    static const char begin[] = "-----BEGIN SC-HSM PRIVATE KEY-----\n";
    BIO *out = BIO_new(BIO_s_mem());
    unsigned char *der = NULL, *plain_der = NULL;
    char *text = NULL;
    long text_len = 0;
    int len = i2d_PUBKEY(key, &der), plain_len = i2d_PUBKEY(plain, &plain_der);

    step("i2d_PUBKEY", len > 0 && len == plain_len && memcmp(der, plain_der, (size_t)len) == 0);
    OPENSSL_free(der);
    OPENSSL_free(plain_der);
    der = NULL;
    step("PEM_write_bio_PrivateKey",
         PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1 &&
             (text_len = BIO_get_mem_data(out, &text)) > 0 &&
             memmem(text, (size_t)text_len, begin, sizeof(begin) - 1) != NULL);
    step("i2d_PrivateKey", i2d_PrivateKey(key, &der) > 0);
    OPENSSL_free(der);
    step("EVP_PKEY_print_private", EVP_PKEY_print_private(out, key, 0, NULL) == 1);
    step("EVP_PKEY_print_public", EVP_PKEY_print_public(out, key, 0, NULL) == 1);
    step("PEM_write_bio_PUBKEY", PEM_write_bio_PUBKEY(out, key) == 1);
    BIO_free(out);
}

/* The private part goes nowhere, and says so. */
static void refuse_export(EVP_PKEY *key)
{
    OSSL_PARAM *params = NULL;
    PKCS8_PRIV_KEY_INFO *info;
    const char *data = "";
    int flags = 0;

    step("EVP_PKEY_todata of the private part",
         EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params) != 1 && params == NULL &&
             ERR_get_error_all(NULL, NULL, NULL, &data, &flags) != 0 &&
             strstr(data, "stays on the SmartCard-HSM") != NULL && (ERR_clear_error(), 1));
    info = EVP_PKEY2PKCS8(key);
    step("EVP_PKEY2PKCS8",
         info == NULL && ERR_get_error_all(NULL, NULL, NULL, &data, &flags) != 0 &&
             strstr(data, "stays on the SmartCard-HSM") != NULL && (ERR_clear_error(), 1));
    PKCS8_PRIV_KEY_INFO_free(info);
    step("EVP_PKEY_todata of the public part",
         EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &params) == 1);
    OSSL_PARAM_free(params);
}

static void use_in_tls(EVP_PKEY *key, X509 *certificate)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    step("SSL_CTX_new", ctx != NULL);
    SSL_CTX_set_security_level(ctx, 0); /* short keys too */
    step("SSL_CTX_use_certificate", SSL_CTX_use_certificate(ctx, certificate) == 1);
    step("SSL_CTX_use_PrivateKey", SSL_CTX_use_PrivateKey(ctx, key) == 1);
    step("SSL_CTX_check_private_key", SSL_CTX_check_private_key(ctx) == 1);
    SSL_CTX_free(ctx);
    ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, 0);
    step("SSL_CTX_use_PrivateKey first", SSL_CTX_use_PrivateKey(ctx, key) == 1);
    step("SSL_CTX_use_certificate then", SSL_CTX_use_certificate(ctx, certificate) == 1);
    step("SSL_CTX_check_private_key then", SSL_CTX_check_private_key(ctx) == 1);
    SSL_CTX_free(ctx);
}

static void walk(EVP_PKEY *key, X509 *certificate, EVP_PKEY *plain, OSSL_LIB_CTX *plain_libctx)
{
    EVP_PKEY *public_key = X509_get0_pubkey(certificate);
    EVP_PKEY *copy = EVP_PKEY_dup(key);

    step("EVP_PKEY_dup", copy != NULL);
    compare_params("the key", key, plain);
    compare_params("its copy", copy, plain);
    compare_getters(key, plain);
    compare_getters(copy, plain);
    step("EVP_PKEY_eq with the certificate's", EVP_PKEY_eq(key, public_key) == 1);
    step("EVP_PKEY_eq of the certificate's", EVP_PKEY_eq(public_key, key) == 1);
    step("EVP_PKEY_eq of key and copy", EVP_PKEY_eq(key, copy) == 1);
    step("X509_check_private_key", X509_check_private_key(certificate, key) == 1);
    step("X509_check_private_key of the copy", X509_check_private_key(certificate, copy) == 1);
    sign_and_verify(key, public_key, "EVP_DigestSignInit_ex");
    sign_and_verify(copy, public_key, "EVP_DigestSignInit_ex of the copy");
#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
    if (!EVP_PKEY_is_a(key, "RSA-PSS")) {
        sign_message(key, plain, plain_libctx);
        sign_message(copy, plain, plain_libctx);
    }
#else
    (void)plain_libctx;
#endif
    if (EVP_PKEY_is_a(key, "RSA")) {
        decrypt(key, public_key);
        decrypt(copy, public_key);
    }
    if (EVP_PKEY_is_a(key, "EC")) {
        derive(key, public_key);
        derive(copy, public_key);
        copy_parameters(key);
    }
    encode(key, plain);
    encode(copy, plain);
    refuse_export(key);
    refuse_export(copy);
    use_in_tls(key, certificate);
    use_in_tls(copy, certificate);
    EVP_PKEY_free(key);
    sign_and_verify(copy, public_key, "the copy without the key");
    EVP_PKEY_free(copy);
}

int main(int argc, char **argv)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    EVP_PKEY *key, *plain;
    X509 *certificate;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: key_steps KEY CERTIFICATE\n");
        return 2;
    }
    key = load_key(argv[1]);
    certificate = load_certificate(argv[2]);
    if (key == NULL || certificate == NULL) {
        return 1;
    }
    plain = plain_key(libctx, certificate);
    step("the key is our provider's",
         strcmp(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "sc-hsm") == 0);
    walk(key, certificate, plain, libctx);
    EVP_PKEY_free(plain);
    X509_free(certificate);
    OSSL_LIB_CTX_free(libctx);
    printf("%d failures\n", failures);
    return failures != 0;
}
