/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decryption with keys on a device: what the default provider encrypts comes back, parameters are
 * as there, and bad PKCS#1 padding cannot be told from good.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "checks.h"
#include "stand_in.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const size_t bits[] = { 1024, 1025, 1031, 2047, 2048, 3072, 4096 };
static OSSL_LIB_CTX *libctx;
static struct keys keys[COUNT(bits)];

static int set_up(void **state)
{
    size_t i;

    (void)state;
    libctx = stand_in_new();
    assert_non_null(libctx);
    for (i = 0; i < COUNT(bits); i++) {
        keys[i] = make_keys(libctx, EVP_PKEY_Q_keygen(libctx, "provider=default", "RSA", bits[i]));
    }
    return 0;
}

static int tear_down(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bits); i++) {
        free_keys(&keys[i]);
    }
    stand_in_free(libctx);
    return 0;
}

/* One operation with up to four parameters. */
static int crypt(EVP_PKEY *key, int encrypt, const OSSL_PARAM params[], const unsigned char *in,
                 size_t in_len, unsigned char *out, size_t *out_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    int ok;

    *out_len = 600;
    if (encrypt) {
        ok = EVP_PKEY_encrypt_init_ex(ctx, params) > 0 &&
             EVP_PKEY_encrypt(ctx, out, out_len, in, in_len) > 0;
    } else {
        ok = EVP_PKEY_decrypt_init_ex(ctx, params) > 0 &&
             EVP_PKEY_decrypt(ctx, out, out_len, in, in_len) > 0;
    }
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static OSSL_PARAM text(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)value, 0);
}

/* A whole encoded message, encrypted without padding: any padding can be tried. */
static void encrypt_raw(EVP_PKEY *key, const unsigned char *em, size_t em_len,
                        unsigned char *ciphertext)
{
    OSSL_PARAM params[] = { text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, "none"),
                            OSSL_PARAM_construct_end() };
    size_t len;

    assert_true(crypt(key, 1, params, em, em_len, ciphertext, &len));
    assert_int_equal(len, em_len);
}

static void pkcs1_messages_come_back(void **state)
{
    unsigned char message[600], ciphertext[600], out[600];
    size_t i, len, ciphertext_len, out_len;

    (void)state;
    assert_int_equal(RAND_bytes(message, sizeof(message)), 1);
    for (i = 0; i < COUNT(bits); i++) {
        size_t max = (size_t)EVP_PKEY_get_size(keys[i].theirs) - 11;

        for (len = 0; len <= max; len += len < 3 || len > max - 3 ? 1 : max - 5) {
            EVP_PKEY *const shapes[] = { keys[i].theirs, keys[i].software, keys[i].device };
            size_t s;

            for (s = 0; s < COUNT(shapes); s++) {
                assert_true(crypt(shapes[s], 1, NULL, message, len, ciphertext, &ciphertext_len));
                assert_true(
                    crypt(keys[i].device, 0, NULL, ciphertext, ciphertext_len, out, &out_len));
                assert_int_equal(out_len, len);
                assert_memory_equal(out, message, len);
                assert_true(
                    crypt(keys[i].software, 0, NULL, ciphertext, ciphertext_len, out, &out_len));
                assert_int_equal(out_len, len);
                assert_no_errors();
            }
        }
    }
}

