/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of keys on a device are those of the default provider: equal where they are
 * deterministic, verified by it where they are not, with the same parameters and refusals.
 */
#include <string.h>

#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "signing.h"
#include "stand_in.h"

static struct keys rsa2048, rsa1025, pss_free, pss_restricted, p256, p521;

static const char *const digests[] = { "MD5",        "MD5-SHA1",   "SHA1",     "RIPEMD160",
                                       "SHA224",     "SHA256",     "SHA384",   "SHA512",
                                       "SHA512-224", "SHA512-256", "SHA3-224", "SHA3-256",
                                       "SHA3-384",   "SHA3-512" };

static EVP_PKEY *make_pss(unsigned int bits, const char *md, const char *mgf1, int salt)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(signing_libctx, "RSA-PSS", "provider=default");
    EVP_PKEY *key = NULL;

    assert_true(EVP_PKEY_keygen_init(ctx) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) > 0);
    if (md != NULL) {
        assert_true(EVP_PKEY_CTX_set_rsa_pss_keygen_md_name(ctx, md, NULL) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md_name(ctx, mgf1) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(ctx, salt) > 0);
    }
    assert_true(EVP_PKEY_generate(ctx, &key) > 0);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static int set_up(void **state)
{
    (void)state;
    signing_libctx = stand_in_new();
    assert_non_null(signing_libctx);
    rsa2048 = make_keys(signing_libctx,
                        EVP_PKEY_Q_keygen(signing_libctx, "provider=default", "RSA", (size_t)2048));
    rsa1025 = make_keys(signing_libctx,
                        EVP_PKEY_Q_keygen(signing_libctx, "provider=default", "RSA", (size_t)1025));
    pss_free = make_keys(signing_libctx, make_pss(1024, NULL, NULL, 0));
    pss_restricted = make_keys(signing_libctx, make_pss(2048, "SHA256", "SHA384", 30));
    p256 = make_keys(signing_libctx,
                     EVP_PKEY_Q_keygen(signing_libctx, "provider=default", "EC", "P-256"));
    p521 = make_keys(signing_libctx,
                     EVP_PKEY_Q_keygen(signing_libctx, "provider=default", "EC", "P-521"));
    return 0;
}

static int tear_down(void **state)
{
    struct keys *const all[] = { &rsa2048, &rsa1025, &pss_free, &pss_restricted, &p256, &p521 };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        free_keys(all[i]);
    }
    stand_in_free(signing_libctx);
    return 0;
}

/* Their key, our software key and the device agree; verification crosses over. */
static void compare(struct keys *keys, const char *md, const struct options *options,
                    int deterministic)
{
    struct result theirs, software, device;
    int verified;

    ERR_clear_error();
    theirs = digest_sign(keys->theirs, md, options);
    ERR_clear_error();
    software = digest_sign(keys->software, md, options);
    ERR_clear_error();
    device = digest_sign(keys->device, md, options);
    if (device.ok != theirs.ok || device.aid_len != theirs.aid_len) {
        print_message("%s %s %s %d %s: theirs %d, device %d, id %zu %zu\n", md,
                      options->pad ? options->pad : "", options->salt ? options->salt : "",
                      options->salt_number, options->mgf1 ? options->mgf1 : "", theirs.ok,
                      device.ok, theirs.aid_len, device.aid_len);
    }
    assert_int_equal(software.ok, theirs.ok);
    assert_int_equal(device.ok, theirs.ok);
    assert_int_equal(software.aid_len, theirs.aid_len);
    assert_int_equal(device.aid_len, theirs.aid_len);
    assert_memory_equal(software.aid, theirs.aid, theirs.aid_len);
    assert_memory_equal(device.aid, theirs.aid, theirs.aid_len);
    if (!theirs.ok) {
        assert_true(ERR_peek_error() != 0);
        ERR_clear_error();
        return;
    }
    assert_no_errors();
    if (deterministic) {
        assert_int_equal(device.sig_len, theirs.sig_len);
        assert_memory_equal(software.sig, theirs.sig, theirs.sig_len);
        assert_memory_equal(device.sig, theirs.sig, theirs.sig_len);
    }
    /* What may be signed with may be refused for verification (restricted keys, salt "auto"). */
    verified = digest_verify(keys->theirs, md, options, &theirs);
    assert_int_equal(digest_verify(keys->theirs, md, options, &device), verified);
    assert_int_equal(digest_verify(keys->device, md, options, &theirs), verified);
    assert_int_equal(digest_verify(keys->software, md, options, &device), verified);
    if (verified) {
        assert_no_errors();
    }
    ERR_clear_error();
    device.sig[device.sig_len / 2] ^= 1;
    assert_false(digest_verify(keys->device, md, options, &device));
    ERR_clear_error();
}

