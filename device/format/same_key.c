/* SPDX-License-Identifier: Apache-2.0 */
#include "same_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>

/* Whether two RSA keys have the same numbers: the device knows plain RSA keys alone, a certificate
 * may restrict its key to RSA-PSS. */
static bool same_rsa(const EVP_PKEY *a, const EVP_PKEY *b)
{
    BIGNUM *numbers[4] = { NULL, NULL, NULL, NULL };
    bool same = EVP_PKEY_get_bn_param(a, OSSL_PKEY_PARAM_RSA_N, &numbers[0]) &&
                EVP_PKEY_get_bn_param(b, OSSL_PKEY_PARAM_RSA_N, &numbers[1]) &&
                EVP_PKEY_get_bn_param(a, OSSL_PKEY_PARAM_RSA_E, &numbers[2]) &&
                EVP_PKEY_get_bn_param(b, OSSL_PKEY_PARAM_RSA_E, &numbers[3]) &&
                BN_cmp(numbers[0], numbers[1]) == 0 && BN_cmp(numbers[2], numbers[3]) == 0;

    for (size_t i = 0; i < 4; i++) {
        BN_free(numbers[i]);
    }
    return same;
}

static bool is_rsa(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
}

bool schsm_same_public_key(const EVP_PKEY *a, const EVP_PKEY *b)
{
    return is_rsa(a) ? is_rsa(b) && same_rsa(a, b) : EVP_PKEY_eq(a, b) == 1;
}

bool schsm_public_key_is(OSSL_LIB_CTX *libctx, const uint8_t *spki, size_t len, const EVP_PKEY *key)
{
    const unsigned char *p = spki;
    EVP_PKEY *other;
    bool same;

    ERR_set_mark();
    other = d2i_PUBKEY_ex(NULL, &p, (long)len, libctx, NULL);
    same = other != NULL && schsm_same_public_key(other, key);
    EVP_PKEY_free(other);
    ERR_pop_to_mark();
    return same;
}