static void oaep_messages_come_back(void **state)
{
    static const char *const hashes[] = { "SHA1", "SHA256", "SHA384", "SHA3-256" };
    static const char *const mgf1[] = { NULL, "SHA1", "SHA512" };
    unsigned char message[] = "under OAEP", label[] = "label", ciphertext[600], out[600];
    size_t i, h, m, l, ciphertext_len, out_len;

    (void)state;
    for (i = 0; i < COUNT(bits); i++) {
        for (h = 0; h < COUNT(hashes); h++) {
            for (m = 0; m < COUNT(mgf1); m++) {
                for (l = 0; l < 2; l++) {
                    OSSL_PARAM params[5], *p = params;

                    *p++ = text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, "oaep");
                    *p++ = text(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, hashes[h]);
                    if (mgf1[m] != NULL) {
                        *p++ = text(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, mgf1[m]);
                    }
                    if (l != 0) {
                        *p++ = OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
                                                                 label, sizeof(label));
                    }
                    *p = OSSL_PARAM_construct_end();
                    assert_true(crypt(keys[i].theirs, 1, params, message, sizeof(message),
                                      ciphertext, &ciphertext_len));
                    assert_true(crypt(keys[i].device, 0, params, ciphertext, ciphertext_len, out,
                                      &out_len));
                    assert_int_equal(out_len, sizeof(message));
                    assert_memory_equal(out, message, out_len);
                    assert_true(crypt(keys[i].software, 0, params, ciphertext, ciphertext_len, out,
                                      &out_len));
                    assert_no_errors();
                    if (l != 0) { /* the label missing */
                        p[-1] = OSSL_PARAM_construct_end();
                        assert_false(crypt(keys[i].device, 0, params, ciphertext, ciphertext_len,
                                           out, &out_len));
                        ERR_clear_error();
                    }
                }
            }
        }
    }
}

static void raw_blocks_come_back(void **state)
{
    OSSL_PARAM params[] = { text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, "none"),
                            OSSL_PARAM_construct_end() };
    unsigned char em[600] = { 0, 9, 8, 7 }, ciphertext[600], out[600];
    size_t i, len;

    (void)state;
    for (i = 0; i < COUNT(bits); i++) {
        size_t size = (size_t)EVP_PKEY_get_size(keys[i].theirs);

        encrypt_raw(keys[i].theirs, em, size, ciphertext);
        assert_true(crypt(keys[i].device, 0, params, ciphertext, size, out, &len));
        assert_int_equal(len, size);
        assert_memory_equal(out, em, size);
        assert_no_errors();
        /* not below the modulus; too long */
        memset(ciphertext, 0xff, sizeof(ciphertext));
        assert_false(crypt(keys[i].device, 0, params, ciphertext, size, out, &len));
        assert_false(crypt(keys[i].device, 0, params, ciphertext, size + 1, out, &len));
        ERR_clear_error();
    }
}

/* Encoded messages with one thing wrong each. */
static void spoil(unsigned char *em, size_t em_len, size_t which)
{
    size_t i;

    em[0] = 0;
    em[1] = 2;
    for (i = 2; i < em_len; i++) {
        em[i] = (unsigned char)(i % 255 + 1);
    }
    em[em_len - 20] = 0;
    switch (which) {
    case 0: /* a wrong block type */
        em[1] = 1;
        break;
    case 1: /* a first byte that is not zero; below the modulus nevertheless */
        em[0] = 1;
        break;
    case 2: /* no separator */
        em[em_len - 20] = 1;
        break;
    default: /* a separator too early */
        em[which - 1] = 0;
    }
}

static void bad_pkcs1_padding_cannot_be_told(void **state)
{
    unsigned char em[600], ciphertext[600], out[600], again[600];
    size_t i, which, len, len_again, size, lengths[600] = { 0 };
    unsigned int different = 0;

    (void)state;
    for (i = 0; i < 5; i++) {
        size = (size_t)EVP_PKEY_get_size(keys[i].theirs);
        for (which = 0; which < 11; which++) {
            if (which == 1 && bits[i] % 8 != 0) {
                continue; /* 1 in the first byte might be the modulus's own */
            }
            spoil(em, size, which);
            encrypt_raw(keys[i].theirs, em, size, ciphertext);
            assert_true(crypt(keys[i].device, 0, NULL, ciphertext, size, out, &len));
            assert_no_errors();
            assert_true(len <= size - 11);
            lengths[len]++;
            /* always the same answer, but not a part of what was sent */
            assert_true(crypt(keys[i].device, 0, NULL, ciphertext, size, again, &len_again));
            assert_int_equal(len, len_again);
            assert_memory_equal(out, again, len);
            assert_true(len < 8 || memcmp(out, em + size - len, len) != 0);
        }
    }
    for (i = 0; i < COUNT(lengths); i++) {
        different += lengths[i] != 0;
    }
    assert_true(different > 25);
}

