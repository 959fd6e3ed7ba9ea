/* SPDX-License-Identifier: Apache-2.0 */
#include "curves.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

static const struct sim_curve curves[] = {
    { "prime192v1", NID_X9_62_prime192v1, 192, 24 },
    { "prime256v1", NID_X9_62_prime256v1, 256, 32 },
    { "secp384r1", NID_secp384r1, 384, 48 },
    { "secp521r1", NID_secp521r1, 521, 66 },
    { "brainpoolP192r1", NID_brainpoolP192r1, 192, 24 },
    { "brainpoolP224r1", NID_brainpoolP224r1, 224, 28 },
    { "brainpoolP256r1", NID_brainpoolP256r1, 256, 32 },
    { "brainpoolP320r1", NID_brainpoolP320r1, 320, 40 },
    { "brainpoolP384r1", NID_brainpoolP384r1, 384, 48 },
    { "brainpoolP512r1", NID_brainpoolP512r1, 512, 64 },
    { "brainpoolP192t1", NID_brainpoolP192t1, 192, 24 },
    { "brainpoolP224t1", NID_brainpoolP224t1, 224, 28 },
    { "brainpoolP256t1", NID_brainpoolP256t1, 256, 32 },
    { "brainpoolP320t1", NID_brainpoolP320t1, 320, 40 },
    { "brainpoolP384t1", NID_brainpoolP384t1, 384, 48 },
    { "brainpoolP512t1", NID_brainpoolP512t1, 512, 64 },
    { "secp192k1", NID_secp192k1, 192, 24 },
    { "secp256k1", NID_secp256k1, 256, 32 },
};

bool sim_curve_load_params(const struct sim_curve *curve, struct sim_curve_storage *storage,
                           struct sim_curve_params *params)
{
    bool ok = false;
    int n = (int)curve->field_bytes;
    size_t point = 1 + 2 * curve->field_bytes;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(curve->nid);
    BIGNUM *p = BN_new(), *a = BN_new(), *b = BN_new();
    if (group == NULL || p == NULL || a == NULL || b == NULL ||
        !EC_GROUP_get_curve(group, p, a, b, NULL)) {
        goto out;
    }
    if (BN_bn2binpad(p, storage->p, n) != n || BN_bn2binpad(a, storage->a, n) != n ||
        BN_bn2binpad(b, storage->b, n) != n ||
        BN_bn2binpad(EC_GROUP_get0_order(group), storage->order, n) != n) {
        goto out;
    }
    if (EC_POINT_point2oct(group, EC_GROUP_get0_generator(group), POINT_CONVERSION_UNCOMPRESSED,
                           storage->generator, sizeof(storage->generator), NULL) != point) {
        goto out;
    }
    params->p = (struct sim_slice){ storage->p, curve->field_bytes };
    params->a = (struct sim_slice){ storage->a, curve->field_bytes };
    params->b = (struct sim_slice){ storage->b, curve->field_bytes };
    params->order = (struct sim_slice){ storage->order, curve->field_bytes };
    params->generator = (struct sim_slice){ storage->generator, point };
    ok = true;
out:
    BN_free(p);
    BN_free(a);
    BN_free(b);
    EC_GROUP_free(group);
    return ok;
}

const struct sim_curve *sim_curve_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (strcmp(curves[i].name, name) == 0) {
            return &curves[i];
        }
    }
    return NULL;
}

const struct sim_curve *sim_curve_by_params(const struct sim_curve_params *want)
{
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        struct sim_curve_storage storage;
        struct sim_curve_params have;
        if (curves[i].field_bytes != want->p.len ||
            !sim_curve_load_params(&curves[i], &storage, &have)) {
            continue;
        }
        if (sim_slice_equal(have.p, want->p) && sim_slice_equal(have.a, want->a) &&
            sim_slice_equal(have.b, want->b) && sim_slice_equal(have.order, want->order) &&
            sim_slice_equal(have.generator, want->generator)) {
            return &curves[i];
        }
    }
    return NULL;
}

EVP_PKEY *sim_curve_generate(const struct sim_curve *curve)
{
    return EVP_EC_gen(curve->name);
}

EVP_PKEY *sim_curve_key(const struct sim_curve *curve, const BIGNUM *d)
{
    EVP_PKEY *pkey = NULL;
    uint8_t encoded[1 + 2 * SIM_MAX_FIELD];
    size_t len = 0;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EC_GROUP *group = EC_GROUP_new_by_curve_name(curve->nid);
    EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
    if (build == NULL || ctx == NULL || point == NULL || BN_is_zero(d) || BN_is_negative(d) ||
        BN_cmp(d, EC_GROUP_get0_order(group)) >= 0 ||
        EC_POINT_mul(group, point, d, NULL, NULL, NULL) != 1) {
        goto out;
    }
    len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, encoded, sizeof(encoded),
                             NULL);
    if (len == 0 ||
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->name, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, encoded, len) != 1 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1) {
        goto out;
    }
    params = OSSL_PARAM_BLD_to_param(build);
    if (params != NULL && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
    }
out:
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return pkey;
}
