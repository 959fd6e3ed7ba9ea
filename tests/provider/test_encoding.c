/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Software keys that our provider holds, because it is loaded first, are written as the default
 * provider writes them: keys x outputs x structures x selections x ciphers, and the calls that
 * programs make. The judge is a library context that has the default provider alone.
 */
#include "samples.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define PASS "a pass phrase"

/* Under a sanitizer libcrypto takes minutes for all forms, and none of our code runs in most of
 * them that does not run in these. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#define WRITTEN_MIN 200
#else
#define SANITIZED 0
#define WRITTEN_MIN 1000
#endif

static size_t compared, written; /* how many forms were looked at, and had a result */

/* --- what is written ---------------------------------------------------------------------------
 */

struct form {
    const char *sample, *name;
    const char *output, *structure, *cipher;
    int selection;
};

struct text {
    int ok;
    unsigned char *data;
    size_t len;
};

static void describe(const struct form *form, char *line, size_t size)
{
    BIO_snprintf(line, size, "%s: %s, output %s, structure %s, cipher %s, selection %x",
                 form->sample, form->name, form->output, form->structure ? form->structure : "NULL",
                 form->cipher ? form->cipher : "none", (unsigned int)form->selection);
}

/* Whether what was written opens with the pass phrase, and is the key that went in. */
static int opens(const struct text *text, EVP_PKEY *key)
{
    EVP_PKEY *opened = NULL;
    const unsigned char *p = text->data;
    size_t len = text->len;
    OSSL_DECODER_CTX *ctx =
        OSSL_DECODER_CTX_new_for_pkey(&opened, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, judge, NULL);
    BIGNUM *one = NULL, *other = NULL;
    const char *number =
        EVP_PKEY_is_a(key, "EC") ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_RSA_D;
    int same;

    OSSL_DECODER_CTX_set_passphrase(ctx, (const unsigned char *)PASS, strlen(PASS));
    same = OSSL_DECODER_from_data(ctx, &p, &len) && EVP_PKEY_get_bn_param(opened, number, &one) &&
           EVP_PKEY_get_bn_param(key, number, &other) && BN_cmp(one, other) == 0;
    BN_free(one);
    BN_free(other);
    OSSL_DECODER_CTX_free(ctx);
    EVP_PKEY_free(opened);
    ERR_clear_error();
    return same;
}

/* Whether a key opens without its pass phrase. */
static int in_clear(const struct text *text)
{
    EVP_PKEY *opened = NULL;
    const unsigned char *p = text->data;
    size_t len = text->len;
    OSSL_DECODER_CTX *ctx =
        OSSL_DECODER_CTX_new_for_pkey(&opened, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, judge, NULL);
    int clear;

    OSSL_DECODER_CTX_set_passphrase(ctx, (const unsigned char *)"no", 2);
    clear = OSSL_DECODER_from_data(ctx, &p, &len);
    OSSL_DECODER_CTX_free(ctx);
    EVP_PKEY_free(opened);
    ERR_clear_error();
    return clear;
}

/*
 * libcrypto 3.0 does not free an ASN1_STRING where it is to write explicit parameters without a
 * public key as SubjectPublicKeyInfo in DER, and fails: with the default provider alone as with
 * ours.
 */