static void pkcs1_signatures_equal(void **state)
{
    static const struct options pkcs1 = { "pkcs1", NULL, NONE, NULL };
    size_t i;

    (void)state;
    compare(&rsa2048, NULL, &plain, 1);
    for (i = 0; i < COUNT(digests); i++) {
        compare(&rsa2048, digests[i], &plain, 1);
        compare(&rsa1025, digests[i], &pkcs1, 1);
    }
}

static void pss_signatures_agree(void **state)
{
    static const char *const salts[] = { "digest", "max", "auto", "0", "20", "64", "333" };
    static const char *const hashes[] = { "SHA1", "SHA256", "SHA512", "SHA3-256", "SHA512-256" };
    static const char *const mgf1[] = { NULL, "SHA1", "SHA384" };
    struct options options = { "pss", NULL, NONE, NULL };
    struct keys *const keys[] = { &rsa2048, &rsa1025, &pss_free };
    size_t i, j, k, m;
    int number;

    (void)state;
    for (k = 0; k < COUNT(keys); k++) {
        for (i = 0; i < COUNT(hashes); i++) {
            for (m = 0; m < COUNT(mgf1); m++) {
                options.mgf1 = mgf1[m];
                options.salt = NULL;
                options.salt_number = NONE;
                compare(keys[k], hashes[i], &options, 0);
                for (j = 0; j < COUNT(salts); j++) {
                    options.salt = salts[j];
                    compare(keys[k], hashes[i], &options, 0);
                }
            }
        }
    }
    options.mgf1 = NULL;
    options.salt = NULL;
    for (k = 0; k < COUNT(keys); k++) {
        for (number = -6; number < 130; number += number < 0 || number > 60 ? 1 : 13) {
            options.salt_number = number;
            compare(keys[k], "SHA256", &options, 0);
            compare(keys[k], "SHA512", &options, 0);
        }
    }
}

static void restricted_pss_keys_keep_their_restrictions(void **state)
{
    struct options options = plain;
    int salt;

    (void)state;
    compare(&pss_restricted, NULL, &plain, 0);
    compare(&pss_restricted, "SHA256", &plain, 0);
    compare(&pss_restricted, "SHA512", &plain, 0); /* refused */
    options.pad = "pkcs1";
    compare(&pss_restricted, "SHA256", &options, 1); /* refused */
    options.pad = NULL;
    options.mgf1 = "SHA1";
    compare(&pss_restricted, "SHA256", &options, 0); /* refused */
    options.mgf1 = NULL;
    for (salt = -4; salt < 40; salt++) {
        options.salt_number = salt;
        compare(&pss_restricted, "SHA256", &options, 0);
    }
}

static void ecdsa_signatures_agree(void **state)
{
    size_t i;

    (void)state;
    compare(&p256, NULL, &plain, 0);
    for (i = 2; i < COUNT(digests); i++) {
        compare(&p256, digests[i], &plain, 0);
        compare(&p521, digests[i], &plain, 0);
    }
}