static void implicit_rejection_can_be_switched_off(void **state)
{
    unsigned int off = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("implicit-rejection", &off),
                            OSSL_PARAM_construct_end() };
    unsigned char em[600], ciphertext[600], out[600];
    size_t which, len;

    (void)state;
    for (which = 0; which < 11; which++) {
        spoil(em, 256, which);
        encrypt_raw(keys[4].theirs, em, 256, ciphertext);
        assert_false(crypt(keys[4].device, 0, params, ciphertext, 256, out, &len));
        assert_error_says("cannot be decrypted with this key and PKCS#1 padding");
    }
    spoil(em, 256, 237); /* the separator is where it was: a good message */
    encrypt_raw(keys[4].theirs, em, 256, ciphertext);
    assert_true(crypt(keys[4].device, 0, params, ciphertext, 256, out, &len));
    assert_int_equal(len, 19);
    assert_no_errors();
}

static void tls_premaster_secrets_come_back_or_random(void **state)
{
    static const struct {
        unsigned int client, negotiated;
        unsigned char major, minor;
        int good;
    } cases[] = {
        { 0x0303, 0, 3, 3, 1 },      { 0x0303, 0, 3, 1, 0 },      { 0x0303, 0x0301, 3, 1, 1 },
        { 0x0303, 0x0301, 3, 2, 0 }, { 0x0303, 0x0301, 1, 3, 0 },
    };
    unsigned char em[600], ciphertext[600], out[600], again[600];
    size_t i, k, len, which;

    (void)state;
    for (k = 0; k < 5; k++) {
        for (i = 0; i < COUNT(cases); i++) {
            unsigned int client = cases[i].client, negotiated = cases[i].negotiated;
            int mode = RSA_PKCS1_WITH_TLS_PADDING;
            OSSL_PARAM params[] = {
                OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, &mode),
                OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &client),
                OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION,
                                          &negotiated),
                OSSL_PARAM_construct_end(),
            };
            size_t size = (size_t)EVP_PKEY_get_size(keys[k].theirs);

            spoil(em, size, size); /* with the last byte zero */
            em[size - 1] = 17;
            em[size - 20] = 1;
            em[size - 49] = 0;
            em[size - 48] = cases[i].major;
            em[size - 47] = cases[i].minor;
            encrypt_raw(keys[k].theirs, em, size, ciphertext);
            assert_true(crypt(keys[k].device, 0, params, ciphertext, size, out, &len));
            assert_int_equal(len, 48);
            assert_int_equal(memcmp(out, em + size - 48, 48) == 0, cases[i].good);
            assert_no_errors();
            for (which = 0; which < 11 && cases[i].good; which++) {
                unsigned char bad[600];

                if (which == 1 && bits[k] % 8 != 0) {
                    continue;
                }
                spoil(bad, size, which);
                if (which < 2) {
                    memcpy(bad + 2, em + 2, size - 2);
                } else if (which > 2) {
                    memcpy(bad + which, em + which, size - which);
                }
                encrypt_raw(keys[k].theirs, bad, size, ciphertext);
                assert_true(crypt(keys[k].device, 0, params, ciphertext, size, out, &len));
                assert_true(crypt(keys[k].device, 0, params, ciphertext, size, again, &len));
                assert_int_equal(len, 48);
                assert_memory_not_equal(out, bad + size - 48, 48);
                assert_memory_not_equal(out, again, 48);
                assert_no_errors();
            }
        }
    }
}

static void length_queries_touch_nothing(void **state)
{
    unsigned char ciphertext[256] = { 0, 1 }, out[256];
    unsigned int before = stand_in_operations;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, keys[4].device, NULL);
    size_t len;

    (void)state;
    assert_true(EVP_PKEY_decrypt_init(ctx) > 0);
    assert_true(EVP_PKEY_decrypt(ctx, NULL, &len, ciphertext, sizeof(ciphertext)) > 0);
    assert_int_equal(len, 256);
    len = 255;
    assert_false(EVP_PKEY_decrypt(ctx, out, &len, ciphertext, sizeof(ciphertext)) > 0);
    ERR_clear_error();
    assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_WITH_TLS_PADDING) > 0);
    assert_true(EVP_PKEY_decrypt(ctx, NULL, &len, ciphertext, sizeof(ciphertext)) > 0);
    assert_int_equal(len, 48);
    assert_no_errors();
    len = sizeof(out); /* no client version yet */
    assert_false(EVP_PKEY_decrypt(ctx, out, &len, ciphertext, sizeof(ciphertext)) > 0);
    ERR_clear_error();
    assert_int_equal(stand_in_operations, before);
    EVP_PKEY_CTX_free(ctx);
}

