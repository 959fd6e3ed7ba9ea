/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the module does with software keys and with key reference files, in both orders with the
 * default provider. No device is reachable here.
 */
#include "reference.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* --- software keys -----------------------------------------------------------------------------
 */

struct kind {
    const char *names[3];
    const char *pad; /* for signatures; NULL: as it comes */
};

static const struct kind kinds[] = {
    { { "RSA", "rsaEncryption", "1.2.840.113549.1.1.1" }, NULL },
    { { "RSA-PSS", "RSASSA-PSS", "1.2.840.113549.1.1.10" }, "pss" },
    { { "EC", "id-ecPublicKey", "1.2.840.10045.2.1" }, NULL },
};

/* A software key made under that name by the providers that fit. */
static EVP_PKEY *make_key(const char *name, const char *properties)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, name, properties);
    EVP_PKEY *key = NULL;
    size_t bits = 1024;
    char group[] = "P-256", md[] = "SHA256";
    int salt_len = 32;
    OSSL_PARAM ec[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                        OSSL_PARAM_construct_end() };
    OSSL_PARAM rsa[] = { OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                         OSSL_PARAM_construct_end() };
    OSSL_PARAM pss[] = {
        OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, md, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, md, 0),
        OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, &salt_len),
        OSSL_PARAM_construct_end(),
    };

    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    if (EVP_PKEY_CTX_is_a(ctx, "EC")) {
        assert_int_equal(EVP_PKEY_CTX_set_params(ctx, ec), 1);
    } else if (EVP_PKEY_CTX_is_a(ctx, "RSA-PSS")) {
        assert_int_equal(EVP_PKEY_CTX_set_params(ctx, pss), 1);
    } else {
        assert_int_equal(EVP_PKEY_CTX_set_params(ctx, rsa), 1);
    }
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
    return key;
}

/* The same key with the default provider. */
static EVP_PKEY *as_theirs(EVP_PKEY *key, const char *name, int selection)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, name, THEIRS);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *copy = NULL;

    assert_int_equal(EVP_PKEY_todata(key, selection, &params), 1);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &copy, selection, params), 1);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
    return copy;
}

static void signs_and_verifies(EVP_PKEY *key, EVP_PKEY *theirs)
{
    static const unsigned char message[] = "to be signed";
    unsigned char sig[512];
    size_t len = sizeof(sig);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", libctx, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &len, message, sizeof(message)), 1);
    EVP_MD_CTX_free(ctx);
    ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", libctx, NULL, theirs, NULL), 1);
    assert_int_equal(EVP_DigestVerify(ctx, sig, len, message, sizeof(message)), 1);
    EVP_MD_CTX_free(ctx);
    ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", libctx, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestVerify(ctx, sig, len, message, sizeof(message)), 1);
    EVP_MD_CTX_free(ctx);
    assert_no_errors();
}

#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
/* By whichever provider has the algorithm for those who ask for none: it must take any key. */
static void signs_and_verifies_messages(EVP_PKEY *signer, EVP_PKEY *verifier)
{
    static const unsigned char message[] = "to be signed";
    EVP_SIGNATURE *algorithm = EVP_SIGNATURE_fetch(
        libctx, EVP_PKEY_is_a(signer, "EC") ? "ECDSA-SHA2-256" : "RSA-SHA2-256", NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, signer, NULL);
    unsigned char sig[512];
    size_t len = sizeof(sig);

    assert_ptr_equal(EVP_SIGNATURE_get0_provider(algorithm), first);
    assert_int_equal(EVP_PKEY_sign_message_init(ctx, algorithm, NULL), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, sig, &len, message, sizeof(message)), 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new_from_pkey(libctx, verifier, NULL);
    assert_int_equal(EVP_PKEY_verify_message_init(ctx, algorithm, NULL), 1);
    assert_int_equal(EVP_PKEY_verify(ctx, sig, len, message, sizeof(message)), 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_SIGNATURE_free(algorithm);
    assert_no_errors();
}
#endif

static void encrypts_and_decrypts(EVP_PKEY *key, EVP_PKEY *theirs)
{
    unsigned char secret[24] = "a secret", cipher[512], plain[512];
    size_t cipher_len = sizeof(cipher), plain_len = sizeof(plain);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, theirs, NULL);

    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_encrypt(ctx, cipher, &cipher_len, secret, sizeof(secret)), 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_decrypt(ctx, plain, &plain_len, cipher, cipher_len), 1);
    assert_int_equal(plain_len, sizeof(secret));
    assert_memory_equal(plain, secret, sizeof(secret));
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
}

static void derive(EVP_PKEY *key, EVP_PKEY *peer, unsigned char secret[32])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    size_t len = 32;

    assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
    assert_int_equal(EVP_PKEY_derive(ctx, secret, &len), 1);
    assert_int_equal(len, 32);
    EVP_PKEY_CTX_free(ctx);
    assert_no_errors();
}

static void agrees(EVP_PKEY *key, EVP_PKEY *theirs)
{
    EVP_PKEY *peer = make_key("EC", THEIRS);
    unsigned char one[32], other[32];

    derive(key, peer, one);
    derive(peer, theirs, other);
    assert_memory_equal(one, other, sizeof(one));
    EVP_PKEY_free(peer);
}

