/* SPDX-License-Identifier: Apache-2.0 */
#include "wrapped_keys.h"

#include <openssl/bn.h>
#include <openssl/err.h>

#include "format/dkek.h"
#include "format/wrapped_key.h"

static struct schsm_error err;

struct schsm_secret *secret_from_hex(const char *hex)
{
    struct bytes bytes = from_hex(hex);
    struct schsm_secret *secret = schsm_secret_new(bytes.data, bytes.len, &err);

    assert_non_null(secret);
    free_bytes(&bytes);
    return secret;
}

struct schsm_secret *forty_four(void)
{
    return secret_from_hex("4444444444444444444444444444444444444444444444444444444444444444");
}

EVP_PKEY *make(const char *type, const char *curve, unsigned int bits)
{
    EVP_PKEY *key = curve != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, type, curve)
                                  : EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)bits);

    assert_non_null(key);
    return key;
}

void assert_number(EVP_PKEY *key, const char *name, const char *hex)
{
    BIGNUM *value = NULL, *expected = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &value), 1);
    assert_true(BN_hex2bn(&expected, hex) > 0);
    assert_int_equal(BN_cmp(value, expected), 0);
    BN_free(expected);
    BN_clear_free(value);
}

EVP_PKEY *unwrap(const struct bytes *blob, struct schsm_secret *dkek)
{
    struct schsm_wrapped_key wrapped;
    EVP_PKEY *key;

    if (!schsm_wrapped_key_parse(blob->data, blob->len, &wrapped, &err)) {
        fail_msg("%s", err.text);
    }
    key = schsm_wrapped_key_private(NULL, &wrapped, dkek, &err);
    if (key == NULL) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(ERR_peek_error(), 0);
    return key;
}

size_t wrap_and_unwrap(EVP_PKEY *key)
{
    struct schsm_secret *dkek = forty_four();
    const struct schsm_wrapping wrapping = { .dkek = dkek };
    struct bytes blob = { malloc(SCHSM_WRAPPED_MAX), SCHSM_WRAPPED_MAX };
    struct schsm_wrapped_key wrapped;
    EVP_PKEY *again;
    size_t len;

    if (!schsm_wrapped_key_from_private(NULL, key, &wrapping, blob.data, &blob.len, &err)) {
        fail_msg("%s", err.text);
    }
    again = unwrap(&blob, dkek);
    assert_int_equal(EVP_PKEY_eq(key, again), 1);
    assert_int_equal(schsm_wrapped_key_parse(blob.data, blob.len, &wrapped, &err), 1);
    assert_int_equal(schsm_wrapped_key_bits(&wrapped),
                     EVP_PKEY_is_a(key, "RSA") == 1 ? EVP_PKEY_get_bits(key) : 0);
    len = blob.len;
    EVP_PKEY_free(again);
    free_bytes(&blob);
    schsm_secret_free(dkek);
    return len;
}