static void parameters_are_the_default_providers(void **state)
{
    unsigned char *copy, *label;
    EVP_PKEY *const shapes[] = { keys[4].theirs, keys[4].software, keys[4].device };
    size_t i;
    int padding;
    char name[64];

    (void)state;
    for (i = 0; i < COUNT(shapes); i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, shapes[i], NULL), *dup;

        assert_true(EVP_PKEY_decrypt_init(ctx) > 0);
        assert_true(EVP_PKEY_CTX_get_rsa_padding(ctx, &padding) > 0);
        assert_int_equal(padding, RSA_PKCS1_PADDING);
        assert_false(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0);
        ERR_clear_error();
        assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_get_rsa_oaep_md_name(ctx, name, sizeof(name)) > 0);
        assert_string_equal(name, "SHA1");
        assert_true(EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, "SHA256", NULL) > 0);
        assert_true(EVP_PKEY_CTX_get_rsa_mgf1_md_name(ctx, name, sizeof(name)) > 0);
        assert_string_equal(name, "SHA2-256");
        copy = OPENSSL_memdup("abc", 3);
        assert_true(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, 3) > 0);
        assert_int_equal(EVP_PKEY_CTX_get0_rsa_oaep_label(ctx, &label), 3);
        assert_memory_equal(label, "abc", 3);
        dup = EVP_PKEY_CTX_dup(ctx);
        assert_non_null(dup);
        EVP_PKEY_CTX_free(ctx);
        EVP_PKEY_CTX_free(dup);
        assert_no_errors();
    }
}

static void a_copied_context_decrypts(void **state)
{
    unsigned char label[] = "a label", message[] = "hello", ciphertext[600], out[600];
    OSSL_PARAM params[] = {
        text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, "oaep"),
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, label, sizeof(label)),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, keys[4].device, NULL), *copy;
    size_t len, out_len = sizeof(out);

    (void)state;
    assert_true(crypt(keys[4].theirs, 1, params, message, sizeof(message), ciphertext, &len));
    assert_true(EVP_PKEY_decrypt_init_ex(ctx, params) > 0);
    copy = EVP_PKEY_CTX_dup(ctx);
    assert_non_null(copy);
    EVP_PKEY_CTX_free(ctx);
    assert_true(EVP_PKEY_decrypt(copy, out, &out_len, ciphertext, len) > 0);
    EVP_PKEY_CTX_free(copy);
    assert_int_equal(out_len, sizeof(message));
    assert_memory_equal(out, message, out_len);
    assert_no_errors();
}

static void what_a_device_cannot_honour_is_refused(void **state)
{
    unsigned int one = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("no-such-parameter", &one),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *const shapes[] = { keys[0].theirs, keys[0].software, keys[0].device };

    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, shapes[i], NULL);
        int on_device = shapes[i] == keys[0].device;

        assert_true(EVP_PKEY_decrypt_init(ctx) > 0);
        assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params) > 0, !on_device);
        assert_int_equal(EVP_PKEY_decrypt_init_ex(ctx, params) > 0, !on_device);
        if (on_device) {
            assert_error_says("no-such-parameter");
        }
        /* With its public part the host does it all. */
        assert_true(EVP_PKEY_encrypt_init_ex(ctx, params) > 0);
        EVP_PKEY_CTX_free(ctx);
        ERR_clear_error();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pkcs1_messages_come_back),
        cmocka_unit_test(oaep_messages_come_back),
        cmocka_unit_test(raw_blocks_come_back),
        cmocka_unit_test(bad_pkcs1_padding_cannot_be_told),
        cmocka_unit_test(implicit_rejection_can_be_switched_off),
        cmocka_unit_test(tls_premaster_secrets_come_back_or_random),
        cmocka_unit_test(length_queries_touch_nothing),
        cmocka_unit_test(parameters_are_the_default_providers),
        cmocka_unit_test(a_copied_context_decrypts),
        cmocka_unit_test(what_a_device_cannot_honour_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
