/* SPDX-License-Identifier: Apache-2.0 */
/* Wrapped keys against files from real devices and other people's programs. */
#include "support.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "format/pkcs15.h"
#include "format/public_key.h"
#include "format/same_key.h"
#include "format/wrapped_key.h"
#include "keymgmt/dkek_share.h"
#include "keymgmt/key_container.h"
#include "keymgmt/wrap_key.h"

static struct schsm_error err;

static struct schsm_key_container read_container(const struct bytes *file)
{
    struct schsm_key_container container;

    if (!schsm_key_container_parse(file->data, file->len, &container, &err)) {
        fail_msg("%s", err.text);
    }
    return container;
}

static void a_wrapped_file_holds_a_description_and_a_request(void **state)
{
    static const struct {
        const char *file, *kcv;
    } cases[] = { { "A-wrap-key.bin", "ECC92C62E3F6189E" }, { "other-dkek.wrapped", NULL } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes file = read_vector(cases[i].file);
        struct schsm_key_container container = read_container(&file);
        struct schsm_wrapped_key wrapped = { 0 };
        struct schsm_pkcs15_key key = { 0 };
        uint8_t *spki = NULL, *again = NULL;
        size_t spki_len = 0, again_len = 0;

        if (!schsm_pkcs15_decode_key(container.description.data, container.description.len, &key,
                                     &err) ||
            !schsm_public_key_from_ce(container.certificate.data, container.certificate.len, &spki,
                                      &spki_len, &err) ||
            !schsm_wrapped_key_parse(container.blob.data, container.blob.len, &wrapped, &err)) {
            fail_msg("%s: %s", cases[i].file, err.text);
        }
        assert_int_equal(key.type, SCHSM_KEY_EC);
        assert_int_equal(key.bits, 256);
        assert_int_equal(wrapped.type, SCHSM_KEY_EC);
        if (cases[i].kcv != NULL) {
            assert_bytes_are_hex(wrapped.kcv, sizeof(wrapped.kcv), cases[i].kcv);
        }
        assert_int_equal(schsm_key_container_build(&container, &again, &again_len, &err), 1);
        assert_bytes_equal(again, again_len, file.data, file.len);
        OPENSSL_free(again);
        OPENSSL_free(spki);
        free_bytes(&file);
    }
}

static struct schsm_secret *open_share(const char *name, const char *password_text)
{
    struct bytes file = read_vector(name);
    struct schsm_secret *password = schsm_secret_new(password_text, strlen(password_text), &err);
    struct schsm_secret *share =
        schsm_dkek_share_open(NULL, file.data, file.len, password, NULL, &err);

    if (share == NULL) {
        fail_msg("%s: %s", name, err.text);
    }
    schsm_secret_free(password);
    free_bytes(&file);
    return share;
}

static void assert_kcv(const struct schsm_secret *dkek, const char *expected)
{
    uint8_t kcv[SCHSM_KCV_LEN];

    assert_int_equal(schsm_dkek_kcv(NULL, dkek, kcv, &err), 1);
    assert_bytes_are_hex(kcv, sizeof(kcv), expected);
}

/* password: of an encrypted file, NULL where it is not. */
static EVP_PKEY *read_private_key(const char *name, const char *password)
{
    char text[32] = "";
    struct bytes file = read_vector(name);
    BIO *bio = BIO_new_mem_buf(file.data, (int)file.len);
    EVP_PKEY *key;

    if (password != NULL) {
        (void)OPENSSL_strlcpy(text, password, sizeof(text));
    }
    key = PEM_read_bio_PrivateKey(bio, NULL, NULL, text);
    assert_non_null(key);
    BIO_free(bio);
    free_bytes(&file);
    return key;
}

/* Of the recorded exchanges with a Pico HSM: what follows this command in the same line, or, where
 * that is all of it, the answer without its status word. */
static struct bytes read_exchange(const char *command)
{
    struct bytes file = read_vector("pico-v6.6-exchanges.txt"), found = { NULL, 0 };
    size_t len = strlen(command);
    char *at = (char *)file.data;

