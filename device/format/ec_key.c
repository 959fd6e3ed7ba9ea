/* SPDX-License-Identifier: Apache-2.0 */
#include "ec_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

#define GROUP_NAME_MAX 64

const struct schsm_curve *schsm_ec_key_curve(EVP_PKEY *key)
{
    char group[GROUP_NAME_MAX];

    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                       NULL) != 1) {
        return NULL;
    }
    return schsm_curve_by_name(group);
}

/* A number of a key, padded to len bytes. */
static bool get_padded(EVP_PKEY *key, const char *name, uint8_t *out, size_t len)
{
    BIGNUM *value = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, name, &value) == 1 &&
              BN_bn2binpad(value, out, (int)len) == (int)len;

    BN_clear_free(value);
    return ok;
}

bool schsm_ec_key_point(EVP_PKEY *key, const struct schsm_curve *curve,
                        uint8_t point[SCHSM_POINT_MAX])
{
    size_t len = curve->field_len;

    point[0] = 0x04;
    return get_padded(key, OSSL_PKEY_PARAM_EC_PUB_X, point + 1, len) &&
           get_padded(key, OSSL_PKEY_PARAM_EC_PUB_Y, point + 1 + len, len);
}

bool schsm_ec_key_private(EVP_PKEY *key, const struct schsm_curve *curve,
                          uint8_t number[SCHSM_FIELD_MAX])
{
    return get_padded(key, OSSL_PKEY_PARAM_PRIV_KEY, number, curve->field_len);
}