static void bare_data_is_signed_alike(void **state)
{
    static const struct {
        const char *md, *pad;
        size_t len;
    } cases[] = {
        { NULL, NULL, 0 },         { NULL, NULL, 1 },           { NULL, "pkcs1", 51 },
        { NULL, "pkcs1", 245 },    { NULL, "pkcs1", 246 },      { NULL, "none", 255 },
        { NULL, "none", 256 },     { NULL, "none", 257 },       { "SHA256", "none", 256 },
        { "SHA256", "none", 32 },  { "SHA256", "pkcs1", 32 },   { "SHA256", "pkcs1", 31 },
        { "SHA256", "pkcs1", 33 }, { "MD5-SHA1", "pkcs1", 36 }, { "MD5-SHA1", NULL, 35 },
        { "SHA512", NULL, 64 },    { "SHA256", "pss", 31 },     { "BLAKE2S256", NULL, 32 },
        { "nonsense", NULL, 32 },  { NULL, "nonsense", 32 },
    };
    unsigned char data[300], theirs[600], ours[600];
    size_t i, their_len, our_len;
    int their_ok, our_ok;

    (void)state;
    memset(data, 0x35, sizeof(data));
    for (i = 0; i < COUNT(cases); i++) {
        their_ok = raw_sign(rsa2048.theirs, cases[i].md, cases[i].pad, data, cases[i].len, theirs,
                            &their_len);
        ERR_clear_error();
        our_ok =
            raw_sign(rsa2048.device, cases[i].md, cases[i].pad, data, cases[i].len, ours, &our_len);
        if (our_ok != their_ok) {
            print_message("case %zu: theirs %d, ours %d\n", i, their_ok, our_ok);
        }
        assert_int_equal(our_ok, their_ok);
        if (our_ok) {
            assert_no_errors();
            assert_int_equal(our_len, their_len);
            assert_memory_equal(ours, theirs, our_len);
        }
        ERR_clear_error();
    }
    /* A number that is not below the modulus. */
    memset(data, 0xff, sizeof(data));
    assert_false(raw_sign(rsa2048.theirs, NULL, "none", data, 256, theirs, &their_len));
    assert_false(raw_sign(rsa2048.device, NULL, "none", data, 256, ours, &our_len));
    ERR_clear_error();
}

static void x931_is_refused_in_words(void **state)
{
    unsigned char data[20] = { 0 }, sig[600];
    unsigned int before = stand_in_operations;
    size_t len;

    (void)state;
    assert_false(raw_sign(rsa2048.device, "SHA1", "x931", data, sizeof(data), sig, &len));
    assert_error_says("X9.31");
    assert_int_equal(stand_in_operations, before);
}

static void ecdsa_hashes_of_any_length_are_signed(void **state)
{
    unsigned char data[140], sig[600];
    struct keys *const keys[] = { &p256, &p521 };
    size_t i, len, sig_len;

    (void)state;
    assert_int_equal(RAND_bytes(data, sizeof(data)), 1);
    for (i = 0; i < COUNT(keys); i++) {
        for (len = 1; len <= sizeof(data); len += len < 70 ? 1 : 9) {
            assert_true(raw_sign(keys[i]->device, NULL, NULL, data, len, sig, &sig_len));
            assert_true(raw_verify(keys[i]->theirs, data, len, sig, sig_len));
            assert_true(raw_verify(keys[i]->device, data, len, sig, sig_len));
            assert_no_errors();
        }
    }
    assert_false(raw_sign(p256.device, "SHA256", NULL, data, 31, sig, &sig_len));
    assert_false(raw_sign(p256.device, "SHA256", NULL, data, 33, sig, &sig_len));
    assert_true(raw_sign(p256.device, "SHA512", NULL, data, 64, sig, &sig_len));
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pkcs1_signatures_equal),
        cmocka_unit_test(pss_signatures_agree),
        cmocka_unit_test(restricted_pss_keys_keep_their_restrictions),
        cmocka_unit_test(ecdsa_signatures_agree),
        cmocka_unit_test(bare_data_is_signed_alike),
        cmocka_unit_test(x931_is_refused_in_words),
        cmocka_unit_test(ecdsa_hashes_of_any_length_are_signed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