    for (char *line = strtok_r(at, "\n", &at); line != NULL && found.data == NULL;
         line = strtok_r(NULL, "\n", &at)) {
        if (strncmp(line, "> ", 2) != 0 || strncmp(line + 2, command, len) != 0) {
            continue;
        }
        if (line[2 + len] != '\0') {
            found = from_hex(line + 2 + len);
            break;
        }
        line = strtok_r(NULL, "\n", &at);
        assert_non_null(line);
        found = from_hex(line + 2);
        found.len -= 2;
    }
    assert_non_null(found.data);
    free_bytes(&file);
    return found;
}

/* r || s over SHA-1 of the message */
static void assert_signature_verifies(EVP_PKEY *key, const char *message_name,
                                      const char *signature_name)
{
    struct bytes message = read_vector(message_name), raw = read_vector(signature_name);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ECDSA_SIG *signature = ECDSA_SIG_new();
    uint8_t *der = NULL;
    int len;

    assert_int_equal(raw.len, 64);
    ECDSA_SIG_set0(signature, BN_bin2bn(raw.data, 32, NULL), BN_bin2bn(raw.data + 32, 32, NULL));
    len = i2d_ECDSA_SIG(signature, &der);
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha1(), NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(context, der, (size_t)len, message.data, message.len), 1);
    OPENSSL_free(der);
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(context);
    free_bytes(&raw);
    free_bytes(&message);
}

static void a_key_wrapped_by_a_real_card_is_opened_with_its_share(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    /* it takes a minute there, in libcrypto; unit_wrapped_key opens keys with known ones */
    skip();
#endif
    struct schsm_secret *dkek = open_share("A-dkek.pbe", "passwordpassword");
    struct bytes file = read_vector("A-wrap-key.bin"), other = read_vector("other-dkek.wrapped");
    struct schsm_key_container container = read_container(&file);
    EVP_PKEY *expected = read_private_key("A-key.pem", NULL), *key, *public_key;
    struct schsm_wrapped_key wrapped;
    uint8_t *spki = NULL;
    const uint8_t *at;
    size_t spki_len = 0;

    (void)state;
    assert_kcv(dkek, "ECC92C62E3F6189E");
    assert_int_equal(
        schsm_wrapped_key_parse(container.blob.data, container.blob.len, &wrapped, &err), 1);
    key = schsm_wrapped_key_private(NULL, &wrapped, dkek, &err);
    if (key == NULL) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(EVP_PKEY_eq(key, expected), 1);
    assert_int_equal(schsm_public_key_from_ce(container.certificate.data, container.certificate.len,
                                              &spki, &spki_len, &err),
                     1);
    at = spki;
    public_key = d2i_PUBKEY(NULL, &at, (long)spki_len);
    assert_int_equal(EVP_PKEY_eq(key, public_key), 1);
    assert_signature_verifies(key, "A-msg.bin", "A-msg.sig.bin");

    container = read_container(&other);
    assert_int_equal(
        schsm_wrapped_key_parse(container.blob.data, container.blob.len, &wrapped, &err), 1);
    assert_null(schsm_wrapped_key_private(NULL, &wrapped, dkek, &err));
    assert_int_equal(err.reason, SCHSM_REASON_WRONG_KEY);
    assert_non_null(strstr(err.text, "ECC92C62E3F6189E"));
    EVP_PKEY_free(public_key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(expected);
    OPENSSL_free(spki);
    free_bytes(&other);
    free_bytes(&file);
    schsm_secret_free(dkek);
}

static void assert_same_exponent(EVP_PKEY *a, EVP_PKEY *b)
{
    BIGNUM *numbers[2] = { NULL, NULL };

    assert_int_equal(EVP_PKEY_get_bn_param(a, OSSL_PKEY_PARAM_RSA_D, &numbers[0]), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(b, OSSL_PKEY_PARAM_RSA_D, &numbers[1]), 1);
    assert_int_equal(BN_cmp(numbers[0], numbers[1]), 0);
    BN_clear_free(numbers[1]);
    BN_clear_free(numbers[0]);
}

static void the_files_of_the_key_manager_are_opened_with_their_share(void **state)
{
    static const struct {
        const char *file, *key;
        enum schsm_wrapped_form form;
        unsigned int bits;
        size_t blob_len;
    } cases[] = {
        { "km-rsa4096.wky", "km-rsa4096.key.pem", SCHSM_WRAPPED_RSA, 4096, 1099 },
        { "km-rsa2048.wky", "km-rsa2048.key.pem", SCHSM_WRAPPED_RSA_CRT, 2048, 971 },
    };

    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    struct schsm_secret *dkek = open_share("km-dkek.pbe", "ptx-code-signing-dev");

    assert_kcv(dkek, "D2F16CD233B4EF7F");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes file = read_vector(cases[i].file);
        EVP_PKEY *expected = read_private_key(cases[i].key, "test"), *key;
        struct schsm_wrapped_file wrapped;
        uint8_t *spki = NULL;
        size_t spki_len = 0;

        if (!schsm_wrapped_file_read(file.data, file.len, &wrapped, &err)) {
            fail_msg("%s: %s", cases[i].file, err.text);
        }
        assert_int_equal(wrapped.key.form, cases[i].form);
        assert_int_equal(wrapped.container.blob.len, cases[i].blob_len);
        assert_true(wrapped.described);
        assert_int_equal(wrapped.bits, cases[i].bits);
        assert_int_equal(schsm_wrapped_key_bits(&wrapped.key), cases[i].bits);
        assert_int_equal(wrapped.container.certificate.data[0], 0x30); /* X.509 */
        key = schsm_wrapped_key_private(NULL, &wrapped.key, dkek, &err);
        if (key == NULL) {
            fail_msg("%s: %s", cases[i].file, err.text);
        }
        assert_int_equal(EVP_PKEY_eq(key, expected), 1);
        assert_same_exponent(key, expected);
        assert_int_equal(schsm_public_key_from_ce(wrapped.container.certificate.data,
                                                  wrapped.container.certificate.len, &spki,
                                                  &spki_len, &err),
                         1);
        assert_true(schsm_public_key_is(NULL, spki, spki_len, key));
        OPENSSL_free(spki);
        EVP_PKEY_free(key);
        EVP_PKEY_free(expected);
        free_bytes(&file);
    }
    schsm_secret_free(dkek);
}