static int loses_a_string(const struct sample *sample, const char *output, const char *structure,
                          int selection)
{
    return sample->part == PARAMETERS && sample->encoding != NULL && strcmp(output, "DER") == 0 &&
           (structure == NULL || strcmp(structure, "SubjectPublicKeyInfo") == 0) &&
           (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0;
}

/* random: two runs differ. */
static void compare(const struct form *form, int same_key, int random, EVP_PKEY *key,
                    EVP_PKEY *theirs, struct text *mine, struct text *yours)
{
    char line[200];

    describe(form, line, sizeof(line));
    compared++;
    if (mine->ok != yours->ok) {
        fail_msg("%s: %d, but the default provider %d", line, mine->ok, yours->ok);
    }
    if (mine->ok) {
        written++;
        if (random) {
            if (in_clear(yours) != in_clear(mine)) {
                fail_msg("%s: a private key in clear", line);
            }
            if (opens(yours, theirs) != opens(mine, key)) {
                fail_msg("%s: not opened", line);
            }
        } else if (same_key && (mine->len != yours->len ||
                                CRYPTO_memcmp(mine->data, yours->data, mine->len) != 0)) {
            fail_msg("%s: %zu bytes that are not the default provider's %zu", line, mine->len,
                     yours->len);
        }
    }
    OPENSSL_free(mine->data);
    OPENSSL_free(yours->data);
}

/* --- OSSL_ENCODER ------------------------------------------------------------------------------
 */

static int no_pass_phrase(char *buffer, int size, int writing, void *arg)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static struct text encode(EVP_PKEY *key, const struct form *form, const char *pass)
{
    struct text text = { 0, NULL, 0 };
    OSSL_ENCODER_CTX *ctx =
        OSSL_ENCODER_CTX_new_for_pkey(key, form->selection, form->output, form->structure, NULL);

    if (ctx != NULL &&
        (form->cipher == NULL || OSSL_ENCODER_CTX_set_cipher(ctx, form->cipher, NULL)) &&
        (pass != NULL
             ? OSSL_ENCODER_CTX_set_passphrase(ctx, (const unsigned char *)pass, strlen(pass))
             : OSSL_ENCODER_CTX_set_pem_password_cb(ctx, no_pass_phrase, NULL))) {
        text.ok = OSSL_ENCODER_to_data(ctx, &text.data, &text.len);
    }
    OSSL_ENCODER_CTX_free(ctx);
    ERR_clear_error();
    return text;
}

static void every_form(const struct sample *sample, EVP_PKEY *ours, EVP_PKEY *theirs)
{
    static const char *const outputs[] = { "PEM", "DER", "TEXT", "blob", "MSBLOB", "PVK", "none" };
    static const char *const structures[] = {
        NULL,
        "PrivateKeyInfo",
        "EncryptedPrivateKeyInfo",
        "SubjectPublicKeyInfo",
        "pkcs1",
        "type-specific",
        "rsa",
        "ec",
        "X9.62",
        "PKCS8",
        "none",
    };
    static const char *const ciphers[] = { NULL, NULL, "AES-256-CBC", "NO-CIPHER" };
    static const int selections[] = {
        0,
        OSSL_KEYMGMT_SELECT_ALL,
        EVP_PKEY_KEYPAIR,
        EVP_PKEY_PUBLIC_KEY,
        EVP_PKEY_KEY_PARAMETERS,
        OSSL_KEYMGMT_SELECT_PRIVATE_KEY,
        OSSL_KEYMGMT_SELECT_PUBLIC_KEY,
        OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS,
        OSSL_KEYMGMT_SELECT_OTHER_PARAMETERS,
    };

    for (size_t i = 0; i < COUNT(outputs); i++) {
        for (size_t j = 0; j < COUNT(structures); j++) {
            for (size_t k = 0; k < COUNT(ciphers); k++) {
                for (size_t l = 0; l < COUNT(selections); l++) {
                    struct form form = { sample->what,  "OSSL_ENCODER", outputs[i],
                                         structures[j], ciphers[k],     selections[l] };
                    struct text plain, mine, yours;
                    const char *pass = k > 0 ? PASS : NULL;
                    int random = 0;

                    if (SANITIZED &&
                        (i > 2 || k % 2 == 1 || l > 4 || (i + j + l) % 2 == 1 ||
                         loses_a_string(sample, outputs[i], structures[j], selections[l]))) {
                        continue;
                    }
                    /* The default provider would ask for a pass phrase on the terminal. */
                    if (ciphers[k] != NULL && selections[l] != 0 &&
                        (selections[l] & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0) {
                        continue;
                    }
                    /* Microsoft's forms of a private part that is not there crash libcrypto 3.0. */
                    if (sample->part != PAIR && (i == 4 || i == 5) &&
                        (selections[l] & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
                        continue;
                    }
                    mine = encode(ours, &form, pass);
                    yours = encode(theirs, &form, pass);
                    if (yours.ok && pass != NULL) { /* was it encrypted? */
                        plain = encode(theirs, &form, pass);
                        random = plain.len != yours.len ||
                                 CRYPTO_memcmp(plain.data, yours.data, plain.len) != 0;
                        OPENSSL_free(plain.data);
                    }
                    compare(&form, comparable(sample), random, ours, theirs, &mine, &yours);
                }
            }
        }
    }
}

/* --- what programs call ------------------------------------------------------------------------
 */

static int to_i2d(EVP_PKEY *key, BIO *out, int (*i2d)(const EVP_PKEY *, unsigned char **))
{
    unsigned char *der = NULL;
    int len = i2d(key, &der);

    if (len > 0) {
        BIO_write(out, der, len);
    }
    OPENSSL_free(der);
    return len > 0;
}

static int private_der(EVP_PKEY *key, BIO *out)
{
    return to_i2d(key, out, i2d_PrivateKey);
}

static int public_der(EVP_PKEY *key, BIO *out)
{
    return to_i2d(key, out, i2d_PublicKey);
}

static int spki_der(EVP_PKEY *key, BIO *out)
{
    return to_i2d(key, out, i2d_PUBKEY);
}

static int parameters_der(EVP_PKEY *key, BIO *out)
{
    return to_i2d(key, out, i2d_KeyParams);
}

static int private_bio(EVP_PKEY *key, BIO *out)
{
    return i2d_PrivateKey_bio(out, key) > 0;
}

static int pkcs8_bio(EVP_PKEY *key, BIO *out)
{
    return i2d_PKCS8PrivateKey_bio(out, key, NULL, NULL, 0, NULL, NULL) > 0;
}

static int pkcs8_encrypted_bio(EVP_PKEY *key, BIO *out)
{
    return i2d_PKCS8PrivateKey_bio(out, key, EVP_aes_256_cbc(), PASS, (int)strlen(PASS), NULL,
                                   NULL) > 0;
}

static int pkcs8_info(EVP_PKEY *key, BIO *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int ok = info != NULL && i2d_PKCS8_PRIV_KEY_INFO_bio(out, info) > 0;

    PKCS8_PRIV_KEY_INFO_free(info);
    return ok;
}

static int private_pem(EVP_PKEY *key, BIO *out)
{
    return PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) > 0;
}

static int private_pem_encrypted(EVP_PKEY *key, BIO *out)
{
    return PEM_write_bio_PrivateKey(out, key, EVP_aes_256_cbc(), (const unsigned char *)PASS,
                                    (int)strlen(PASS), NULL, NULL) > 0;
}

static int private_pem_traditional(EVP_PKEY *key, BIO *out)
{
    return PEM_write_bio_PrivateKey_traditional(out, key, NULL, NULL, 0, NULL, NULL) > 0;
}

static int public_pem(EVP_PKEY *key, BIO *out)
{
    return PEM_write_bio_PUBKEY(out, key) > 0;
}

static int parameters_pem(EVP_PKEY *key, BIO *out)
{
    return PEM_write_bio_Parameters(out, key) > 0;
}

static int private_text(EVP_PKEY *key, BIO *out)
{
    return EVP_PKEY_print_private(out, key, 0, NULL) > 0;
}

static int public_text(EVP_PKEY *key, BIO *out)
{
    return EVP_PKEY_print_public(out, key, 4, NULL) > 0;
}

static int parameters_text(EVP_PKEY *key, BIO *out)
{
    return EVP_PKEY_print_params(out, key, 0, NULL) > 0;
}

/* A copy is written as the original is, and is the same key. */
static int dup_text(EVP_PKEY *key, BIO *out)
{
    EVP_PKEY *copy = EVP_PKEY_dup(key);
    int ok = copy != NULL && private_text(copy, out);

    if (copy != NULL) {
        BIO_printf(out, "same: %d, back: %d\n", EVP_PKEY_eq(copy, key), EVP_PKEY_eq(key, copy));
    }
    EVP_PKEY_free(copy);
    return ok;
}

static int copied_parameters(EVP_PKEY *key, BIO *out)
{
    EVP_PKEY *copy = EVP_PKEY_new();
    int ok = EVP_PKEY_copy_parameters(copy, key) > 0;

    BIO_printf(out, "copied: %d, same: %d, complete: %d\n", ok, EVP_PKEY_parameters_eq(copy, key),
               !EVP_PKEY_missing_parameters(copy));
    if (ok) {
        ok = parameters_text(copy, out);
        BIO_printf(out, "text: %d\n", ok);
    }
    EVP_PKEY_free(copy);
    return 1;
}

static int checks(EVP_PKEY *key, BIO *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    BIO_printf(out, "%d %d %d %d %d %d", EVP_PKEY_check(ctx), EVP_PKEY_public_check(ctx),
               EVP_PKEY_public_check_quick(ctx), EVP_PKEY_private_check(ctx),
               EVP_PKEY_param_check(ctx), EVP_PKEY_pairwise_check(ctx));
    EVP_PKEY_CTX_free(ctx);
    return 1;
}

static int sizes(EVP_PKEY *key, BIO *out)
{
    char name[80] = "";
    int answer = EVP_PKEY_get_default_digest_name(key, name, sizeof(name));

    BIO_printf(out, "%d %d %d %d %s", EVP_PKEY_get_bits(key), EVP_PKEY_get_security_bits(key),
               EVP_PKEY_get_size(key), answer, name);
    return 1;
}

static const struct call {
    const char *name;
    int (*write)(EVP_PKEY *key, BIO *out);
    int random;   /* what it writes is encrypted */
    int complete; /* only with a private key */
} calls[] = {
    { "i2d_PrivateKey", private_der, 0, 0 },
    { "i2d_PublicKey", public_der, 0, 0 },
    { "i2d_PUBKEY", spki_der, 0, 0 },
    { "i2d_KeyParams", parameters_der, 0, 0 },
    { "i2d_PrivateKey_bio", private_bio, 0, 0 },
    { "i2d_PKCS8PrivateKey_bio", pkcs8_bio, 0, 0 },
    { "i2d_PKCS8PrivateKey_bio, encrypted", pkcs8_encrypted_bio, 1, 1 },
    { "EVP_PKEY2PKCS8", pkcs8_info, 0, 0 },
    { "PEM_write_bio_PrivateKey", private_pem, 0, 0 },
    { "PEM_write_bio_PrivateKey, encrypted", private_pem_encrypted, 1, 1 },
    { "PEM_write_bio_PrivateKey_traditional", private_pem_traditional, 0, 1 },
    { "PEM_write_bio_PUBKEY", public_pem, 0, 0 },
    { "PEM_write_bio_Parameters", parameters_pem, 0, 0 },
    { "EVP_PKEY_print_private", private_text, 0, 0 },
    { "EVP_PKEY_print_public", public_text, 0, 0 },
    { "EVP_PKEY_print_params", parameters_text, 0, 0 },
    { "EVP_PKEY_dup", dup_text, 0, 0 },
    { "EVP_PKEY_copy_parameters", copied_parameters, 0, 0 },
    { "EVP_PKEY_check and its kin", checks, 0, 0 },
    { "EVP_PKEY_get_bits and its kin", sizes, 0, 0 },
};

static struct text called(const struct call *call, EVP_PKEY *key)
{
    struct text text = { 0, NULL, 0 };
    BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL;

    text.ok = call->write(key, out);
    text.len = (size_t)BIO_get_mem_data(out, &data);
    text.data = OPENSSL_memdup(data, text.len);
    BIO_free(out);
    ERR_clear_error();
    return text;
}

static void every_call(const struct sample *sample, EVP_PKEY *ours, EVP_PKEY *theirs)
{
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct form form = { sample->what, calls[i].name, "-", NULL, NULL, 0 };
        struct text mine, yours;

        if ((calls[i].complete && sample->part != PAIR) ||
            (SANITIZED && calls[i].write == spki_der &&
             loses_a_string(sample, "DER", NULL, EVP_PKEY_PUBLIC_KEY))) {
            continue;
        }
        mine = called(&calls[i], ours);
        yours = called(&calls[i], theirs);
        compare(&form, comparable(sample), calls[i].random, ours, theirs, &mine, &yours);
    }
}

static void software_keys_are_written_as_the_default_provider_writes_them(void **state)
{
    (void)state;
    compared = written = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        EVP_PKEY *ours = NULL, *theirs = NULL;

        make_pair(&samples[i], &ours, &theirs);
        every_form(&samples[i], ours, theirs);
        every_call(&samples[i], ours, theirs);
        EVP_PKEY_free(ours);
        EVP_PKEY_free(theirs);
    }
    print_message("%zu forms compared, %zu of them with a result\n", compared, written);
    assert_true(written > WRITTEN_MIN);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(software_keys_are_written_as_the_default_provider_writes_them),
    };

    return run_with_judge(tests);
}
