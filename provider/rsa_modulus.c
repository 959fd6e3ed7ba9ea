/* SPDX-License-Identifier: Apache-2.0 */
#include "rsa_modulus.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

uint8_t *schsm_rsa_modulus(const EVP_PKEY *pkey, size_t *len)
{
    int size = EVP_PKEY_get_size(pkey);
    BIGNUM *n = NULL;
    uint8_t *modulus = NULL;

    if (size > 0 && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) &&
        (modulus = OPENSSL_malloc((size_t)size)) != NULL &&
        BN_bn2binpad(n, modulus, size) != size) {
        OPENSSL_free(modulus);
        modulus = NULL;
    }
    BN_free(n);
    *len = modulus == NULL ? 0 : (size_t)size;
    return modulus;
}

bool schsm_rsa_below_modulus(const EVP_PKEY *pkey, const uint8_t *block, size_t len)
{
    size_t modulus_len;
    uint8_t *modulus = schsm_rsa_modulus(pkey, &modulus_len);
    bool below = modulus != NULL && len == modulus_len && memcmp(block, modulus, len) < 0;

    OPENSSL_free(modulus);
    return below;
}