/* What an encoder writes; freed by the caller. */
static unsigned char *encoded(EVP_PKEY *key, int selection, const char *output,
                              const char *structure, size_t *len)
{
    OSSL_ENCODER_CTX *ctx = OSSL_ENCODER_CTX_new_for_pkey(key, selection, output, structure, NULL);
    unsigned char *data = NULL;

    *len = 0;
    assert_true(OSSL_ENCODER_CTX_get_num_encoders(ctx) > 0);
    assert_int_equal(OSSL_ENCODER_to_data(ctx, &data, len), 1);
    OSSL_ENCODER_CTX_free(ctx);
    assert_no_errors();
    return data;
}

static void encodes_alike(EVP_PKEY *key, EVP_PKEY *theirs)
{
    static const struct {
        int selection;
        const char *output, *structure;
    } forms[] = {
        { EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo" },
        { EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo" },
        { EVP_PKEY_PUBLIC_KEY, "PEM", "SubjectPublicKeyInfo" },
        { EVP_PKEY_PUBLIC_KEY, "DER", "SubjectPublicKeyInfo" },
        { EVP_PKEY_KEYPAIR, "TEXT", NULL },
        { EVP_PKEY_PUBLIC_KEY, "TEXT", NULL },
    };

    for (size_t i = 0; i < COUNT(forms); i++) {
        size_t len, their_len;
        unsigned char *data =
            encoded(key, forms[i].selection, forms[i].output, forms[i].structure, &len);
        unsigned char *their_data =
            encoded(theirs, forms[i].selection, forms[i].output, forms[i].structure, &their_len);

        assert_int_equal(len, their_len);
        assert_memory_equal(data, their_data, len);
        OPENSSL_free(data);
        OPENSSL_free(their_data);
    }
}

static void software_keys_do_what_their_name_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (size_t j = 0; j < COUNT(kinds[i].names); j++) {
            EVP_PKEY *key = make_key(kinds[i].names[j], OURS);
            EVP_PKEY *theirs = as_theirs(key, kinds[i].names[0], EVP_PKEY_KEYPAIR);

            assert_ptr_equal(EVP_PKEY_get0_provider(key), module);
            for (size_t k = 0; k < COUNT(kinds[i].names); k++) {
                assert_true(EVP_PKEY_is_a(key, kinds[i].names[k]));
            }
            assert_int_equal(EVP_PKEY_eq(key, theirs), 1);
            assert_int_equal(EVP_PKEY_eq(theirs, key), 1);
            signs_and_verifies(key, theirs);
#ifdef OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT
            if (i != 1) { /* RSA-PSS keys have no such algorithm */
                signs_and_verifies_messages(key, theirs);
                signs_and_verifies_messages(theirs, key);
            }
#endif
            if (i == 0) {
                encrypts_and_decrypts(key, theirs);
            }
            if (i == 2) {
                agrees(key, theirs);
            }
            encodes_alike(key, theirs);
            assert_no_errors();
            EVP_PKEY_free(theirs);
            EVP_PKEY_free(key);
        }
    }
}

/* --- reference files ---------------------------------------------------------------------------
 */

/* The reference as decoders read it, of any type, of the given one, and as a public key. */
static void decodes(const unsigned char *data, size_t len, const char *input, EVP_PKEY *key,
                    const char *type)
{
    const char *const types[] = { NULL, type };

    for (size_t i = 0; i < COUNT(types); i++) {
        EVP_PKEY *loaded = NULL;
        const unsigned char *p = data;
        size_t rest = len;
        OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(&loaded, input, NULL, types[i],
                                                              EVP_PKEY_KEYPAIR, libctx, NULL);

        assert_int_equal(OSSL_DECODER_from_data(ctx, &p, &rest), 1);
        assert_non_null(loaded);
        assert_ptr_equal(EVP_PKEY_get0_provider(loaded), module);
        assert_true(EVP_PKEY_is_a(loaded, type));
        assert_int_equal(EVP_PKEY_eq(loaded, key), 1);
        OSSL_DECODER_CTX_free(ctx);
        assert_no_errors();
        if (strcmp(input, "DER") == 0) {
            size_t again_len;
            unsigned char *again =
                encoded(loaded, EVP_PKEY_KEYPAIR, "DER", "type-specific", &again_len);

            assert_int_equal(again_len, len);
            assert_memory_equal(again, data, len);
            OPENSSL_free(again);
        }
        EVP_PKEY_free(loaded);
    }
}

static void reference_files_are_decoded_to_keys_of_their_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY *key = make_key(kinds[i].names[0], THEIRS);
        unsigned char buffer[1000], *reference = NULL;
        size_t len = make_reference(key, buffer, &reference);
        BIO *pem = BIO_new(BIO_s_mem());
        char *text = NULL;
        long text_len;

        decodes(reference, len, "DER", key, kinds[i].names[0]);
        assert_true(PEM_write_bio(pem, "SC-HSM PRIVATE KEY", "", reference, (long)len) > 0);
        text_len = BIO_get_mem_data(pem, &text);
        decodes((unsigned char *)text, (size_t)text_len, "PEM", key, kinds[i].names[0]);
        BIO_free(pem);
        EVP_PKEY_free(key);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(software_keys_do_what_their_name_says),
        cmocka_unit_test(reference_files_are_decoded_to_keys_of_their_type),
    };

    return run_with_module(tests);
}