/* The recorded answer to WRAP KEY, and the share that went in before. */
static void an_ec_key_wrapped_by_a_pico_hsm_is_opened(void **state)
{
    struct bytes share = read_exchange("8052000020"), blob = read_exchange("80720192000000");
    struct schsm_secret *dkek = schsm_secret_new(share.data, 32, &err);
    struct schsm_wrapped_file wrapped;
    EVP_PKEY *key;

    (void)state;
    assert_non_null(dkek);
    if (!schsm_wrapped_file_read(blob.data, blob.len, &wrapped, &err)) {
        fail_msg("%s", err.text);
    }
    assert_false(wrapped.described);
    assert_int_equal(wrapped.container.blob.len, blob.len);
    key = schsm_wrapped_key_private(NULL, &wrapped.key, dkek, &err);
    if (key == NULL) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(EVP_PKEY_get_bits(key), 256);
    EVP_PKEY_free(key);
    schsm_secret_free(dkek);
    free_bytes(&blob);
    free_bytes(&share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrapped_file_holds_a_description_and_a_request),
        cmocka_unit_test(a_key_wrapped_by_a_real_card_is_opened_with_its_share),
        cmocka_unit_test(the_files_of_the_key_manager_are_opened_with_their_share),
        cmocka_unit_test(an_ec_key_wrapped_by_a_pico_hsm_is_opened),
    };

    return vectors_status(
        cmocka_run_group_tests_name("wrapped keys of real devices", tests, NULL, NULL));
}
